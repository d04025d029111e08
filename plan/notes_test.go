package plan_test

import (
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
