package plan_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/azbackup/azbackup/config"
	"github.com/azbackup/azbackup/internal/armid"
	"github.com/azbackup/azbackup/plan"
)

func vaultID(name string) string  { return armid.Vault(subscription, vaultGroup, name) }
func policyID(v, p string) string { return armid.Policy(vaultID(v), p) }
func vmID(name string) string     { return armid.VM(subscription, "app", name) }

func itemIn(vault, vm, state, policy string) plan.Item {
	id, _ := armid.ParseVM(vmID(vm))
	it := plan.Item{
		ID: armid.ProtectedItem(vaultID(vault), id), Vault: vaultID(vault), VM: vmID(vm),
		Container: "iaasvmcontainerv2;app;" + vm, State: state,
	}
	if policy != "" {
		it.PolicyID, it.PolicyName = policyID(vault, policy), policy
	}
	return it
}

func TestReasonsAreAClosedSet(t *testing.T) {
	seen := map[plan.Reason]bool{}
	for _, r := range plan.Reasons() {
		s := r.Sentence()
		if seen[r] {
			t.Errorf("%s stands twice", r)
		}
		seen[r] = true
		if s == "" || strings.HasSuffix(s, ".") || strings.ContainsAny(s[:1], "ABCDEFGHIJKLMNOPQSTUVWXYZ") && !strings.HasPrefix(s, "Azure") {
			t.Errorf("%s has the sentence %q", r, s)
		}
	}
	if got := plan.Reason("because").Sentence(); got != "" {
		t.Errorf("a word that is no reason has the sentence %q", got)
	}
}

// Every reason must be seen in a case: one that no case reaches is either dead or untested.
func TestEveryReasonHasACase(t *testing.T) {
	files, err := filepath.Glob("testdata/*/*.txtar")
	if err != nil {
		t.Fatal(err)
	}
	var all strings.Builder
	for _, file := range files {
		b, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		all.Write(b)
	}
	for _, r := range plan.Reasons() {
		switch r {
		case plan.ReasonVaultFull, plan.ReasonVaultLimit:
			continue // too big for a file: tested below
		case plan.ReasonAsked, plan.ReasonAdopted, plan.ReasonNeverProven, plan.ReasonProofTooOld, plan.ReasonNoBackup, plan.ReasonNoRestorablePoint, plan.ReasonNoSuchDisk, plan.ReasonRestoreGroup,
			plan.ReasonNoStaging, plan.ReasonRestoreLimit:
			continue // of restores, which have no file: restore_test.go
		default:
		}
		if !strings.Contains(all.String(), "  why     "+string(r)+":") {
			t.Errorf("no case shows the reason %s", r)
		}
	}
}

func TestActionableLeavesOutBlockedAndBackups(t *testing.T) {
	p := plan.Plan{Changes: []plan.Change{
		{ID: "1", Action: plan.Protect}, {ID: "2", Action: plan.Blocked, Wanted: plan.Protect}, {ID: "3", Action: plan.Backup}, {ID: "4", Action: plan.Refresh},
	}}
	var got []string
	for _, c := range p.Actionable() {
		got = append(got, c.ID)
	}
	if diff := cmp.Diff([]string{"1", "4"}, got); diff != "" {
		t.Error(diff)
	}
}

func TestRefusedFlagsLiftOnlyTheirGuard(t *testing.T) {
	p := plan.Plan{}
	for _, g := range plan.Guards() {
		if !strings.HasPrefix(g.Flag, "--dangerous-") {
			t.Errorf("the flag of %s is %s", g.Name, g.Flag)
		}
		p.Refusals = append(p.Refusals, plan.Refusal{Guard: g.Name, Flag: g.Flag})
	}
	for _, g := range plan.Guards() {
		left := plan.Judge(p, map[string]bool{g.Flag: true}).Refusals
		if len(left) != len(p.Refusals)-1 || slices.ContainsFunc(left, func(r plan.Refusal) bool { return r.Guard == g.Name }) {
			t.Errorf("%s leaves %v", g.Flag, left)
		}
		if left := plan.Judge(p, map[string]bool{g.Flag: false}).Refusals; len(left) != len(p.Refusals) {
			t.Errorf("%s=false lifts something", g.Flag)
		}
	}
	if len(plan.Judge(p, nil).Refusals) != len(p.Refusals) {
		t.Error("no flag lifts something")
	}
}

