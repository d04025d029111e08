package cli

import (
	"context"
	"errors"
	"io"

	"github.com/spf13/cobra"

	"github.com/azbackup/azbackup/config"
	"github.com/azbackup/azbackup/internal/azure"
	"github.com/azbackup/azbackup/internal/report"
	"github.com/azbackup/azbackup/plan"
)

type planCommandFlags struct {
	configFlags
	azureFlags
	planFlagSet
	shardFlag
	outputFlags
	out      string
	detailed bool
	all      bool
	prices   string
}

func (a *app) planCommand() *cobra.Command {
	var f planCommandFlags
	cmd := &cobra.Command{
		Use:   "plan",
		Short: "Show the difference between the config and what exists",
		Long: "Reads what exists and shows what apply would do. Sends nothing but reads.\n\n" +
			"Exit codes: 0 shown; 2 there are changes (with --detailed-exitcode); 5 something could not be read;\n" +
			"6 a guard would refuse to apply it. See azbackup help exit-codes.",
		Args: withUsageError(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error { return a.plan(cmd.Context(), f) },
	}
	f.configFlags.addFlags(cmd)
	f.azureFlags.addFlags(cmd)
	f.planFlagSet.addFlags(cmd)
	f.shardFlag.addFlags(cmd)
	f.outputFlags.addFlags(cmd, report.PlanFormats())
	cmd.Flags().StringVar(&f.out, "out", "", "save the plan in `FILE`, for azbackup apply FILE")
	cmd.Flags().BoolVar(&f.detailed, "detailed-exitcode", false, "exit with 2 when there are changes to make")
	cmd.Flags().StringVar(&f.prices, "prices", "", "add an estimate of the monthly cost, by the prices in `FILE`; see azbackup help costs")
	cmd.Flags().BoolVar(&f.all, "all", false, "also list what is unchanged, excluded or noted")
	return cmd
}

func (a *app) plan(ctx context.Context, f planCommandFlags) (err error) {
	if err := f.validate(); err != nil {
		return err
	}
	if err := checkPlanFile(f.out); err != nil {
		return err
	}
	if err := f.checkApart(append(f.paths(), f.simulate, f.out, f.prices)...); err != nil {
		return err
	}
	if err := checkApart("--out", f.out, append(f.paths(), f.simulate, f.prices)...); err != nil {
		return err
	}
	shard, err := f.parse(a.Env)
	if err != nil {
		return err
	}
	hasResult := false
	defer func() {
		if !hasResult {
			err = a.recordFailure(ctx, f.outputFlags, kindPlan, shard, err)
		}
	}()
	c, options, err := a.load(f.configFlags, f.planFlagSet, shard)
	if err != nil {
		return err
	}
	if f.prices != "" {
		if options.Prices, err = config.LoadPrices(f.prices); err != nil {
			return err
		}
	}
	s, err := a.connect(ctx, azure.CommandPlan, f.azureFlags, c.Cloud, c.Tenant)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.close()) }()
	options.Brief = !f.all
	made, err := a.makeFreshPlan(ctx, s, c, options, f.planFlagSet)
	if err != nil {
		return err
	}
	p := made.plan
	a.setPlanConditions(p, f.detailed)
	hasResult = true
	err = f.write(a.Out, func(w io.Writer, format string) error {
		return report.WritePlan(w, format, p, a.styleFor(w, f.all))
	})
	if f.out != "" {
		err = errors.Join(err, savePlan(f.out, p))
	}
	return err
}

// setPlanConditions sets the exit conditions that follow from a plan.
func (a *app) setPlanConditions(p plan.Plan, detailed bool) {
	a.exitConditions[exitIncomplete] = !p.Complete
	a.exitConditions[exitRefused] = len(p.Refusals) > 0
	a.exitConditions[exitChanges] = detailed && len(p.Actionable()) > 0
}
