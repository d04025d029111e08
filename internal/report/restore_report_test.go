package report

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/azbackup/azbackup/apply"
	"github.com/azbackup/azbackup/plan"
)

// restoredRun returns a run with every way in which restores end; s is in what is not this program's text.
func restoredRun(s string) Run {
	or := func(word string) string {
		if s == "" {
			return word
		}
		return s
	}
	began := time.Date(2026, 11, 20, 6, 0, 0, 0, time.UTC)
	ended := began.Add(9 * time.Minute)
	sub, vault := "/subscriptions/11111111-1111-1111-1111-111111111111", ""
	vault = sub + "/resourceGroups/rg-backup/providers/Microsoft.RecoveryServices/vaults/rsv"
	disk := func(name string) string {
		return sub + "/resourceGroups/rg-restored/providers/Microsoft.Compute/disks/" + clean(name)
	}
	r := Run{Title: "Restore", Restored: map[string]*Restored{}, Requests: map[string]int{"reads": 40, "writes": 9}}
	r.Started, r.Finished, r.Summary = began, ended, map[apply.Outcome]int{}
	r.Plan = plan.Plan{Request: &plan.RestoreRequest{}, Complete: true}
	add := func(name string, o apply.Outcome, reason plan.Reason, with apply.Result) {
		with.ID, with.Action, with.Target, with.Vault, with.Outcome = "restore:"+name, plan.Restore, vm("rg-app", clean(or(name))), vault, o
		with.Message, with.Job = or(with.Message), or(with.Job)
		c := plan.Change{ID: with.ID, Action: plan.Restore, Target: with.Target, Vault: vault, Reason: reason}
		if o == apply.Blocked {
			c.Action, c.Wanted = plan.Blocked, plan.Restore
		} else {
			c.RestoreOrder = &plan.RestoreOrder{
				Point: plan.PointRef{Name: or("104"), Time: began.Add(-8 * time.Hour)}, Into: sub + "/resourceGroups/rg-restored", Staging: sub + "/storageAccounts/" + clean(or("stweu")),
			}
		}
		r.Plan.Changes, r.Results = append(r.Plan.Changes, c), append(r.Results, with)
		r.Summary[o]++
	}
	for _, name := range []string{"web1", "web2"} {
		add(name, apply.Done, plan.ReasonAsked, apply.Result{Message: "Completed in 1m 30s", Job: "0000-" + name})
		r.Restored["restore:"+name] = &Restored{
			Disks: []string{disk(or(name + "-osdisk-1")), disk(or(name+"-datadisk-000-1") + "x")}, OSDisk: disk(or(name + "-osdisk-1")), Seconds: 90,
			Template: "https://stweu.blob.core.windows.net/c/" + or("azuredeploy0000.json"), Leaves: clean(or("stweu")) + "/" + clean(or("web-6291")),
		}
	}
	add("old1", apply.AlreadyDone, plan.ReasonAdopted, apply.Result{Message: "restored by a job that was started before", Job: "0000-old1"})
	r.Restored["restore:old1"] = &Restored{Disks: []string{}}
	add("app1", apply.Failed, plan.ReasonAsked, apply.Result{Code: "400001", Message: "the storage account refuses (403)", Hint: "check its firewall"})
	add("app2", apply.Failed, plan.ReasonAsked, apply.Result{Code: "400001", Message: "the storage account refuses (403)", Hint: "check its firewall"})
	add("app3", apply.Failed, plan.ReasonAsked, apply.Result{Code: "SomethingNew", Message: "no"})
	add("slow1", apply.Interrupted, plan.ReasonAsked, apply.Result{Job: "0000-slow1", Message: "the run was interrupted, and the grace period is over"})
	add("slow2", apply.Unconfirmed, plan.ReasonAsked, apply.Result{Code: "DisksNotListed", Hint: "look for the tag"})
	add("later", apply.NotStarted, plan.ReasonAsked, apply.Result{Message: "the run was interrupted"})
	for _, reason := range []plan.Reason{
		plan.ReasonNoBackup, plan.ReasonNoRestorablePoint, plan.ReasonRestoreGroup, plan.ReasonNoStaging, plan.ReasonRestoreLimit, plan.ReasonNoSuchDisk, plan.ReasonGap,
	} {
		add(string(reason), apply.Blocked, reason, apply.Result{Message: reason.Sentence()})
	}
	return r
}

