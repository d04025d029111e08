package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/azbackup/azbackup/apply"
	"github.com/azbackup/azbackup/config"
	"github.com/azbackup/azbackup/internal/armid"
	"github.com/azbackup/azbackup/internal/azure"
	"github.com/azbackup/azbackup/internal/deadline"
	"github.com/azbackup/azbackup/internal/report"
	"github.com/azbackup/azbackup/plan"
)

// cleanUpTimeout is how long the removal of one disk may take, without waits for quotas. The disks of a group share the
// sum.
const cleanUpTimeout = time.Minute

// testGroup is a resource group of restore tests with the disks that earlier tests left in it.
type testGroup struct {
	id   string
	left []plan.LeftDisk
}

// cleanUpTests lists the disks that earlier restore tests left, asks for approval, and deletes them.
func (a *app) cleanUpTests(ctx context.Context, f restoreTestFlags) (err error) {
	if err := f.validate(); err != nil {
		return err
	}
	if f.before+f.point+f.disks+f.expect != "" || f.many {
		return usageError("--clean-up goes with --test alone")
	}
	if _, err := f.readApproval(a); err != nil {
		return err
	}
	c, scope, s, err := a.connectForVMs(ctx, azure.CommandRestoreTest, scopeFlags{configFlags: f.configFlags}, f.azureFlags)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.close()) }()
	tests, err := testsByName(c, f.test)
	if err != nil {
		return err
	}
	o, err := a.observe(ctx, s, scope)
	if err != nil {
		return err
	}
	a.exitConditions[exitIncomplete] = len(o.Gaps) > 0
	groups := a.findLeftDisks(ctx, s, o, tests)
	if ctx.Err() != nil { // what is left was not seen
		return context.Cause(ctx)
	}
	removable := a.showLeftDisks(groups)
	var left []apply.LeftBehind
	if removable > 0 {
		if !f.auto {
			if err := a.confirm(ctx, "Delete "+report.FormatCount(removable, "disk")); err != nil {
				return err
			}
		}
		if left, err = a.deleteLeftDisks(ctx, s, groups); err != nil {
			return err
		}
	} else {
		left, _ = a.deleteLeftDisks(ctx, s, groups) // deletes nothing, and returns why each disk stays
	}
	for _, g := range groups {
		for _, d := range g.left {
			stays := slices.ContainsFunc(left, func(l apply.LeftBehind) bool { return armid.Same(l.ID, d.Disk.ID) })
			a.exitConditions[exitUnfinished] = a.exitConditions[exitUnfinished] || d.WhyKept == "" && stays
		}
	}
	a.exitConditions[exitInterrupted] = errors.Is(context.Cause(ctx), errInterrupted)
	return f.write(a.Out, func(w io.Writer, format string) error { return writeCleanUp(w, format, groups, left) })
}

// findLeftDisks reads the groups of tests, their disks, and the jobs that the disks name. It warns of what cannot be
// read, and the command is incomplete then.
func (a *app) findLeftDisks(ctx context.Context, s *session, o plan.Observed, tests []*config.RestoreTest) []testGroup {
	trouble := func(what string, err error) {
		a.exitConditions[exitIncomplete] = true
		a.log.Warn(what + " could not be read: " + oneLine(err.Error()))
	}
	var groups []testGroup
	for _, id := range groupsOfTests(o, tests) {
		name := id[strings.LastIndexByte(id, '/')+1:]
		g, exists, err := s.ResourceGroup(ctx, id)
		switch {
		case err != nil:
			trouble("the resource group "+name, err)
			continue
		case !exists:
			continue
		case !g.AllowsRestoreTests():
			a.log.Warn("the resource group " + oneLine(name) + " lacks the tag " + plan.TagTestsAllowed + ": " + plan.TestsAllowed + ", so nothing in it is looked at")
			continue
		}
		disks, err := s.Disks(ctx, id)
		if err != nil {
			trouble("the disks of "+name, err)
			continue
		}
		var jobs []plan.RestoreJob
		for _, v := range o.Vaults {
			if !armid.Same(armid.SubscriptionOf(v.ID), armid.SubscriptionOf(id)) {
				continue
			}
			found, err := s.RestoreJobsNamed(ctx, v.ID, plan.TaggedJobs(disks))
			if err != nil {
				trouble("the jobs of "+report.DisplayName(v.ID), err)
			}
			jobs = append(jobs, found...)
		}
		groups = append(groups, testGroup{id: id, left: plan.LeftDisks(id, disks, jobs)})
	}
	return groups
}

