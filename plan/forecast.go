package plan

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/azbackup/azbackup/config"
	"github.com/azbackup/azbackup/internal/armid"
)

// ItemsPerPage is the expected number of rows on a page of a list of the backup service (docs/azure.md §2).
const ItemsPerPage = 200

// sweepsPerVault is the number of times that a vault is assumed to be listed to confirm its changes, for a forecast.
const sweepsPerVault = 3

// DefaultLimits returns the limits of a run where neither the config nor the caller of the engine sets them. The numbers
// stand in config/defaults.go.
func DefaultLimits() config.Limits { return config.DefaultSettings().Limits }

// Capacity is what the forecast of a plan depends on besides its changes.
type Capacity struct {
	// Items is the number of items in each vault, soft-deleted ones included: it decides how many pages a list has.
	Items map[armid.Key]int
	// Operations and Restores are how many operations and restores may run at once; 0 = no limit.
	Operations, Restores int
}

// forecastChanges estimates the cost of carrying the plan out.
func (p *Plan) forecastChanges() {
	if p.Request != nil {
		p.Forecast = restoreForecast(p.Changes, p.Capacity.Restores)
		return
	}
	p.Forecast = forecastOf(p.Changes, p.Subscriptions, p.Capacity.Items, p.Capacity.Operations)
	p.Forecast.addTests(p.Changes, p.Capacity.Restores)
}

// forecastOf counts the requests for these changes and estimates the time, given the number of items in each vault and
// the number of operations that may run at once (0 = no limit). names are the display names of subscriptions, by folded id.
func forecastOf(changes []Change, names map[string]string, held map[armid.Key]int, operations int) Forecast {
	f := Forecast{Requests: map[string]int{}}
	plans := map[string]*subscriptionCost{}
	vaults := map[armid.Key]int{}
	for _, c := range changes {
		if c.Action == Blocked || c.Action == RestoreTest {
			continue
		}
		k := armid.Of(c.Vault)
		sub := strings.ToLower(armid.SubscriptionOf(c.Vault))
		if plans[sub] == nil {
			plans[sub] = &subscriptionCost{operations: operations}
		}
		plans[sub].add(c.Action)
		f.Requests["writes"]++
		switch c.Action {
		case CreateVault, UpdateVault:
			f.Requests["confirm"] += 2 // its operation, and the vault read back
		case CreatePolicy, UpdatePolicy:
			f.Requests["confirm"] += 2 // read before, and read back
		case Refresh:
			f.Requests["writes"]--
			f.Requests["refresh"] += 2 // the refresh, and its result
		case Undelete, Protect, Modify, Resume, Stop, Backup, Restore, RestoreTest:
			vaults[k]++
		case Blocked, Unchanged, Excluded:
		}
	}
	for k, n := range vaults {
		pages := (held[k]+n+ItemsPerPage-1)/ItemsPerPage + (n+ItemsPerPage-1)/ItemsPerPage // items, and jobs
		f.Requests["confirm"] += sweepsPerVault * pages
	}
	maps.DeleteFunc(f.Requests, func(_ string, n int) bool { return n == 0 })
	for _, sub := range slices.Sorted(maps.Keys(plans)) {
		f.Duration = max(f.Duration, Duration(plans[sub].duration()))
		if n := plans[sub].writes; n > ARMWritesBurst {
			f.Notes = append(f.Notes, fmt.Sprintf("%d writes in subscription %s: Azure takes %d at once and then %d a second",
				n, DescribeSubscription(names[sub], sub), ARMWritesBurst, ARMWritesPerSecond))
		}
	}
	if n := f.Requests["confirm"]; n > BackupRequestsPerHour {
		f.Notes = append(f.Notes, fmt.Sprintf("%d reads: the backup service allows as few as %d of a kind in an hour to all users of a subscription",
			n, BackupRequestsPerHour))
	}
	return f
}

// subscriptionCost adds up the time that one subscription needs. Stages follow one another; within a stage the writes
// wait for the token bucket and for free operations.
type subscriptionCost struct {
	operations int
	writes     int
	phases     [stages]phase
}

// The stages of a run.
const (
	vaultStage = iota
	policyStage
	refreshStage
	undeleteStage
	itemStage
	backupStage
	stages // the number of stages
)

type phase struct {
	writes  int
	longest time.Duration
	work    time.Duration // sum of the operations
}

func (s *subscriptionCost) add(a Action) {
	i := vaultStage
	switch a {
	case CreatePolicy, UpdatePolicy:
		i = policyStage
	case Refresh:
		i = refreshStage
	case Undelete:
		i = undeleteStage
	case Protect, Modify, Resume, Stop:
		i = itemStage
	case Backup, Restore, RestoreTest:
		i = backupStage
	case CreateVault, UpdateVault, Blocked, Unchanged, Excluded:
	}
	s.writes++
	st := &s.phases[i]
	st.writes++
	st.longest = max(st.longest, RecordedDurationOf(a).Median)
	st.work += RecordedDurationOf(a).Median
}

func (s *subscriptionCost) duration() time.Duration {
	var at time.Duration
	sent := 0
	for _, st := range s.phases {
		if st.writes == 0 {
			continue
		}
		sent += st.writes
		// The earliest time at which the token bucket admits the last write of this stage.
		var bucket time.Duration
		if sent > ARMWritesBurst {
			bucket = time.Duration(sent-ARMWritesBurst) * time.Second / ARMWritesPerSecond
		}
		end := max(at, bucket) + st.longest
		if s.operations > 0 {
			end = max(end, at+st.work/time.Duration(s.operations))
		}
		at = end
	}
	return at.Round(time.Second)
}
