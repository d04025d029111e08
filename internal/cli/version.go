package cli

import (
	"fmt"
	"runtime"

	"github.com/spf13/cobra"
)

func (a *app) versionCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Show the version",
		Args:  withUsageError(cobra.NoArgs),
		Run: func(*cobra.Command, []string) {
			fmt.Fprintf(a.Out, "azbackup %s %s/%s %s\n", a.Version, runtime.GOOS, runtime.GOARCH, runtime.Version())
		},
	}
}
