package cli

import (
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

type restoreTestFlags struct {
	configFlags
	azureFlags
	outputFlags
	approvalFlags
	test, before, point, disks string
	grace                      time.Duration
	cleanUp, many              bool
}

func (a *app) restoreTestCommand() *cobra.Command {
	var f restoreTestFlags
	cmd := &cobra.Command{
		Use:   "restore-test [VM…]",
		Short: "Restore machines to see that it works, and remove the disks again",
		Long: "Runs a restore test of each VM, given by name, RESOURCEGROUP/NAME or resource id, whatever is due: validate, restore, check,\n" +
			"clean up. The group, the storage accounts, the point and the disks are those of the test in restoreTests that covers the VM,\n" +
			"or of --test. Without a VM it runs those that are due, as azbackup apply --only restore-tests does. Plans, shows, and asks.\n\n" +
			"Disks are deleted under two keys: the config names the resource group, and the group carries the tag\n" +
			plan.TagTestsAllowed + ": " + plan.TestsAllowed + ". A disk goes only if the restore of this very run made it and nothing uses it; all else is\n" +
			"reported as left behind. What the service writes to the storage account stays there.\n\n" +
			"The fingerprint of the plan covers the tests: --expect HASH runs them only if machines, disks, group and accounts are those\n" +
			"that were approved, and the points too where --before or --point chose them; else it shows the plan and its fingerprint.\n\n" +
			"--clean-up lists the disks that earlier tests left in the groups of the config, because they were cut or not allowed to delete\n" +
			"them, asks, and removes them.\n\n" +
			"Exit codes: 0 done; 3 a test failed, is blocked, did not end in time, or left disks behind; 5 something could not be read; 6 refused.",
		Args: withUsageError(func(cmd *cobra.Command, args []string) error {
			if f.cleanUp {
				return cobra.NoArgs(cmd, args)
			}
			return nil
		}),
		RunE: func(cmd *cobra.Command, args []string) error {
			if f.cleanUp {
				return a.cleanUpTests(cmd.Context(), f)
			}
			return a.restoreTest(cmd.Context(), f, args)
		},
	}
	f.configFlags.addFlags(cmd)
	f.azureFlags.addFlags(cmd)
	f.outputFlags.addFlags(cmd, []string{"text", "json"})
	f.approvalFlags.addFlags(cmd)
	cmd.Flags().StringVar(&f.test, "test", "", "the test in restoreTests, by `NAME`: by default the one that covers the VM; for --clean-up all of them")
	cmd.Flags().StringVar(&f.before, "before", "", "take no point later than `TIME`, such as 2026-11-19T22:00:00Z")
	cmd.Flags().StringVar(&f.point, "point", "", "take the point `NAME` (see azbackup points -v), of one VM")
	cmd.Flags().StringVar(&f.disks, "disks", "", "`WHICH` disks: all, os, or LUNs such as 0,1 (default: as the test says)")
	cmd.Flags().BoolVar(&f.cleanUp, "clean-up", false, "remove the disks that earlier tests left, and test nothing")
	cmd.Flags().DurationVar(&f.grace, "grace", 2*time.Minute, "how long Ctrl-C waits for what runs")
	cmd.Flags().BoolVar(&f.many, strings.TrimLeft(plan.FlagAllowManyRestores, "-"), false, "allow more tests in a run than guards.maxRestores")
	return cmd
}

func (a *app) restoreTest(ctx context.Context, f restoreTestFlags, names []string) (err error) {
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
	c, scope, s, err := a.connectForVMs(ctx, azure.CommandRestoreTest, scopeFlags{configFlags: f.configFlags}, f.azureFlags)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.close()) }()
	if len(names) == 0 && f.test+f.before+f.point+f.disks != "" {
		return usageError("--test, --before, --point and --disks go with a VM: what is due is as the config says")
	}
	planning := planFlagSet{liftedGuards: map[string]*bool{plan.FlagAllowManyRestores: &f.many}}
	makePlan := func() (freshPlan, error) {
		began := a.Now()
		if len(names) == 0 {
			p, err := a.makePlan(ctx, s, c, plan.Options{Filters: []plan.TargetFilter{{Key: plan.FilterTests}}, Brief: true})
			return freshPlan{planning.applyGuards(p).OfTests(), began}, err
		}
		p, err := a.planRestoreTests(ctx, s, c, scope, f, request, names)
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
	if err := permitCleanUp(s, now.plan); err != nil {
		return err
	}
	run := report.Run{Title: "Restore test", Plan: now.plan}
	a.runRestoreTests(ctx, s, c, f.grace, s.ServiceTime(now.readAt), &run)
	return f.write(a.Out, func(w io.Writer, format string) error {
		run.ExitCode = a.currentExitCode(ctx, f.failed)
		style := a.styleFor(w, false)
		style.Verbose = true // each test was requested: none is only counted
		return report.WriteApply(w, format, run, style)
	})
}

// request parses the flags that replace settings of the test in the config.
func (f *restoreTestFlags) request(names []string) (r plan.RestoreRequest, err error) {
	if f.disks != "" {
		if r.Disks, err = plan.ParseDiskSelection(f.disks); err != nil {
			return r, usageError("--disks: %w", err)
		}
	}
	if r.Before, err = parseBefore(f.before); err != nil {
		return r, err
	}
	r.Point = f.point
	switch {
	case f.point != "" && f.before != "":
		return r, usageError("--point and --before exclude each other")
	case f.point != "" && len(names) > 1:
		return r, usageError("--point names a point of one VM, and %d are given", len(names))
	}
	return r, nil
}

