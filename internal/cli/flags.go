package cli

import (
	"fmt"
	"slices"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

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

// checkEmptyFlags refuses a flag that is given an empty text. A variable of a shell that is not set must not do what leaving the
// flag out does: restore the newest point for lack of a time, expect no fingerprint, or leave the simulated Azure for the real one.
func checkEmptyFlags(flags *pflag.FlagSet) (err error) {
	flags.Visit(func(f *pflag.Flag) {
		texts := []string{f.Value.String()}
		if list, ok := f.Value.(pflag.SliceValue); ok {
			texts = list.GetSlice()
		}
		if err == nil && slices.Contains(texts, "") {
			err = usageError("--%s is empty: give it a value, or leave it out", f.Name)
		}
	})
	return err
}
