package cli

import (
	"context"
	"errors"
	"io"

	"github.com/spf13/cobra"

	"github.com/azbackup/azbackup/internal/azure"
	"github.com/azbackup/azbackup/internal/export"
)

type exportFlags struct {
	scopeFlags
	azureFlags
	groupBy string
	manage  bool
	out     string
}

func (a *app) exportCommand() *cobra.Command {
	var f exportFlags
	cmd := &cobra.Command{
		Use:   "export",
		Short: "Write the config that reproduces today's estate with an empty plan",
		Long: "Reads the subscriptions and writes a config under which every machine keeps the vault, the policy and the disks it has:\n" +
			"the first plan with it has nothing to do. There is a rule for each vault, policy, disk filter and resource group. It names\n" +
			"its machines, or the whole group where all that is in it is backed up alike: then it is for what is made there later, too.\n" +
			"What the format cannot say stands in comments at its head.\n" +
			"Sends nothing but reads.",
		Args: withUsageError(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error { return a.export(cmd.Context(), f) },
	}
	f.scopeFlags.addFlags(cmd)
	f.azureFlags.addFlags(cmd)
	cmd.Flags().StringVar(&f.groupBy, "group-by", "resource-group",
		"what rules may say instead of the names of machines, where that is exactly the same set:\n"+
			"resource-group, tag:`NAME` (before resource groups), or none")
	cmd.Flags().BoolVar(&f.manage, "manage", false, "let the config manage vaults and policies, where it can say all of them")
	cmd.Flags().StringVar(&f.out, "out", "", "write to `FILE` instead of stdout; - is stdout")
	return cmd
}

func (a *app) export(ctx context.Context, f exportFlags) (err error) {
	c, scope, s, err := a.connectScope(ctx, azure.CommandExport, f.scopeFlags, f.azureFlags)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.close()) }()
	scope.AllVaults, scope.Elsewhere, scope.Protectable = true, true, false
	o, err := a.observe(ctx, s, scope)
	if err != nil {
		return err
	}
	a.exitConditions[exitIncomplete] = len(o.Gaps) > 0
	a.warnOfGaps(o.Gaps, "the config says nothing about it")
	result, err := export.Export(o, export.Options{
		GroupBy: f.groupBy, Manage: f.manage, Cloud: c.Cloud, Tenant: c.Tenant, Subscriptions: scope.Subscriptions,
	})
	if err != nil {
		return usageError("%w", err)
	}
	text, err := result.Config.Encode(result.Comments)
	if err != nil {
		return err
	}
	write := func(w io.Writer) error { _, err := w.Write(text); return err }
	if f.out != "" && f.out != stdoutName {
		return writeFile(f.out, write)
	}
	return write(a.Out)
}
