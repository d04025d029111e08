package examples

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// runner is a fake of a runner of GitHub Actions: folders, files for outputs, and a gh that keeps what it is called with.
type runner struct {
	t   *testing.T
	dir string
}

func newRunner(t *testing.T) *runner {
	t.Helper()
	for _, tool := range []string{"bash", "jq", "curl"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skipf("NOT TESTED: no %s on this machine", tool)
		}
	}
	r := &runner{t, t.TempDir()}
	for _, dir := range []string{"temp", "bin", "work"} {
		if err := os.Mkdir(filepath.Join(r.dir, dir), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	// It answers with the number of the comment that is there, if one is, as gh would with --jq.
	r.write("bin/gh", "#!/bin/sh\necho \"$@\" >>\"$FAKE/gh.log\"\ncase \"$*\" in *--paginate*) cat \"$FAKE/comment\" 2>/dev/null || true ;; *) cp \"$RUNNER_TEMP/plan.md\" \"$FAKE/body\" ;; esac\n")
	return r
}

func (r *runner) write(name, text string) {
	r.t.Helper()
	if err := os.WriteFile(filepath.Join(r.dir, name), []byte(text), 0o700); err != nil { //nolint:gosec // programs
		r.t.Fatal(err)
	}
}

func (r *runner) read(name string) string {
	data, err := os.ReadFile(filepath.Join(r.dir, name))
	if err != nil {
		return ""
	}
	return string(data)
}

// run runs a script of the action; it returns the exit code and what was printed.
func (r *runner) run(script string, env ...string) (int, string) {
	r.t.Helper()
	cmd := exec.CommandContext(r.t.Context(), "bash", filepath.Join(root(r.t), ".github/actions/azbackup", script))
	cmd.Dir = filepath.Join(r.dir, "work")
	cmd.Env = append([]string{
		"PATH=" + filepath.Join(r.dir, "bin") + ":" + r.read("path") + ":" + os.Getenv("PATH"), "HOME=" + r.dir, "FAKE=" + r.dir,
		"RUNNER_TEMP=" + filepath.Join(r.dir, "temp"), "RUNNER_OS=Linux", "RUNNER_ARCH=X64", "GITHUB_REPOSITORY=shop/backup",
		"GITHUB_OUTPUT=" + filepath.Join(r.dir, "output"), "GITHUB_STEP_SUMMARY=" + filepath.Join(r.dir, "summary"), "GITHUB_PATH=" + filepath.Join(r.dir, "path"),
	}, env...)
	out, err := cmd.CombinedOutput()
	if err != nil && cmd.ProcessState == nil {
		r.t.Fatal(err)
	}
	return cmd.ProcessState.ExitCode(), string(out)
}

func root(t *testing.T) string {
	t.Helper()
	dir, err := filepath.Abs("..")
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

// program builds azbackup into a folder.
func program(t *testing.T, dir string) {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "go", "build", "-o", filepath.Join(dir, "azbackup"), "../cmd/azbackup").CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
}

func TestAPullRequestEndsInOneCommentThatIsWrittenOver(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("NOT TESTED: the fake runner is a Linux one")
	}
	r := newRunner(t)
	program(t, filepath.Join(r.dir, "bin"))
	quick, estate := filepath.Join(root(t), "examples/quickstart.yaml"), filepath.Join(r.dir, "estate.json")
	data, err := os.ReadFile("estate.json")
	if err != nil {
		t.Fatal(err)
	}
	r.write("estate.json", string(data))
	plan := []string{"COMMAND=plan", "FILE=" + quick, "ARGUMENTS=--simulate\n" + estate}
	if code, out := r.run("run.sh", plan...); code != 0 {
		t.Fatalf("exit code %d\n%s", code, out)
	}
	outputs := r.read("output")
	for _, want := range []string{"fingerprint=sha256:", "changes=35\n", "exit-code=2\n"} {
		if !strings.Contains(outputs, want) {
			t.Errorf("the outputs lack %q:\n%s", want, outputs)
		}
	}
	if summary := r.read("summary"); !strings.Contains(summary, "## azbackup plan: 35 changes, 4 blocked") {
		t.Errorf("the summary is\n%s", summary)
	}
	if code, out := r.run("comment.sh", "PULL_REQUEST=7"); code != 0 {
		t.Fatalf("exit code %d\n%s", code, out)
	}
	if log := r.read("gh.log"); !strings.Contains(log, "api repos/shop/backup/issues/7/comments -F") || strings.Contains(log, "PATCH") {
		t.Errorf("without a comment of its own it called\n%s", log)
	}
	r.write("comment", "42\n")
	if code, out := r.run("comment.sh", "PULL_REQUEST=7"); code != 0 {
		t.Fatalf("exit code %d\n%s", code, out)
	}
	if log := r.read("gh.log"); !strings.Contains(log, "-X PATCH repos/shop/backup/issues/comments/42") {
		t.Errorf("with a comment of its own it called\n%s", log)
	}
	if body := r.read("body"); !strings.HasPrefix(body, "<!-- azbackup:fingerprint sha256:") {
		t.Errorf("the comment is\n%s", body)
	}
	for code, want := range map[string]int{"0": 0, "2": 0, "5": 5, "6": 6, "": 1} {
		if got, _ := r.run("verdict.sh", "COMMAND=plan", "CODE="+code); got != want {
			t.Errorf("the verdict on the code %q is %d, want %d", code, got, want)
		}
	}
	if got, _ := r.run("verdict.sh", "COMMAND=audit", "CODE=2"); got != 2 {
		t.Errorf("the verdict on an audit with findings is %d", got)
	}
}

