package simtest

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

var (
	withMutants = flag.Bool("mutants", false, "break the program in named ways, and see that the simulation notices")
	onlyMutant  = flag.String("mutant", "", "only the mutants with this in their name")
)

// mutant is a small break of the program: a piece of a file, and its replacement.
type mutant struct{ name, file, piece, instead string }

// mutants are breaks that the simulation must detect.
var mutants = []mutant{
	{
		"repeat a write after a reset without looking", "apply/change.go",
		"if e.Unknown {\n\t\treturn ex.recoverUnknownWrite(ctx)\n\t}", "if e.Unknown {\n\t\treturn Result{}, false\n\t}",
	},
	{
		"overlook the jobs of backups", "apply/vault_snapshot.go",
		"(j.IsRunning() || j.Start.After(since)) {", "(j.IsRunning() || j.Start.After(since)) && false {",
	},
	{
		"take a list that failed for an empty one", "apply/vault_poller.go",
		"return pollResult{err: err}", "return pollResult{snapshot: newVaultSnapshot(snapshot, at)}",
	},
	{
		"confirm by the operation alone", "apply/await.go",
		"if ex.poller == nil {\n\t\treturn ex.awaitByPolls(ctx)\n\t}", "if ex.poller == nil || true {\n\t\treturn ex.awaitByPolls(ctx)\n\t}",
	},
	{
		"poll per item", "apply/await.go",
		"p.ex.op.JobID, p.wantsPoll = bareJob(job.ID), false", "p.ex.op.JobID, p.wantsPoll, p.nextPollAge = bareJob(job.ID), true, 0",
	},
	{
		"ignore the pause after a 429", "internal/azure/quota/model.go",
		"ad.pausedUntil = end\n", "_ = end\n",
	},
	{
		"forget a child", "apply/dag.go",
		"for _, child := range parent.children {", "for _, child := range parent.children[:len(parent.children)/2] {",
	},
	{
		"write without waiting for the job that runs", "apply/change.go",
		"if ex.poller == nil || ex.task.WaitsFor == \"\" {", "if ex.poller == nil || ex.task.WaitsFor != \"never\" {",
	},
	{
		"start on after an interrupt", "apply/executor.go",
		"r.gate.close(errInterrupted)", "_ = errInterrupted",
	},
	{
		"forget the deadline of a change", "apply/executor.go",
		"limit := r.opt.Limits.ItemTimeout\n", "limit := 4 * r.opt.Limits.ItemTimeout\n",
	},
	{
		"stop over a gap", "plan/items.go",
		"if pl.isIncomplete() {", "if pl.isIncomplete() && false {",
	},
	{
		"forget the disk filter", "internal/azure/write_item.go",
		"p.Extended = &extended", "_ = &extended",
	},
	{
		"take the comparison out of policies", "plan/precondition.go",
		"Drifts: driftsOf(DiffSpec(approved, is), DiffSpec(wanted, is))}", "}",
	},
	{
		"take the comparison out of vaults", "plan/precondition.go",
		"p.Drifts = append(p.Drifts, Drift{f.Path, was, f.Before, f.After})", "_ = was",
	},
	{
		"take the comparison with the list out of items", "apply/precondition.go",
		"if !condition.IsConverged && len(condition.Drifts) == 0 {", "if !condition.IsConverged {",
	},
	{
		"take the comparison right before the write out of items", "internal/azure/precondition.go",
		"|| isRisky(ch) || held > maxQuotaDelay {", "&& false {",
	},
	{
		"create a policy without reading first", "internal/azure/precondition.go",
		"if there {\n\t\tp, props, err", "if there && ch.Action == plan.UpdatePolicy {\n\t\tp, props, err",
	},
	{
		"create a vault without reading first", "internal/azure/precondition.go",
		"if there {\n\t\tif odd", "if there && ch.Action == plan.UpdateVault {\n\t\tif odd",
	},
	{
		"lose a disk filter that was set meanwhile", "apply/precondition.go",
		"if kept != \"\" {", "if kept == \"never\" {",
	},
	{
		"write by a list from before the approval", "apply/precondition.go",
		"limit.After(ex.run.opt.Approved) {", "true || limit.After(ex.run.opt.Approved) {",
	},
	{
		"compare policies by a list from before the approval", "internal/azure/policy_cache.go",
		"return !p.at.Before(k.approved) && now", "return now",
	},
	{
		"take the comparison out of the policies of items", "internal/azure/precondition.go",
		"drifts, err := c.checkPolicyDrift(ctx, op, ch)", "drifts, err := []plan.Drift(nil), error(nil)",
	},
	{
		"delete the tags that others set", "plan/precondition.go",
		"tags = mergeTags(now.Tags, wanted.Tags)", "tags = mergeTags(approved.Tags, wanted.Tags)",
	},
}

