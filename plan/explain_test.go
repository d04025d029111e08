package plan_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/azbackup/azbackup/config"
	"github.com/azbackup/azbackup/plan"
)

const explainConfig = `version: 1
subscriptions: [11111111-1111-1111-1111-111111111111]
vaults:
  - {name: here, resourceGroup: rg-backup, location: westeurope, manage: true, softDeleteDays: 30}
policies:
  - {name: daily, manage: true, tier: Enhanced, timeZone: W. Europe Standard Time, schedule: {daily: {at: "22:00"}}, retention: {days: 30}}
vms:
  - {name: out, match: {names: [bastion*]}, protect: false, reason: no data}
  - {name: all, match: {tags: {app: web}}, policy: daily}
  - {name: one, id: "{vm app/gone}", policy: daily}
`

func explainWorld(t *testing.T) (*config.Config, plan.Observed) {
	t.Helper()
	return loadConfig(t, []byte(explainConfig)), readObserved(t, []byte(`{
 "Vaults": [{"ID": "{vault here}", "Location": "westeurope", "InFile": true, "Settings": {"softDeleteDays": 14}}],
 "VMs": [
  {"ID": "{vm app/web1}", "Location": "westeurope", "Tags": {"app": "web"}},
  {"ID": "{vm app/web2}", "Location": "westeurope", "Tags": {"app": "web"}},
  {"ID": "{vm other/web2}", "Location": "westeurope", "Tags": {"app": "db"}},
  {"ID": "{vm app/bastion1}", "Location": "westeurope", "Tags": {"app": "web"}}
 ],
 "Items": [
  {"Vault": "{vault here}", "VM": "{vm app/web2}", "State": "Protected", "PolicyID": "{policy here/old}"},
  {"Vault": "{vault here}", "VM": "{vm app/ghost}", "State": "Protected", "PolicyID": "{policy here/old}"}
 ],
 "Policies": [{"ID": "{policy here/old}", "Spec": {"tier": "Enhanced", "timeZone": "UTC", "schedule": {"frequency": "Daily", "at": "20:00"}, "retention": {"days": 7}}}],
 "Missing": ["{vm app/gone}"]
}`))
}

