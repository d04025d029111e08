package cli

import (
	"bytes"
	"io"
	"testing"

	"github.com/vbauerster/mpb/v8"
)

func TestLinesGoToTheTerminalWhenTheBarsHaveEnded(t *testing.T) {
	var terminal bytes.Buffer
	w := &aboveBars{progress: mpb.New(mpb.WithOutput(io.Discard)), terminal: &terminal}
	w.progress.Shutdown()
	if n, err := io.WriteString(w, "a warning\n"); n != 10 || err != nil || terminal.String() != "a warning\n" {
		t.Errorf("%d, %v: %q", n, err, terminal.String())
	}
}
