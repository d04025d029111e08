package cli

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
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
		return readPlan(f.planFile)
	case !f.auto && f.expect == "" && !a.InTerminal:
		return nil, withHint(errors.New("nobody is there to approve the plan"),
			"--auto-approve applies what is planned; --expect HASH or a saved plan applies what somebody approved")
	}
	return nil, nil
}

// readPlan reads a saved plan.
func readPlan(path string) (*plan.Plan, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("reading the plan: %w", err)
	}
	var p plan.Plan
	if err := json.Unmarshal(data, &p); err != nil {
		return nil, fmt.Errorf("reading the plan %q: %w", path, err)
	}
	if p.FormatVersion != plan.FormatVersion {
		return nil, withHint(fmt.Errorf("reading the plan %q: format_version is %q, this program reads %q", path, p.FormatVersion, plan.FormatVersion),
			"azbackup plan --out FILE saves one")
	}
	if err := plan.Validate(p); err != nil { // not ours to report: whoever wrote the file did so by hand
		return nil, withHint(fmt.Errorf("reading the plan %q: %s", path, report.Line(err.Error())), "azbackup plan --out FILE saves one")
	}
	return &p, nil
}

// approve gives the plan that may be carried out, of the plan now and the one that was approved.
func (a *app) approve(ctx context.Context, f applyFlags, saved *plan.Plan, now plan.Plan) (plan.Plan, error) {
	if saved != nil {
		p, err := a.narrow(f, *saved, now)
		if err != nil {
			return now, err
		}
		now = p
	}
	if f.expect != "" && f.expect != now.Fingerprint {
		a.show(now)
		return now, withCode(exitRefused, fmt.Errorf("the plan is not the one that was approved: its fingerprint is %s, expected %s",
			now.Fingerprint, report.Line(f.expect)), "look at the plan above; azbackup plan shows it again")
	}
	a.show(now)
	if len(now.Refusals) > 0 {
		return now, a.refuse(now)
	}
	if f.auto || f.expect != "" || saved != nil || len(now.Actionable()) == 0 {
		return now, nil
	}
	return now, a.ask(ctx, now)
}

// narrow keeps of the plan now what the saved plan has, and shows what is left out.
func (a *app) narrow(f applyFlags, saved, now plan.Plan) (plan.Plan, error) {
	switch {
	case saved.Cloud != now.Cloud:
		return now, withCode(exitRefused, fmt.Errorf("the saved plan was made for cloud %s, this is %s", report.Line(saved.Cloud), report.Line(now.Cloud)))
	case saved.Config != now.Config:
		return now, withCode(exitRefused, errors.New("the saved plan was made from another config"), "plan again and save that")
	}
	d := plan.Compare(saved, now)
	p, left := plan.Subset(saved, now)
	if len(left) > 0 || len(d.Changed) > 0 {
		a.verdict[exitRefused] = true
		a.log.Warn("what exists has changed since the plan was saved; what was not approved is left")
		report.DifferenceText(a.Err, d, a.errStyle()) //nolint:errcheck // stderr
	}
	return f.judge(p), nil
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
		return nil
	}
}
