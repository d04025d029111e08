package cli

import (
	"bytes"
	"context"
	"strings"
	"testing"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// textFlags returns the flags with a text, and the commands that take them, as command lines.
func textFlags(c *cobra.Command, path []string) (lines [][]string) {
	if c.Runnable() && len(path) > 0 {
		c.Flags().VisitAll(func(f *pflag.Flag) {
			if t := f.Value.Type(); t == "string" || t == "stringArray" {
				lines = append(lines, append(append([]string{}, path...), "--"+f.Name))
			}
		})
	}
	for _, sub := range c.Commands() {
		lines = append(lines, textFlags(sub, append(append([]string{}, path...), sub.Name()))...)
	}
	return lines
}

// A flag that is given an empty text, as a variable of a shell that is not set is, never counts as left out: no run takes the
// newest point for lack of a time, expects no fingerprint, or leaves the simulated Azure for the real one.
func TestNoFlagThatIsEmptyCountsAsLeftOut(t *testing.T) {
	root := (&app{Streams: Streams{Env: func(string) (string, bool) { return "", false }}}).root()
	lines := textFlags(root, nil)
	ctx, cancel := context.WithCancel(t.Context())
	cancel() // no command line that is not refused does anything
	for _, line := range lines {
		flag := line[len(line)-1]
		var log bytes.Buffer
		for _, args := range [][]string{nil, {"x"}, {"x", "y"}} { // some commands want names
			var out bytes.Buffer
			log.Reset()
			code := Main(ctx, append(append(append([]string{}, line...), ""), args...), Streams{
				In: strings.NewReader(""), Out: &out, Err: &log, Env: func(string) (string, bool) { return "", false }, Now: time.Now, Version: "test",
			})
			if code == exitError && strings.Contains(log.String(), flag+" is empty") {
				break
			}
			if len(args) == 2 {
				t.Errorf("azbackup %s \"\": exit code %d\n%s", strings.Join(line, " "), code, log.String())
			}
		}
	}
	if len(lines) < 60 {
		t.Errorf("only %d flags", len(lines))
	}
}
