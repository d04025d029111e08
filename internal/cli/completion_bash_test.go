package cli

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// Many machines lack the package bash-completion, of which cobra's script needs a function.
func TestBashCompletesWithoutThePackageOfItsCompletions(t *testing.T) {
	bash, err := exec.LookPath("bash")
	if err != nil {
		t.Skip("NOT TESTED: no bash on this machine")
	}
	dir := t.TempDir()
	var script strings.Builder
	none := func(string) (string, bool) { return "", false }
	if code := Main(t.Context(), []string{"completion", "bash"}, Streams{Out: &script, Err: &script, Env: none}); code != 0 {
		t.Fatalf("exit code %d: %s", code, script.String())
	}
	// What it would ask the program is answered by a program that repeats it.
	for name, text := range map[string]string{
		"script": script.String(), "azbackup": "#!/bin/sh\nshift\nprintf '%s\\n' \"$*|\" last-offered :4\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o700); err != nil { //nolint:gosec // a program
			t.Fatal(err)
		}
	}
	const ask = `compopt() { :; } # works in a real completion only
source script; COMP_LINE="azbackup plan --only la more" COMP_POINT=23 COMP_TYPE=9; __start_azbackup; echo "${COMPREPLY[@]}"
COMP_LINE="azbackup plan " COMP_POINT=14; __start_azbackup; printf '%s,' "${COMPREPLY[@]}"`
	cmd := exec.CommandContext(t.Context(), bash, "--norc", "--noprofile", "-c", ask)
	cmd.Dir, cmd.Env = dir, []string{"PATH=" + dir + ":/bin:/usr/bin"}
	out, err := cmd.CombinedOutput()
	if want := "last-offered\nplan |,last-offered,"; err != nil || string(out) != want {
		t.Errorf("it completes %q, want %q: %v", out, want, err)
	}
}