func explain(t *testing.T, vm string) plan.Explanation {
	t.Helper()
	c, o := explainWorld(t)
	zone := func(string) *time.Location { return time.FixedZone("W. Europe Standard Time", 3600) }
	e, err := plan.Explain(c, o, vm, plan.Options{Now: now, Zone: zone})
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func TestExplainFollowsAVMThroughRulesToItsNextBackup(t *testing.T) {
	e := explain(t, "web1")
	var steps []string
	for _, s := range e.Steps {
		if s.Chosen {
			steps = append(steps, s.Name)
		}
	}
	if diff := cmp.Diff([]string{"all"}, steps); diff != "" {
		t.Errorf("chosen rules: %s", diff)
	}
	if len(e.Steps) != 3 || e.Rule == nil || e.Rule.Name != "all" || e.Rule.Line != 9 || e.Protect != config.ProtectOn {
		t.Errorf("got %d steps, rule %+v, protect %q", len(e.Steps), e.Rule, e.Protect)
	}
	if diff := cmp.Diff([]string{vaultID("here")}, e.Candidates); diff != "" {
		t.Errorf("candidates: %s", diff)
	}
	if e.Vault != vaultID("here") || e.Policy != policyID("here", "daily") || len(e.Items) != 0 {
		t.Errorf("got vault %s, policy %s, items %v", e.Vault, e.Policy, e.Items)
	}
	var next []plan.Action
	for _, c := range e.Next {
		next = append(next, c.Action)
	}
	if diff := cmp.Diff([]plan.Action{plan.UpdateVault, plan.CreatePolicy, plan.Protect}, next); diff != "" {
		t.Errorf("next, with all that it needs first: %s", diff)
	}
	if e.Schedule != "daily at 22:00, W. Europe Standard Time" {
		t.Errorf("schedule %q", e.Schedule)
	}
	if want := time.Date(2026, 11, 24, 21, 0, 0, 0, time.UTC); e.NextBackup == nil || !e.NextBackup.Equal(want) {
		t.Errorf("next backup %v, want %v", e.NextBackup, want)
	}
}

func TestExplainShowsWhatAVMHasNow(t *testing.T) {
	e := explain(t, "APP/web2")
	if len(e.Items) != 1 || e.Items[0].State != plan.StateProtected {
		t.Errorf("items %+v", e.Items)
	}
	if last := e.Next[len(e.Next)-1]; last.Action != plan.Modify {
		t.Errorf("next is %s", last.Action)
	}
}

func TestExplainShowsWhyNothingIsDone(t *testing.T) {
	for vm, want := range map[string]plan.Reason{
		"bastion1": plan.ReasonExcluded, "other/web2": plan.ReasonNoRule, "ghost": plan.ReasonOrphan, "gone": plan.ReasonNoSuchVM,
	} {
		e := explain(t, vm)
		if len(e.Next) != 1 || e.Next[0].Reason != want {
			t.Errorf("%s: got %+v, want reason %s", vm, e.Next, want)
		}
	}
	if e := explain(t, "gone"); e.Read || !e.Missing || e.NextBackup != nil {
		t.Errorf("a VM that does not exist: read %t, missing %t, next backup %v", e.Read, e.Missing, e.NextBackup)
	}
	if e := explain(t, "ghost"); e.Schedule != "daily at 20:00, UTC" {
		t.Errorf("an orphan still has the schedule of its policy, got %q", e.Schedule)
	}
}

func TestExplainNamesTheGapThatBlocks(t *testing.T) {
	c, o := explainWorld(t)
	o.Gaps = []plan.Gap{{Kind: plan.GapItems, Vault: vaultID("here"), Code: "AuthorizationFailed"}}
	e, err := plan.Explain(c, o, vmID("web1"), plan.Options{Now: now})
	if err != nil || e.Gap == nil || e.Gap.Kind != plan.GapItems {
		t.Errorf("gap %+v, %v", e.Gap, err)
	}
}

// Nothing is planned for a VM without a rule, but what it has now may be hidden all the same.
func TestExplainNamesTheGapOfAVMWithoutARule(t *testing.T) {
	c, o := explainWorld(t)
	o.Gaps = []plan.Gap{{Kind: plan.GapItems, Vault: vaultID("here"), Code: "AuthorizationFailed"}}
	e, err := plan.Explain(c, o, "other/web2", plan.Options{Now: now})
	if err != nil || e.Rule != nil || e.Gap == nil || e.Gap.Kind != plan.GapItems {
		t.Errorf("rule %+v, gap %+v, %v", e.Rule, e.Gap, err)
	}
}

func TestExplainAsksWhichVMIsMeant(t *testing.T) {
	c, o := explainWorld(t)
	_, err := plan.Explain(c, o, "WEB2", plan.Options{Now: now})
	ambiguous, ok := errors.AsType[*plan.AmbiguousError](err)
	if !ok || len(ambiguous.VMs) != 2 || !slices.IsSorted(ambiguous.VMs) {
		t.Errorf("got %v", err)
	}
	if _, err := plan.Explain(c, o, "nothing", plan.Options{Now: now}); !errors.Is(err, plan.ErrNoVM) || !strings.Contains(err.Error(), `"nothing"`) {
		t.Errorf("got %v", err)
	}
}

func TestExplainNamesCandidatesOfAStopOnlyWhereTheRuleNamesVaults(t *testing.T) {
	c, o := explainWorld(t)
	i := slices.IndexFunc(c.Rules, func(r config.Rule) bool { return r.Name == "all" })
	c.Rules[i].Protect = config.ProtectStopped
	for _, vaults := range [][]string{nil, {"here"}} {
		c.Rules[i].Vault = vaults
		e, err := plan.Explain(c, o, vmID("web1"), plan.Options{Now: now})
		if err != nil || len(e.Candidates) != len(vaults) {
			t.Errorf("vault %v: candidates %v, %v", vaults, e.Candidates, err)
		}
	}
}