// cleanUpMutants take a condition each out of what a restore test deletes by. The conditions that another one, or the
// service, makes up for (the disk's group, age and use, that it was not there before, how many there are) no seed can
// miss: the table of plan.CleanUp and the scenarios of restore tests hold them.
var cleanUpMutants = []mutant{
	{"delete disks whose tag names another job", "plan/clean_up.go", "case d.Job != c.Job:", "case false:"},
	{"delete what was found, whatever it is now", "internal/azure/clean_up.go", "if kept = made.WhyKept(d); kept != \"\" {", "if false {"},
	{"delete the disks of a job that may be another client's", "apply/test_clean_up.go", "case !t.isOurs:", "case false:"},
}

// TestMutantsHaveTheirPlace checks that each mutant's piece still exists.
func TestMutantsHaveTheirPlace(t *testing.T) {
	for _, m := range slices.Concat(mutants, cleanUpMutants) {
		source, err := os.ReadFile(filepath.Join("../..", m.file))
		if err != nil {
			t.Fatal(err)
		}
		if n := bytes.Count(source, []byte(m.piece)); n != 1 {
			t.Errorf("%s: %s has %q %d times, want once", m.name, m.file, m.piece, n)
		}
	}
}

// TestMutants runs the simulation over each mutant until it fails, and logs the seed.
func TestMutants(t *testing.T) {
	if !*withMutants {
		t.Skip("run `make simtest-mutants`")
	}
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	for i, m := range slices.Concat(mutants, cleanUpMutants) {
		if !strings.Contains(m.name, *onlyMutant) {
			continue
		}
		tests := []string{"-run", "TestSimulation", "./internal/simtest", "-seeds", "500"}
		if i >= len(mutants) {
			tests = []string{"-run", "TestRestoreTestsDeleteNothingButTheirOwn", "./internal/simtest"}
		}
		began := time.Now()
		found, output := findSeed(t, root, m, tests)
		if found == "" {
			t.Errorf("%s: not noticed\n%.2000s", m.name, output)
			continue
		}
		fmt.Fprintf(os.Stdout, "%-50s caught by seed %4s in %v\n", m.name, found, time.Since(began).Round(time.Second))
	}
}

// findSeed returns the seed that detects the mutant, or "" and the simulation's output.
func findSeed(t *testing.T, root string, m mutant, tests []string) (found, output string) {
	t.Helper()
	file := filepath.Join(root, m.file)
	source, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if n := bytes.Count(source, []byte(m.piece)); n != 1 {
		t.Fatalf("%s: %s has %q %d times, want once", m.name, m.file, m.piece, n)
	}
	dir := t.TempDir()
	broken := filepath.Join(dir, "broken.go")
	overlay := filepath.Join(dir, "overlay.json")
	write(t, broken, strings.Replace(string(source), m.piece, m.instead, 1))
	list, err := json.Marshal(map[string]any{"Replace": map[string]string{file: broken}})
	if err != nil {
		t.Fatal(err)
	}
	write(t, overlay, string(list))
	cmd := exec.CommandContext(t.Context(), "go", append([]string{"test", "-overlay", overlay, "-timeout", "20m"}, tests...)...)
	cmd.Dir = root
	out, err := cmd.CombinedOutput()
	if err == nil {
		return "", string(out)
	}
	if seed := regexp.MustCompile(`seed (\d+): run|begins seed (\d+)\n|/seed_(\d+) `).FindStringSubmatch(string(out)); seed != nil {
		return seed[1] + seed[2] + seed[3], string(out)
	}
	return "", string(out)
}

func write(t *testing.T, file, text string) {
	t.Helper()
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}