// testsByName returns the restore test of the config with a name, or all tests where name is ""; none is an error.
func testsByName(c *config.Config, name string) ([]*config.RestoreTest, error) {
	var all []*config.RestoreTest
	var names []string
	for i := range c.RestoreTests {
		t := &c.RestoreTests[i]
		if name == "" || strings.EqualFold(t.Name, name) {
			all = append(all, t)
		}
		names = append(names, t.Name)
	}
	switch {
	case len(names) == 0:
		return nil, withHint(errors.New("the config has no restoreTests"),
			"an entry there names the resource group in which disks are made and deleted; the flags alone do not")
	case len(all) == 0:
		return nil, withHint(fmt.Errorf("the config has no restore test %q", name), "there are: "+strings.Join(names, ", "))
	}
	return all, nil
}

// testOf returns the restore test of the config for a VM: the test with a name, or where name is "" the one that covers
// the VM.
func testOf(c *config.Config, o plan.Observed, vm, name string) (*config.RestoreTest, error) {
	all, err := testsByName(c, name)
	if err != nil || name != "" {
		return slices.Concat(all, []*config.RestoreTest{nil})[0], err
	}
	target := config.Target{ID: vm, Name: report.DisplayName(vm), Subscription: armid.SubscriptionOf(vm)}
	if id, err := armid.ParseVM(vm); err == nil {
		target.Name, target.ResourceGroup = id.Name(), id.ResourceGroup
	}
	for _, v := range o.VMs {
		if armid.Same(v.ID, vm) {
			target = v.Target()
		}
	}
	if i, ok := c.MatchRestoreTest(target); ok {
		return &c.RestoreTests[i], nil
	}
	return nil, withHint(fmt.Errorf("no restore test of the config covers %s", report.DisplayName(vm)), "--test NAME says in whose group it is tested")
}

// planRestoreTests reads what the restore tests of the named VMs need, and returns their plan.
func (a *app) planRestoreTests(
	ctx context.Context, s *session, c *config.Config, scope plan.Scope, f restoreTestFlags, flags plan.RestoreRequest, names []string,
) (plan.Plan, error) {
	o, err := a.observe(ctx, s, scope)
	if err != nil {
		return plan.Plan{}, err
	}
	a.warnOfFuture(flags.Before, s.Now())
	vms, err := findVMs(o, "testing the restore of", names)
	if err != nil {
		return plan.Plan{}, err
	}
	byTest := map[*config.RestoreTest][]string{}
	var tests []*config.RestoreTest
	for _, vm := range vms {
		t, err := testOf(c, o, vm, f.test)
		if err != nil {
			return plan.Plan{}, err
		}
		if byTest[t] == nil {
			tests = append(tests, t)
		}
		byTest[t] = append(byTest[t], vm)
	}
	var asked []plan.AskedTests
	for _, t := range tests {
		r := flags
		r.VMs, r.Into, r.Staging = byTest[t], t.Into.ResourceGroup, t.Into.StorageAccounts
		r.Oldest = t.Point == config.PointOldest && r.Before.IsZero() && r.Point == ""
		if f.disks == "" {
			r.Disks = plan.DiskSelection(t.Disks)
		}
		facts, err := a.readRestoreFacts(ctx, s, o, r)
		if err != nil {
			return plan.Plan{}, err
		}
		asked = append(asked, plan.AskedTests{Test: t, Request: r, Facts: facts})
	}
	p := plan.MakeRestoreTests(o, asked, c.Settings.Guards.MaxRestores, c.Settings.Limits.Restores, s.Now())
	if p, err = withGuards(ctx, s, c, o, p); err != nil {
		return plan.Plan{}, err
	}
	return p, plan.Validate(p)
}

// permitCleanUp lets the client delete disks in the groups of an approved plan's restore tests.
func permitCleanUp(s *session, p plan.Plan) error {
	for _, c := range p.Changes {
		if c.Action == plan.RestoreTest {
			if err := s.PermitCleanUp(c.Test.Group); err != nil {
				return fmt.Errorf("restore test %q: %w", c.Test.Name, err)
			}
		}
	}
	return nil
}

// runRestoreTests executes run.Plan and sets the fields of run.
func (a *app) runRestoreTests(ctx context.Context, s *session, c *config.Config, grace time.Duration, observed time.Time, run *report.Run) {
	limits := engineLimits(c.Settings.Limits)
	limits.RunTimeout = max(limits.RunTimeout, limits.RestoreTimeout*time.Duration(1+len(run.Plan.Changes)/max(1, limits.Restores))+time.Hour)
	o := apply.Options{Limits: limits, Grace: grace, Observed: observed, Approved: s.ServiceTime(a.approvedAt)}
	a.runEngine(ctx, s, o, a.warnOfInterrupt(o, "restores that were started go on, and azbackup restore-test --clean-up removes their disks"), run)
	run.Finished, run.Requests, run.Throttled = s.Now(), s.Requests(), s.Throttled()
	a.reportResults(ctx, run)
}
