package cli

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/azbackup/azbackup/apply"
	"github.com/azbackup/azbackup/internal/armid"
	"github.com/azbackup/azbackup/plan"
)

// openTerminal returns the two ends of a pseudo-terminal: what is written to the tty is read from the pty, and the close
// of the pty hangs up.
func openTerminal(t *testing.T) (pty, tty *os.File) {
	t.Helper()
	pty, err := os.OpenFile("/dev/ptmx", os.O_RDWR, 0)
	if err != nil {
		t.Skip("there are no pseudo-terminals here: ", err)
	}
	fd := int(pty.Fd())
	n, err := unix.IoctlGetInt(fd, unix.TIOCGPTN)
	if err != nil {
		t.Fatal(err)
	}
	if err := unix.IoctlSetPointerInt(fd, unix.TIOCSPTLCK, 0); err != nil {
		t.Fatal(err)
	}
	if err := unix.IoctlSetWinsize(fd, unix.TIOCSWINSZ, &unix.Winsize{Row: 30, Col: 100}); err != nil {
		t.Fatal(err)
	}
	if tty, err = os.OpenFile("/dev/pts/"+strconv.Itoa(n), os.O_RDWR|unix.O_NOCTTY, 0); err != nil {
		t.Fatal(err)
	}
	return pty, tty
}

// terminal returns a pseudo-terminal and the text written to it.
func terminal(t *testing.T) (tty *os.File, written func() string) {
	t.Helper()
	pty, tty := openTerminal(t)
	var all bytes.Buffer
	read := make(chan struct{})
	go func() {
		defer close(read)
		_, _ = io.Copy(&all, pty) // until the last writer has closed it
	}()
	return tty, func() string {
		_ = tty.Close()
		<-read
		_ = pty.Close()
		return all.String()
	}
}

// screen returns what a terminal shows for a text, with the lines that scrolled away. It supports lines, and the
// sequence that goes up some lines and clears the rest.
func screen(t *testing.T, text string) []string {
	t.Helper()
	up := regexp.MustCompile(`^\x1b\[(\d+)A\x1b\[J`)
	lines := []string{""}
	for text != "" {
		last := len(lines) - 1
		switch m := up.FindStringSubmatch(text); {
		case m != nil:
			n, _ := strconv.Atoi(m[1])
			if n > last || lines[last] != "" {
				t.Fatalf("%d lines up from %d: %q", n, last, lines[last])
			}
			lines = append(lines[:last-n], "")
			text = text[len(m[0]):]
		case strings.HasPrefix(text, "\r\n"):
			lines = append(lines, "")
			text = text[2:]
		default:
			lines[last] += text[:1]
			text = text[1:]
		}
	}
	return lines
}

func TestLinesNeitherOverwriteBarsNorAreOverwrittenNorLost(t *testing.T) {
	tty, written := terminal(t)
	a := &app{terminal: tty, stderr: &stderr{w: tty}, exitConditions: exitConditions{}}
	a.Now = time.Now
	a.log, _ = newLogger(a.stderr, "text", false, false)
	vault := armid.Vault("s", "rg", "rsv")
	p := plan.Plan{}
	for i := range 20 {
		p.Changes = append(p.Changes, plan.Change{ID: fmt.Sprint(i), Action: plan.Protect, Target: armid.VM("s", "rg", fmt.Sprint("vm", i)), Vault: vault})
	}
	lines := newLineProgress(a.log, p, true)
	var want []string
	say := func(format string, args ...any) {
		want = append(want, fmt.Sprintf(format, args...))
		a.log.Info(want[len(want)-1])
	}
	say("before there are bars")
	b := newBars(a, p, lines)
	say("as soon as there are bars")
	for i, c := range p.Changes {
		say("while they move: %d", i)
		b.observe(apply.Event{Kind: apply.EventFinished, Change: c.ID, Action: c.Action, Target: c.Target, Vault: c.Vault, Outcome: apply.Done})
		time.Sleep(10 * time.Millisecond)
	}
	time.Sleep(400 * time.Millisecond) // until the full bar has been drawn
	say("right before they end")
	b.end()
	say("after they ended")

	var got []string
	bars := 0
	for i, line := range screen(t, written()) {
		if strings.Contains(line, "rsv 20/20 [") {
			bars++
			got = append(got, "the bar")
			continue
		}
		if line != "" || i == 0 {
			got = append(got, line)
		}
	}
	if shown, all := strings.Join(got, "\n"), strings.Join(want[:len(want)-1], "\n")+"\nthe bar\n"+want[len(want)-1]; shown != all || bars != 1 {
		t.Errorf("the screen shows:\n%s\nwant:\n%s", shown, all)
	}
}
