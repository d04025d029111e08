package report

import (
	"bytes"
	"flag"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/azbackup/azbackup/apply"
	"github.com/azbackup/azbackup/config"
	"github.com/azbackup/azbackup/internal/armid"
	"github.com/azbackup/azbackup/plan"
)

var update = flag.Bool("update", false, "rewrite the expected outputs")

// formatted returns what write writes of r in a format.
func formatted[R any](t testing.TB, write func(io.Writer, string, R, Style) error, format string, r R, s Style) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := write(&b, format, r, s); err != nil {
		t.Fatalf("%s: %v", format, err)
	}
	return b.Bytes()
}

// golden compares got with testdata/file; `go test -update` rewrites the file.
func golden(t *testing.T, file string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", file)
	if *update {
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("%s differs (-want +got), run go test -update to accept:\n%s", file, diff)
	}
}

const (
	testSub   = "11111111-1111-1111-1111-111111111111"
	otherSub  = "33333333-3333-3333-3333-333333333333"
	testPrint = "sha256:0f3c1e5b7a9d2c4e6f8091a2b3c4d5e6f708192a3b4c5d6e7f8091a2b3c4d5e6"
)

func vm(group, name string) string { return armid.VM(testSub, group, name) }

func policyOf(vault, name string) *plan.State {
	return &plan.State{State: plan.StateProtected, Policy: armid.Policy(vault, name)}
}

