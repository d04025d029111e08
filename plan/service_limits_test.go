package plan_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/azbackup/azbackup/config"
	"github.com/azbackup/azbackup/plan"
)

func TestVaultOfAThousandVMsIsFull(t *testing.T) {
	c, o := bigVault(plan.MaxVMsPerVault-1, 2)
	p := plan.Make(c, o, plan.Options{Now: now})
	if p.Summary[plan.Protect] != 1 || p.Summary[plan.Blocked] != 1 {
		t.Fatalf("got %v, want one protect and one blocked", p.Summary)
	}
	blocked := p.Changes[slices.IndexFunc(p.Changes, func(c plan.Change) bool { return c.Action == plan.Blocked })]
	if blocked.Reason != plan.ReasonVaultFull || !strings.Contains(blocked.Because, "1000") {
		t.Errorf("got %s: %s", blocked.Reason, blocked.Because)
	}
	o.Items[0].SoftDeleted, o.VMs = true, o.VMs[1:] // an orphan, so that it is not undeleted
	if p := plan.Make(c, o, plan.Options{Now: now}); p.Summary[plan.Protect] != 2 {
		t.Errorf("a soft-deleted item takes a place: %v", p.Summary)
	}
}

// bigVault returns a vault that holds some VMs, and new VMs for it.
func bigVault(held, fresh int) (*config.Config, plan.Observed) {
	c := &config.Config{
		Subscriptions: []string{subscription},
		Vaults:        []config.Vault{{Name: "here", Subscription: subscription, ResourceGroup: vaultGroup, Location: "westeurope"}},
		Policies:      []config.Policy{{Name: "daily"}},
		Rules: []config.Rule{{
			Name: "all", Match: []config.Selector{{Names: []string{"*"}}}, Policy: "daily", Protect: config.ProtectOn,
		}},
		Settings: config.Settings{Guards: config.Guards{MaxChanges: 1_000_000}},
	}
	o := plan.Observed{
		Vaults:   []plan.Vault{{ID: vaultID("here"), Name: "here", Location: "westeurope", InFile: true}},
		Policies: []plan.Policy{{ID: policyID("here", "daily"), Name: "daily", Vault: vaultID("here")}},
	}
	for i := range held + fresh {
		name := fmt.Sprintf("vm%05d", i)
		o.VMs = append(o.VMs, plan.VM{ID: vmID(name), Name: name, ResourceGroup: "app", Subscription: subscription, Location: "westeurope"})
		if i < held {
			o.Items = append(o.Items, itemIn("here", name, plan.StateProtected, "daily"))
		}
	}
	return c, o
}

func TestServiceLimitsOfADayRefuse(t *testing.T) {
	c, o := bigVault(plan.ProtectionChangesPerDay+1, 0)
	c.Rules[0].Protect, c.Settings.Guards.MaxStops = config.ProtectStopped, config.Share{Count: 10_000}
	p := plan.Make(c, o, plan.Options{Now: now})
	if len(p.Refusals) != 1 || p.Refusals[0].Guard != plan.GuardVaultChanges || p.Refusals[0].Count != 1001 || p.Refusals[0].Limit != 1000 {
		t.Errorf("got %+v", p.Refusals)
	}

	c, o = bigVault(0, 0)
	c.Policies = nil
	for i := range plan.PolicyWritesPerDay + 1 {
		c.Policies = append(c.Policies, config.Policy{
			Name: fmt.Sprintf("p%d", i), Manage: true, Vaults: []string{"here"}, Tier: "Standard", TimeZone: "UTC",
			Schedule: &config.Schedule{Daily: &config.Daily{At: "22:00"}}, Retention: &config.Retention{Days: new(30)},
		})
	}
	p = plan.Make(c, o, plan.Options{Now: now})
	if len(p.Refusals) != 1 || p.Refusals[0].Guard != plan.GuardPolicyWrites || p.Refusals[0].Count != 51 {
		t.Errorf("got %+v", p.Refusals)
	}
}

func TestVaultsOfARegionAreLimited(t *testing.T) {
	c, o := bigVault(0, 1)
	c.Vaults[0].Manage, o.Vaults = true, nil
	for i := range plan.MaxVaultsPerRegion {
		o.Vaults = append(o.Vaults, plan.Vault{ID: vaultID(fmt.Sprintf("v%d", i)), Location: "westeurope"})
	}
	p := plan.Make(c, o, plan.Options{Now: now})
	if p.Summary[plan.CreateVault] != 0 || p.Changes[0].Reason != plan.ReasonVaultLimit {
		t.Errorf("got %s", render(p))
	}
	o.Vaults[0].Location = "northeurope"
	second := c.Vaults[0]
	second.Name = "second"
	c.Vaults = append(c.Vaults, second)
	c.Rules[0].Spread = true
	if p := plan.Make(c, o, plan.Options{Now: now}); p.Summary[plan.CreateVault] != 1 {
		t.Errorf("499 vaults leave room for one of two: %s", render(p))
	}
}

func TestUndeletedItemsTakeTheirPlaceBeforeNewOnes(t *testing.T) {
	c, o := bigVault(plan.MaxVMsPerVault, 1)
	o.Items[0].SoftDeleted = true
	p := plan.Make(c, o, plan.Options{Now: now})
	if p.Summary[plan.Undelete] != 1 || p.Summary[plan.Protect] != 0 {
		t.Errorf("999 items and an undeleted one leave no room, got %v", p.Summary)
	}
}

