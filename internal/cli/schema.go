package cli

import (
	"github.com/spf13/cobra"

	"github.com/azbackup/azbackup/config"
)

func (a *app) schemaCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "schema",
		Short: "Print the JSON Schema of the config, for editors",
		Long: "Prints the JSON Schema of the config. An editor finds it by a first line such as\n\n" +
			"  # yaml-language-server: $schema=azbackup.schema.json",
		Args: withUsageError(cobra.NoArgs),
		RunE: func(*cobra.Command, []string) error {
			_, err := a.Out.Write(config.Schema())
			return err
		},
	}
}