func TestSatisfied(t *testing.T) {
	want := &plan.State{State: plan.StateProtected, Policy: policyID("here", "daily"), Disks: &plan.Disks{Include: true, LUNs: []int{0, 1}}}
	good := itemIn("HERE", "vm1", plan.StateIRPending, "DAILY")
	good.Disks = &plan.Disks{Include: true, LUNs: []int{1, 0}}
	with := func(change func(*plan.Item)) plan.Item {
		it := good
		change(&it)
		return it
	}
	softDeleted := with(func(it *plan.Item) { it.SoftDeleted, it.State, it.PolicyID = true, plan.StateProtectionStopped, "" })
	stopped := with(func(it *plan.Item) { it.State, it.PolicyID, it.PolicyName = plan.StateProtectionStopped, "", "" })
	for _, tt := range []struct {
		name   string
		action plan.Action
		item   plan.Item
		want   bool
	}{
		{"equal, ids in other case, disks in other order", plan.Protect, good, true},
		{"equal after modify", plan.Modify, good, true},
		{"equal after resume, though backups fail", plan.Resume, with(func(it *plan.Item) { it.State = plan.StateProtectionError }), true},
		{"by the policy's name", plan.Protect, with(func(it *plan.Item) { it.PolicyID = "" }), true},
		{"other policy", plan.Modify, with(func(it *plan.Item) { it.PolicyID = policyID("here", "long") }), false},
		{"other disks", plan.Modify, with(func(it *plan.Item) { it.Disks = nil }), false},
		{"still stopped", plan.Resume, stopped, false},
		{"still soft-deleted", plan.Protect, softDeleted, false},
		{"only its status is known", plan.Modify, with(func(it *plan.Item) { it.Partial = true }), false},
		{"stopped", plan.Stop, stopped, true},
		{"not stopped", plan.Stop, good, false},
		{"stop of a soft-deleted item", plan.Stop, softDeleted, false},
		{"suspended is not stopped", plan.Stop, with(func(it *plan.Item) { it.State = plan.StateBackupsSuspended }), false},
		{"undeleted", plan.Undelete, stopped, true},
		{"not undeleted", plan.Undelete, softDeleted, false},
		{"a backup leaves no mark", plan.Backup, good, false},
		{"blocked", plan.Blocked, good, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := plan.IsConverged(plan.Change{Action: tt.action, After: want}, tt.item); got != tt.want {
				t.Errorf("got %t, want %t", got, tt.want)
			}
		})
	}
}

func TestDurationIsISO8601(t *testing.T) {
	for d, want := range map[time.Duration]string{
		0: "PT0S", 4 * time.Minute: "PT4M", 720 * time.Hour: "PT720H", 90*time.Second + 500*time.Millisecond: "PT1M30.5S",
		time.Nanosecond: "PT0.000000001S", -time.Hour: "-PT1H", 1<<63 - 1: "PT2562047H47M16.854775807S",
	} {
		if got := plan.Duration(d).String(); got != want {
			t.Errorf("%d: got %s, want %s", d, got, want)
		}
	}
	var d plan.Duration
	if err := d.UnmarshalText([]byte("P30D")); err != nil || d != plan.Duration(720*time.Hour) {
		t.Errorf("P30D: %v, %v", d, err)
	}
	for _, bad := range []string{"", "P", "PT", "4m", "PT4", "P1DT", "PT4M ", "P1M", "PT9999999999999999999H", "P999999999999999999999D", "P106752D"} {
		if err := d.UnmarshalText([]byte(bad)); err == nil {
			t.Errorf("%q is read as %v", bad, d)
		}
	}
}

func TestDurationSurvivesJSON(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := plan.Duration(rapid.Int64().Draw(t, "ns"))
		b, err := json.Marshal(want)
		if err != nil {
			t.Fatal(err)
		}
		var got plan.Duration
		if err := json.Unmarshal(b, &got); err != nil || got != want {
			t.Errorf("%s: got %d, want %d: %v", b, got, want, err)
		}
	})
}

