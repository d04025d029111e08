package cli

import (
	"cmp"
	"context"
	"errors"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/azbackup/azbackup/apply"
	"github.com/azbackup/azbackup/internal/armid"
	"github.com/azbackup/azbackup/internal/azure"
	"github.com/azbackup/azbackup/internal/report"
	"github.com/azbackup/azbackup/plan"
)

type restoreFlags struct {
	scopeFlags
	azureFlags
	outputFlags
	approvalFlags
	into, before, point, disks string
	staging                    []string
	timeout, grace             time.Duration
	many, again                bool
	inFlight                   int // settings.limits.restores
}

func (a *app) restoreCommand() *cobra.Command {
	var f restoreFlags
	cmd := &cobra.Command{
		Use:   "restore VM…",
		Short: "Bring the disks of machines back, beside what is there",
		Long: "Restores the disks of each VM, given by name, RESOURCEGROUP/NAME or resource id, from its newest recovery point that can be\n" +
			"restored now and is not later than --before. The VM need not exist any more. The disks are made new, in the resource\n" +
			"group --into; nothing that exists is touched. Plans, shows, asks, and follows each job to its end.\n\n" +
			"The staging account must lie in the vault's region; give one for each region. What the service leaves in it (a template,\n" +
			"and the disks as files where a point is restored from the vault) stays there.\n\n" +
			"Exit codes: 0 done; 3 a restore failed, is blocked, or did not end in time; 5 something could not be read; 6 refused.",
		Args: withUsageError(cobra.MinimumNArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error { return a.restore(cmd.Context(), f, args) },
	}
	f.scopeFlags.addFlags(cmd)
	f.azureFlags.addFlags(cmd)
	f.outputFlags.addFlags(cmd, []string{"text", "json"})
	f.approvalFlags.addFlags(cmd)
	cmd.Flags().StringVar(&f.into, "into", "", "the resource `GROUP` in which the disks are made, by name (in the vault's subscription) or id")
	cmd.Flags().StringArrayVar(&f.staging, "staging", nil, "the storage `ACCOUNT` that stages, by name (in the vault's subscription) or id; may be repeated")
	cmd.Flags().StringVar(&f.before, "before", "", "take no point later than `TIME`, such as 2026-11-19T22:00:00Z")
	cmd.Flags().StringVar(&f.point, "point", "", "take the point `NAME` (see azbackup points -v), of one VM")
	cmd.Flags().StringVar(&f.disks, "disks", "all", "`WHICH` disks: all, os, or LUNs such as 0,1 (the OS disk always comes)")
	cmd.Flags().DurationVar(&f.timeout, "timeout", 0, "how long a restore may take (default settings.limits.restoreTimeout, 8h)")
	cmd.Flags().DurationVar(&f.grace, "grace", 2*time.Minute, "how long Ctrl-C waits for what runs")
	cmd.Flags().BoolVar(&f.many, strings.TrimLeft(plan.FlagAllowManyRestores, "-"), false, "allow more restores than guards.maxRestores")
	cmd.Flags().BoolVar(&f.again, "again", false, "restore also what an earlier run restored from the same point into the same group")
	return cmd
}

// request parses the flags.
func (f *restoreFlags) request(names []string) (plan.RestoreRequest, error) {
	r := plan.RestoreRequest{Into: f.into, Staging: f.staging, Point: f.point, Again: f.again}
	var err error
	if r.Disks, err = plan.ParseDiskSelection(f.disks); err != nil {
		return r, usageError("--disks: %w", err)
	}
	if f.before != "" {
		if r.Before, err = time.Parse(time.RFC3339, f.before); err != nil {
			return r, usageError("--before %q is not a time like 2026-11-19T22:00:00Z", f.before)
		}
	}
	switch {
	case f.into == "":
		return r, usageError("--into is missing: the resource group in which the disks are made")
	case len(f.staging) == 0:
		return r, usageError("--staging is missing: a storage account in the vault's region")
	case f.point != "" && f.before != "":
		return r, usageError("--point and --before exclude each other")
	case f.point != "" && len(names) > 1:
		return r, usageError("--point names a point of one VM, and %d are given", len(names))
	case f.timeout < 0:
		return r, usageError("--timeout %s is not a time", f.timeout)
	}
	return r, nil
}

func (a *app) restore(ctx context.Context, f restoreFlags, names []string) (err error) {
	if err := f.validate(); err != nil {
		return err
	}
	request, err := f.request(names)
	if err != nil {
		return err
	}
	if _, err := f.readApproval(a); err != nil {
		return err
	}
	c, scope, s, err := a.connectForVMs(ctx, azure.CommandRestore, f.scopeFlags, f.azureFlags)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.close()) }()
	request.MaxRestores, request.InFlight = c.Settings.Guards.MaxRestores, c.Settings.Limits.Restores
	f.timeout, f.inFlight = cmp.Or(f.timeout, c.Settings.Limits.RestoreTimeout), c.Settings.Limits.Restores
	planning := planFlagSet{liftedGuards: map[string]*bool{plan.FlagAllowManyRestores: &f.many}}
	makePlan := func() (freshPlan, error) {
		began := a.Now()
		p, err := a.planRestores(ctx, s, scope, request, names)
		return freshPlan{planning.applyGuards(p), began}, err
	}
	now, err := makePlan()
	if err != nil {
		return err
	}
	now, _, err = a.approve(ctx, applyFlags{approvalFlags: f.approvalFlags, planFlagSet: planning}, nil, now, makePlan)
	a.exitConditions[exitIncomplete] = !now.plan.Complete
	if err != nil {
		return err
	}
	run := report.Run{Title: "Restore", Plan: now.plan}
	a.runRestores(ctx, s, f, s.ServiceTime(now.readAt), &run)
	return f.write(a.Out, func(w io.Writer, format string) error {
		run.ExitCode = a.currentExitCode(ctx, nil)
		style := a.styleFor(w, false)
		style.Verbose = true // each restore was requested: none is only counted
		return report.WriteApply(w, format, run, style)
	})
}