// The config rejects these; they must do no harm in a config that was built in code.
func TestUnmanagedVaultIsNeitherWrittenNorStopped(t *testing.T) {
	c, o := bigVault(2, 0)
	c.Rules[0].Match[0].Names = []string{"vm00000"}
	c.Vaults[0].SoftDeleteDays, c.Vaults[0].Unmatched = new(30), "stop"
	o.Vaults[0].Settings.SoftDeleteDays = new(14)
	if p := plan.Make(c, o, plan.Options{Now: now}); len(p.Changes) != 0 {
		t.Errorf("got %s", render(p))
	}
	c.Vaults[0].Manage = true
	if p := plan.Make(c, o, plan.Options{Now: now}); p.Summary[plan.Stop] != 1 || p.Summary[plan.UpdateVault] != 1 {
		t.Errorf("got %s", render(p))
	}
}

func TestForecastCountsRequestsAndTime(t *testing.T) {
	c, o := bigVault(0, 1000)
	f := plan.Make(c, o, plan.Options{Now: now}).Forecast
	if f.Requests["writes"] != 1000 {
		t.Errorf("got %d writes", f.Requests["writes"])
	}
	if got := f.Requests["confirm"]; got < 3 || got > 100 {
		t.Errorf("confirming 1000 VMs of one vault takes %d reads", got)
	}
	// 200 at once, 800 at 10 a second, and the last one takes 36 s (docs/azure.md §4, §12).
	if want := plan.Duration(116 * time.Second); f.Duration != want {
		t.Errorf("got %v, want %v", f.Duration, want)
	}
	if len(f.Notes) != 1 || !strings.Contains(f.Notes[0], "1000 writes") {
		t.Errorf("got notes %q", f.Notes)
	}
	c, o = bigVault(10, 0)
	if f := plan.Make(c, o, plan.Options{Now: now}).Forecast; f.Duration != 0 || len(f.Requests) != 0 {
		t.Errorf("an empty plan costs %+v", f)
	}
}

func TestAForecastCountsTheReadsOfEachKindOfChange(t *testing.T) {
	vault := plan.Change{Action: plan.CreateVault, Vault: vaultID("here")}
	policy := plan.Change{Action: plan.UpdatePolicy, Vault: vaultID("here")}
	refresh := plan.Change{Action: plan.Refresh, Vault: vaultID("here")}
	stop := plan.Change{Action: plan.Stop, Vault: vaultID("here")}
	for name, tt := range map[string]struct {
		changes []plan.Change
		want    map[string]int
	}{
		"a vault":               {[]plan.Change{vault}, map[string]int{"writes": 1, "confirm": 2}},
		"two policies":          {[]plan.Change{policy, policy}, map[string]int{"writes": 2, "confirm": 4}},
		"a refresh":             {[]plan.Change{refresh}, map[string]int{"refresh": 2}},
		"an item":               {[]plan.Change{stop}, map[string]int{"writes": 1, "confirm": 3 * (1 + 1)}},
		"a page of items":       {slices.Repeat([]plan.Change{stop}, plan.ItemsPerPage), map[string]int{"writes": plan.ItemsPerPage, "confirm": 3 * (1 + 1)}},
		"one more than a page":  {slices.Repeat([]plan.Change{stop}, plan.ItemsPerPage+1), map[string]int{"writes": plan.ItemsPerPage + 1, "confirm": 3 * (2 + 2)}},
		"what is blocked":       {[]plan.Change{{Action: plan.Blocked, Wanted: plan.Stop, Vault: vaultID("here")}}, map[string]int{}},
		"all of them in a run":  {[]plan.Change{vault, policy, refresh, stop}, map[string]int{"writes": 3, "confirm": 2 + 2 + 6, "refresh": 2}},
		"items of two vaults":   {[]plan.Change{stop, {Action: plan.Stop, Vault: vaultID("there")}}, map[string]int{"writes": 2, "confirm": 6 + 6}},
		"of an item its backup": {[]plan.Change{{Action: plan.Backup, Vault: vaultID("here")}}, map[string]int{"writes": 1, "confirm": 6}},
	} {
		if diff := cmp.Diff(tt.want, plan.ForecastOf(tt.changes).Requests); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

func TestAForecastNotesWhatIsMoreThanAzureTakes(t *testing.T) {
	policy := plan.Change{Action: plan.UpdatePolicy, Vault: vaultID("here")}
	for n, notes := range map[int]int{plan.BackupRequestsPerHour / 2: 0, plan.BackupRequestsPerHour/2 + 1: 1, plan.ARMWritesBurst: 1, plan.ARMWritesBurst + 1: 2} {
		if got := plan.ForecastOf(slices.Repeat([]plan.Change{policy}, n)).Notes; len(got) != notes {
			t.Errorf("%d policies: %q", n, got)
		}
	}
}

func TestALockIsAChangeOfItsOwn(t *testing.T) {
	c, o := bigVault(0, 0)
	c.Vaults[0].Manage, c.Vaults[0].Immutability, o.Vaults = true, "locked", nil
	c.Settings.Guards.MaxChanges = 1
	p := plan.Make(c, o, plan.Options{Now: now})
	i := slices.IndexFunc(p.Refusals, func(r plan.Refusal) bool { return r.Guard == plan.GuardChanges })
	if i < 0 || p.Refusals[i].Count != 2 {
		t.Errorf("got %+v\n%s", p.Refusals, render(p))
	}
}
