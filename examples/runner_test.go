package examples

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"gopkg.in/yaml.v3"

	"github.com/azbackup/azbackup/internal/cli"
)

// gh is a GitHub CLI whose only GitHub is a folder: comments.json holds the comments of the pull request, log what was asked.
// Filters are jq's own, so that those of the scripts are tried.
const gh = `#!/bin/bash
set -euo pipefail
echo "$*" >>"$FAKE/gh.log"
all=$FAKE/comments.json
[ -s "$all" ] || echo '[]' >"$all"
shift # api
method=GET path="" filter="" body=""
while [ $# -gt 0 ]; do
	case $1 in
	-X) method=$2; shift ;;
	--jq) filter=$2; shift ;;
	-F) body=${2#body=@}; shift; [ "$method" = GET ] && method=POST ;;
	--paginate) ;;
	*) path=$1 ;;
	esac
	shift
done
case "$method $path" in
"GET repos/shop/backup/issues/7/comments") jq -r "$filter" "$all" ;;
"POST repos/shop/backup/issues/7/comments")
	jq --rawfile body "$body" '. + [{id: (1000 + length), user: {type: "Bot"}, body: $body}]' "$all" >"$all.new" && mv "$all.new" "$all" ;;
"PATCH repos/shop/backup/issues/comments/"*)
	jq --rawfile body "$body" --argjson id "${path##*/}" 'map(if .id == $id then .body = $body else . end)' "$all" >"$all.new" && mv "$all.new" "$all" ;;
*) echo "there is no $method $path" >&2; exit 1 ;;
esac
`

// runner is a fake of a runner of GitHub Actions: folders, files for outputs, and gh.
type runner struct {
	t   *testing.T
	dir string
	env []string // what every step has
}

