package export

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/azbackup/azbackup/config"
	"github.com/azbackup/azbackup/internal/armid"
	"github.com/azbackup/azbackup/plan"
)

const (
	sub1 = "11111111-1111-1111-1111-111111111111"
	sub2 = "33333333-3333-3333-3333-333333333333"
)

var now = time.Date(2026, 11, 24, 6, 0, 0, 0, time.UTC)

func spec(tier string, days int) plan.PolicySpec {
	return plan.PolicySpec{
		Tier: tier, TimeZone: "UTC", InstantRestoreDays: 2,
		Schedule:  plan.ScheduleSpec{Frequency: "Daily", At: "22:00"},
		Retention: plan.RetentionSpec{Days: days},
	}
}

// estate draws vaults in two subscriptions and regions, each with policies, and VMs in every state.
func estate(t *rapid.T) plan.Observed {
	var o plan.Observed
	for _, sub := range []string{sub1, sub2} {
		for _, loc := range []string{"westeurope", "northeurope"} {
			for i := range rapid.IntRange(0, 2).Draw(t, "vaults") {
				id := armid.Vault(sub, fmt.Sprintf("rg-backup%d", i), "rsv-"+loc)
				days := 14
				o.Vaults = append(o.Vaults, plan.Vault{ID: id, Name: "rsv-" + loc, Location: loc, Settings: plan.VaultSettings{SoftDeleteDays: &days, Immutability: "Disabled"}})
				for _, p := range []string{"DefaultPolicy", "Enhanced"} {
					tier := map[string]string{"DefaultPolicy": "Standard", "Enhanced": "Enhanced"}[p]
					o.Policies = append(o.Policies, plan.Policy{ID: armid.Policy(id, p), Name: p, Vault: id, Spec: spec(tier, 30+rapid.IntRange(0, 1).Draw(t, "days"))})
				}
			}
		}
	}
	ids := map[armid.Key]bool{}
	for i := range rapid.IntRange(0, 25).Draw(t, "vms") {
		sub := rapid.SampledFrom([]string{sub1, sub2}).Draw(t, "sub")
		rg := rapid.SampledFrom([]string{"rg-app", "RG-App", "rg-sql"}).Draw(t, "rg")
		name := fmt.Sprintf("%s%02d", rapid.SampledFrom([]string{"vm", "VM"}).Draw(t, "prefix"), i/3) // so that some have namesakes
		vm := plan.VM{
			ID: armid.VM(sub, rg, name), Name: name, ResourceGroup: rg, Subscription: sub,
			Location: rapid.SampledFrom([]string{"westeurope", "northeurope", "uksouth"}).Draw(t, "loc"), Tags: map[string]string{},
		}
		if ids[armid.Of(vm.ID)] {
			continue
		}
		ids[armid.Of(vm.ID)] = true
		if env := rapid.SampledFrom([]string{"", "prod", "dev", "a*b", "${X}"}).Draw(t, "env"); env != "" {
			vm.Tags[rapid.SampledFrom([]string{"env", "Env"}).Draw(t, "tag")] = env
		}
		switch rapid.IntRange(0, 15).Draw(t, "seen") {
		case 0: // gone, or not visible
		case 1:
			vm.Unsupported = "its OS disk is ephemeral"
			o.VMs = append(o.VMs, vm)
		case 2:
			o.VMs = append(o.VMs, plan.VM{ID: vm.ID, Name: vm.Name, ResourceGroup: rg, Subscription: sub, Unreadable: "a new kind"})
		default:
			o.VMs = append(o.VMs, vm)
		}
		for _, v := range o.Vaults {
			if armid.SubscriptionOf(v.ID) == sub && armid.Location(v.Location) == vm.Location {
				if it, ok := item(t, v, vm); ok {
					o.Items = append(o.Items, it)
					break
				}
			}
		}
	}
	return o
}

