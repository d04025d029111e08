package plan

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/azbackup/azbackup/internal/armid"
)

// The flags that lift a guard. Each starts with --dangerous-.
const (
	FlagAllowStops            = "--dangerous-allow-stops"
	FlagAllowManyChanges      = "--dangerous-allow-many-changes"
	FlagAllowRetentionCut     = "--dangerous-allow-retention-cut"
	FlagAllowWeakerSecurity   = "--dangerous-allow-weaker-security"
	FlagAllowIrreversible     = "--dangerous-allow-irreversible"
	FlagAllowManyPolicyWrites = "--dangerous-allow-many-policy-writes"
	FlagAllowManyVaultChanges = "--dangerous-allow-many-vault-changes"
)

// The names of the guards, as in [Refusal.Guard].
const (
	GuardStops        = "max-stops"
	GuardChanges      = "max-changes"
	GuardRetention    = "reduces-retention"
	GuardSecurity     = "weakens-security"
	GuardIrreversible = "irreversible"
	GuardPolicyWrites = "policy-writes"
	GuardVaultChanges = "vault-changes"
)

// Guard is one of the checks that judge a whole plan before its first write.
type Guard struct {
	Name string // as in [Refusal.Guard]
	Flag string // the flag of the command line that lifts the guard
	Help string // one line for the flag's help
}

// Guards returns the guards, in the order in which the help lists them.
func Guards() []Guard {
	return []Guard{
		{GuardStops, FlagAllowStops, "allow more stops and reduced coverage than guards.maxStops"},
		{GuardChanges, FlagAllowManyChanges, "allow more changes than guards.maxChanges"},
		{GuardRetention, FlagAllowRetentionCut, "allow changes after which recovery points are pruned earlier"},
		{GuardSecurity, FlagAllowWeakerSecurity, "allow changes that take immutability back, open public access or shorten soft delete"},
		{GuardIrreversible, FlagAllowIrreversible, "allow changes that cannot be undone"},
		{GuardPolicyWrites, FlagAllowManyPolicyWrites, "allow more policy writes than the service takes in a day"},
		{GuardRestores, FlagAllowManyRestores, "allow more restores than guards.maxRestores"},
		{GuardVaultChanges, FlagAllowManyVaultChanges, "allow more protection changes in a vault than the service takes in a day"},
	}
}

// Judge returns p without the refusals whose flags lifted holds with the value true; p is not changed. Commands show, save
// and execute the judged plan. So a flag is given once, when a plan is saved, and a refusal that a saved plan holds can be
// lifted only by planning again.
func Judge(p Plan, lifted map[string]bool) Plan {
	p.Refusals = slices.DeleteFunc(slices.Clone(p.Refusals), func(r Refusal) bool {
		return r.Flag != "" && lifted[r.Flag]
	})
	return p
}