func TestNextBackup(t *testing.T) {
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Skip("no time zones on this machine")
	}
	daily := plan.ScheduleSpec{Frequency: "Daily", At: "22:00"}
	weekly := plan.ScheduleSpec{Frequency: "Weekly", At: "01:30", Days: []string{"Tuesday", "saturday"}}
	hourly := plan.ScheduleSpec{Frequency: "Hourly", At: "20:00", Every: 4, Window: 12}
	for _, tt := range []struct {
		name     string
		schedule plan.ScheduleSpec
		zone     *time.Location
		after    string
		want     string
	}{
		{"daily, today", daily, time.UTC, "2026-11-24T12:00:00Z", "2026-11-24T22:00:00Z"},
		{"daily, tomorrow", daily, time.UTC, "2026-11-24T22:00:00Z", "2026-11-25T22:00:00Z"},
		{"daily in a zone", daily, berlin, "2026-11-24T12:00:00Z", "2026-11-24T21:00:00Z"},
		{"daily in a zone in summer: the service does not follow", daily, berlin, "2026-07-24T12:00:00Z", "2026-07-24T21:00:00Z"},
		{"weekly", weekly, time.UTC, "2026-11-24T12:00:00Z", "2026-11-28T01:30:00Z"},
		{"weekly, the same day next week", plan.ScheduleSpec{Frequency: "Weekly", At: "01:30", Days: []string{"Tuesday"}}, time.UTC, "2026-11-24T12:00:00Z", "2026-12-01T01:30:00Z"},
		{"hourly, in the window", hourly, time.UTC, "2026-11-24T21:00:00Z", "2026-11-25T00:00:00Z"},
		{"hourly, the window began yesterday", hourly, time.UTC, "2026-11-24T01:00:00Z", "2026-11-24T04:00:00Z"},
		{"hourly, at the end of the window", hourly, time.UTC, "2026-11-24T04:00:00Z", "2026-11-24T08:00:00Z"},
		{"hourly, after the window", hourly, time.UTC, "2026-11-24T09:00:00Z", "2026-11-24T20:00:00Z"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			after, _ := time.Parse(time.RFC3339, tt.after)
			got, ok := tt.schedule.Next(after, tt.zone)
			if !ok || got.Format(time.RFC3339) != tt.want {
				t.Errorf("got %v %t, want %s", got, ok, tt.want)
			}
		})
	}
	for _, bad := range []plan.ScheduleSpec{{}, {Frequency: "Daily", At: "ten"}, {Frequency: "Hourly", At: "20:00"}, {Frequency: "Weekly", At: "20:00"}, {Frequency: "Yearly", At: "20:00"}} {
		if got, ok := bad.Next(now, time.UTC); ok {
			t.Errorf("%+v is next at %v", bad, got)
		}
	}
}

func TestScopeIsWhatTheConfigNeeds(t *testing.T) {
	c := loadConfig(t, []byte(`version: 1
subscriptions: [11111111-1111-1111-1111-111111111111]
vaults:
  - {name: b, resourceGroup: rg-backup, location: westeurope}
  - {name: a, resourceGroup: rg-backup, location: westeurope, manage: true}
policies:
  - name: daily
vms:
  - {name: one, id: "{vm app/vm1}", policy: daily, vault: a, backup: {ifOlderThan: 24h}}
  - {name: two, match: {tags: {app: web}}, policy: daily, vault: b, backup: {ifOlderThan: 48h}}
settings: {guards: {minVMs: 7}}
`))
	want := plan.Scope{
		Subscriptions: []string{subscription},
		Vaults: []plan.VaultRef{
			{ID: vaultID("a"), Location: "westeurope", Manage: true}, {ID: vaultID("b"), Location: "westeurope"},
		},
		VMs: []string{vmID("vm1")}, Elsewhere: true, Protectable: true,
		BackupJobsSince: plan.Duration(48 * time.Hour), MinVMs: 7,
	}
	if diff := cmp.Diff(want, plan.ScopeOf(c)); diff != "" {
		t.Errorf("scope (-want +got):\n%s", diff)
	}
	c.Settings.Refresh = "never"
	if plan.ScopeOf(c).Protectable {
		t.Error("refresh: never still reads the protectable items")
	}
	c.Settings.Refresh = "auto"
	for i, mode := range []config.Protect{config.ProtectOff, config.ProtectStopped} {
		c.Rules[i].Protect = mode
	}
	if s := plan.ScopeOf(c); s.Protectable || s.BackupJobsSince != 0 {
		t.Errorf("nothing is to be protected, and the scope is %+v", s)
	}
}

