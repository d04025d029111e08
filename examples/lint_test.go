package examples

import (
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rhysd/actionlint"
	"gopkg.in/yaml.v3"
)

// lint returns what actionlint has to say of a workflow of the repository at root.
func lint(t *testing.T, root, path string, content []byte) []string {
	t.Helper()
	// Programs that it would call where they are installed would make the test another one on each machine.
	linter, err := actionlint.NewLinter(io.Discard, &actionlint.LinterOptions{Shellcheck: "", Pyflakes: "", WorkingDir: root})
	if err != nil {
		t.Fatal(err)
	}
	project, err := actionlint.NewProject(root)
	if err != nil {
		t.Fatal(err)
	}
	faults, err := linter.Lint(path, content, project)
	if err != nil {
		t.Fatal(err)
	}
	var said []string
	for _, f := range faults {
		said = append(said, f.Error())
	}
	return said
}

func readFile(t *testing.T, path string) []byte {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// Those of the repository, and those that people copy, whose use of the action is checked against the action itself.
func TestEveryWorkflowIsOneThatActionlintTakes(t *testing.T) {
	var files []string
	for _, pattern := range []string{"../.github/workflows/*.yml", "github-actions/*.yml"} {
		found, err := filepath.Glob(pattern)
		if err != nil || len(found) < 2 {
			t.Fatalf("%s: %v, %v", pattern, found, err)
		}
		files = append(files, found...)
	}
	for _, file := range files {
		content := strings.ReplaceAll(string(readFile(t, file)), "azbackup/azbackup/.github/actions/azbackup@v1", "./.github/actions/azbackup")
		for _, fault := range lint(t, root(t), filepath.Base(file), []byte(content)) {
			t.Errorf("%s: %s", file, fault)
		}
	}
}

// asWorkflow makes a workflow of a composite action: its inputs and outputs become the workflow's, its steps those of a job,
// so that actionlint knows the types and the names of what they use.
func asWorkflow(t *testing.T, data []byte) []byte {
	t.Helper()
	var a struct {
		Inputs  map[string]any
		Outputs map[string]struct{ Value string }
		Runs    struct {
			Using string
			Steps []map[string]any
		}
	}
	if err := yaml.Unmarshal(data, &a); err != nil {
		t.Fatal(err)
	}
	if a.Runs.Using != "composite" || len(a.Runs.Steps) == 0 {
		t.Fatalf("it is no composite action: %+v", a.Runs)
	}
	inputs, outputs := map[string]any{}, map[string]string{}
	for name := range a.Inputs {
		inputs[name] = map[string]string{"type": "string"}
	}
	for name, o := range a.Outputs {
		outputs[name] = o.Value
	}
	for i, step := range a.Runs.Steps {
		if step["run"] != nil && step["shell"] == nil {
			t.Errorf("the step %d names no shell, which only a workflow may leave out", i+1)
		}
	}
	workflow, err := yaml.Marshal(map[string]any{
		"on":   map[string]any{"workflow_call": map[string]any{"inputs": inputs}},
		"jobs": map[string]any{"action": map[string]any{"runs-on": "ubuntu-latest", "outputs": outputs, "steps": a.Runs.Steps}},
	})
	if err != nil {
		t.Fatal(err)
	}
	return workflow
}

func TestTheActionIsOneThatActionlintTakes(t *testing.T) {
	data := readFile(t, "../.github/actions/azbackup/action.yml")
	for _, fault := range lint(t, root(t), "action.yml", asWorkflow(t, data)) {
		t.Error(fault)
	}
	// The input and the step that a step names have to be there.
	for _, change := range [][2]string{
		{"${{ inputs.command }}", "${{ inputs.comand }}"}, {"steps.run.outputs", "steps.ran.outputs"},
	} {
		broken := strings.ReplaceAll(string(data), change[0], change[1])
		if broken == string(data) || len(lint(t, root(t), "action.yml", asWorkflow(t, []byte(broken)))) == 0 {
			t.Errorf("with %s it is taken, too", change[1])
		}
	}
	use := readFile(t, "github-actions/plan.yml")
	broken := strings.NewReplacer("azbackup/azbackup/.github/actions/azbackup@v1", "./.github/actions/azbackup", "snapshot: backup", "snapshots: backup").Replace(string(use))
	if len(lint(t, root(t), "plan.yml", []byte(broken))) == 0 {
		t.Error("an input that the action does not have is taken")
	}
}

func TestEveryScriptThatAStepRunsIsThere(t *testing.T) {
	data := string(readFile(t, "../.github/actions/azbackup/action.yml"))
	runs := strings.Split(data, "$GITHUB_ACTION_PATH/")[1:]
	if len(runs) < 4 {
		t.Fatalf("only %d scripts are run", len(runs))
	}
	for _, rest := range runs {
		name, _, _ := strings.Cut(rest, `"`)
		info, err := os.Stat(filepath.Join("../.github/actions/azbackup", name))
		if err != nil || info.Mode()&0o100 == 0 {
			t.Errorf("%s cannot be run: %v", name, err)
		}
	}
}