// groupsOfTests returns the ids of the groups that tests name: as the test has it, or for a name the group of that name
// in the subscription of each vault.
func groupsOfTests(o plan.Observed, tests []*config.RestoreTest) []string {
	var ids []string
	add := func(id string) {
		if !slices.ContainsFunc(ids, func(known string) bool { return armid.Same(known, id) }) {
			ids = append(ids, id)
		}
	}
	for _, t := range tests {
		if strings.HasPrefix(t.Into.ResourceGroup, "/") {
			add(t.Into.ResourceGroup)
			continue
		}
		for _, v := range o.Vaults {
			add("/subscriptions/" + armid.SubscriptionOf(v.ID) + "/resourceGroups/" + t.Into.ResourceGroup)
		}
	}
	return ids
}

// showLeftDisks prints what earlier tests left, to stderr, and returns how many disks may be deleted.
func (a *app) showLeftDisks(groups []testGroup) int {
	n := 0
	for _, g := range groups {
		for _, d := range g.left {
			words := fmt.Sprintf("%s  %d GB  restored %s from %s by job %s", report.DisplayName(d.Disk.ID), d.Disk.SizeGB,
				d.Job.End.UTC().Format(time.RFC3339), d.Job.Name, d.Disk.Job)
			if d.WhyKept == "" {
				n++
			} else {
				words += "  stays: " + d.WhyKept
			}
			fmt.Fprintln(a.Err, report.Line(words))
		}
	}
	if n == 0 {
		fmt.Fprintln(a.Err, "no disk is known that an earlier test left and that may be deleted")
	}
	return n
}

// deleteLeftDisks deletes the disks that may be deleted, and returns those that stay.
func (a *app) deleteLeftDisks(ctx context.Context, s *session, groups []testGroup) ([]apply.LeftBehind, error) {
	var left []apply.LeftBehind
	for _, g := range groups {
		if len(g.left) == 0 {
			continue
		}
		if err := s.PermitCleanUp(g.id); err != nil {
			return nil, err
		}
		limit := cleanUpTimeout * time.Duration(10+len(g.left))
		limited, cancel := deadline.WithTimeout(ctx, a.Now, limit, errors.New("the clean-up took more than "+report.FormatDuration(limit)))
		left = append(left, apply.CleanUp(limited, s.Client, g.id, g.left)...)
		cancel()
	}
	return left, nil
}

// writeCleanUp writes what was deleted and what stays.
func writeCleanUp(w io.Writer, format string, groups []testGroup, left []apply.LeftBehind) error {
	deleted := []string{}
	for _, g := range groups {
		for _, d := range g.left {
			if !slices.ContainsFunc(left, func(l apply.LeftBehind) bool { return armid.Same(l.ID, d.Disk.ID) }) {
				deleted = append(deleted, d.Disk.ID)
			}
		}
	}
	if format == "json" {
		e := json.NewEncoder(w)
		e.SetIndent("", "  ")
		return e.Encode(struct {
			FormatVersion string             `json:"format_version"`
			Deleted       []string           `json:"deleted"`
			LeftBehind    []apply.LeftBehind `json:"left_behind"`
		}{apply.FormatVersion, deleted, append([]apply.LeftBehind{}, left...)})
	}
	for _, id := range deleted {
		fmt.Fprintln(w, report.Line("✓ deleted  "+report.DisplayName(id)))
	}
	for _, l := range left {
		fmt.Fprintln(w, report.Line("· stays    "+report.DisplayName(l.ID)+"  "+l.Why))
	}
	_, err := fmt.Fprintf(w, "Clean-up: %s deleted, %d left as they are. What restores wrote to staging accounts is not looked at: azbackup cannot remove it.\n",
		report.FormatCount(len(deleted), "disk"), len(left))
	return err
}