func TestFingerprintCoversWhatIsApproved(t *testing.T) {
	c, o := bigVault(2, 1)
	base := plan.Make(c, o, plan.Options{Now: now}).Fingerprint
	same := func(name string, change func(*config.Config, *plan.Observed), want bool) {
		t.Helper()
		c, o := bigVault(2, 1)
		change(c, &o)
		if got := plan.Make(c, o, plan.Options{Now: now}).Fingerprint == base; got != want {
			t.Errorf("%s: same fingerprint is %t, want %t", name, got, want)
		}
	}
	same("nothing", func(*config.Config, *plan.Observed) {}, true)
	same("a first backup", func(_ *config.Config, o *plan.Observed) { o.Items[0].LastRecoveryPoint = now }, true)
	same("a backup that is due", func(c *config.Config, _ *plan.Observed) { c.Rules[0].Backup = &config.Backup{IfOlderThan: time.Hour} }, true)
	same("a VM that is blocked", func(_ *config.Config, o *plan.Observed) {
		o.VMs = append(o.VMs, plan.VM{ID: vmID("far"), Name: "far", Subscription: subscription, Location: "eastus"})
	}, true)
	same("other disks", func(c *config.Config, _ *plan.Observed) { c.Rules[0].Disks = &config.Disks{Kind: config.DisksOSOnly} }, false)
	same("a stopped item", func(_ *config.Config, o *plan.Observed) { o.Items[0].State = plan.StateProtectionStopped }, false)
	same("another vault", func(c *config.Config, o *plan.Observed) {
		c.Vaults[0].Name = "there"
		o.Vaults[0].ID = vaultID("there")
		o.Policies[0].ID, o.Policies[0].Vault = policyID("there", "daily"), vaultID("there")
		o.Items = nil
		o.VMs = o.VMs[2:]
	}, false)
}

func TestFirstBackupDoesNotChangeWhatWasApproved(t *testing.T) {
	c, o := bigVault(1, 0)
	c.Rules[0].Disks = &config.Disks{Kind: config.DisksOSOnly}
	o.Items[0].State = plan.StateIRPending
	before := plan.Make(c, o, plan.Options{Now: now})
	o.Items[0].State, o.Items[0].LastRecoveryPoint = plan.StateProtected, now
	after := plan.Make(c, o, plan.Options{Now: now})
	if before.Summary[plan.Modify] != 1 || before.Fingerprint != after.Fingerprint {
		t.Errorf("a modify of an item that got its first backup is another change: %v", plan.Compare(before, after))
	}
}

func TestConfigHashIsOfWhatTheFileSays(t *testing.T) {
	hash := func(change func(*config.Config)) string {
		c, o := bigVault(1, 0)
		change(c)
		return plan.Make(c, o, plan.Options{Now: now}).Config
	}
	base := hash(func(*config.Config) {})
	if !strings.HasPrefix(base, "sha256:") {
		t.Fatalf("got %q", base)
	}
	if hash(func(c *config.Config) {
		c.Files = []string{"copy.yaml"}
		c.Rules[0].Pos.Line, c.Rules[0].Match[0].Pos.Line, c.Vaults[0].Pos.File, c.Policies[0].Pos.Line = 3, 4, "copy.yaml", 5
	}) != base {
		t.Error("where the file says something changes the hash")
	}
	if hash(func(c *config.Config) { c.Rules[0].Spread = true }) == base {
		t.Error("what the file says does not change the hash")
	}
}

func TestMakeDoesNotChangeItsInput(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := drawWorld(t)
		before := asJSON(t, w.observed) + asJSON(t, w.config)
		make1(w)
		if after := asJSON(t, w.observed) + asJSON(t, w.config); after != before {
			t.Errorf("Make changed what it was given:\n%s", cmp.Diff(before, after))
		}
	})
}

func asJSON(t rapid.TB, v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}
