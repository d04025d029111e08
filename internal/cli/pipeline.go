package cli

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/azbackup/azbackup/apply"
	"github.com/azbackup/azbackup/config"
	"github.com/azbackup/azbackup/internal/azure"
	"github.com/azbackup/azbackup/internal/report"
	"github.com/azbackup/azbackup/plan"
)

// runApply executes the steps of a run:
//
//	load ─► connect ─► observe ─► plan ─► judge ─► approve ─► apply ─► report
//
// The command plan executes them up to the judged plan. The other commands that read Azure use the steps that they
// need, with a scope of their own (scope.go).
//
// It sets the fields of run, which apply then writes; ended reports whether the engine ran, so that there is a report.
func (a *app) runApply(ctx context.Context, f applyFlags, run *report.Run) (ended bool, err error) {
	shard, err := f.shardFlag.parse(a.Env)
	if err != nil {
		return false, err
	}
	if !shard.IsAll() {
		run.Plan.Shard = &shard
	}
	saved, err := f.readApproval(a)
	if err != nil {
		return false, err
	}
	if saved != nil && len(f.only) > 0 {
		return false, usageError("--only shapes a plan when it is made: give it to azbackup plan --out")
	}
	c, options, err := a.load(f.configFlags, f.planFlagSet, shard)
	if err != nil {
		return false, err
	}
	run.Plan = plan.Unmade(c)
	unlock, err := lock(f.lockFile, append(f.paths(), f.simulate), c.Shard)
	if err != nil {
		return false, err
	}
	defer unlock()
	s, err := a.connect(ctx, azure.CommandApply, f.azureFlags, c.Cloud, c.Tenant, c.Settings.AuxiliaryTenants...)
	if err != nil {
		return false, err
	}
	began := run.Started
	defer func() {
		run.Started = s.ServiceTime(began) // Azure's clock is known now
		if !ended {
			run.Finished = s.Now()
		}
		err = errors.Join(err, s.close())
	}()
	options.Brief = saved == nil
	replan := func() (freshPlan, error) { return a.makeFreshPlan(ctx, s, c, options, f.planFlagSet) }
	now, err := replan()
	if err != nil {
		return false, err
	}
	now, rest, err := a.approve(ctx, f, saved, now, replan)
	run.Plan = now.plan
	a.exitConditions[exitIncomplete] = !now.plan.Complete
	if err != nil {
		return false, err
	}
	if ended, err = a.execute(ctx, s, c.Settings, f, now, run); !ended {
		return false, err
	}
	addSettledResults(run, saved, rest)
	a.reportResults(ctx, run)
	return true, err
}

// load returns the config, narrowed to a shard, and the options of its plan by the flags.
func (a *app) load(f configFlags, p planFlagSet, shard config.Shard) (*config.Config, plan.Options, error) {
	options, err := p.options()
	if err != nil {
		return nil, options, err
	}
	c, err := a.loadConfig(f)
	if err != nil {
		return nil, options, err
	}
	return c.WithShard(shard), options, checkRules(c, options.Filters)
}

// maxRulesShown is how many rules of the file a hint names.
const maxRulesShown = 20

// checkRules returns an error where a filter names a rule that the file does not have: a plan for no rule has nothing to do,
// and would look like an estate that is as the file says.
func checkRules(c *config.Config, only []plan.TargetFilter) error {
	var names []string
	for i := range c.Rules {
		names = append(names, c.Rules[i].Name)
	}
	for _, f := range only {
		if f.Key == plan.FilterByRule && !slices.Contains(names, f.Value) {
			shown := report.Line(strings.Join(names[:min(len(names), maxRulesShown)], ", "))
			if len(names) > maxRulesShown {
				shown += ", …"
			}
			return withHint(fmt.Errorf("--only: there is no rule %q", f.Value), "the rules of the file: "+shown)
		}
	}
	return nil
}

// makeFreshPlan reads the estate, makes a plan, and judges it by the flags that lift guards.
func (a *app) makeFreshPlan(ctx context.Context, s *session, c *config.Config, opt plan.Options, f planFlagSet) (freshPlan, error) {
	readAt := a.Now()
	p, err := a.makePlan(ctx, s, c, opt)
	isTests := slices.ContainsFunc(opt.Filters, func(f plan.TargetFilter) bool { return f.Key == plan.FilterTests })
	if err == nil && len(opt.Filters) > 0 && !isTests && len(p.Summary) == 0 {
		a.log.Warn("--only selects nothing of what was read")
	}
	return freshPlan{f.applyGuards(p), readAt}, err
}

// makePlan reads the resources in the scope of c and makes its plan with the options opt, of which it sets Now.
func (a *app) makePlan(ctx context.Context, s *session, c *config.Config, opt plan.Options) (plan.Plan, error) {
	c, scope, err := a.findScope(ctx, s, c)
	if err != nil {
		return plan.Plan{}, err
	}
	scope.DiskSizes = opt.Prices != nil
	o, err := a.observe(ctx, s, scope)
	if err != nil {
		return plan.Plan{}, err
	}
	opt.Now = s.Now()
	p, _, err := plan.MakeAsking(c, o, opt, func(o plan.Observed, w plan.Questions) (plan.Observed, error) { return s.ReadDetails(ctx, o, w) })
	if err != nil {
		return plan.Plan{}, err
	}
	if err := plan.Validate(p); err != nil {
		return plan.Plan{}, fmt.Errorf("internal: %w", err)
	}
	return p, nil
}

// execute executes an approved plan and writes the event log; ended reports whether the engine ran.
func (a *app) execute(ctx context.Context, s *session, set config.Settings, f applyFlags, now freshPlan, run *report.Run) (ended bool, err error) {
	if err := permitCleanUp(s, now.plan); err != nil {
		return false, err
	}
	events, err := openEventLog(f.eventLog, a, s, now.plan)
	if err != nil {
		return false, err
	}
	o := apply.Options{
		Limits: engineLimits(set.Limits), Grace: f.grace, NoRefresh: set.Refresh == "never",
		Observed: s.ServiceTime(now.readAt), Approved: s.ServiceTime(a.approvedAt), Observer: events.observe,
	}
	a.runEngine(ctx, s, o, a.warnOfInterrupt(o, "the next run goes on where this one ended"), run)
	run.Requests, run.Throttled = s.Requests(), s.Throttled()
	return true, events.close()
}