func item(t *rapid.T, v plan.Vault, vm plan.VM) (plan.Item, bool) {
	kind := rapid.SampledFrom([]string{"none", "active", "active", "active", "pending", "stopped", "suspended", "deleted", "paused"}).Draw(t, "item")
	id, _ := armid.ParseVM(vm.ID)
	it := plan.Item{ID: armid.ProtectedItem(v.ID, id), Vault: v.ID, VM: vm.ID, State: plan.StateProtected, LastRecoveryPoint: now.Add(-10 * time.Hour)}
	policy := rapid.SampledFrom([]string{"DefaultPolicy", "Enhanced"}).Draw(t, "policy")
	it.PolicyID, it.PolicyName = armid.Policy(v.ID, policy), policy
	switch rapid.IntRange(0, 5).Draw(t, "disks") {
	case 0:
		it.Disks = &plan.Disks{Include: true, LUNs: []int{0, 1}}
	case 1:
		it.Disks = &plan.Disks{Include: true}
	case 2:
		it.Disks = &plan.Disks{LUNs: []int{2}}
	}
	switch kind {
	case "none":
		return it, false
	case "pending":
		it.State, it.LastRecoveryPoint = plan.StateIRPending, time.Time{}
	case "stopped":
		it.State, it.PolicyID, it.PolicyName = plan.StateProtectionStopped, "", ""
	case "suspended":
		it.State = plan.StateBackupsSuspended
	case "deleted":
		it.State, it.SoftDeleted, it.PolicyID, it.PolicyName = plan.StateProtectionStopped, true, "", ""
	case "paused":
		it.State = plan.StateProtectionPaused
	}
	return it, true
}

func exported(t *rapid.T, dir string, o plan.Observed) (*config.Config, string) {
	opt := Options{
		GroupBy:       rapid.SampledFrom([]string{"none", "resource-group", "tag:env"}).Draw(t, "groupBy"),
		Manage:        rapid.Bool().Draw(t, "manage"),
		Subscriptions: []string{sub2, sub1},
	}
	r, err := Export(o, opt)
	if err != nil {
		t.Fatal(err)
	}
	return loaded(t, dir, r)
}

func load(t *rapid.T, dir string, text []byte) *config.Config {
	file := filepath.Join(dir, "azbackup.yaml")
	if err := os.WriteFile(file, text, 0o600); err != nil {
		t.Fatal(err)
	}
	c, _, err := config.Load([]string{file}, func(string) (string, bool) { return "", false })
	if err != nil {
		t.Fatalf("the exported file does not load: %v\n%s", err, text)
	}
	return c
}

// overRandomEstates checks a property a thousand times: rapid's own number, ten times.
func overRandomEstates(t *testing.T, property func(*rapid.T)) {
	t.Helper()
	for i := range 10 {
		t.Run(strconv.Itoa(i), rapid.MakeCheck(property))
	}
}

func inFile(o plan.Observed) plan.Observed {
	o.Vaults = slices.Clone(o.Vaults)
	for i := range o.Vaults {
		o.Vaults[i].InFile = true
	}
	return o
}

func TestThePlanOverAnExportIsEmpty(t *testing.T) {
	dir := t.TempDir()
	overRandomEstates(t, func(t *rapid.T) {
		o := estate(t)
		if len(o.Vaults) == 0 {
			t.Skip("no vault")
		}
		c, text := exported(t, dir, o)
		p := plan.Make(c, inFile(o), plan.Options{Now: now})
		if len(p.Changes) != 0 {
			t.Fatalf("%s\n%v", text, p.Changes)
		}
	})
}