func TestARestoreOfWhichNothingIsKnownIsLookedForByTheNextRun(t *testing.T) {
	lost := apply.Result{Outcome: apply.Unconfirmed, Message: "the answer was lost, and what became of it cannot be read", Hint: "look with: az rest"}
	if got := (Run{}).nextFor(lost); !strings.Contains(got, "the same command, run again, follows its job where there is one") {
		t.Error(got)
	}
}

func restoresIn(t *testing.T, format string, r Run, s Style) []byte {
	t.Helper()
	return formatted(t, WriteRestores, format, r, s)
}

func TestRestoresInEveryFormat(t *testing.T) {
	golden(t, "restore.txt", restoresIn(t, "text", restoredRun(""), Style{Verbose: true}))
	golden(t, "restore-80.txt", restoresIn(t, "text", restoredRun(""), Style{Width: 80}))
	golden(t, "restore.json", restoresIn(t, "json", restoredRun(""), Style{}))
	golden(t, "restore.md", restoresIn(t, "markdown", restoredRun(""), Style{}))
	golden(t, "restore.csv", restoresIn(t, "csv", restoredRun(""), Style{}))
	if err := WriteRestores(&bytes.Buffer{}, "yaml", Run{}, Style{}); err == nil {
		t.Error("an unknown format was written")
	}
}

// A report of restores is for a ticket: it fits, and says what it leaves out.
func TestAMarkdownReportOfManyRestoresIsCutAndSaysSo(t *testing.T) {
	r := restoredRun("")
	for range 10 {
		r.Results = append(r.Results, r.Results...)
		if len(r.Results) > 1000 {
			break
		}
	}
	text := string(restoresIn(t, "markdown", r, Style{}))
	if len(text) > mdLimit || !strings.Contains(text, "machines are not shown**; `--output csv=FILE` has all.") {
		t.Errorf("%d characters", len(text))
	}
	if bad, good := strings.Index(text, "✗ failed"), strings.Index(text, "✓ done"); bad < 0 || good >= 0 && good < bad {
		t.Error("what failed does not come first")
	}
}

func TestReportsOfRestoresSurviveUntrustedText(t *testing.T) {
	for _, s := range nasty() {
		if strings.TrimSpace(s) == "" {
			continue
		}
		r := restoredRun(s)
		for _, style := range []Style{{Verbose: true}, {Width: 20}} {
			text := string(restoresIn(t, "text", r, style))
			if i := strings.IndexFunc(text, func(r rune) bool { return r != '\n' && !unicode.IsPrint(r) }); i >= 0 {
				t.Errorf("%q lets %q through", s, text[i:min(i+8, len(text))])
			}
		}
		if !json.Valid(restoresIn(t, "json", r, Style{})) {
			t.Errorf("%q breaks JSON", s)
		}
		rows, err := csv.NewReader(bytes.NewReader(restoresIn(t, "csv", r, Style{}))).ReadAll()
		if err != nil || len(rows) != len(r.Results)+1 {
			t.Errorf("%q breaks CSV: %d rows, %v", s, len(rows), err)
		}
		text := restoresIn(t, "markdown", r, Style{})
		root := render(t, text)
		mustBeDead(t, root)
		if got := tables(root); len(got) != 1 || len(got[0]) != len(r.Results)+1 || len(text) > mdLimit {
			t.Errorf("%q changes the table: %v, %d characters", s, got, len(text))
		}
	}
}

// The commands are made to be copied: no name ends its word.
func TestCommandsHoldNamesAsSingleWords(t *testing.T) {
	for in, want := range map[string]string{
		"web1": "web1", "/subscriptions/x/disks/a-b_c.d": "/subscriptions/x/disks/a-b_c.d", "": "''", "-rf": "'-rf'", "a b": "'a b'",
		"a'b": `'a'\''b'`, "$(x)": "'$(x)'", "a;b": "'a;b'", "a\nb": `'a\nb'`,
	} {
		if got := shellWord(in); got != want {
			t.Errorf("%q: %s, want %s", in, got, want)
		}
	}
}
