package report

import (
	"fmt"
	"io"
	"strings"

	"github.com/azbackup/azbackup/plan"
)

// PlanFormats are the formats of a plan, in the order in which help names them.
func PlanFormats() []string { return []string{"text", "json", "markdown"} }

// WritePlan writes a plan in one of [PlanFormats].
func WritePlan(w io.Writer, format string, p plan.Plan, s Style) error {
	switch format {
	case "text":
		return PlanText(w, p, s)
	case "json":
		return PlanJSON(w, p, s.All)
	case "markdown":
		return PlanMarkdown(w, p)
	default:
		return fmt.Errorf("writing plan: %q is not one of %s", format, strings.Join(PlanFormats(), ", "))
	}
}

// ApplyFormats are the formats of a run's report, in the order in which help names them.
func ApplyFormats() []string { return []string{"text", "json", "prometheus"} }

// WriteApply writes a run's report in one of [ApplyFormats].
func WriteApply(w io.Writer, format string, r Run, s Style) error {
	switch format {
	case "text":
		return ApplyText(w, r, s)
	case "json":
		return ApplyJSON(w, r)
	case "prometheus":
		return ApplyPrometheus(w, r)
	default:
		return fmt.Errorf("writing report: %q is not one of %s", format, strings.Join(ApplyFormats(), ", "))
	}
}
