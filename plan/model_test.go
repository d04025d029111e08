package plan_test

import (
	"encoding/json"
	"slices"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/azbackup/azbackup/config"
	"github.com/azbackup/azbackup/internal/armid"
	"github.com/azbackup/azbackup/plan"
)

// checkPlan checks the properties of every plan.
func checkPlan(t rapid.TB, c *config.Config, o plan.Observed, p plan.Plan) {
	t.Helper()
	checkRoundTrip(t, p)
	checkValid(t, p)
	if !p.Complete {
		for _, ch := range p.Changes {
			if ch.Action == plan.Stop {
				t.Errorf("an incomplete plan stops %s", ch.Target)
			}
		}
	}
	if p.Complete == (len(o.Gaps) > 0) {
		t.Errorf("complete is %t with the gaps %v", p.Complete, o.Gaps)
	}
	for _, ch := range p.Changes {
		if ch.Reason.Sentence() == "" {
			t.Errorf("%s has a reason that is none: %q", ch.ID, ch.Reason)
		}
	}
	again := plan.Make(c, o, plan.Options{Now: now})
	if len(p.Changes) == len(again.Changes) && p.Fingerprint != again.Fingerprint {
		t.Errorf("the same input gave two fingerprints")
	}
}

func checkRoundTrip(t rapid.TB, p plan.Plan) {
	t.Helper()
	b, err := json.Marshal(p)
	if err != nil {
		t.Fatal(err)
	}
	var back plan.Plan
	if err := json.Unmarshal(b, &back); err != nil {
		t.Fatal(err)
	}
	p.Capacity, p.Compared = plan.Capacity{}, nil // they are not saved
	if diff := cmp.Diff(p, back); diff != "" {
		t.Errorf("the plan is not the same after JSON (-was +is):\n%s", diff)
	}
}

// checkValid checks what the executor relies on: the order of the changes, and one chain for each target.
func checkValid(t rapid.TB, p plan.Plan) {
	t.Helper()
	if err := plan.Validate(p); err != nil {
		t.Error(err)
	}
}

// checkConverges checks that nothing actionable is left once the plan is applied.
func checkConverges(t rapid.TB, c *config.Config, o plan.Observed, p plan.Plan) {
	t.Helper()
	for _, ch := range p.Changes {
		if ch.Reason == plan.ReasonSuspendedItems {
			return // once its items are resumed, the policy can change: that takes a second run
		}
	}
	next := plan.Make(c, applied(o, p), plan.Options{Now: now})
	if left := next.Actionable(); len(left) > 0 {
		t.Errorf("after the plan is applied there is still: %s", render(plan.Plan{Changes: left}))
	}
}

// applied returns the observed state after a plan: an independent, simple implementation of each action.
func applied(o plan.Observed, p plan.Plan) plan.Observed {
	o.VMs, o.Vaults, o.Policies = slices.Clone(o.VMs), slices.Clone(o.Vaults), slices.Clone(o.Policies)
	o.Items, o.Protectable = slices.Clone(o.Items), slices.Clone(o.Protectable)
	for _, c := range p.Changes {
		switch c.Action {
		case plan.CreateVault:
			id, _ := armid.Parse(c.Target)
			o.Vaults = append(o.Vaults, plan.Vault{
				ID: c.Target, Name: id.Name(), Location: c.After.Vault.Location, InFile: true, Settings: *c.After.Vault,
			})
		case plan.UpdateVault:
			patchVault(o.Vaults, c)
		case plan.CreatePolicy:
			id, _ := armid.Parse(c.Target)
			o.Policies = append(o.Policies, plan.Policy{ID: c.Target, Name: id.Name(), Vault: c.Vault, Spec: *c.After.Spec})
		case plan.UpdatePolicy:
			for i := range o.Policies {
				if armid.Same(o.Policies[i].ID, c.Target) {
					o.Policies[i].Spec = *c.After.Spec
				}
			}
		case plan.Protect:
			o.Items = append(o.Items, plan.Item{
				ID: c.Item, Vault: c.Vault, VM: c.Target, State: plan.StateIRPending,
				PolicyID: c.After.Policy, Disks: c.After.Disks,
			})
		case plan.Undelete, plan.Modify, plan.Resume, plan.Stop:
			for i := range o.Items {
				if armid.Same(o.Items[i].ID, c.Item) {
					applyItem(&o.Items[i], c)
				}
			}
		case plan.Refresh, plan.Backup, plan.Restore, plan.RestoreTest, plan.Blocked, plan.Unchanged, plan.Excluded:
		}
	}
	return o
}

func applyItem(it *plan.Item, c plan.Change) {
	switch c.Action {
	case plan.Undelete:
		it.SoftDeleted, it.State, it.PolicyID = false, plan.StateProtectionStopped, ""
	case plan.Stop:
		it.State, it.PolicyID, it.PolicyName = plan.StateProtectionStopped, "", ""
	default:
		it.State, it.PolicyID, it.Disks = plan.StateProtected, c.After.Policy, c.After.Disks
	}
}

func patchVault(vaults []plan.Vault, c plan.Change) {
	for i := range vaults {
		if !armid.Same(vaults[i].ID, c.Target) {
			continue
		}
		s, after := &vaults[i].Settings, c.After.Vault
		if after.Redundancy != "" {
			s.Redundancy = after.Redundancy
		}
		if after.CrossRegionRestore != nil {
			s.CrossRegionRestore = after.CrossRegionRestore
		}
		if after.SoftDeleteDays != nil {
			s.SoftDeleteDays = after.SoftDeleteDays
		}
		if after.Immutability != "" {
			s.Immutability = after.Immutability
		}
		if after.PublicNetworkAccess != nil {
			s.PublicNetworkAccess = after.PublicNetworkAccess
		}
		if after.Tags != nil {
			s.Tags = after.Tags
		}
	}
}
