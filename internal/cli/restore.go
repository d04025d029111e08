package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/azbackup/azbackup/apply"
	"github.com/azbackup/azbackup/config"
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
	out                        string
	staging, only              []string
	timeout, grace             time.Duration
	many, again                bool
	inFlight                   int // settings.limits.restores
}

func (a *app) restoreCommand() *cobra.Command {
	var f restoreFlags
	cmd := &cobra.Command{
		Use:   "restore (VM… | --only SELECTOR | PLANFILE)",
		Short: "Bring the disks of machines back, beside what is there",
		Long: "Restores the disks of each VM, given by name, RESOURCEGROUP/NAME or resource id, or selected with --only, from its newest\n" +
			"recovery point that can be restored now and is not later than --before. The VM need not exist any more. The disks are made new, in the resource\n" +
			"group --into; nothing that exists is touched. Plans, shows, asks, and follows each job to its end. A run that was\n" +
			"cut can be run again: what runs, or was restored from the same point into the same group, is followed and not repeated.\n\n" +
			"--out saves the plan; restore PLANFILE does what it says, from the points that were approved.\n\n" +
			"The staging account must lie in the vault's region; give one for each region. What the service leaves in it (a template,\n" +
			"and the disks as files where a point is restored from the vault) stays there.\n\n" +
			"Exit codes: 0 done; 3 a restore failed, is blocked, or did not end in time; 5 something could not be read; 6 refused.",
		Args: cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error { return a.restore(cmd.Context(), f, args) },
	}
	f.scopeFlags.addFlags(cmd)
	f.azureFlags.addFlags(cmd)
	f.outputFlags.addFlags(cmd, report.RestoreFormats())
	f.approvalFlags.addFlags(cmd)
	cmd.Flags().StringArrayVar(&f.only, "only", nil, "restore `rule=NAME|vault=NAME|group=GLOB|vm=GLOB`; values of one key are alternatives, different keys must all hold")
	cmd.Flags().StringVar(&f.out, "out", "", "save the plan in `FILE`, for azbackup restore FILE, and start nothing")
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

func (a *app) restore(ctx context.Context, f restoreFlags, args []string) (err error) {
	if err := f.validate(); err != nil {
		return err
	}
	if err := checkPlanFile(f.out); err != nil {
		return err
	}
	if f.isPlanFile(args) {
		f.planFile, args = args[0], nil
	}
	if err := f.checkApart(append(f.paths(), f.planFile, f.out, f.simulate)...); err != nil {
		return err
	}
	saved, request, err := f.readRequest(a, args)
	if err != nil {
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
		p, err := a.planRestores(ctx, s, c, scope, request)
		return freshPlan{planning.applyGuards(p), began}, err
	}
	now, err := makePlan()
	if err != nil {
		return err
	}
	if f.out != "" {
		return a.saveRestores(f, now.plan)
	}
	now, rest, err := a.approve(ctx, applyFlags{approvalFlags: f.approvalFlags, planFlagSet: planning}, saved, now, makePlan)
	a.exitConditions[exitIncomplete] = !now.plan.Complete
	if err != nil {
		return err
	}
	run := report.Run{Title: "Restore", Plan: now.plan}
	a.runRestores(ctx, s, f, s.ServiceTime(now.readAt), &run)
	addSettledResults(&run, saved, rest)
	a.reportResults(ctx, &run)
	return f.write(a.Out, func(w io.Writer, format string) error {
		run.ExitCode = a.currentExitCode(ctx, f.failed)
		style := a.styleFor(w, false)
		style.Verbose = true // each restore was requested: none is only counted
		return report.WriteRestores(w, format, run, style)
	})
}

// saveRestores writes a plan of restores to a file, and shows it. It starts nothing.
func (a *app) saveRestores(f restoreFlags, p plan.Plan) error {
	a.exitConditions[exitIncomplete] = !p.Complete
	a.exitConditions[exitRefused] = len(p.Refusals) > 0
	err := f.write(a.Out, func(w io.Writer, format string) error {
		return report.WritePlan(w, format, p, a.styleFor(w, true))
	})
	return errors.Join(err, savePlan(f.out, p))
}

// planRestores reads what the requested restores need, and returns their plan.
func (a *app) planRestores(ctx context.Context, s *session, c *config.Config, scope plan.Scope, q restoreRequest) (plan.Plan, error) {
	o, err := a.observe(ctx, s, scope)
	if err != nil {
		return plan.Plan{}, err
	}
	r := q.RestoreRequest
	a.warnOfFuture(r.Before, s.Now())
	switch {
	case r.Approved != nil:
	case len(q.only) > 0:
		if r.VMs = plan.SelectVMs(c, o, q.only); len(r.VMs) == 0 {
			a.exitConditions[exitIncomplete] = len(o.Gaps) > 0
			return plan.Plan{}, withHint(errors.New("--only selects no VM, and no backup of one"),
				"azbackup plan --all lists the VMs with their groups and vaults; a VM that is gone is found by group=, vault= or vm=")
		}
		a.warnOfGone(c, o, q.only, r.VMs)
	default:
		if r.VMs, err = findVMs(o, "restoring", q.names); err != nil {
			return plan.Plan{}, err
		}
	}
	facts, err := a.readRestoreFacts(ctx, s, o, r)
	if err != nil {
		return plan.Plan{}, err
	}
	a.warnOfTestGroups(facts.Groups)
	p := plan.MakeRestores(o, facts, r, s.Now()).ForCloud(c.Cloud)
	if p, err = withGuards(ctx, s, c, o, p); err != nil {
		return plan.Plan{}, err
	}
	return p, plan.Validate(p)
}

// warnOfGone warns of VMs that are gone, whose backups a filter by rule leaves out: a rule matches what exists, and those are
// the ones to restore first.
func (a *app) warnOfGone(c *config.Config, o plan.Observed, only []plan.TargetFilter, selected []string) {
	byRule := func(one plan.TargetFilter) bool { return one.Key == plan.FilterByRule }
	if !slices.ContainsFunc(only, byRule) {
		return
	}
	known := map[armid.Key]bool{}
	for _, id := range selected {
		known[armid.Of(id)] = true
	}
	for i := range o.VMs {
		known[armid.Of(o.VMs[i].ID)] = true
	}
	var gone []string
	for _, id := range plan.SelectVMs(c, o, slices.DeleteFunc(slices.Clone(only), byRule)) {
		if !known[armid.Of(id)] {
			gone = append(gone, report.DisplayName(id))
		}
	}
	if len(gone) == 0 {
		return
	}
	names := strings.Join(gone[:min(len(gone), maxGoneShown)], ", ")
	if more := len(gone) - maxGoneShown; more > 0 {
		names += fmt.Sprintf(" and %d more", more)
	}
	a.log.Warn("rule= selects VMs that exist; left out are the backups of "+report.FormatCount(len(gone), "VM")+" that are gone or not visible: "+names,
		hintKey, "group=, vault= and vm= select those too")
}

// warnOfTestGroups warns of a group to restore into whose tag lets restore tests delete disks: what is restored there looks like
// what a test left, and the job of a test that runs is adopted, whose disks the test deletes.
func (a *app) warnOfTestGroups(groups []plan.ResourceGroup) {
	for _, g := range groups {
		if g.AllowsRestoreTests() {
			a.log.Warn("the resource group "+report.Line(g.Name)+" is one of restore tests: disks that are restored into it may be deleted as what a test left",
				hintKey, "name a group without the tag "+plan.TagTestsAllowed+" with --into")
		}
	}
}

// maxGoneShown is how many VMs a warning of those that are gone names.
const maxGoneShown = 5

// readRestoreFacts reads what a plan of the restores of r.VMs needs besides o: points, Restore jobs, groups and accounts.
func (a *app) readRestoreFacts(ctx context.Context, s *session, o plan.Observed, r plan.RestoreRequest) (plan.RestoreFacts, error) {
	var items []plan.Item
	var subscriptions []string
	byVM := map[armid.Key][]plan.Item{}
	for _, it := range o.Items {
		byVM[armid.Of(it.VM)] = append(byVM[armid.Of(it.VM)], it)
	}
	for _, vm := range r.VMs {
		for _, it := range byVM[armid.Of(vm)] {
			items = append(items, it)
			if sub := strings.ToLower(armid.SubscriptionOf(it.Vault)); !slices.Contains(subscriptions, sub) {
				subscriptions = append(subscriptions, sub)
			}
		}
	}
	read, err := s.Points(ctx, items, s.Now().Add(-plan.AdoptionReach))
	if err != nil {
		return plan.RestoreFacts{}, err
	}
	facts := plan.RestoreFacts{Items: read.Items, Jobs: read.Restores, Gaps: read.Gaps}
	return facts, s.RestoreTargets(ctx, subscriptions, r.Into, r.Staging, &facts)
}

// withGuards returns p with the requests of resource guards for restores from vaults of the file with `resourceGuard:
// use`. It reads the guards of these vaults; what cannot be read is a gap of the plan.
func withGuards(ctx context.Context, s *session, c *config.Config, o plan.Observed, p plan.Plan) (plan.Plan, error) {
	used := map[armid.Key]bool{}
	for _, v := range plan.JoinVaults(c, o.Vaults).Vaults {
		used[armid.Of(v.ID())] = v.ResourceGuard == "use"
	}
	var asked plan.Questions
	for _, ch := range p.Changes {
		if (ch.Action == plan.Restore || ch.Action == plan.RestoreTest) && used[armid.Of(ch.Vault)] && !slices.Contains(asked.Guards, ch.Vault) {
			asked.Guards = append(asked.Guards, ch.Vault)
		}
	}
	if asked.IsEmpty() {
		return p, nil
	}
	read, err := s.ReadDetails(ctx, o, asked)
	if err != nil {
		return p, err
	}
	return plan.WithGuardRequests(p, read, func(vault string) bool { return used[armid.Of(vault)] }), nil
}

// runRestores executes run.Plan, follows each job to its end, and sets the fields of run.
func (a *app) runRestores(ctx context.Context, s *session, f restoreFlags, observed time.Time, run *report.Run) {
	o := apply.Options{
		Limits: apply.Limits{Operations: f.inFlight, ItemTimeout: f.timeout, RunTimeout: f.timeout * time.Duration(1+len(run.Plan.Changes)/f.inFlight)},
		Grace:  f.grace, Observed: observed, Approved: s.ServiceTime(a.approvedAt),
	}
	a.runEngine(ctx, s, o, a.warnOfInterrupt(o, "the restores that were started go on in Azure, and the same command follows them"), run)
	a.findRestored(ctx, s, run, f.grace)
	run.Finished, run.Requests, run.Throttled = s.Now(), s.Requests(), s.Throttled()
}