// fleet returns a plan in which every action, risk, refusal and gap occurs once or more.
func fleet() plan.Plan {
	weu := armid.Vault(testSub, "rg-backup", "rsv-weu-prod")
	neu := armid.Vault(testSub, "rg-backup", "rsv-neu-prod")
	at := func(name string, line int) *plan.RuleRef {
		return &plan.RuleRef{Name: name, File: "azbackup.yaml", Line: line}
	}
	p := plan.Plan{
		FormatVersion: plan.FormatVersion, Fingerprint: testPrint,
		Changes: []plan.Change{
			{
				ID: "create-vault:neu", Action: plan.CreateVault, Target: neu, Vault: neu, Reason: "vault-missing",
				Because: "the vault does not exist", Risk: plan.RiskNone,
				Fields: []plan.Field{{Path: "location", After: "northeurope"}, {Path: "redundancy", After: "GeoRedundant"}, {Path: "softDeleteDays", After: "30"}},
			},
			{
				ID: "update-vault:weu", Action: plan.UpdateVault, Target: weu, Vault: weu, Reason: "vault-differs",
				Because: "the vault is set differently", Risk: plan.RiskIrreversible, Also: []plan.Risk{plan.RiskWeakensSecurity},
				Fields: []plan.Field{
					{Path: "crossRegionRestore", Before: "false", After: "true"}, {Path: "publicNetworkAccess", Before: "false", After: "true"},
				},
			},
			{
				ID: "update-policy:daily", Action: plan.UpdatePolicy, Target: armid.Policy(weu, "daily-30d"), Vault: weu,
				Reason: "policy-differs", Because: "the policy differs from the file; it protects 42 items", Risk: plan.RiskReducesRetention,
				Fields: []plan.Field{{Path: "retention.days", Before: "60", After: "30"}},
				Rule:   at("daily-30d", 12),
			},
			{
				ID: "refresh:weu", Action: plan.Refresh, Target: weu, Vault: weu, Reason: "not-protectable",
				Because: "2 VMs to protect are not offered for protection yet",
			},
			{
				ID: "undelete:old", Action: plan.Undelete, Target: vm("rg-old", "old-1"), Vault: weu, Reason: "soft-deleted",
				Because: "the item is soft-deleted, 9 days are left", Rule: at("prod", 30),
			},
			{
				ID: "protect:web01", Action: plan.Protect, Target: vm("rg-app", "web-01"), Vault: weu, Reason: "vm-not-protected",
				Because: "no vault protects it", After: policyOf(weu, "daily-30d"), Rule: at("prod", 30),
				Needs: []string{"refresh:weu"}, Risk: plan.RiskNone,
			},
			{
				ID: "protect:cjk", Action: plan.Protect, Target: vm("rg-app", "東京サーバー"), Vault: weu, Reason: "vm-not-protected",
				Because: "no vault protects it",
				After:   &plan.State{Policy: armid.Policy(weu, "hourly-4h"), Disks: &plan.Disks{Include: true, LUNs: []int{0, 1}}},
				Rule:    at("prod", 30),
			},
			{
				ID: "modify:sql", Action: plan.Modify, Target: vm("rg-sql", "sql01"), Vault: weu, Reason: "policy-differs",
				Because: "the rule wants another policy", WaitsFor: weu + "/backupJobs/6d1f", Risk: plan.RiskReducesCoverage,
				Before: policyOf(weu, "daily-30d"), After: policyOf(weu, "hourly-4h"),
				Fields: []plan.Field{{Path: "policy", Before: "daily-30d", After: "hourly-4h"}, {Path: "disks", Before: "all", After: "0,1"}},
				Rule:   at("sql01", 25),
			},
			{
				ID: "resume:old", Action: plan.Resume, Target: vm("rg-old", "old-1"), Vault: weu, Reason: "stopped",
				Because: "backups are stopped", After: policyOf(weu, "daily-30d"), Needs: []string{"undelete:old"}, Rule: at("prod", 30),
			},
			{
				ID: "stop:retired", Action: plan.Stop, Target: vm("rg-old", "retired-7"), Vault: weu, Reason: "rule-stopped",
				Because: "rule retired says protect: stopped", Risk: plan.RiskStopsBackup, Rule: at("retired", 41),
			},
			{
				ID: "backup:sql", Action: plan.Backup, Target: vm("rg-sql", "sql01"), Vault: weu, Reason: "backup-old",
				Because: "the last recovery point is 31h old", After: &plan.State{Retain: plan.Duration(30 * 24 * time.Hour)}, Rule: at("sql01", 25),
			},
			{
				ID: "blocked:db3", Action: plan.Blocked, Wanted: plan.Protect, Target: vm("rg-db", "db-3"), Vault: weu, Reason: "elsewhere",
				Because: "it is protected in vault \"rsv-shadow\", which is outside this file; set elsewhere: accept, or stop it there first",
				Rule:    at("prod", 30),
			},
			{
				ID: "blocked:us", Action: plan.Blocked, Wanted: plan.Protect, Target: vm("rg-us", "us-1"), Reason: "no-vault",
				Because: "no vault of this file is in eastus", Rule: at("prod", 30),
			},
		},
		Unchanged: []plan.Change{
			{ID: "u1", Action: plan.Unchanged, Target: vm("rg-app", "web-02"), Vault: weu, Reason: "as-wanted", Because: "protected by daily-30d"},
			{ID: "u2", Action: plan.Unchanged, Target: vm("rg-dev", "dev-1"), Reason: "excluded", Because: "rule scratch: rebuilt from images every night", Notes: []string{"left alone"}},
		},
		Gaps: []plan.Gap{{
			Kind: plan.GapItems, Subscription: testSub, Vault: armid.Vault(testSub, "rg-other", "rsv-shadow"),
			Code: "AuthorizationFailed", Message: "the client has no right to read this", RequestID: "5c1d0b52-0000-4000-8000-000000000001", Status: 403,
		}},
		Refusals: []plan.Refusal{
			{Guard: "reduces-retention", Message: "1 change may prune recovery points earlier", Flag: "--dangerous-allow-retention-cuts", Count: 1},
			{Guard: "limit", Message: "vault rsv-weu-prod would hold 1,004 VMs, the service allows 1,000", Count: 1004, Limit: 1000},
		},
		Forecast: plan.Forecast{Requests: map[string]int{"writes": 10, "confirm": 4, "refresh": 2}, Duration: plan.Duration(4 * time.Minute)},
	}
	p.Summary = map[plan.Action]int{plan.Unchanged: 1234}
	for _, c := range p.Changes {
		p.Summary[c.Action]++
	}
	return p
}

