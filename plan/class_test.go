package plan_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/azbackup/azbackup/config"
	"github.com/azbackup/azbackup/internal/audit"
	"github.com/azbackup/azbackup/internal/export"
	"github.com/azbackup/azbackup/plan"
)

// A word of the service has the same meaning in a plan, an audit and an export, whatever its case: a word that becomes
// known to one of them is known to all.
func TestAStateMeansTheSameToPlanAuditAndExport(t *testing.T) {
	c := loadConfig(t, []byte(savedConfig))
	meanings := map[plan.ItemClass]struct {
		action plan.Action
		state  audit.State
		rule   string // what an exported rule wants
	}{
		plan.ItemActive:    {plan.Unchanged, audit.Protected, "policy long"},
		plan.ItemStopped:   {plan.Resume, audit.Stopped, "stopped"},
		plan.ItemSuspended: {plan.Resume, audit.Suspended, "stopped"},
		plan.ItemUnknown:   {plan.Blocked, audit.Unknown, ""},
	}
	seen := map[plan.ItemClass]bool{}
	for _, word := range []string{
		plan.StateIRPending, plan.StateProtected, plan.StateProtectionError, plan.StateProtectionStopped, plan.StateBackupsSuspended,
		plan.StateProtectionPaused, plan.StateInvalid, "Quiesced", "",
	} {
		for _, sent := range []string{word, strings.ToLower(word), strings.ToUpper(word)} {
			o := savedWorld()
			it := item(&o, "due")
			it.State, it.LastRecoveryPoint = sent, now
			class := it.Class()
			seen[class] = true
			want, known := meanings[class]
			if !known {
				t.Errorf("%q is of class %d, whose meaning is not said here", sent, class)
				continue
			}
			if word == plan.StateProtectionError {
				want.state = audit.Failing
			}
			p, a := plan.Make(c, o, plan.Options{Now: now}), audit.Assess(c, o, audit.Options{Now: now})
			e, err := export.Export(o, export.Options{GroupBy: "none", Subscriptions: []string{subscription}})
			if err != nil {
				t.Fatal(err)
			}
			got := fmt.Sprint(actionOn(p, vmID("due")), " ", stateOf(a, vmID("due")), " ", protectOf(e.Config, vmID("due")))
			if want := fmt.Sprint(want.action, " ", want.state, " ", want.rule); got != want {
				t.Errorf("%q, of class %d: plan, audit and export say %q, want %q", sent, class, got, want)
			}
		}
	}
	if len(seen) != len(meanings) {
		t.Errorf("words of %d classes were tried, of %d", len(seen), len(meanings))
	}
}

func actionOn(p plan.Plan, vm string) plan.Action {
	for _, c := range slices.Concat(p.Changes, p.Unchanged) {
		if c.Target == vm {
			return c.Action
		}
	}
	return ""
}

func stateOf(r audit.Result, vm string) audit.State {
	for _, v := range r.VMs {
		if v.ID == vm {
			return v.State
		}
	}
	return ""
}

// protectOf returns what the file wants for a VM; empty where no rule matches it.
func protectOf(c config.Config, vm string) string {
	for _, r := range c.Rules {
		if !slices.ContainsFunc(r.Match, func(s config.Selector) bool { return slices.Contains(s.Names, vm[strings.LastIndex(vm, "/")+1:]) }) {
			continue
		}
		if r.Policy != "" {
			return "policy " + r.Policy
		}
		return string(r.Protect)
	}
	return ""
}
