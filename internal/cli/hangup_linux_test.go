package cli

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// A run whose terminal is closed while it shows bars waits for what runs, and writes its report.
func TestARunWhoseTerminalIsClosedWritesItsReport(t *testing.T) {
	withHangups(t)
	t.Parallel()
	for name, ignores := range map[string]bool{"told by SIGHUP": false, "with SIGHUP ignored": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			bin := program(t)
			dir := fleetOf(t, 3)
			url := azureAt(t, bin, dir, "--operation-time", "1s")
			pty, tty := openTerminal(t)
			shell, code, outcome := `exec "$0" "$@"`, exitInterrupted, `"interrupted": true`
			if ignores {
				shell, code, outcome = `trap "" HUP; exec "$0" "$@"`, exitOK, `"done": 6`
			}
			p := &process{Cmd: exec.Command("sh", "-c", shell, bin, "apply", "--auto-approve", "--journal", "journal", "--output", "json=report.json", "--endpoint", url)}
			p.Dir, p.Env = dir, append(os.Environ(), "XDG_CACHE_HOME="+dir, "HOME="+dir, accessToken+"=test")
			p.Stdin, p.Stdout, p.Stderr = tty, tty, tty
			p.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
			if err := p.Start(); err != nil {
				t.Fatal(err)
			}
			_ = tty.Close()
			shown := readUntil(t, pty, "0/6")
			awaitFile(t, filepath.Join(dir, "journal"), `"kind":"accepted"`)
			_ = pty.Close()
			if got := p.exit(); got != code {
				t.Errorf("exit code %d, want %d\n%s", got, code, shown)
			}
			report, err := os.ReadFile(filepath.Join(dir, "report.json"))
			if err != nil || !strings.Contains(string(report), outcome) {
				t.Errorf("%v: %s", err, report)
			}
		})
	}
}

// readUntil reads a terminal until it shows text, and returns all that it showed.
func readUntil(t *testing.T, pty *os.File, text string) string {
	t.Helper()
	var all strings.Builder
	_ = pty.SetReadDeadline(time.Now().Add(20 * time.Second))
	for b := make([]byte, 4096); !strings.Contains(all.String(), text); {
		n, err := pty.Read(b)
		all.Write(b[:n])
		if err != nil {
			t.Fatalf("%v before %q was shown: %s", err, text, all.String())
		}
	}
	return all.String()
}

// A config that is to be typed at the terminal is waited for, and a Ctrl-C ends the wait.
func TestACtrlCEndsTheReadingOfAConfigFromTheTerminal(t *testing.T) {
	t.Parallel()
	bin := program(t)
	for name, test := range map[string]struct{ args, say string }{
		"stdin":             {"plan -f -", "error: interrupted\n"},
		"a FIFO, 2nd press": {"plan -f fifo", "did not end, and is left\n"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			if err := syscall.Mkfifo(filepath.Join(dir, "fifo"), 0o600); err != nil {
				t.Skip(err)
			}
			pty, tty := openTerminal(t)
			defer pty.Close()
			defer tty.Close()
			p := &process{Cmd: exec.Command(bin, strings.Fields(test.args)...)}
			p.Dir, p.Stdin, p.Stdout, p.Stderr = dir, tty, &p.stdout, &p.stderr
			if err := p.Start(); err != nil {
				t.Fatal(err)
			}
			time.Sleep(300 * time.Millisecond) // no output shows that it reads
			kill := time.AfterFunc(20*time.Second, func() { _ = p.Process.Kill() })
			defer kill.Stop()
			_ = p.Process.Signal(syscall.SIGINT)
			time.Sleep(leaveDelayBefore + 500*time.Millisecond)
			_ = p.Process.Signal(syscall.SIGINT)
			if code := p.exit(); code != exitInterrupted || !strings.HasSuffix(p.stderr.String(), test.say) {
				t.Errorf("exit code %d\n%s%s", code, p.stdout.String(), p.stderr.String())
			}
		})
	}
}