func night() Run {
	p := fleet()
	start := time.Date(2026, 11, 24, 3, 0, 0, 0, time.UTC)
	end := start.Add(2*time.Minute + 13*time.Second)
	at := func(s int) *time.Time { t := start.Add(time.Duration(s) * time.Second); return &t }
	var results []apply.Result
	add := func(id string, o apply.Outcome, edit func(*apply.Result)) {
		for _, c := range p.Changes {
			if c.ID != id {
				continue
			}
			r := apply.Result{ID: c.ID, Action: c.Action, Target: c.Target, Vault: c.Vault, Outcome: o}
			if edit != nil {
				edit(&r)
			}
			results = append(results, r)
		}
	}
	add("create-vault:neu", apply.Done, func(r *apply.Result) { r.Started, r.Finished = at(0), at(7) })
	add("protect:web01", apply.Done, func(r *apply.Result) { r.Started, r.Finished = at(7), at(43) })
	add("protect:cjk", apply.AlreadyDone, nil)
	add("modify:sql", apply.Failed, func(r *apply.Result) {
		r.Code, r.Message = "UserErrorGuestAgentStatusUnavailable", "the VM agent does not answer"
		r.Hint, r.RequestID = "start the VM and look at its agent", "0b5c"
	})
	add("resume:old", apply.Unconfirmed, func(r *apply.Result) {
		r.Message, r.Operation, r.RequestID = "no answer within 30m", "8f1e", "77aa"
	})
	add("backup:sql", apply.Blocked, func(r *apply.Result) { r.Message = "modify of rg-sql/sql01 failed" })
	add("stop:retired", apply.NotStarted, nil)
	return Run{
		Report: apply.Report{
			FormatVersion: apply.FormatVersion, Results: results, Started: start, Finished: end,
			Summary: map[apply.Outcome]int{apply.Done: 2, apply.AlreadyDone: 1, apply.Failed: 1, apply.Unconfirmed: 1, apply.Blocked: 1, apply.NotStarted: 1},
		},
		Plan: p, Requests: map[string]int{"reads": 14, "writes": 5}, Throttled: 12500 * time.Millisecond,
		ExitCode: 3, LastSuccess: start.Add(-24 * time.Hour),
	}
}

func TestPlanFormats(t *testing.T) {
	quiet, priced := fleet(), fleet()
	priced.Cost = pricedFleet(priced.Changes)
	quiet.Changes, quiet.Gaps, quiet.Refusals, quiet.Complete = nil, nil, nil, true
	quiet.Summary, quiet.Forecast = map[plan.Action]int{plan.Unchanged: 97}, plan.Forecast{}
	for _, test := range []struct {
		file  string
		write func(w *bytes.Buffer) error
	}{
		{"plan.txt", func(w *bytes.Buffer) error { return PlanText(w, fleet(), Style{}) }},
		{"plan-120.txt", func(w *bytes.Buffer) error { return PlanText(w, fleet(), Style{Width: 120}) }},
		{"plan-80.txt", func(w *bytes.Buffer) error { return PlanText(w, fleet(), Style{Width: 80}) }},
		{"plan-40.txt", func(w *bytes.Buffer) error { return PlanText(w, fleet(), Style{Width: 40}) }},
		{"plan-color.txt", func(w *bytes.Buffer) error { return PlanText(w, fleet(), Style{Width: 120, Color: true}) }},
		{"plan-verbose.txt", func(w *bytes.Buffer) error { return PlanText(w, fleet(), Style{Verbose: true, All: true}) }},
		{"plan-quiet.txt", func(w *bytes.Buffer) error { return PlanText(w, quiet, Style{}) }},
		{"plan.json", func(w *bytes.Buffer) error { return PlanJSON(w, fleet(), false) }},
		{"plan-all.json", func(w *bytes.Buffer) error { return PlanJSON(w, fleet(), true) }},
		{"plan-quiet.json", func(w *bytes.Buffer) error { return PlanJSON(w, quiet, false) }},
		{"plan.md", func(w *bytes.Buffer) error { return PlanMarkdown(w, fleet()) }},
		{"plan-prices.txt", func(w *bytes.Buffer) error { return PlanText(w, priced, Style{}) }},
		{"plan-prices-60.txt", func(w *bytes.Buffer) error { return PlanText(w, priced, Style{Width: 60}) }},
		{"plan-prices.json", func(w *bytes.Buffer) error { return PlanJSON(w, priced, false) }},
		{"plan-prices.md", func(w *bytes.Buffer) error { return PlanMarkdown(w, priced) }},
		{"plan-quiet.md", func(w *bytes.Buffer) error { return PlanMarkdown(w, quiet) }},
	} {
		t.Run(test.file, func(t *testing.T) {
			var first, second bytes.Buffer
			if err := test.write(&first); err != nil {
				t.Fatal(err)
			}
			if err := test.write(&second); err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(first.Bytes(), second.Bytes()) {
				t.Error("the same plan was written in two ways")
			}
			golden(t, test.file, first.Bytes())
		})
	}
}

