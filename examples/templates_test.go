package examples

import (
	"encoding/json"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/santhosh-tekuri/jsonschema/v6"
	"gopkg.in/yaml.v3"
)

var schemas = flag.String("schemas", "", "a folder with gitlab.json and azure.json, the JSON Schemas of pipelines")

// curl hands on what fetches a file, keeps what else it is called with, and answers a list of comments with $FAKE/listed.
const curl = `#!/bin/bash
case "$*" in *file://*) exec "$REAL_CURL" "$@" ;; esac
echo "$*" >>"$FAKE/curl.log"
case "$*" in
*"--request POST"* | *"--request PATCH"*) cat >"$FAKE/sent" ;;
*) cat "$FAKE/listed" ;;
esac
`

// newPipeline is a runner of another maker's: a checkout with the README's file, the scripts of a template in ci/, and a
// release whose program knows of the simulated estate.
func newPipeline(t *testing.T, script string) *runner {
	t.Helper()
	r := newRunner(t)
	real, err := exec.LookPath("curl")
	if err != nil {
		t.Fatal(err)
	}
	r.release()
	r.write("bin/curl", curl)
	r.write("bin/apt-get", "#!/bin/sh\n")
	r.write("estate.json", string(readFile(t, "estate.json")))
	// A rehearsal signs in nowhere: where a template does not simulate by itself, the estate stands for Azure.
	r.publish("#!/bin/sh\ncase \"$*\" in *--simulate*) ;; *) set -- \"$@\" --simulate \"$FAKE/estate.json\" ;; esac\nexec \"$FAKE/program/azbackup\" \"$@\"\n")
	for _, dir := range []string{"work/ci", "work/backup"} {
		if err := os.MkdirAll(filepath.Join(r.dir, dir), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	r.write("work/backup/estate.json", string(readFile(t, "estate.json")))
	r.write("work/azbackup.yaml", block(t, string(readFile(t, "../README.md")), "```yaml\n"))
	r.write("work/ci/install.sh", string(readFile(t, "../.github/actions/azbackup/install.sh")))
	r.write("work/ci/"+filepath.Base(script), string(readFile(t, script)))
	r.env = append(r.env, "REAL_CURL="+real)
	return r
}

type gitlabJob struct {
	Extends, Stage, Image string
	BeforeScript          []string `yaml:"before_script"`
	Script                []string
	Needs                 []string
	Rules                 []struct{ If, When string }
	Artifacts             struct {
		When    string
		Paths   []string
		Reports map[string]string
	}
	Environment   string
	ResourceGroup string                       `yaml:"resource_group"`
	IDTokens      map[string]map[string]string `yaml:"id_tokens"`
}

// gitlabJobs reads the template strictly: a key that is not among a job's is an error.
func gitlabJobs(t *testing.T) (map[string]gitlabJob, map[string]string) {
	t.Helper()
	var all map[string]yaml.Node
	if err := yaml.Unmarshal(readFile(t, "gitlab-ci/gitlab-ci.yml"), &all); err != nil {
		t.Fatal(err)
	}
	jobs, variables, stages := map[string]gitlabJob{}, map[string]string{}, []string{}
	for name, node := range all {
		var err error
		switch name {
		case "stages":
			err = node.Decode(&stages)
		case "variables":
			err = node.Decode(&variables)
		default:
			var job gitlabJob
			err = strictly(t, node, &job)
			jobs[name] = job
		}
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, job := range jobs {
		if strings.HasPrefix(name, ".") {
			continue
		}
		if _, is := jobs[job.Extends]; !is || !slices.Contains(stages, job.Stage) || len(job.Script) == 0 || len(job.Rules) == 0 {
			t.Errorf("the job %s lacks what it extends, its stage, a script or rules: %+v", name, job)
		}
		for _, need := range job.Needs {
			if slices.Index(stages, jobs[need].Stage) >= slices.Index(stages, job.Stage) {
				t.Errorf("%s needs %s, which is no job before it", name, need)
			}
		}
	}
	return jobs, variables
}

func strictly(t *testing.T, node yaml.Node, into any) error {
	t.Helper()
	text, err := yaml.Marshal(&node)
	if err != nil {
		t.Fatal(err)
	}
	d := yaml.NewDecoder(strings.NewReader(string(text)))
	d.KnownFields(true)
	return d.Decode(into)
}

// runJob runs a job's lines in one shell, as GitLab does.
func (r *runner) runJob(name string, env ...string) (int, string) {
	r.t.Helper()
	jobs, variables := gitlabJobs(r.t)
	job := jobs[name]
	project := filepath.Join(r.dir, "work")
	env = append(env, "CI_PROJECT_DIR="+project, "AZURE_ID_TOKEN=secret")
	for name, v := range variables {
		env = append(env, name+"="+strings.ReplaceAll(v, "$CI_PROJECT_DIR", project))
	}
	env = append(env, "AZBACKUP_VERSION=v1.2.3")
	lines := slices.Concat(jobs[job.Extends].BeforeScript, job.Script)
	return r.bash([]string{"-eo", "pipefail", "-c", strings.Join(lines, "\n")}, env...)
}

func TestAMergeRequestOfGitLabEndsInTheCommentOfTheReadme(t *testing.T) {
	r := newPipeline(t, "gitlab-ci/note.sh")
	r.write("listed", "[]")
	request := []string{"CI_MERGE_REQUEST_IID=7", "CI_MERGE_REQUEST_PROJECT_ID=5", "CI_PROJECT_ID=5", "CI_API_V4_URL=https://gitlab.invalid/api/v4"}
	if code, out := r.runJob("plan", append(request, "CI_MERGE_REQUEST_SOURCE_PROJECT_ID=5", "AZBACKUP_TOKEN=t")...); code != 0 {
		t.Fatalf("exit code %d\n%s", code, out)
	}
	if diff := cmp.Diff(quoted(t, string(readFile(t, "../README.md"))), strings.TrimSpace(r.read("work/plan.md"))); diff != "" {
		t.Errorf("it is not the README's comment (-README +note):\n%s", diff)
	}
	if log := r.read("curl.log"); !strings.Contains(log, "--request POST --data-urlencode body@plan.md https://gitlab.invalid/api/v4/projects/5/merge_requests/7/notes\n") {
		t.Errorf("it called\n%s", log)
	}
	// The plan that was reviewed is the one that is applied.
	if code, out := r.runJob("apply"); code != 0 || !strings.Contains(out, "8 protect") {
		t.Errorf("exit code %d\n%s", code, out)
	}
	// The example has two machines in a state that says neither yes nor no: 5.
	if code, out := r.runJob("audit"); code != 5 || !strings.Contains(r.read("work/audit.xml"), "<testsuites") || r.read("work/audit.html") == "" || r.read("work/audit.sarif") == "" {
		t.Errorf("exit code %d\n%s", code, out)
	}
}

func TestAForkOfGitLabIsPlannedOnTheSnapshotAndNothingElseIs(t *testing.T) {
	r := newPipeline(t, "gitlab-ci/note.sh")
	r.publish("#!/bin/sh\necho \"$*\" >>\"$FAKE/called\"\n")
	fork := []string{"CI_MERGE_REQUEST_IID=7", "CI_MERGE_REQUEST_PROJECT_ID=5", "CI_MERGE_REQUEST_SOURCE_PROJECT_ID=9"}
	for _, env := range [][]string{fork, nil} {
		if code, out := r.runJob("plan", env...); code != 0 || r.read("curl.log") != "" {
			t.Fatalf("exit code %d\n%s%s", code, out, r.read("curl.log"))
		}
	}
	calls := strings.Split(strings.TrimSpace(r.read("called")), "\n")
	if len(calls) != 2 || !strings.Contains(calls[0], "--simulate") || strings.Contains(calls[1], "--simulate") {
		t.Errorf("a fork, and then the default branch, called azbackup with\n%s", r.read("called"))
	}
}

type azureStep struct {
	Bash, Task, Publish, Artifact, Checkout, DisplayName, Condition string
	Inputs, Env                                                     map[string]string
}

type azurePipeline struct {
	Trigger, Pr, Pool any
	Schedules         []any
	Variables         map[string]string
	Stages            []struct {
		Stage, Condition string
		DependsOn        any `yaml:"dependsOn"`
		Jobs             []struct {
			Job, Deployment, Environment string
			Timeout                      int `yaml:"timeoutInMinutes"`
			Steps                        []yaml.Node
			Strategy                     struct {
				RunOnce struct{ Deploy struct{ Steps []yaml.Node } } `yaml:"runOnce"`
			}
		}
	}
}

// azureSteps returns the steps of a stage of the template, which is read strictly.
func azureSteps(t *testing.T, stage string) (steps []azureStep, variables map[string]string) {
	t.Helper()
	var node yaml.Node
	if err := yaml.Unmarshal(readFile(t, "azure-pipelines/azure-pipelines.yml"), &node); err != nil {
		t.Fatal(err)
	}
	var p azurePipeline
	if err := strictly(t, node, &p); err != nil {
		t.Fatal(err)
	}
	for _, s := range p.Stages {
		if s.Stage != stage || len(s.Jobs) != 1 {
			continue
		}
		for _, node := range slices.Concat(s.Jobs[0].Steps, s.Jobs[0].Strategy.RunOnce.Deploy.Steps) {
			var plain map[string]yaml.Node
			if err := node.Decode(&plain); err != nil {
				t.Fatal(err)
			}
			step := azureStep{}
			for key, v := range plain {
				field, is := map[string]any{
					"bash": &step.Bash, "task": &step.Task, "publish": &step.Publish, "artifact": &step.Artifact, "checkout": &step.Checkout,
					"displayName": &step.DisplayName, "condition": &step.Condition, "inputs": &step.Inputs, "env": &step.Env,
				}[key]
				if !is {
					t.Fatalf("a step of %s has the key %s", stage, key)
				}
				if err := v.Decode(field); err != nil {
					t.Fatal(err)
				}
			}
			steps = append(steps, step)
		}
	}
	if len(steps) == 0 {
		t.Fatalf("there is no stage %s with one job", stage)
	}
	return steps, p.Variables
}

// runStage runs the steps of a stage, those whose condition holds says.
func (r *runner) runStage(stage string, holds func(condition string) bool, env ...string) (int, string) {
	r.t.Helper()
	steps, variables := azureSteps(r.t, stage)
	env = append(env, "AZBACKUPVERSION=v1.2.3", "AGENT_TEMPDIRECTORY="+r.dir, "BUILD_ARTIFACTSTAGINGDIRECTORY="+filepath.Join(r.dir, "staged"),
		"BUILD_SOURCESDIRECTORY="+filepath.Join(r.dir, "work"), "PIPELINE_WORKSPACE="+r.dir)
	var printed strings.Builder
	for _, step := range steps {
		line := step.Bash
		if step.Task == "AzureCLI@2" {
			line = step.Inputs["inlineScript"]
		}
		if line == "" || !holds(step.Condition) {
			continue
		}
		if line == "$(install)" {
			line = variables["install"]
		}
		mine := slices.Clone(env)
		for name := range step.Env {
			mine = append(mine, name+"=secret")
		}
		code, out := r.bash([]string{"-e", "-c", line}, mine...)
		if printed.WriteString(out); code != 0 {
			return code, printed.String()
		}
	}
	return 0, printed.String()
}

func TestAPullRequestOfAzurePipelinesEndsInTheCommentOfTheReadme(t *testing.T) {
	r := newPipeline(t, "azure-pipelines/thread.sh")
	if err := os.Mkdir(filepath.Join(r.dir, "staged"), 0o700); err != nil {
		t.Fatal(err)
	}
	want := quoted(t, string(readFile(t, "../README.md")))
	isFork := func(fork bool) func(string) bool {
		return func(condition string) bool {
			return !strings.Contains(condition, "'System.PullRequest.IsFork']") || strings.Contains(condition, "eq(variables['System.PullRequest.IsFork'], 'True')") == fork
		}
	}
	env := []string{"SYSTEM_COLLECTIONURI=https://azure.invalid/shop/", "SYSTEM_TEAMPROJECTID=p", "BUILD_REPOSITORY_ID=r", "SYSTEM_PULLREQUEST_PULLREQUESTID=7"}
	sent := func() (body struct {
		Content  string
		Comments []struct{ Content string }
	},
	) {
		if err := json.Unmarshal([]byte(r.read("sent")), &body); err != nil {
			t.Fatal(err)
		}
		return body
	}

	r.write("listed", `{"value": [{"id": 1, "comments": [{"id": 1}]}, {"id": 2, "comments": [{"id": 1, "content": "looks good"}]}]}`)
	if code, out := r.runStage("plan", isFork(false), env...); code != 0 || !strings.Contains(out, "##vso[task.prependpath]"+r.dir) {
		t.Fatalf("exit code %d\n%s", code, out)
	}
	if body := sent(); len(body.Comments) != 1 || strings.TrimSpace(body.Comments[0].Content) != want {
		t.Errorf("the thread is not the README's comment:\n%+v", body)
	}
	r.write("listed", `{"value": [{"id": 2, "comments": [{"id": 1, "content": "looks good"}]}, {"id": 3, "comments": [{"id": 4, "content": "<!-- azbackup:fingerprint sha256:0 -->"}]}]}`)
	if code, out := r.runStage("plan", isFork(false), env...); code != 0 || strings.TrimSpace(sent().Content) != want ||
		!strings.Contains(r.read("curl.log"), "--request PATCH --data @- https://azure.invalid/shop/p/_apis/git/repositories/r/pullRequests/7/threads/3/comments/4?api-version=7.1\n") {
		t.Errorf("exit code %d\n%s\n%s", code, out, r.read("curl.log"))
	}
	// What was reviewed is published as plan, and applied.
	if err := os.Rename(filepath.Join(r.dir, "staged"), filepath.Join(r.dir, "plan")); err != nil {
		t.Fatal(err)
	}
	if code, out := r.runStage("apply", isFork(false), env...); code != 0 || !strings.Contains(out, "8 protect") {
		t.Errorf("exit code %d\n%s", code, out)
	}

	r.publish("#!/bin/sh\necho \"$*\" >>\"$FAKE/called\"\n")
	r.write("curl.log", "")
	if code, out := r.runStage("plan", isFork(true), env...); code != 0 || !strings.Contains(r.read("called"), "--simulate") || r.read("curl.log") != "" {
		t.Errorf("for a fork: exit code %d, called %s\n%s%s", code, r.read("called"), r.read("curl.log"), out)
	}
}

// asTexts makes texts of all values, as which Azure Pipelines reads them and its schema describes them.
func asTexts(node *yaml.Node) {
	if node.Kind == yaml.ScalarNode {
		node.Tag = "!!str"
	}
	for _, n := range node.Content {
		asTexts(n)
	}
}

// The makers' own schemas are not in the repository: whoever has them tries them too (make lint-templates fetches them).
func TestTheTemplatesFitTheSchemasOfTheirMakers(t *testing.T) {
	if *schemas == "" {
		t.Skip("SCHEMAS NOT TRIED: make lint-templates fetches them, and tries them")
	}
	for file, schema := range map[string]string{"gitlab-ci/gitlab-ci.yml": "gitlab.json", "azure-pipelines/azure-pipelines.yml": "azure.json"} {
		compiled, err := jsonschema.NewCompiler().Compile(filepath.Join(*schemas, schema))
		if err != nil {
			t.Fatal(err)
		}
		var node yaml.Node
		if err := yaml.Unmarshal(readFile(t, file), &node); err != nil {
			t.Fatal(err)
		}
		if schema == "azure.json" {
			asTexts(&node)
		}
		var document any
		if err := node.Decode(&document); err != nil {
			t.Fatal(err)
		}
		if err := compiled.Validate(document); err != nil {
			t.Errorf("%s: %v", file, err)
		}
		broken, is := document.(map[string]any)
		if !is {
			t.Fatalf("%s is no mapping", file)
		}
		broken["stages"] = 5
		if compiled.Validate(broken) == nil {
			t.Errorf("%s: the schema takes stages of 5", file)
		}
	}
}
