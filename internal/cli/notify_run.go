package cli

import (
	"errors"
	"fmt"
	"strings"

	"github.com/azbackup/azbackup/apply"
	"github.com/azbackup/azbackup/internal/audit"
	"github.com/azbackup/azbackup/internal/report"
)

// applyNotification returns what is posted about an apply. It is nil where all is done, where the run was interrupted
// before it had results, and where another run holds the lock, which posts its own summary.
func applyNotification(run report.Run, err error) *notification {
	n := notification{FormatVersion: "1", Command: "apply", Summary: run.Summary, Items: []notifiedItem{}}
	if run.Summary == nil {
		n.Summary = map[apply.Outcome]int{} // an object at every end, as in the report
	}
	name := namerOf(run.Plan)
	for _, r := range run.Results {
		if r.Outcome == apply.Done || r.Outcome == apply.AlreadyDone {
			continue
		}
		n.Items = append(n.Items, notifiedItem{
			What: string(r.Outcome) + " " + string(r.Action), Target: name(r.Target),
			Message: report.Line(strings.TrimPrefix(r.Code+": "+r.Message, ": ")),
		})
	}
	failed := run.Error
	if err != nil {
		failed = oneLine(err.Error())
	}
	switch {
	case err != nil && (exitCodeOf(err) == exitLocked || errors.Is(err, errInterrupted)):
		return nil
	case failed != "":
		n.Text = "azbackup apply failed: " + report.Line(failed)
	case len(n.Items) > 0:
		n.Text = fmt.Sprintf("azbackup apply: %s not done, %d of %d", report.FormatCount(len(n.Items), "change"), len(n.Items), len(run.Results))
	default:
		return nil
	}
	return &n
}

// auditNotification returns what is posted about an audit: its new findings, which without a baseline are those at or
// above --fail-on; nil where there are none.
func auditNotification(r audit.Result) *notification {
	n := notification{FormatVersion: "1", Command: "audit", Summary: r.Summary, Items: []notifiedItem{}}
	add := func(f audit.Finding) {
		n.Items = append(n.Items, notifiedItem{
			What: f.Code + " " + string(f.Severity), Target: report.FindingName(f), Message: report.Line(f.Message),
		})
	}
	word := "finding"
	if r.Baseline != nil {
		word = "new finding"
		for _, f := range r.Findings {
			if f.New {
				add(f)
			}
		}
	} else {
		for _, f := range r.FailingFindings() {
			add(f)
		}
	}
	if len(n.Items) == 0 {
		return nil
	}
	n.Text = "azbackup audit: " + report.FormatCount(len(n.Items), word)
	return &n
}
