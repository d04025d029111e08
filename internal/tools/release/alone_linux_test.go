package release

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"syscall"
	"testing"
)

// machine is a folder that is all there is: what a package installs, and a config's folder with an estate.
type machine struct {
	t       *testing.T
	root    string
	program string // its path there
	man     string
}

// install unpacks a package, or an archive beside it, into an empty machine.
func install(t *testing.T, name string, data []byte) *machine {
	t.Helper()
	files, err := Unpack(name, data)
	if err != nil {
		t.Fatal(err)
	}
	m := &machine{t: t, root: t.TempDir()}
	for path, f := range files {
		to := filepath.Join(m.root, filepath.FromSlash(path))
		if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil { //nolint:gosec // as on a machine
			t.Fatal(err)
		}
		if err := os.WriteFile(to, f.Data, f.Mode); err != nil {
			t.Fatal(err)
		}
		switch filepath.Base(path) {
		case "azbackup":
			if f.Mode&0o111 != 0 {
				m.program = "/" + path
			}
		case "azbackup-plan.1":
			m.man = to
		}
	}
	estate, err := os.ReadFile("../../../examples/estate.json")
	if err == nil {
		err = os.Mkdir(filepath.Join(m.root, "work"), 0o777) //nolint:gosec // for whoever the machine's user is
	}
	if err == nil {
		err = os.WriteFile(filepath.Join(m.root, "work/estate.json"), estate, 0o600)
	}
	if err != nil || m.program == "" || m.man == "" {
		t.Fatalf("the program is at %q, its manual at %q: %v", m.program, m.man, err)
	}
	return m
}

// azbackup runs the program with this machine's folder as the whole file system and an empty environment.
func (m *machine) azbackup(args ...string) (code int, out string) {
	m.t.Helper()
	cmd := exec.CommandContext(m.t.Context(), m.program, args...)
	cmd.Path, cmd.Err, cmd.Dir, cmd.Env = m.program, nil, "/work", []string{} // as found in there, not here
	cmd.SysProcAttr = &syscall.SysProcAttr{Chroot: m.root}
	if os.Getuid() != 0 { // in a namespace of its own everybody may
		cmd.SysProcAttr.Cloneflags = syscall.CLONE_NEWUSER
		cmd.SysProcAttr.UidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getuid(), Size: 1}}
	}
	text, err := cmd.CombinedOutput()
	if errors.Is(err, syscall.EPERM) {
		m.t.Skip("NOT TESTED: this machine lets nobody have an empty root")
	}
	if exit, is := errors.AsType[*exec.ExitError](err); is {
		return exit.ExitCode(), string(text)
	} else if err != nil {
		m.t.Fatal(err)
	}
	return 0, string(text)
}

// What somebody has who installed a package and nothing else: no Go, no make, no shell, no file of anybody.
func TestAMachineWithThePackageAloneHasAllThatItNeeds(t *testing.T) {
	tested := 0
	for name, data := range built(t) {
		if !isPacked(name) || !strings.Contains(name, "linux_"+runtime.GOARCH) {
			continue
		}
		tested++
		t.Run(name, func(t *testing.T) {
			m := install(t, name, data)
			if code, out := m.azbackup("version"); code != 0 || !strings.HasPrefix(out, "azbackup ") {
				t.Fatalf("version: exit code %d\n%s", code, out)
			}
			if code, out := m.azbackup("init", "--simulate", "estate.json"); code != 0 || !strings.Contains(out, "azbackup.yaml is written") {
				t.Fatalf("init: exit code %d\n%s", code, out)
			}
			if code, out := m.azbackup("plan", "--simulate", "estate.json", "--detailed-exitcode"); code != 0 || !strings.Contains(out, "Plan: nothing to do") {
				t.Errorf("plan: exit code %d\n%s", code, out)
			}
			// Findings end with 2, and the example's machines in no clear state with 5.
			if code, out := m.azbackup("audit", "--simulate", "estate.json", "--output", "html=audit.html"); code != 2 && code != 5 {
				t.Errorf("audit: exit code %d\n%s", code, out)
			}
			page, err := os.ReadFile(filepath.Join(m.root, "work/audit.html"))
			if err != nil || !bytes.HasPrefix(page, []byte("<!doctype html>")) || !bytes.Contains(page, []byte("</html>")) {
				t.Errorf("the page of the audit: %v, %d bytes", err, len(page))
			}
			m.completes()
			m.readsWell()
		})
	}
	if tested != 4 { // deb, rpm, apk and the archive
		t.Errorf("%d packages are for this machine", tested)
	}
}

// completes has bash complete a command, a flag and the name of a rule by what the package brought.
func (m *machine) completes() {
	m.t.Helper()
	bash, err := exec.LookPath("bash")
	if err != nil {
		m.t.Log("COMPLETIONS NOT TESTED: no bash on this machine")
		return
	}
	script := ""
	for _, name := range []string{"usr/share/bash-completion/completions/azbackup", "completions/azbackup.bash"} {
		if _, err := os.Stat(filepath.Join(m.root, name)); err == nil {
			script = filepath.Join(m.root, name)
		}
	}
	const ask = `compopt() { :; } # works in a real completion only
source "$1" && complete -p azbackup || exit 1
for line in "azbackup pl" "azbackup audit --fail-on cr" "azbackup plan --only vault=rsv-weu-p"; do
	COMP_LINE=$line COMP_POINT=${#line} COMP_TYPE=9 COMP_KEY=9 COMPREPLY=()
	__start_azbackup
	echo "${COMPREPLY[@]}"
done`
	cmd := exec.CommandContext(m.t.Context(), bash, "--norc", "--noprofile", "-c", ask, "bash", script)
	cmd.Dir, cmd.Env = filepath.Join(m.root, "work"), []string{"PATH=" + filepath.Join(m.root, filepath.Dir(m.program))}
	out, err := cmd.CombinedOutput()
	if err != nil || !strings.Contains(string(out), " azbackup\n") {
		m.t.Errorf("bash: %v\n%s", err, out)
	}
	for _, want := range []string{"\nplan", "\ncritical", "\nrsv-weu-prod"} {
		if !strings.Contains(string(out), want) {
			m.t.Errorf("bash does not complete %q:\n%s", strings.TrimSpace(want), out)
		}
	}
}

// readsWell has the formatters of manuals read azbackup-plan(1) as the package brought it.
func (m *machine) readsWell() {
	m.t.Helper()
	formatters := [][]string{{"groff", "-ww", "-man", "-Tutf8", "-K", "utf8", "-P-c"}, {"mandoc", "-T", "utf8", "-W", "warning,stop"}}
	overstruck := regexp.MustCompile(".\x08") // bold and underlined, as on a typewriter
	read := false
	for _, f := range formatters {
		path, err := exec.LookPath(f[0])
		if err != nil {
			continue
		}
		read = true
		var complaints bytes.Buffer
		cmd := exec.CommandContext(m.t.Context(), path, append(f[1:], m.man)...)
		cmd.Stderr = &complaints
		out, err := cmd.Output()
		if err != nil || complaints.Len() > 0 {
			m.t.Errorf("%s: %v\n%s", f[0], err, complaints.String())
		}
		plain := overstruck.ReplaceAllString(string(out), "")
		for _, want := range []string{"SYNOPSIS", "--detailed-exitcode", "EXIT STATUS"} {
			if !strings.Contains(plain, want) {
				m.t.Errorf("%s shows no %s:\n%s", f[0], want, plain)
			}
		}
	}
	if !read {
		m.t.Log("MANUAL NOT READ: neither groff nor mandoc on this machine")
	}
}
