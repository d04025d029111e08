package cli

import (
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/azbackup/azbackup/config"
	"github.com/azbackup/azbackup/internal/report"
)

// Flags that several commands take.

// configFlags are the flags that name the config files.
type configFlags struct{ files []string }

func (f *configFlags) addFlags(cmd *cobra.Command) {
	cmd.Flags().StringArrayVarP(&f.files, "file", "f", nil, "the config `FILE`, a directory of *.yaml, or - for stdin; may be repeated (default azbackup.yaml)")
}

// paths returns the named files, or the default.
func (f *configFlags) paths() []string {
	if len(f.files) == 0 {
		return []string{config.DefaultFile}
	}
	return f.files
}

// loadConfig reads the config and prints its warnings.
func (a *app) loadConfig(f configFlags) (*config.Config, error) {
	c, warnings, err := config.LoadWithStdin(f.paths(), a.In, a.Env)
	for _, w := range warnings {
		a.log.Warn(w.Message, problemKey, w)
	}
	return c, err
}

// durationFlag is a flag whose value is a duration as in the file (30d, 1w, 36h), or in Go's notation (1.5h).
type durationFlag time.Duration

// Set parses the flag.
func (s *durationFlag) Set(text string) error {
	d, ok := config.ParseDuration(text)
	if !ok {
		var err error
		if d, err = time.ParseDuration(text); err != nil || d < 0 {
			return fmt.Errorf("%q is not a duration like 30d or 36h", text)
		}
	}
	*s = durationFlag(d)
	return nil
}

// String returns the value for help.
func (s *durationFlag) String() string {
	if *s == 0 {
		return ""
	}
	return report.FormatDuration(time.Duration(*s))
}

// Type names the value in help.
func (*durationFlag) Type() string { return "duration" }
