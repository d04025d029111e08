package cli

import (
	"github.com/spf13/cobra"
)

type initFlags struct {
	scopeFlags
	roleFlags
}

func (a *app) initCommand() *cobra.Command {
	var f initFlags
	cmd := &cobra.Command{
		Use:   "init --role COMMAND,…",
		Short: "Print the least role that commands need",
		Long: "Prints a custom role that allows what the commands send to Azure and nothing else, as az role definition create takes it:\n\n" +
			"  azbackup init --role plan,audit --subscription ID > role.json\n" +
			"  az role definition create --role-definition @role.json\n\n" +
			"Some rights are needed on one vault or one group only. --at SCOPE prints the part that is assigned there; without it\n" +
			"the role has all of them, and stderr says which part is needed where.",
		Args: withUsageError(cobra.NoArgs),
		RunE: func(*cobra.Command, []string) error { return a.printRole(f) },
	}
	f.scopeFlags.addFlags(cmd)
	f.roleFlags.addFlags(cmd)
	return cmd
}