func newRunner(t *testing.T) *runner {
	t.Helper()
	if runtime.GOOS != "linux" {
		t.Skip("NOT TESTED: the fake runner is a Linux one")
	}
	for _, tool := range []string{"bash", "jq", "curl"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skipf("NOT TESTED: no %s on this machine", tool)
		}
	}
	r := &runner{t: t, dir: t.TempDir()}
	for _, dir := range []string{"temp", "bin", "work"} {
		if err := os.Mkdir(filepath.Join(r.dir, dir), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	r.write("bin/gh", gh)
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
	return r.bash([]string{filepath.Join(root(r.t), ".github/actions/azbackup", script)}, env...)
}

func (r *runner) bash(args []string, env ...string) (int, string) {
	r.t.Helper()
	cmd := exec.CommandContext(r.t.Context(), "bash", args...)
	cmd.Dir = filepath.Join(r.dir, "work")
	cmd.Env = append([]string{
		"PATH=" + filepath.Join(r.dir, "bin") + ":" + strings.ReplaceAll(strings.TrimSpace(r.read("path")), "\n", ":") + ":" + os.Getenv("PATH"), "HOME=" + r.dir, "FAKE=" + r.dir,
		"RUNNER_TEMP=" + filepath.Join(r.dir, "temp"), "RUNNER_OS=Linux", "RUNNER_ARCH=X64", "GITHUB_REPOSITORY=shop/backup",
		"GITHUB_ACTION_PATH=" + filepath.Join(root(r.t), ".github/actions/azbackup"),
		"GITHUB_OUTPUT=" + filepath.Join(r.dir, "output"), "GITHUB_STEP_SUMMARY=" + filepath.Join(r.dir, "summary"), "GITHUB_PATH=" + filepath.Join(r.dir, "path"),
	}, slices.Concat(r.env, env)...)
	out, err := cmd.CombinedOutput()
	if exit, is := errors.AsType[*exec.ExitError](err); err != nil && !is {
		r.t.Fatal(err)
	} else if is {
		return exit.ExitCode(), string(out)
	}
	return 0, string(out)
}

// action is the part of an action's file that its steps are.
type action struct {
	Inputs map[string]struct{ Default string }
	Runs   struct {
		Steps []struct {
			Name, ID, If, Shell, Run, Uses string
			Env                            map[string]string
		}
	}
}

// take runs the steps of the action one after the other, as a job does: an expression is worth what known says, and one
// that it does not know fails the test. It returns the exit code of the first step that fails, and what was printed.
func (r *runner) take(known map[string]string) (int, string) {
	r.t.Helper()
	data, err := os.ReadFile(filepath.Join(root(r.t), ".github/actions/azbackup/action.yml"))
	if err != nil {
		r.t.Fatal(err)
	}
	var a action
	if err := yaml.Unmarshal(data, &a); err != nil {
		r.t.Fatal(err)
	}
	value := func(expression string) string {
		expression = strings.TrimSpace(expression)
		if v, is := known[expression]; is {
			return v
		}
		if name, is := strings.CutPrefix(expression, "inputs."); is {
			if input, is := a.Inputs[name]; is {
				return input.Default
			}
		}
		if name, is := strings.CutPrefix(expression, "steps.run.outputs."); is {
			_, rest, _ := strings.Cut("\n"+r.read("output"), "\n"+name+"=")
			v, _, _ := strings.Cut(rest, "\n")
			return v
		}
		r.t.Fatalf("the action asks for %q, which the test does not know", expression)
		return ""
	}
	for _, file := range []string{"output", "summary", "path"} {
		if err := os.Remove(filepath.Join(r.dir, file)); err != nil && !errors.Is(err, os.ErrNotExist) {
			r.t.Fatal(err)
		}
	}
	var printed strings.Builder
	for _, step := range a.Runs.Steps {
		if step.If != "" && value(step.If) != "true" {
			continue
		}
		if step.Uses != "" {
			printed.WriteString("uses " + step.Uses + "\n")
			continue
		}
		var env []string
		for name, v := range step.Env {
			if before, rest, is := strings.Cut(v, "${{"); is && before == "" {
				v = value(strings.TrimSuffix(rest, "}}"))
			}
			env = append(env, name+"="+v)
		}
		code, out := r.bash([]string{"-eo", "pipefail", "-c", step.Run}, env...)
		if printed.WriteString(out); code != 0 {
			return code, printed.String()
		}
	}
	return 0, printed.String()
}

const archiveName = "azbackup_1.2.3_linux_amd64.tar.gz"

// packed returns an archive of a release, whose program is a script.
func packed(t *testing.T, script string) string {
	t.Helper()
	var archive bytes.Buffer
	z := gzip.NewWriter(&archive)
	w := tar.NewWriter(z)
	err := w.WriteHeader(&tar.Header{Name: "azbackup", Mode: 0o755, Size: int64(len(script)), Typeflag: tar.TypeReg})
	if err == nil {
		_, err = io.WriteString(w, script)
	}
	if err := errors.Join(err, w.Close(), z.Close()); err != nil {
		t.Fatal(err)
	}
	return archive.String()
}

// program puts azbackup into a folder: a link to this test, which is azbackup where it is called so.
func (r *runner) program(dir string) {
	r.t.Helper()
	self, err := os.Executable()
	if err == nil {
		err = errors.Join(os.MkdirAll(filepath.Join(r.dir, dir), 0o700), os.Symlink(self, filepath.Join(r.dir, dir, "azbackup")))
	}
	if err != nil {
		r.t.Fatal(err)
	}
}

// release publishes azbackup as the release v1.2.3, from where the action installs it.
func (r *runner) release() {
	r.t.Helper()
	r.program("program")
	r.publish("#!/bin/sh\nexec \"$FAKE/program/azbackup\" \"$@\"\n")
	r.env = append(r.env, "AZBACKUP_DOWNLOADS=file://"+r.dir)
}

// publish makes a script the program of the release v1.2.3.
func (r *runner) publish(script string) {
	r.t.Helper()
	if err := os.MkdirAll(filepath.Join(r.dir, "v1.2.3"), 0o700); err != nil {
		r.t.Fatal(err)
	}
	archive := packed(r.t, script)
	r.write("v1.2.3/"+archiveName, archive)
	r.write("v1.2.3/checksums.txt", fmt.Sprintf("%x  %s\n", sha256.Sum256([]byte(archive)), archiveName))
}

// TestMain is azbackup where it is called so: the programs that the tests of the templates call.
func TestMain(m *testing.M) {
	if filepath.Base(os.Args[0]) == "azbackup" {
		os.Exit(cli.Main(context.Background(), os.Args[1:], cli.System("v1.2.3"))) //nolint:forbidigo // this is main
	}
	m.Run()
}

func root(t *testing.T) string {
	t.Helper()
	dir, err := filepath.Abs("..")
	if err != nil {
		t.Fatal(err)
	}
	return dir
}
