package apply

import (
	"context"

	"github.com/azbackup/azbackup/plan"
)

// Run carries a plan out and returns one result per change, in plan order, also when ctx ends early. The
// error gathers, in plan order, every change that is not done (see [Report.Err]).
func Run(ctx context.Context, p plan.Plan, b Backend, o Options) (Report, error) {
	o.Limits = o.Limits.withDefaults()
	ctx, cancel := context.WithTimeout(ctx, o.Limits.RunTimeout)
	defer cancel()
	report := Report{FormatVersion: FormatVersion, Summary: map[Outcome]int{}}
	for _, c := range p.Changes {
		res := Result{ID: c.ID, Action: c.Action, Target: c.Target, Vault: c.Vault, Outcome: Done}
		if c.Action == plan.Blocked {
			res.Outcome = Blocked
		} else if _, err := b.Start(ctx, c); err != nil {
			res.Outcome, res.Message = Failed, err.Error()
		}
		report.Summary[res.Outcome]++
		report.Results = append(report.Results, res)
	}
	return report, report.Err()
}