// planRestores reads what the restores of some VMs need, and plans them.
func (a *app) planRestores(ctx context.Context, s *session, scope plan.Scope, r plan.RestoreRequest, names []string) (plan.Plan, error) {
	o, err := a.observe(ctx, s, scope)
	if err != nil {
		return plan.Plan{}, err
	}
	var items []plan.Item
	var subscriptions []string
	if r.VMs, err = findVMs(o, "restoring", names); err != nil {
		return plan.Plan{}, err
	}
	for _, vm := range r.VMs {
		for _, it := range itemsOf(o, vm) {
			items = append(items, it)
			if sub := strings.ToLower(armid.SubscriptionOf(it.Vault)); !slices.Contains(subscriptions, sub) {
				subscriptions = append(subscriptions, sub)
			}
		}
	}
	read, err := s.Points(ctx, items, s.Now().Add(-plan.AdoptionReach))
	if err != nil {
		return plan.Plan{}, err
	}
	facts := plan.RestoreFacts{Items: read.Items, Jobs: read.Restores, Gaps: read.Gaps}
	if err := s.RestoreTargets(ctx, subscriptions, r.Into, r.Staging, &facts); err != nil {
		return plan.Plan{}, err
	}
	p := plan.MakeRestores(o, facts, r, s.Now())
	return p, plan.Validate(p)
}

// runRestores executes run.Plan, follows each job to its end, and fills run in.
func (a *app) runRestores(ctx context.Context, s *session, f restoreFlags, observed time.Time, run *report.Run) {
	show := a.newProgress(run.Plan)
	onAsk := func() {
		a.log.Warn("interrupted: nothing new starts; waiting up to "+report.FormatDuration(f.grace)+" for what runs", hintKey,
			"Ctrl-C again leaves at once; the restores that were started go on, and azbackup points shows them")
	}
	var err error
	a.interrupts.drain(onAsk, func(asked <-chan struct{}) {
		run.Report, err = apply.Run(ctx, run.Plan, s.Client, apply.Options{
			Limits: apply.Limits{Operations: f.inFlight, ItemTimeout: f.timeout, RunTimeout: f.timeout * time.Duration(1+len(run.Plan.Changes)/f.inFlight)},
			Grace:  f.grace, Budget: s.Client, Interrupt: asked, Seed: uint64(a.Now().UnixNano()), Now: s.Now,
			Observed: observed, Approved: s.ServiceTime(a.approvedAt), Observer: show.observe,
		})
	})
	show.end()
	a.reportFault(err)
	if !a.interrupts.isInterrupted() {
		a.findDisks(ctx, s, run)
	}
	run.Finished, run.Requests, run.Throttled = s.Now(), s.Requests(), s.throttledFor()
	a.reportResults(ctx, run)
}

// findDisks records what each restore made: the disks that carry its job, by one read of the group after all of them.
func (a *app) findDisks(ctx context.Context, s *session, run *report.Run) {
	run.Restored = map[string]*report.Restored{}
	groups := map[armid.Key][]plan.Disk{}
	for i := range run.Results {
		r := &run.Results[i]
		j := slices.IndexFunc(run.Plan.Changes, func(c plan.Change) bool { return c.ID == r.ID && c.RestoreOrder != nil })
		if r.Job == "" || r.Outcome != apply.Done && r.Outcome != apply.AlreadyDone || j < 0 {
			continue
		}
		into := armid.Of(run.Plan.Changes[j].Into)
		if _, known := groups[into]; !known {
			disks, err := s.Disks(ctx, run.Plan.Changes[j].Into)
			if err != nil {
				a.log.Warn("the disks that were made could not be listed: " + oneLine(err.Error()))
				a.exitConditions[exitIncomplete] = true
			}
			groups[into] = disks
		}
		run.Restored[r.ID] = a.restored(ctx, s, r, groups[into])
	}
}

func (a *app) restored(ctx context.Context, s *session, r *apply.Result, disks []plan.Disk) *report.Restored {
	id := jobID(r)
	out := &report.Restored{Disks: []string{}, Seconds: int64(time.Duration(r.Took).Seconds())}
	if r.Took > 0 && r.Message == "" {
		r.Message = "Completed in " + report.FormatDuration(time.Duration(r.Took))
	}
	for _, d := range disks {
		if d.Job != "" && strings.EqualFold(d.Job, id[strings.LastIndexByte(id, '/')+1:]) {
			out.Disks = append(out.Disks, d.ID)
		}
	}
	job, err := s.RestoreJob(ctx, id)
	why := job.Unreadable
	if err != nil {
		why = err.Error()
	}
	if why != "" {
		a.log.Warn("what the restore of " + report.DisplayName(r.Target) + " left could not be read: " + oneLine(why))
		a.exitConditions[exitIncomplete] = true
		return out
	}
	out.Template = job.Template
	if !job.End.IsZero() {
		out.Seconds = int64(job.End.Sub(job.Start).Seconds())
	}
	if job.Blobs != "" {
		out.Leaves = job.Account + "/" + job.Blobs
	}
	return out
}
