package cli

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// shellWithCompletions returns the path of a shell, and a new folder with its completion script, the program, a config and
// an estate. The test is skipped where the shell is not installed.
func shellWithCompletions(t *testing.T, shell, script string) (path, dir string) {
	t.Helper()
	path, err := exec.LookPath(shell)
	if err != nil {
		t.Skip("NOT TESTED: no " + shell + " on this machine")
	}
	dir = filepath.Dir(program(t))
	if err := copyMissing("testdata/base", dir); err != nil {
		t.Fatal(err)
	}
	code, output := runProgram(filepath.Join(dir, "azbackup"), dir, "completion", shell)
	if code != exitOK {
		t.Fatalf("exit code %d: %s", code, output)
	}
	if err := os.WriteFile(filepath.Join(dir, script), []byte(output), 0o600); err != nil {
		t.Fatal(err)
	}
	return path, dir
}

// complete runs a shell that prints what it completes.
func complete(t *testing.T, dir, shell string, args ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), shell, args...)
	cmd.Dir, cmd.Env = dir, append(os.Environ(), "PATH="+dir+":"+os.Getenv("PATH"), "HOME="+dir, "XDG_CONFIG_HOME="+dir, "TERM=dumb")
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return string(out)
}

func TestFishCompletes(t *testing.T) {
	fish, dir := shellWithCompletions(t, "fish", "azbackup.fish")
	if out := complete(t, dir, fish, "-n", "azbackup.fish"); out != "" {
		t.Errorf("the script: %s", out)
	}
	out := complete(t, dir, fish, "--no-config", "-c", `source azbackup.fish
complete -C "azbackup plan --only ru"
complete -C "azbackup plan --only rule="
complete -C "azbackup explain --simulate estate.json web1"
complete -C "azbackup audit --fail-on cri"`)
	if want := "rule=\nrule=web\nweb1\ncritical\n"; out != want {
		t.Errorf("it completes %q, want %q", out, want)
	}
}

// zsh completes at a terminal only: a second zsh has one, and its widget prints the line when Tab was pressed.
func TestZshCompletes(t *testing.T) {
	zsh, dir := shellWithCompletions(t, "zsh", "_azbackup")
	if out := complete(t, dir, zsh, "-n", "_azbackup"); out != "" {
		t.Errorf("the script: %s", out)
	}
	const session = `zmodload zsh/zpty || exit
zpty shell zsh -f -i
zpty -w shell "unsetopt prompt_cr zle_bracketed_paste 2>/dev/null; PS1=; fpath=($PWD \$fpath); autoload -Uz compinit; compinit -u -d $PWD/dump
show() { zle complete-word; print -r -- \"LINE<\$BUFFER>\" }
zle -N show; bindkey '^I' show; print BE''GIN"
zpty -r shell line '*BEGIN*'
for text in "azbackup pla" "azbackup plan --only ru" "azbackup plan --only rule=" "azbackup explain --simulate estate.json web1" "azbackup audit --fail-on cri"; do
    zpty -w -n shell $'\C-u'"$text"$'\t'
    zpty -r shell line '*LINE<*>*'
    print -r -- "${${line##*LINE<}%%>*}"
done
zpty -d shell
`
	out := complete(t, dir, zsh, "-f", "-c", session)
	want := strings.Join([]string{"azbackup plan ", "azbackup plan --only rule=", "azbackup plan --only rule=web ", "azbackup explain --simulate estate.json web1 ", "azbackup audit --fail-on critical ", ""}, "\n")
	if out != want {
		t.Errorf("it completes\n%s\nwant\n%s", out, want)
	}
}
