package cli

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/azbackup/azbackup/internal/crash"
	"github.com/azbackup/azbackup/internal/report"
	"github.com/azbackup/azbackup/plan"
)

// approvalFlags select how a plan is approved: in advance, by a fingerprint, by a saved plan, or at the prompt.
type approvalFlags struct {
	auto     bool
	expect   string
	planFile string
	maxAge   time.Duration
}

func (f *approvalFlags) addFlags(cmd *cobra.Command) {
	cmd.Flags().BoolVar(&f.auto, "auto-approve", false, "do not ask")
	cmd.Flags().StringVar(&f.expect, "expect", "", "apply only the plan whose fingerprint is `HASH`")
	cmd.Flags().DurationVar(&f.maxAge, "max-age", 15*time.Minute,
		"a plan that is older when you say yes is made again, and you are asked again if anything changed; 0 = after every yes")
}

// readApproval checks that the plan can be approved, and returns the saved plan where one is named, else nil.
func (f *approvalFlags) readApproval(a *app) (*plan.Plan, error) {
	switch {
	case f.maxAge < 0:
		return nil, usageError("--max-age %s is negative", f.maxAge)
	case f.planFile != "" && f.expect != "":
		return nil, usageError("a plan file and --expect say the same: give one of them")
	case f.planFile != "":
		return readSaved(f.planFile)
	case !f.auto && f.expect == "" && !a.InTerminal:
		return nil, withHint(errors.New("nobody is there to approve the plan"),
			"--auto-approve applies what is planned; --expect HASH or a saved plan applies what somebody approved")
	}
	return nil, nil
}

// freshPlan is a plan, and when its input was read.
type freshPlan struct {
	plan   plan.Plan
	readAt time.Time
}

// age returns the plan's age. The monotonic clock stands still while a machine sleeps, and the wall clock may be set
// back: so it takes the larger of both differences.
func (d freshPlan) age(now time.Time) time.Duration {
	return max(now.Sub(d.readAt), now.Round(0).Sub(d.readAt.Round(0)))
}

// approve returns the plan that may be executed, from the planned and the approved changes; for a saved plan also what
// has become of all its changes. A plan that is approved at the prompt may be made again with replan. The error has the
// exit code of a plan that may not be executed.
func (a *app) approve(
	ctx context.Context, f applyFlags, saved *plan.Plan, now freshPlan, replan func() (freshPlan, error),
) (freshPlan, plan.Remainder, error) {
	var rest plan.Remainder
	if saved != nil {
		if err := checkSameOrigin(*saved, now.plan); err != nil {
			return now, rest, err
		}
		rest = plan.Subset(*saved, now.plan)
		now.plan = f.applyGuards(rest.Plan)
		a.exitConditions[exitChanges] = f.detailed && len(rest.New) > 0
	}
	if f.expect != "" && f.expect != now.plan.Fingerprint {
		a.showPlan(now.plan)
		return now, rest, withCode(exitRefused, fmt.Errorf("the plan is not the one that was approved: its fingerprint is %s, expected %s",
			now.plan.Fingerprint, report.Line(f.expect)), "look at the plan above: it is what would be done now")
	}
	a.showPlan(now.plan)
	if f.expect != "" {
		a.tellUncovered(now.plan)
	}
	a.showRemainder(rest)
	if len(now.plan.Refusals) > 0 {
		return now, rest, a.refusedError(now.plan)
	}
	if err := staleError(rest); err != nil {
		return now, rest, err
	}
	if f.auto || f.expect != "" || saved != nil {
		return now, rest, nil
	}
	now, err := a.approveFresh(ctx, f.maxAge, now, replan)
	return now, rest, err
}

// tellUncovered reports the backups and restore tests that run though the approved fingerprint does not cover them, and
// warns where it covers nothing at all.
func (a *app) tellUncovered(p plan.Plan) {
	counts := map[plan.Action]int{}
	for _, c := range p.Uncovered() {
		counts[c.Action]++
	}
	var words []string
	for _, action := range []plan.Action{plan.Backup, plan.RestoreTest} {
		if n := counts[action]; n > 0 {
			words = append(words, report.FormatCount(n, report.ActionText(action)))
		}
	}
	runs := strings.Join(words, " and ")
	switch {
	case p.CoversNothing() && runs == "":
		a.log.Warn("the fingerprint that was approved covers nothing, and nothing is done")
	case p.CoversNothing():
		a.log.Warn("the fingerprint that was approved covers nothing; what runs is due by time alone: "+runs,
			hintKey, "azbackup restore-test --expect has a fingerprint of the tests; --skip restore-tests leaves them out")
	case runs != "":
		a.log.Info("not in the fingerprint that was approved, because it is due by time alone: " + runs)
	}
}

