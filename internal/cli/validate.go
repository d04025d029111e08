package cli

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/azbackup/azbackup/internal/report"
)

func (a *app) validateCommand() *cobra.Command {
	var files configFlags
	cmd := &cobra.Command{
		Use:   "validate",
		Short: "Check the config alone, offline",
		Args:  withUsageError(cobra.NoArgs),
		RunE:  func(*cobra.Command, []string) error { return a.validate(files) },
	}
	files.addFlags(cmd)
	return cmd
}

func (a *app) validate(files configFlags) error {
	c, err := a.loadConfig(files)
	if err != nil {
		return err
	}
	fmt.Fprintf(a.Out, "%s: valid: vaults %d, policies %d, rules %d\n",
		report.Line(strings.Join(c.Files, ", ")), len(c.Vaults), len(c.Policies), len(c.Rules))
	return nil
}
