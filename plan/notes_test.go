package plan_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/azbackup/azbackup/config"
	"github.com/azbackup/azbackup/internal/armid"
	"github.com/azbackup/azbackup/plan"
)

func TestAPlanNotesATagValueThatMissesVMsByItsCase(t *testing.T) {
	c := &config.Config{Version: 1, Rules: []config.Rule{
		{Name: "enhanced", Match: []config.Selector{{Tags: map[string][]string{"tier": {"ENH"}}}}, Protect: config.ProtectOff},
	}}
	o := plan.Observed{VMs: []plan.VM{
		{ID: armid.VM("s", "g", "a"), Name: "a", Tags: map[string]string{"Tier": "enh"}},
		{ID: armid.VM("s", "g", "b"), Name: "b", Tags: map[string]string{"tier": "ENH"}},
	}}
	p := plan.Make(c, o, plan.Options{})
	if len(p.Notes) != 1 || !strings.Contains(p.Notes[0], `"enh"`) || !strings.Contains(p.Notes[0], `"ENH"`) {
		t.Errorf("notes %q", p.Notes)
	}
	o.VMs[0].Tags["Tier"] = "std"
	if p := plan.Make(c, o, plan.Options{}); len(p.Notes) != 0 {
		t.Errorf("another word: notes %q", p.Notes)
	}
}

func TestTheReasonOfARuleThatStopsIsShown(t *testing.T) {
	const sub, why = "11111111-1111-1111-1111-111111111111", "decommissioned in May"
	vault := armid.Vault(sub, "rg", "rsv")
	vm := func(name string) string { return armid.VM(sub, "g", name) }
	c := &config.Config{
		Version: 1, Subscriptions: []string{sub},
		Vaults: []config.Vault{{Name: "rsv", ResourceGroup: "rg", Subscription: sub, Location: "westeurope"}},
		Rules:  []config.Rule{{Name: "old", Match: []config.Selector{{Names: []string{"*"}}}, Protect: config.ProtectStopped, Reason: why}},
	}
	o := plan.Observed{Vaults: []plan.Vault{{ID: vault, Name: "rsv", Location: "westeurope"}}}
	for name, state := range map[string]string{
		"active": plan.StateProtected, "stopped": plan.StateProtectionStopped, "suspended": plan.StateBackupsSuspended, "none": "",
	} {
		o.VMs = append(o.VMs, plan.VM{ID: vm(name), Name: name, ResourceGroup: "g", Subscription: sub, Location: "westeurope"})
		if state != "" {
			o.Items = append(o.Items, plan.Item{ID: vault + "/" + name, Vault: vault, VM: vm(name), State: state})
		}
	}
	p := plan.Make(c, o, plan.Options{})
	all := slices.Concat(p.Changes, p.Unchanged)
	if len(all) != len(o.VMs) {
		t.Fatalf("the plan has %d entries for %d VMs", len(all), len(o.VMs))
	}
	for _, ch := range all {
		if !strings.Contains(ch.Because, why) {
			t.Errorf("%s of %s does not say why: %s", ch.Action, ch.Target, ch.Because)
		}
	}
}