func TestAForkIsPlannedOnASnapshotAndDoesNotComment(t *testing.T) {
	r := newRunner(t)
	program(t, filepath.Join(r.dir, "bin"))
	quick := filepath.Join(root(t), "examples/quickstart.yaml")
	if _, out := r.run("run.sh", "COMMAND=plan", "FILE="+quick, "FORK=true"); !strings.Contains(out, "::error::a pull request from a fork") || !strings.Contains(r.read("output"), "exit-code=1\n") {
		t.Errorf("without a snapshot it says\n%s", out)
	}
	if code, out := r.run("run.sh", "COMMAND=plan", "FILE="+quick, "FORK=true", "SNAPSHOT="+filepath.Join(root(t), "examples/estate.json")); code != 0 || !strings.Contains(r.read("output"), "exit-code=2\n") {
		t.Errorf("exit code %d\n%s", code, out)
	}
	if _, out := r.run("comment.sh", "PULL_REQUEST=7", "FORK=true"); !strings.Contains(out, "::notice::") || r.read("gh.log") != "" {
		t.Errorf("it called gh:\n%s\n%s", out, r.read("gh.log"))
	}
}

func TestAnAuditLeavesItsFindingsForCodeScanning(t *testing.T) {
	r := newRunner(t)
	program(t, filepath.Join(r.dir, "bin"))
	code, out := r.run("run.sh", "COMMAND=audit", "FILE="+filepath.Join(root(t), "examples/quickstart.yaml"), "FORK=true", "SNAPSHOT="+filepath.Join(root(t), "examples/estate.json"))
	if code != 0 || !strings.Contains(r.read("work/azbackup.sarif"), `"version": "2.1.0"`) || !strings.Contains(r.read("summary"), "audit") {
		t.Errorf("exit code %d\n%s\n%s", code, out, r.read("output"))
	}
}

func TestAReleaseIsInstalledOnlyWithItsChecksum(t *testing.T) {
	r := newRunner(t)
	var archive bytes.Buffer
	z := gzip.NewWriter(&archive)
	w := tar.NewWriter(z)
	text := "#!/bin/sh\necho installed\n"
	if err := w.WriteHeader(&tar.Header{Name: "azbackup", Mode: 0o755, Size: int64(len(text)), Typeflag: tar.TypeReg}); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write([]byte(text)); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(filepath.Join(r.dir, "v1.2.3"), 0o700); err != nil {
		t.Fatal(err)
	}
	const name = "azbackup_1.2.3_linux_amd64.tar.gz"
	r.write("v1.2.3/"+name, archive.String())
	install := func(sums string) (int, string) {
		r.write("v1.2.3/checksums.txt", sums)
		return r.run("install.sh", "VERSION=v1.2.3", "AZBACKUP_DOWNLOADS=file://"+r.dir)
	}
	if code, out := install(strings.Repeat("0", 64) + "  " + name + "\n"); code == 0 || r.read("path") != "" {
		t.Errorf("with a wrong checksum it was installed\n%s", out)
	}
	if code, out := install(fmt.Sprintf("%x  other.tar.gz\n", sha256.Sum256(archive.Bytes()))); code == 0 || r.read("path") != "" {
		t.Errorf("without a checksum it was installed\n%s", out)
	}
	if code, out := install(fmt.Sprintf("%x  %s\n", sha256.Sum256(archive.Bytes()), name)); code != 0 {
		t.Fatalf("exit code %d\n%s", code, out)
	}
	out, err := exec.CommandContext(t.Context(), filepath.Join(strings.TrimSpace(r.read("path")), "azbackup")).Output()
	if err != nil || string(out) != "installed\n" {
		t.Errorf("what was installed says %q, %v", out, err)
	}
	if code, _ := r.run("install.sh", "VERSION=latest; rm -rf /", "AZBACKUP_DOWNLOADS=file://"+r.dir); code != 1 {
		t.Errorf("a version that is none ends with %d", code)
	}
}

func TestAMergeRequestOfGitLabEndsInOneNoteThatIsWrittenOver(t *testing.T) {
	r := newRunner(t)
	r.write("bin/curl", "#!/bin/sh\necho \"$@\" >>\"$FAKE/curl.log\"\ncase \"$*\" in *per_page*) cat \"$FAKE/notes\" ;; esac\n")
	r.write("notes", `[{"id": 1, "body": "looks good"}]`)
	r.write("work/plan.md", "<!-- azbackup:fingerprint sha256:1 -->\n")
	env := []string{"CI_API_V4_URL=https://gitlab.invalid/api/v4", "CI_PROJECT_ID=5", "CI_MERGE_REQUEST_IID=7", "AZBACKUP_TOKEN=t"}
	const script = "../../../examples/gitlab-ci/note.sh"
	if code, out := r.run(script, env...); code != 0 || !strings.Contains(r.read("curl.log"), "--request POST --data-urlencode body@plan.md https://gitlab.invalid/api/v4/projects/5/merge_requests/7/notes\n") {
		t.Errorf("exit code %d, it called\n%s\n%s", code, r.read("curl.log"), out)
	}
	r.write("notes", `[{"id": 1, "body": "looks good"}, {"id": 9, "body": "<!-- azbackup:fingerprint sha256:0 -->"}]`)
	if code, out := r.run(script, env...); code != 0 || !strings.Contains(r.read("curl.log"), "--request PUT --data-urlencode body@plan.md https://gitlab.invalid/api/v4/projects/5/merge_requests/7/notes/9\n") {
		t.Errorf("exit code %d, it called\n%s\n%s", code, r.read("curl.log"), out)
	}
}
