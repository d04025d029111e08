package cli

import (
	"bytes"
	"io"
	"testing"
	"time"

	"github.com/vbauerster/mpb/v8"

	"github.com/azbackup/azbackup/plan"
)

func TestLinesGoToTheTerminalWhenTheBarsHaveEnded(t *testing.T) {
	var terminal bytes.Buffer
	w := &aboveBars{progress: mpb.New(mpb.WithOutput(io.Discard)), terminal: &terminal}
	w.progress.Shutdown()
	if n, err := io.WriteString(w, "a warning\n"); n != 10 || err != nil || terminal.String() != "a warning\n" {
		t.Errorf("%d, %v: %q", n, err, terminal.String())
	}
}

func TestATerminalThatCannotShowBarsShowsLines(t *testing.T) {
	for _, test := range []struct {
		term  string
		width int
		bars  bool
	}{{"xterm", 80, true}, {"dumb", 80, false}, {"xterm", 0, false}} {
		a := &app{
			Streams: Streams{
				Err: io.Discard, ErrTerminal: true, Width: test.width, Now: time.Now,
				Env: func(name string) (string, bool) { return test.term, name == "TERM" },
			},
			terminal: io.Discard, stderr: &stderr{w: io.Discard}, logFormat: logText,
		}
		a.log, _ = newLogger(a.stderr, logText, false, false)
		p := a.newProgress(plan.Plan{})
		p.end()
		if _, isBars := p.(*bars); isBars != test.bars {
			t.Errorf("TERM=%s, %d columns: %T", test.term, test.width, p)
		}
	}
}
