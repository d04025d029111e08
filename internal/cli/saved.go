package cli

import (
	"errors"
	"fmt"
	"io"
	"os"
	"slices"

	"github.com/azbackup/azbackup/apply"
	"github.com/azbackup/azbackup/config"
	"github.com/azbackup/azbackup/internal/report"
	"github.com/azbackup/azbackup/plan"
)

// checkPlanFile returns an error where a plan would be saved to stdout: a saved plan is read again, so it needs a file.
func checkPlanFile(path string) error {
	if path == stdoutName {
		return withHint(errors.New("--out -: a plan is saved in a file"), "--format json prints it")
	}
	return nil
}

// savePlan writes the file that azbackup apply FILE reads.
func savePlan(path string, p plan.Plan) error {
	return writeFile(path, func(w io.Writer) error { return report.PlanJSON(w, p, false) })
}

// readSaved reads a saved plan. A plan that was edited, or merged from those of shards, is an error.
func readSaved(path string) (*plan.Plan, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("reading the plan: %w", err)
	}
	p, err := plan.ParseSaved(data)
	if err != nil {
		return nil, withHint(fmt.Errorf("reading the plan %q: %w", path, err),
			"azbackup plan --out FILE saves one; what is to be left out or changed is said there, or in the config")
	}
	if p.IsMerged() {
		return nil, withCode(exitRefused, fmt.Errorf("%q is merged from the plans of %s, which were approved one by one", path, report.FormatCount(len(p.Shards), "shard")),
			"apply the plan of each shard, with the --shard that it was made with")
	}
	if err := plan.Validate(p); err != nil { // not a fault: the file was written by hand, digest included
		return nil, withHint(fmt.Errorf("reading the plan %q: %s", path, report.Line(err.Error())), "azbackup plan --out FILE saves one")
	}
	return &p, nil
}

// checkSameOrigin returns an error where a saved plan was made for another cloud, from another config or for another
// shard.
func checkSameOrigin(saved, now plan.Plan) error {
	switch {
	case saved.Cloud != now.Cloud:
		return withCode(exitRefused, fmt.Errorf("the saved plan was made for cloud %s, this is %s", report.Line(saved.Cloud), report.Line(now.Cloud)))
	case saved.Config != now.Config:
		return withCode(exitRefused, errors.New("the saved plan was made from another config"), "plan again and save that")
	case shardOf(saved) != shardOf(now):
		return withCode(exitRefused, fmt.Errorf("the saved plan is of %s, this run of %s", describeShard(shardOf(saved)), describeShard(shardOf(now))),
			"apply it with the --shard that it was made with")
	}
	return nil
}

// shardOf returns the shard of a plan.
func shardOf(p plan.Plan) config.Shard {
	if p.Shard == nil {
		return config.Shard{}
	}
	return *p.Shard
}

func describeShard(s config.Shard) string {
	if s.IsAll() {
		return "all subscriptions"
	}
	return "shard " + s.String()
}

// showRemainder prints what has become of a saved plan: the changes that are done already, those that cannot be done as
// approved, and the new ones.
func (a *app) showRemainder(rest plan.Remainder) {
	if n := len(rest.Done); n > 0 {
		a.log.Info("done already: " + report.FormatCount(n, "approved change"))
	}
	if len(rest.New)+len(rest.Stale) == 0 {
		return
	}
	a.log.Warn("what exists has changed since the plan was saved; what was not approved is left",
		"new", len(rest.New), "stale", len(rest.Stale))
	if a.logFormat == "text" {
		report.RestText(a.Err, rest, a.errStyle()) //nolint:errcheck // stderr
		return
	}
	for _, s := range rest.Stale {
		a.log.Warn(describeStale(s), "change", s.Change.ID, "code", apply.CodeChangedMeanwhile)
	}
}

// staleError returns an error where nothing of a saved plan can be done as it was approved, else nil: where some
// changes can be done, the others fail one by one.
func staleError(rest plan.Remainder) error {
	canBeDone := slices.ContainsFunc(rest.Plan.Changes, func(c plan.Change) bool { return c.Action != plan.Blocked })
	if len(rest.Stale) == 0 || canBeDone {
		return nil
	}
	what := describeStale(rest.Stale[0])
	if n := len(rest.Stale) - 1; n > 0 {
		what += fmt.Sprintf(" (and %d more)", n)
	}
	return withCode(exitRefused, errors.New("nothing of the saved plan can be done as it was approved: "+what),
		"azbackup plan shows what would be done now")
}

func describeStale(s plan.Stale) string {
	return report.ActionText(s.Change.Action) + " " + report.DisplayName(s.Change.Target) + ": " + report.Line(s.Why)
}

// addSettledResults adds to the results of a run those of the approved changes that the engine did not get, because
// they are done already or must not be written, and sorts all results into the order of the saved plan.
func addSettledResults(run *report.Run, saved *plan.Plan, rest plan.Remainder) {
	if saved == nil {
		return
	}
	add := func(c plan.Change, o apply.Outcome, code, message string) {
		run.Results = append(run.Results, apply.Result{
			ID: c.ID, Action: c.Action, Target: c.Target, Vault: c.Vault, Outcome: o, Code: code, Message: message,
		})
		run.Summary[o]++
	}
	for _, c := range rest.Done {
		add(c, apply.AlreadyDone, "", "it was as approved before this run")
	}
	for _, s := range rest.Stale {
		if s.IsBehind {
			add(s.Change, apply.Blocked, "", s.Why)
			continue
		}
		add(s.Change, apply.Failed, apply.CodeChangedMeanwhile, s.Why)
	}
	at := map[string]int{}
	for i, c := range saved.Changes {
		at[c.ID] = i - len(saved.Changes) // changes not in the saved plan, such as a refresh, come last
	}
	slices.SortStableFunc(run.Results, func(a, b apply.Result) int { return at[a.ID] - at[b.ID] })
}
