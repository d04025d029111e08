package audit

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"

	"github.com/azbackup/azbackup/config"
	"github.com/azbackup/azbackup/internal/armid"
)

// TestCases checks every fixture of testdata/cases: raw ARM bodies, served over HTTP to discovery, together with the
// expected result, written by hand. A fixture is never updated by a program.
//
// In a fixture a file whose name starts with / is Azure's response to GET there ("403 {…}" = with that status); {sub}
// and {vault} are replaced by the ids below. `now`, `config` and `read-since` are optional.
//
//	want: one line per VM: group/name state [also other,states]
//	      one line per finding: CODE severity target
//	      coverage N/M, and gaps N
func TestCases(t *testing.T) {
	paths, err := filepath.Glob("testdata/cases/*.txtar")
	if err != nil || len(paths) < 25 {
		t.Fatalf("found %d fixtures (%v): the folder is not whole", len(paths), err)
	}
	for _, path := range paths {
		t.Run(strings.TrimSuffix(filepath.Base(path), ".txtar"), func(t *testing.T) { runCase(t, path) })
	}
}

func runCase(t *testing.T, path string) {
	archive, err := txtar.ParseFile(path)
	if err != nil {
		t.Fatal(err)
	}
	a := defaults()
	files := map[string]string{"now": "2026-11-24T06:00:00Z"}
	for _, f := range archive.Files {
		text := strings.NewReplacer("{sub}", "/subscriptions/"+sub, "{vault}", vaultID).Replace(string(f.Data))
		if key := strings.NewReplacer("{sub}", "/subscriptions/"+sub, "{vault}", vaultID).Replace(f.Name); strings.HasPrefix(key, "/") {
			a[strings.ToLower(key)] = strings.TrimSpace(text)
			continue
		}
		files[f.Name] = text
	}
	c := caseConfig(t, files["config"])
	opt := Options{Now: mustTime(t, files["now"])}
	if s, ok := files["read-since"]; ok {
		opt.ReadSince = mustTime(t, s)
	}
	result := Assess(c, discover(t, a, scopeOf(c), opt.Now), opt)
	got, want := caseWords(result), strings.Split(strings.TrimSpace(files["want"]), "\n")
	slices.Sort(want)
	slices.Sort(got)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s(-want +got)\n%s", archive.Comment, diff)
		for _, vm := range result.VMs {
			t.Logf("%s: %s", vm.Name, vm.Because)
		}
	}
}

// defaults returns one valid vault with three policies, which most fixtures need and do not define.
func defaults() armPages {
	a := armPages{
		strings.ToLower("/subscriptions/" + sub + "/providers/Microsoft.RecoveryServices/vaults"): list(vaultBody("rsv1", "westeurope")),
		strings.ToLower(vaultID + "/rsv1"): mustJSON(vaultBody("rsv1", "westeurope")),
	}
	for _, v := range []string{"rsv1", "rsv2"} {
		a[strings.ToLower(vaultID+"/"+v+"/backupPolicies")] = list(
			policyBody(v, "daily", `"scheduleRunFrequency":"Daily","scheduleRunTimes":["2024-04-28T22:00:00Z"]`, `"dailySchedule":{"retentionTimes":["2024-04-28T22:00:00Z"],"retentionDuration":{"count":30,"durationType":"Days"}}`, ""),
			policyBody(v, "weekly", `"scheduleRunFrequency":"Weekly","scheduleRunDays":["Saturday"],"scheduleRunTimes":["2024-04-28T22:00:00Z"]`, `"weeklySchedule":{"daysOfTheWeek":["Saturday"],"retentionTimes":["2024-04-28T22:00:00Z"],"retentionDuration":{"count":12,"durationType":"Weeks"}}`, ""),
			policyBody(v, "hourly", `"scheduleRunFrequency":"Hourly","hourlySchedule":{"interval":4,"scheduleWindowStartTime":"2024-04-28T08:00:00Z","scheduleWindowDuration":12}`, `"dailySchedule":{"retentionTimes":["2024-04-28T08:00:00Z"],"retentionDuration":{"count":30,"durationType":"Days"}}`, "V2"),
		)
	}
	return a
}

func caseConfig(t *testing.T, text string) *config.Config {
	t.Helper()
	if text == "" {
		return nil
	}
	path := filepath.Join(t.TempDir(), "azbackup.yaml")
	if err := os.WriteFile(path, []byte("version: 1\nsubscriptions: ["+sub+"]\n"+text), 0o600); err != nil {
		t.Fatal(err)
	}
	c, _, err := config.Load([]string{path}, func(string) (string, bool) { return "", false })
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// caseWords returns a result in the notation of a fixture, without the findings that the policies of the default vault
// cause (unused ones).
func caseWords(r Result) []string {
	words := []string{fmt.Sprintf("coverage %d/%d", r.Summary.Covered, r.Summary.Counted), fmt.Sprintf("gaps %d", len(r.Gaps))}
	for _, vm := range r.VMs {
		line := vm.ResourceGroup + "/" + vm.Name + " " + string(vm.State)
		if len(vm.Also) > 0 {
			var also []string
			for _, s := range vm.Also {
				also = append(also, string(s))
			}
			line += " also " + strings.Join(also, ",")
		}
		words = append(words, line)
	}
	for _, f := range r.Findings {
		if f.Code == codeUnusedPolicy {
			continue
		}
		target := lastName(f.Target)
		if _, err := armid.ParseVM(f.Target); err == nil {
			target = vmName(f.Target)
		}
		words = append(words, fmt.Sprintf("%s %s %s", f.Code, f.Severity, target))
	}
	return words
}