func TestAfterOneChangeToTheEstateThePlanShowsExactlyThatChange(t *testing.T) {
	dir := t.TempDir()
	overRandomEstates(t, func(t *rapid.T) {
		o := estate(t)
		var activeItems []int
		for i, it := range o.Items {
			sound := slices.ContainsFunc(o.VMs, func(vm plan.VM) bool { return vm.ID == it.VM && vm.Unreadable == "" && vm.Unsupported == "" })
			if itemRank(&it) == rankActive && sound {
				activeItems = append(activeItems, i)
			}
		}
		if len(activeItems) == 0 {
			t.Skip("nothing is protected")
		}
		c, text := exported(t, dir, o)
		o.Items = slices.Clone(o.Items)
		it := &o.Items[rapid.SampledFrom(activeItems).Draw(t, "changed")]
		var want plan.Action
		switch rapid.SampledFrom([]string{"stop", "delete", "vanish", "policy", "disks"}).Draw(t, "change") {
		case "stop":
			want = plan.Resume
			it.State, it.PolicyID, it.PolicyName = plan.StateProtectionStopped, "", ""
		case "delete":
			want = plan.Undelete
			it.State, it.SoftDeleted, it.PolicyID, it.PolicyName = plan.StateProtectionStopped, true, "", ""
		case "vanish":
			want = plan.Protect
			vm := it.VM
			o.Items = slices.DeleteFunc(o.Items, func(i plan.Item) bool { return armid.Same(i.VM, vm) })
			it = &plan.Item{VM: vm}
		case "policy":
			if it.PolicyName == "Enhanced" {
				t.Skip("going back to Standard is refused, not planned")
			}
			it.PolicyName = "Enhanced"
			it.PolicyID = armid.Policy(it.Vault, "Enhanced")
			// The file wants DefaultPolicy again, which Azure refuses: the change is shown as blocked.
			want = plan.Blocked
		case "disks":
			want = plan.Modify
			if it.Disks == nil {
				it.Disks = &plan.Disks{LUNs: []int{7}}
			} else {
				it.Disks = nil
			}
		}
		p := plan.Make(c, inFile(o), plan.Options{Now: now})
		var got []plan.Action
		for _, change := range p.Changes {
			if !armid.Same(change.Target, it.VM) {
				t.Fatalf("%s\na change nobody made: %+v", text, change)
			}
			got = append(got, change.Action)
		}
		wanted := []plan.Action{want}
		if want == plan.Undelete {
			wanted = append(wanted, plan.Resume)
		}
		if diff := cmp.Diff(wanted, got); diff != "" {
			t.Fatalf("%s\nwant (-), got (+):\n%s", text, diff)
		}
	})
}

func TestTheOrderOfWhatWasReadDoesNotMatter(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		o := estate(t)
		opt := Options{GroupBy: "tag:env", Subscriptions: []string{sub1, sub2}, Manage: true}
		first, _ := Export(o, opt)
		slices.Reverse(o.VMs)
		slices.Reverse(o.Items)
		slices.Reverse(o.Vaults)
		slices.Reverse(o.Policies)
		second, _ := Export(o, opt)
		a, _ := first.Config.Encode(first.Comments)
		b, _ := second.Config.Encode(second.Comments)
		if string(a) != string(b) {
			t.Fatal(cmp.Diff(string(a), string(b)))
		}
	})
}

func TestAUniformTagBecomesOneRule(t *testing.T) {
	vault := plan.Vault{ID: armid.Vault(sub1, "rg-backup", "rsv"), Name: "rsv", Location: "westeurope"}
	policy := plan.Policy{ID: armid.Policy(vault.ID, "daily"), Name: "daily", Vault: vault.ID, Spec: spec("Enhanced", 30)}
	o := plan.Observed{Vaults: []plan.Vault{vault}, Policies: []plan.Policy{policy}}
	for i := range 3 {
		id := armid.VM(sub1, "rg", fmt.Sprintf("web%d", i))
		o.VMs = append(o.VMs, plan.VM{ID: id, Name: fmt.Sprintf("web%d", i), ResourceGroup: "rg", Subscription: sub1, Location: "westeurope", Tags: map[string]string{"env": "prod"}})
		o.Items = append(o.Items, plan.Item{ID: "i" + id, Vault: vault.ID, VM: id, State: plan.StateProtected, PolicyID: policy.ID, PolicyName: "daily"})
	}
	r, err := Export(o, Options{GroupBy: "tag:ENV", Subscriptions: []string{sub1}})
	if err != nil {
		t.Fatal(err)
	}
	if len(r.Config.Rules) != 1 || r.Config.Rules[0].Match[0].Tags["env"][0] != "prod" {
		t.Errorf("want one rule by tag, got %+v", r.Config.Rules)
	}
	o.VMs = append(o.VMs, plan.VM{ID: armid.VM(sub1, "rg", "odd"), Name: "odd", ResourceGroup: "rg", Subscription: sub1, Location: "westeurope", Tags: map[string]string{"env": "prod"}})
	if r, _ = Export(o, Options{GroupBy: "tag:env", Subscriptions: []string{sub1}}); len(r.Config.Rules) != 1 || len(r.Config.Rules[0].Match[0].Names) != 3 {
		t.Errorf("a tag that one unprotected machine carries too must not become a rule, got %+v", r.Config.Rules)
	}
	if _, err := Export(o, Options{GroupBy: "owner"}); err == nil {
		t.Error("a grouping that does not exist must be refused")
	}
}