func TestApplyFormats(t *testing.T) {
	early := Run{
		Report: apply.Report{Started: night().Started, Finished: night().Started.Add(time.Second)},
		Error:  "signing in: no credential was found", ExitCode: 4, LastSuccess: night().LastSuccess,
	}
	for _, test := range []struct {
		file  string
		write func(w *bytes.Buffer) error
	}{
		{"apply.txt", func(w *bytes.Buffer) error { return ApplyText(w, night(), Style{}) }},
		{"apply-60.txt", func(w *bytes.Buffer) error { return ApplyText(w, night(), Style{Width: 60}) }},
		{"apply-color.txt", func(w *bytes.Buffer) error { return ApplyText(w, night(), Style{Width: 120, Color: true}) }},
		{"apply-verbose.txt", func(w *bytes.Buffer) error { return ApplyText(w, night(), Style{Verbose: true}) }},
		{"apply.json", func(w *bytes.Buffer) error { return ApplyJSON(w, night()) }},
		{"apply-early.json", func(w *bytes.Buffer) error { return ApplyJSON(w, early) }},
		{"apply.prom", func(w *bytes.Buffer) error { return ApplyPrometheus(w, night()) }},
		{"apply-early.prom", func(w *bytes.Buffer) error { return ApplyPrometheus(w, early) }},
	} {
		t.Run(test.file, func(t *testing.T) {
			var b bytes.Buffer
			if err := test.write(&b); err != nil {
				t.Fatal(err)
			}
			golden(t, test.file, b.Bytes())
		})
	}
}

func TestDifferenceFormat(t *testing.T) {
	p := fleet()
	was := p.Changes[7]
	was.After = policyOf("/v", "daily-30d")
	d := plan.Difference{New: p.Changes[5:7], Changed: []plan.Pair{{Approved: was, Now: p.Changes[7]}}, Gone: p.Changes[9:10]}
	var b bytes.Buffer
	if err := DifferenceText(&b, d, Style{}); err != nil {
		t.Fatal(err)
	}
	golden(t, "plan-difference.txt", b.Bytes())
	b.Reset()
	if err := DifferenceText(&b, plan.Difference{}, Style{}); err != nil || b.Len() > 0 {
		t.Errorf("no difference is written as %q, error %v", b.String(), err)
	}
}

// What a VM has now is not told as better than it is: a point of the VM before it is not its own, a last backup may have
// failed, and of an item that was not understood nothing but its vault is known.
func TestExplainTellsWhatIsWrongWithAnItem(t *testing.T) {
	point := time.Date(2026, 11, 23, 22, 0, 0, 0, time.UTC)
	item := func(change func(*plan.Item)) plan.Item {
		it := plan.Item{Vault: armid.Vault(testSub, "rg-backup", "rsv"), State: plan.StateProtected, PolicyName: "daily", LastBackupStatus: "Completed", LastRecoveryPoint: point}
		change(&it)
		return it
	}
	for name, tt := range map[string]struct {
		e    plan.Explanation
		want string
	}{
		"all is well":   {plan.Explanation{Created: point.Add(-time.Hour), Items: []plan.Item{item(func(*plan.Item) {})}}, "Protected, in vault rsv, by policy daily, last recovery point 2026-11-23T22:00:00Z\n"},
		"made anew":     {plan.Explanation{Created: point.Add(time.Hour), Items: []plan.Item{item(func(*plan.Item) {})}}, "last recovery point 2026-11-23T22:00:00Z, of an earlier VM of this name: this one was made 2026-11-23T23:00:00Z\n"},
		"failed":        {plan.Explanation{Items: []plan.Item{item(func(it *plan.Item) { it.LastBackupStatus = "Failed" })}}, "last recovery point 2026-11-23T22:00:00Z, last backup Failed\n"},
		"with warnings": {plan.Explanation{Items: []plan.Item{item(func(it *plan.Item) { it.LastBackupStatus = "CompletedWithWarnings" })}}, "last backup CompletedWithWarnings\n"},
		"not understood": {
			plan.Explanation{Items: []plan.Item{item(func(it *plan.Item) { it.Unreadable = "policyId is 7" })}},
			"now\n  not known, in vault rsv: policyId is 7\n",
		},
	} {
		var b bytes.Buffer
		if err := WriteExplain(&b, "text", tt.e, Style{}); err != nil || !strings.Contains(b.String(), tt.want) {
			t.Errorf("%s: %v, %q is not in:\n%s", name, err, tt.want, b.String())
		}
	}
}

