package plan_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/azbackup/azbackup/internal/armid"
	"github.com/azbackup/azbackup/plan"
)

func TestValidateRefusesAPlanThatCannotBeCarriedOut(t *testing.T) {
	vault := armid.Vault(subscription, vaultGroup, "v0")
	change := func(id string, a plan.Action, target string, needs ...string) plan.Change {
		return plan.Change{ID: id, Action: a, Target: target, Vault: vault, Needs: needs}
	}
	vm1, vm2 := armid.VM(subscription, "app", "vm1"), armid.VM(subscription, "app", "vm2")
	for _, c := range []struct {
		name    string
		changes []plan.Change
		problem string // "" = valid
		about   []string
	}{
		{"nothing", nil, "", nil},
		{"chains", []plan.Change{
			change("create", plan.CreateVault, vault), change("lock", plan.UpdateVault, vault, "create"),
			change("refresh", plan.Refresh, vault, "lock"),
			change("undelete", plan.Undelete, vm1), change("resume", plan.Resume, vm1, "undelete", "lock"), change("backup", plan.Backup, vm1, "resume"),
			change("protect", plan.Protect, vm2, "refresh"),
		}, "", nil},
		{"a vault unlocked, then locked", []plan.Change{
			change("update", plan.UpdateVault, vault), change("update#lock", plan.UpdateVault, vault, "update"),
		}, "", nil},
		{"blocked changes of one target", []plan.Change{
			change("update", plan.UpdateVault, vault), change("blocked#1", plan.Blocked, vault), change("blocked#2", plan.Blocked, vault),
		}, "", nil},
		{"an id twice", []plan.Change{
			change("a", plan.Protect, vm1), change("a", plan.Protect, vm2),
		}, `"a" is the id of more than one change`, []string{"a", "a"}},
		{"no id", []plan.Change{change("", plan.Protect, vm1)}, `"" is the id of more than one`, []string{""}},
		{"a need that is not there", []plan.Change{
			change("a", plan.Protect, vm1, "b"), change("c", plan.Protect, vm2),
		}, `"a" needs "b", which is not in the plan`, []string{"a"}},
		{"a need of its own", []plan.Change{
			change("a", plan.Protect, vm1, "a"),
		}, `"a" needs "a", which does not come before it`, []string{"a"}},
		{"a circle", []plan.Change{
			change("a", plan.Protect, vm1, "c"), change("b", plan.Protect, vm2, "a"), change("c", plan.UpdateVault, vault, "b"),
		}, `"a" needs "c", which does not come before it`, []string{"a", "c"}},
		{"two chains of one target", []plan.Change{
			change("a", plan.Protect, vm1), change("b", plan.Backup, strings.ToUpper(vm1)),
		}, `"a" and "b" write one target, and neither needs the other`, []string{"a", "b"}},
		{"one action twice in a chain", []plan.Change{
			change("a", plan.Protect, vm1), change("b", plan.Modify, vm1, "a"), change("c", plan.Protect, vm1, "b"),
		}, `"c" does once more what "a" did`, []string{"a", "c"}},
	} {
		err := plan.Validate(plan.Plan{Changes: c.changes})
		if c.problem == "" {
			if err != nil {
				t.Errorf("%s: %v", c.name, err)
			}
			continue
		}
		invalid, ok := errors.AsType[*plan.InvalidError](err)
		if !ok || len(invalid.Problems) != 1 || !strings.Contains(err.Error(), c.problem) || !slices.Equal(invalid.Changes, c.about) {
			t.Errorf("%s: %v about %q, want %s about %q", c.name, err, invalid.Changes, c.problem, c.about)
		}
	}
}
