package cli

import (
	"github.com/spf13/cobra"

	"github.com/azbackup/azbackup/config"
)

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
