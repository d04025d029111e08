package cli

import (
	"context"
	"errors"
	"io"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/azbackup/azbackup/internal/audit"
	"github.com/azbackup/azbackup/internal/report"
	"github.com/azbackup/azbackup/plan"
)

type mergeFlags struct {
	outputFlags
	notifyFlags
	maxAge   durationFlag
	detailed bool
	all      bool
}

// reportCommand returns the parent of the commands that work on results alone, without Azure.
func (a *app) reportCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "report",
		Short: "Work on results that other commands wrote",
		Args:  unknownCommand,
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(a.mergeCommand())
	return cmd
}

func (a *app) mergeCommand() *cobra.Command {
	var f mergeFlags
	cmd := &cobra.Command{
		Use:   "merge FILE…",
		Short: "Merge the results of all shards into one",
		Long: "Reads the JSON that plan, apply or audit wrote in each shard (--shard I/N --output json=FILE) and writes the result\n" +
			"as the command without --shard writes it. A shard that is missing, there twice, or from another config, command or\n" +
			"number of shards is an error, and nothing is written. A shard of an apply that did nothing (refused by a guard, not\n" +
			"signed in) is named beside what the others did; without a result of each shard plans and audits are not merged: it is\n" +
			"said why. A merged plan is for reading: each shard's own plan is applied.\n\n" +
			"Exit codes: those of the command whose results are merged, the first that holds in any shard; 1 where they do not\n" +
			"belong together. See azbackup help exit-codes.",
		Args: withUsageError(cobra.MinimumNArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error { return a.merge(cmd.Context(), f, args) },
	}
	f.outputFlags.addFlags(cmd, report.AuditFormats())
	f.notifyFlags.addFlags(cmd, "where something is not done, or an audit has new findings")
	cmd.Flags().Var(&f.maxAge, "max-age", "refuse the result of a shard that is older than this, such as 6h: it is of an earlier run (applies and audits)")
	cmd.Flags().BoolVar(&f.detailed, "detailed-exitcode", false, "exit with 2 when merged plans have changes to make")
	cmd.Flags().BoolVar(&f.all, "all", false, "also list what needs no change, or every machine, as far as the files have it")
	return cmd
}

func (a *app) merge(ctx context.Context, f mergeFlags, paths []string) error {
	hook, err := f.parse()
	if err != nil {
		return err
	}
	files, problems := readShardFiles(paths)
	if f.maxAge > 0 {
		problems = append(problems, checkAges(files, a.Now(), time.Duration(f.maxAge))...)
	}
	problems = append(problems, checkShardFiles(files)...)
	if len(problems) > 0 {
		failed, hints := 0, []string(nil)
		for i := range files {
			if f := files[i].failure; f != nil {
				failed++
				a.exitConditions[knownExitCode(f.ExitCode)] = true
				for _, h := range f.Hints {
					if h = oneLine(h); !slices.Contains(hints, h) {
						hints = append(hints, h)
					}
				}
			}
		}
		if len(problems) > failed {
			hints = append(hints, "give the JSON of every shard of one run: the same command, config and number of shards")
		}
		for _, p := range problems {
			a.log.Error(oneLine(p))
		}
		return withHint(errors.New("nothing was merged: "+report.FormatCount(len(problems), "problem")), hints...)
	}
	kind := files[0].kind
	f.formats = kind.formats()
	if err := f.validate(); err != nil {
		return err
	}
	switch {
	case f.maxAge > 0 && kind == kindPlan:
		return usageError("--max-age is for apply reports and audits: plans do not say when they were made")
	case f.detailed && kind != kindPlan:
		return usageError("--detailed-exitcode is for plans, these are %ss", kind)
	case hook != nil && kind == kindPlan:
		return usageError("--notify is for apply reports and audits, these are plans")
	}
	if apart := describeApart(files); kind != kindPlan && apart != "" {
		a.log.Warn(apart)
	}
	switch kind {
	case kindPlan:
		return a.mergePlans(f, files)
	case kindApply:
		return a.mergeApplies(ctx, f, files, hook)
	default:
		return a.mergeAudits(ctx, f, files, hook)
	}
}

func (a *app) mergePlans(f mergeFlags, files []shardFile) error {
	parts := make([]plan.Plan, len(files))
	for i := range files {
		parts[i] = files[i].plan
	}
	p := plan.Merge(parts)
	a.setPlanConditions(p, f.detailed)
	return f.write(a.Out, func(w io.Writer, format string) error {
		return report.WritePlan(w, format, p, a.styleFor(w, f.all))
	})
}

func (a *app) mergeApplies(ctx context.Context, f mergeFlags, files []shardFile, hook *webhook) error {
	parts := make([]report.Run, len(files))
	for i := range files {
		parts[i] = files[i].run
	}
	run := report.MergeRuns(parts)
	run.LastSuccess = readLastSuccess(f.path("prometheus"))
	a.exitConditions[exitIncomplete] = !run.Plan.Complete
	a.exitConditions[exitInterrupted] = run.Interrupted
	a.reportResults(ctx, &run)
	for _, part := range parts {
		// One shard that is allowed nothing is not a run that is: that was judged over all results.
		if part.ExitCode != exitDenied || part.Error != "" {
			a.exitConditions[knownExitCode(part.ExitCode)] = true
		}
	}
	if n := applyNotification(run, nil); n != nil {
		defer func() {
			n.ExitCode = a.currentExitCode(ctx, f.failed)
			a.notify(ctx, hook, *n)
		}()
	}
	return f.write(a.Out, func(w io.Writer, format string) error {
		run.ExitCode = a.currentExitCode(ctx, f.failed)
		return report.WriteApply(w, format, run, a.styleFor(w, false))
	})
}

func (a *app) mergeAudits(ctx context.Context, f mergeFlags, files []shardFile, hook *webhook) error {
	parts := make([]audit.Result, len(files))
	for i := range files {
		parts[i] = files[i].audit
	}
	result := audit.Merge(parts)
	a.setAuditConditions(result)
	if n := auditNotification(result); n != nil {
		defer func() {
			n.ExitCode = a.currentExitCode(ctx, f.failed)
			a.notify(ctx, hook, *n)
		}()
	}
	return f.write(a.Out, func(w io.Writer, format string) error {
		return report.WriteAudit(w, format, result, a.styleFor(w, f.all))
	})
}
