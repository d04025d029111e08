package cli

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/azbackup/azbackup/internal/crash"
	"github.com/azbackup/azbackup/internal/report"
	"github.com/azbackup/azbackup/plan"
)

// approvalFlags are the ways to say yes: once and for all, to a fingerprint, to a saved plan, or when asked.
type approvalFlags struct {
	auto     bool
	expect   string
	planFile string
}

func (f *approvalFlags) addFlags(cmd *cobra.Command) {
	cmd.Flags().BoolVar(&f.auto, "auto-approve", false, "do not ask")
	cmd.Flags().StringVar(&f.expect, "expect", "", "apply only the plan whose fingerprint is `HASH`")
}

// approved checks that somebody can say yes, and reads the saved plan if there is one.
func (f *approvalFlags) approved(a *app) (*plan.Plan, error) {
	switch {
	case f.planFile != "" && f.expect != "":
		return nil, usage("a plan file and --expect say the same: give one of them")
	case f.planFile != "":
		return readSaved(f.planFile)
	case !f.auto && f.expect == "" && !a.InTerminal:
		return nil, withHint(errors.New("nobody is there to approve the plan"),
			"--auto-approve applies what is planned; --expect HASH or a saved plan applies what somebody approved")
	}
	return nil, nil
}

// approve gives the plan that may be carried out, of the plan now and the one that was approved; of a saved plan also
// what became of the rest of it.
func (a *app) approve(ctx context.Context, f applyFlags, saved *plan.Plan, now plan.Plan) (plan.Plan, plan.Rest, error) {
	var rest plan.Rest
	if saved != nil {
		if err := fitsHere(*saved, now); err != nil {
			return now, rest, err
		}
		rest = plan.Subset(*saved, now)
		now = f.judge(rest.Plan)
		a.verdict[exitChanges] = f.detailed && len(rest.New) > 0
	}
	if f.expect != "" && f.expect != now.Fingerprint {
		a.show(now)
		return now, rest, withCode(exitRefused, fmt.Errorf("the plan is not the one that was approved: its fingerprint is %s, expected %s",
			now.Fingerprint, report.Line(f.expect)), "look at the plan above; azbackup plan shows it again")
	}
	a.show(now)
	a.showRest(rest)
	if len(now.Refusals) > 0 {
		return now, rest, a.refuse(now)
	}
	if err := refuseStale(rest); err != nil {
		return now, rest, err
	}
	if f.auto || f.expect != "" || saved != nil || len(now.Actionable()) == 0 {
		return now, rest, nil
	}
	return now, rest, a.ask(ctx, now)
}

// show prints the plan for whoever reads along.
func (a *app) show(p plan.Plan) {
	if a.logFormat != "text" {
		a.log.Info(report.Headline(p), "fingerprint", p.Fingerprint, "summary", p.Summary)
		return
	}
	report.PlanText(a.Err, p, a.errStyle()) //nolint:errcheck // stderr
}

// refuse is the error of a plan that guards refuse; the guards' words were shown with the plan.
func (a *app) refuse(p plan.Plan) error {
	var hints []string
	for _, r := range p.Refusals {
		if r.Flag != "" {
			hints = append(hints, "if it is meant: "+report.Line(r.Flag))
		}
	}
	what := report.Line(p.Refusals[0].Message)
	if n := len(p.Refusals) - 1; n > 0 {
		what += fmt.Sprintf(" (and %d more)", n)
	}
	return withCode(exitRefused, errors.New("refused: "+what), hints...)
}

// ask asks the person at the terminal.
func (a *app) ask(ctx context.Context, p plan.Plan) error {
	fmt.Fprintf(a.Err, "\nApply %s? Only yes is taken for yes: ", report.Count(len(p.Actionable()), "change"))
	answer := make(chan string, 1)
	go func() {
		defer crash.ExitOnPanic()
		line, _ := bufio.NewReader(a.In).ReadString('\n') // an end of input is no yes
		answer <- strings.TrimSpace(line)
	}()
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case line := <-answer:
		if line != "yes" {
			return errors.New("not approved: nothing was changed")
		}
		a.saidYes = a.Now()
		return nil
	}
}
