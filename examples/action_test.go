package examples

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// quoted returns the README's comment of a pull request.
func quoted(t *testing.T, readme string) string {
	t.Helper()
	_, section, _ := strings.Cut(readme, "\n## Pull requests\n")
	section, _, _ = strings.Cut(section, "\n## ")
	var b strings.Builder
	for line := range strings.Lines(section) {
		if text, is := strings.CutPrefix(line, ">"); is {
			b.WriteString(strings.TrimPrefix(text, " "))
		}
	}
	return strings.TrimSpace(b.String())
}

type comment struct {
	ID   int
	Body string
}

func (r *runner) comments() []comment {
	r.t.Helper()
	var all []comment
	if err := json.Unmarshal([]byte(r.read("comments.json")), &all); err != nil {
		r.t.Fatal(err)
	}
	return all
}

// pullRequest returns what a workflow knows of a pull request from the repository itself.
func pullRequest() map[string]string {
	const from = "github.event.pull_request.head.repo.full_name"
	return map[string]string{
		"inputs.version": "v1.2.3", "github.token": "t",
		"github.event.pull_request.number":                                                         "7",
		from + " != github.repository":                                                             "false",
		from + " != null && " + from + " != github.repository":                                     "false",
		"inputs.comment == 'true' && inputs.command == 'plan' && github.event.pull_request.number": "true",
		"inputs.command == 'audit' && hashFiles('azbackup.sarif') != ''":                           "false",
		"inputs.fail == 'true'":                                                                    "true",
	}
}

// The steps of the action run as action.yml wires them, in a folder with the README's file and a snapshot of its estate.
func TestAPullRequestEndsInTheCommentOfTheReadmeWhichIsWrittenOver(t *testing.T) {
	r := newRunner(t)
	r.release()
	data, err := os.ReadFile("../README.md")
	if err != nil {
		t.Fatal(err)
	}
	file, want := block(t, string(data), "```yaml\n"), quoted(t, string(data))
	estate, err := os.ReadFile("estate.json")
	if err != nil {
		t.Fatal(err)
	}
	r.write("work/azbackup.yaml", file)
	r.write("estate.json", string(estate))
	r.write("comments.json", `[{"id": 1, "user": {"type": "User"}, "body": "<!-- azbackup:fingerprint of a person"}, {"id": 2, "user": {"type": "Bot"}, "body": "covered"}]`)
	context := pullRequest()
	context["inputs.arguments"] = "--simulate\n" + filepath.Join(r.dir, "estate.json")

	if code, out := r.take(context); code != 0 {
		t.Fatalf("exit code %d\n%s", code, out)
	}
	first := r.comments()
	if len(first) != 3 {
		t.Fatalf("there are %d comments", len(first))
	}
	if diff := cmp.Diff(want, strings.TrimSpace(first[2].Body)); diff != "" {
		t.Errorf("the comment is not the README's (-README +comment):\n%s", diff)
	}
	if diff := cmp.Diff(strings.TrimSpace(r.read("summary")), want); diff != "" {
		t.Errorf("the summary is not the comment:\n%s", diff)
	}
	_, fingerprint, _ := strings.Cut(want, "sha256:")
	fingerprint, _, _ = strings.Cut(fingerprint, " ")
	for _, output := range []string{"fingerprint=sha256:" + fingerprint + "\n", "changes=9\n", "exit-code=2\n"} {
		if !strings.Contains(r.read("output"), output) {
			t.Errorf("the outputs lack %q:\n%s", output, r.read("output"))
		}
	}

	r.write("work/azbackup.yaml", strings.Replace(file, "app0*", "app01", 1))
	if code, out := r.take(context); code != 0 {
		t.Fatalf("exit code %d\n%s", code, out)
	}
	second := r.comments()
	if len(second) != 3 || second[2].ID != first[2].ID || !strings.Contains(second[2].Body, "## azbackup plan: 2 changes") {
		t.Errorf("after another push the comments are %+v", second)
	}
	if diff := cmp.Diff(first[:2], second[:2]); diff != "" {
		t.Errorf("a comment of somebody else was written over:\n%s", diff)
	}
}

func TestTheVerdictIsTheExitCodeButForAPlanWithChanges(t *testing.T) {
	r := newRunner(t)
	for code, want := range map[string]int{"0": 0, "2": 0, "5": 5, "6": 6, "": 1} {
		if got, _ := r.run("verdict.sh", "COMMAND=plan", "CODE="+code); got != want {
			t.Errorf("the verdict on the code %q is %d, want %d", code, got, want)
		}
	}
	if got, _ := r.run("verdict.sh", "COMMAND=audit", "CODE=2"); got != 2 {
		t.Errorf("the verdict on an audit with findings is %d", got)
	}
	// A file that does not load leaves no plan: nothing is commented, and the job fails.
	r.release()
	r.write("work/azbackup.yaml", "version: 99\n")
	if code, out := r.take(pullRequest()); code != 1 || r.read("gh.log") != "" {
		t.Errorf("exit code %d\n%s\n%s", code, out, r.read("gh.log"))
	}
}

func TestAForkIsPlannedOnASnapshotAndDoesNotComment(t *testing.T) {
	r := newRunner(t)
	r.program("bin")
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
	r.program("bin")
	code, out := r.run("run.sh", "COMMAND=audit", "FILE="+filepath.Join(root(t), "examples/quickstart.yaml"), "FORK=true", "SNAPSHOT="+filepath.Join(root(t), "examples/estate.json"))
	if code != 0 || !strings.Contains(r.read("work/azbackup.sarif"), `"version": "2.1.0"`) || !strings.Contains(r.read("summary"), "audit") {
		t.Errorf("exit code %d\n%s\n%s", code, out, r.read("output"))
	}
}

func TestAReleaseIsInstalledOnlyWithItsChecksum(t *testing.T) {
	r := newRunner(t)
	archive := packed(t, "#!/bin/sh\necho installed\n")
	if err := os.Mkdir(filepath.Join(r.dir, "v1.2.3"), 0o700); err != nil {
		t.Fatal(err)
	}
	r.write("v1.2.3/"+archiveName, archive)
	install := func(sums string) (int, string) {
		r.write("v1.2.3/checksums.txt", sums)
		return r.run("install.sh", "VERSION=v1.2.3", "AZBACKUP_DOWNLOADS=file://"+r.dir)
	}
	if code, out := install(strings.Repeat("0", 64) + "  " + archiveName + "\n"); code == 0 || r.read("path") != "" {
		t.Errorf("with a wrong checksum it was installed\n%s", out)
	}
	if code, out := install(fmt.Sprintf("%x  other.tar.gz\n", sha256.Sum256([]byte(archive)))); code == 0 || r.read("path") != "" {
		t.Errorf("without a checksum it was installed\n%s", out)
	}
	if code, out := install(fmt.Sprintf("%x  %s\n", sha256.Sum256([]byte(archive)), archiveName)); code != 0 {
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