// evaluateGuards evaluates every guard on the whole plan. Each counts something that only grows with the plan, so that
// adding a change never turns a refused plan into an allowed one.
func (pl *planner) evaluateGuards() []Refusal {
	out := []Refusal{}
	refuse := func(guard, flag string, count, limit int, message string) {
		if count > limit {
			if shard := pl.config.Shard; !shard.IsAll() {
				message += fmt.Sprintf("; counted in shard %s alone", shard)
			}
			out = append(out, Refusal{Guard: guard, Flag: flag, Count: count, Limit: limit, Message: message})
		}
	}
	t := pl.countForGuards()
	limit, of := pl.maxStops()
	refuse(GuardStops, FlagAllowStops, t.stops, limit,
		fmt.Sprintf("stops, and reductions of what is backed up: %d, allowed are %s", t.stops, of))
	changes := pl.config.Settings.Guards.MaxChanges
	refuse(GuardChanges, FlagAllowManyChanges, t.changes, changes,
		fmt.Sprintf("changes: %d, allowed are %d", t.changes, changes))
	refuse(GuardRetention, FlagAllowRetentionCut, t.retention, 0,
		pl.retentionMessage(t))
	refuse(GuardSecurity, FlagAllowWeakerSecurity, t.security, 0,
		formatCount(t.security, "change")+" after which a vault is guarded less: immutability taken back, public access opened or soft delete shortened")
	refuse(GuardIrreversible, FlagAllowIrreversible, t.irreversible, 0,
		formatCount(t.irreversible, "change")+" that cannot be undone")
	restores := pl.config.Settings.Guards.MaxRestores
	refuse(GuardRestores, FlagAllowManyRestores, t.restores, restores,
		fmt.Sprintf("restore tests: %d, allowed are %d", t.restores, restores))
	for _, sub := range slices.Sorted(maps.Keys(t.policyWrites)) {
		n := t.policyWrites[sub]
		refuse(GuardPolicyWrites, FlagAllowManyPolicyWrites, n, PolicyWritesPerDay,
			fmt.Sprintf("%d policy writes in subscription %s, the service takes %d in 24 hours", n, pl.subscriptionText(sub), PolicyWritesPerDay))
	}
	for _, v := range slices.Sorted(maps.Keys(t.vaultChanges)) {
		n := t.vaultChanges[v]
		refuse(GuardVaultChanges, FlagAllowManyVaultChanges, n, ProtectionChangesPerDay,
			fmt.Sprintf("%d protection changes in vault %s, the service takes %d a day", n, pl.vaultText(string(v)), ProtectionChangesPerDay))
	}
	return out
}

// guardCounts holds the numbers that the guards check.
type guardCounts struct {
	stops, changes, retention, security, irreversible int
	restores                                          int
	instantOnly                                       int            // of retention: changes that only shorten instant restore
	policyWrites                                      map[string]int // by subscription: the narrower reading of docs/azure.md §13
	vaultChanges                                      map[armid.Key]int
}

func (pl *planner) countForGuards() guardCounts {
	t := guardCounts{policyWrites: map[string]int{}, vaultChanges: map[armid.Key]int{}}
	for i := range pl.changes {
		d := &pl.changes[i]
		t.restores += boolToInt(d.Action == RestoreTest)
		if !writesConfiguration(d.Action) {
			continue
		}
		t.changes += d.weight
		if d.risks.stops || d.risks.coverage {
			t.stops += max(1, d.weight)
		}
		if d.risks.retention && !d.Allowed {
			t.retention++
			t.instantOnly += boolToInt(d.expiry == nil)
		}
		t.security += boolToInt(d.risks.security)
		t.irreversible += boolToInt(d.risks.irreversible)
		switch d.Action {
		case CreatePolicy, UpdatePolicy:
			t.policyWrites[strings.ToLower(armid.SubscriptionOf(d.Vault))]++
		case Undelete, Protect, Modify, Resume, Stop:
			t.vaultChanges[pl.index.key(d.Vault)]++
		case CreateVault, UpdateVault, Refresh, Backup, Restore, RestoreTest, Blocked, Unchanged, Excluded:
		}
	}
	return t
}

// maxStops returns guards.maxStops as a number, and in words: a percentage is of the items that are active now in the
// file's vaults, rounded down, and always allows one.
func (pl *planner) maxStops() (limit int, words string) {
	share := pl.config.Settings.Guards.MaxStops
	if !share.Percent {
		return share.Count, fmt.Sprint(share.Count)
	}
	if share.Count == 0 {
		return 0, "0"
	}
	items := pl.activeItems()
	limit = max(1, items*share.Count/100)
	return limit, fmt.Sprintf("%d (%d%% of %s)", limit, share.Count, formatCount(items, "active item"))
}

// activeItems counts the items that are backed up now in the vaults of the file.
func (pl *planner) activeItems() int {
	n := 0
	for i := range pl.index.machines {
		at := &pl.index.machines[i]
		for _, it := range at.items {
			if it.Class() == ItemActive && pl.vaults[pl.index.key(it.Vault)] != nil {
				n++
			}
		}
	}
	return n
}