func TestExplainFormats(t *testing.T) {
	weu := armid.Vault(testSub, "rg-backup", "rsv-weu-prod")
	next := time.Date(2026, 11, 24, 21, 0, 0, 0, time.UTC)
	full := plan.Explanation{
		VM: vm("rg-old", "old-1"), Read: true, NeedsEnhanced: "it has an Ultra disk",
		Steps: []config.Step{
			{Rule: 0, Name: "sql01", Pos: config.Position{File: "azbackup.yaml", Line: 25}, Reason: "id rule of another VM"},
			{Rule: 1, Name: "prod", Pos: config.Position{File: "azbackup.yaml", Line: 30}, Matched: true, Chosen: true, Reason: "tag env is prod"},
			{Rule: 2, Name: "rest", Pos: config.Position{File: "azbackup.yaml", Line: 41}, Matched: true, Reason: "name is old-1; but rule prod comes first"},
		},
		Rule: &plan.RuleRef{Name: "prod", File: "azbackup.yaml", Line: 30}, Protect: config.ProtectOn,
		Candidates: []string{weu, armid.Vault(testSub, "rg-backup", "rsv-weu-2")}, Vault: weu, Policy: armid.Policy(weu, "daily-30d"),
		Items: []plan.Item{{
			Vault: weu, VM: vm("rg-old", "old-1"), State: plan.StateProtectionStopped, SoftDeleted: true,
			LastRecoveryPoint: next.AddDate(0, 0, -5), PurgeAt: next.AddDate(0, 0, 9), Disks: &plan.Disks{LUNs: []int{2}},
		}},
		Next: []plan.Change{fleet().Changes[4], fleet().Changes[8]}, Schedule: "daily at 22:00, W. Europe Standard Time", NextBackup: &next,
	}
	full.Next[1].Risk, full.Next[1].Also = plan.RiskReducesRetention, []plan.Risk{plan.RiskReducesCoverage}
	unread := plan.Explanation{VM: vm("rg", "x"), Gap: &plan.Gap{Kind: plan.GapVMs, Subscription: testSub, Code: "AuthorizationFailed"}}
	for file, write := range map[string]func(w *bytes.Buffer) error{
		"explain.txt":    func(w *bytes.Buffer) error { return WriteExplain(w, "text", full, Style{}) },
		"explain-60.txt": func(w *bytes.Buffer) error { return WriteExplain(w, "text", full, Style{Width: 60}) },
		"explain.json":   func(w *bytes.Buffer) error { return WriteExplain(w, "json", full, Style{}) },
		"explain-no.txt": func(w *bytes.Buffer) error { return WriteExplain(w, "text", unread, Style{}) },
	} {
		var b bytes.Buffer
		if err := write(&b); err != nil {
			t.Fatal(err)
		}
		golden(t, file, b.Bytes())
	}
}

func TestUnknownFormatsAreRefused(t *testing.T) {
	var b bytes.Buffer
	for _, err := range []error{WritePlan(&b, "yaml", fleet(), Style{}), WriteApply(&b, "yaml", night(), Style{}), WriteExplain(&b, "yaml", plan.Explanation{}, Style{})} {
		if err == nil || b.Len() > 0 {
			t.Errorf("error %v, output %q", err, b.String())
		}
	}
}

func TestTheLastSuccessSurvivesARunThatFails(t *testing.T) {
	var b bytes.Buffer
	if err := ApplyPrometheus(&b, night()); err != nil {
		t.Fatal(err)
	}
	if got := LastSuccess(&b); !got.Equal(night().LastSuccess) {
		t.Errorf("read back %s, want %s", got, night().LastSuccess)
	}
	good := night()
	good.ExitCode = 0
	b.Reset()
	if err := ApplyPrometheus(&b, good); err != nil {
		t.Fatal(err)
	}
	if got := LastSuccess(&b); !got.Equal(good.Finished) {
		t.Errorf("after a success: %s, want %s", got, good.Finished)
	}
	for _, other := range []string{"", "garbage {", "up 1\n", "azbackup_last_success_timestamp_seconds{x=\"y\"} NaN\n"} {
		if got := LastSuccess(bytes.NewBufferString(other)); !got.IsZero() {
			t.Errorf("%q gives %s", other, got)
		}
	}
}