// approveFresh asks for approval of a plan. A plan that is older than maxAge at the approval is made again; where the new
// plan differs, approveFresh shows the difference, checks the guards, and asks again.
func (a *app) approveFresh(ctx context.Context, maxAge time.Duration, now freshPlan, replan func() (freshPlan, error)) (freshPlan, error) {
	for len(now.plan.Actionable())+now.plan.Summary[plan.RestoreTest] > 0 {
		if err := a.askApproval(ctx, now.plan); err != nil {
			return now, err
		}
		age := now.age(a.Now())
		if maxAge > 0 && age <= maxAge {
			return now, nil
		}
		a.log.Info("the plan is " + report.FormatDuration(age.Round(time.Second)) + " old: it is made again")
		next, err := replan()
		if err != nil {
			return now, err
		}
		d := plan.Compare(now.plan, next.plan)
		now = next
		if d.IsEmpty() {
			a.log.Info("nothing has changed")
		} else {
			a.log.Warn("what exists has changed since you were asked", "new", len(d.New), "changed", len(d.Changed), "gone", len(d.Gone))
			if a.logFormat == logText {
				report.DifferenceText(a.Err, d, a.errStyle()) //nolint:errcheck // stderr
			}
			a.showPlan(now.plan)
		}
		if len(now.plan.Refusals) > 0 {
			return now, a.refusedError(now.plan)
		}
		if d.IsEmpty() {
			return now, nil
		}
	}
	return now, nil
}

// showPlan prints the plan to stderr.
func (a *app) showPlan(p plan.Plan) {
	if a.logFormat != logText {
		a.log.Info(report.DescribePlan(p), "fingerprint", p.Fingerprint, "summary", p.Summary)
		return
	}
	report.PlanText(a.Err, p, a.errStyle()) //nolint:errcheck // stderr
}

// maxRefusalsTold is how many refusals the error of a refused plan names: those of vaults can be as many as the vaults.
const maxRefusalsTold = 8

// refusedError returns the error of a plan that guards refuse, with the flags that lift them.
func (a *app) refusedError(p plan.Plan) error {
	var told, hints []string
	for _, r := range p.Refusals {
		if len(told) < maxRefusalsTold {
			told = append(told, report.Line(r.Message))
		}
		if hint := "if it is meant: " + report.Line(r.Flag); r.Flag != "" && !slices.Contains(hints, hint) {
			hints = append(hints, hint)
		}
	}
	what := strings.Join(told, "; also: ")
	if n := len(p.Refusals) - len(told); n > 0 {
		what += fmt.Sprintf(" (and %d more)", n)
	}
	return withCode(exitRefused, errors.New("refused: "+what), hints...)
}

// askApproval asks for approval of p at the terminal; nil = it was given.
func (a *app) askApproval(ctx context.Context, p plan.Plan) error {
	changes, tests := report.FormatCount(len(p.Actionable()), "change"), report.FormatCount(p.Summary[plan.RestoreTest], "restore test")
	switch {
	case p.Summary[plan.RestoreTest] == 0:
		return a.confirm(ctx, "Apply "+changes)
	case len(p.Actionable()) == 0:
		return a.confirm(ctx, "Run "+tests)
	}
	return a.confirm(ctx, "Apply "+changes+" and run "+tests)
}

// confirm asks a question at the terminal. It returns nil where the answer is "yes", and records when it was given.
func (a *app) confirm(ctx context.Context, question string) error {
	fmt.Fprintf(a.Err, "\n%s? Only yes is taken for yes: ", question)
	answer := make(chan string, 1)
	go func() {
		defer crash.ExitOnPanic()
		line, _ := bufio.NewReader(a.In).ReadString('\n') // an end of input is no approval
		answer <- strings.TrimSpace(line)
	}()
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case line := <-answer:
		if line != "yes" {
			return errors.New("not approved: nothing was changed")
		}
		a.approvedAt = a.Now()
		return nil
	}
}
