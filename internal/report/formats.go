package report

import (
	"fmt"
	"io"
	"strings"

	"github.com/azbackup/azbackup/internal/audit"
	"github.com/azbackup/azbackup/plan"
)

// formats are the ways to write a result, in the order in which help names them. A new one is a row of a table below.
type formats[R any] []format[R]

type format[R any] struct {
	name  string
	write func(io.Writer, R, Style) error
}

// unstyled makes a format of a function that writes for programs: no style concerns it.
func unstyled[R any](write func(io.Writer, R) error) func(io.Writer, R, Style) error {
	return func(w io.Writer, r R, _ Style) error { return write(w, r) }
}

func planFormats() formats[plan.Plan] {
	return formats[plan.Plan]{
		{"text", PlanText},
		{"json", func(w io.Writer, p plan.Plan, s Style) error { return PlanJSON(w, p, s.All) }},
		{"markdown", unstyled(PlanMarkdown)},
	}
}

func explainFormats() formats[plan.Explanation] {
	return formats[plan.Explanation]{
		{"text", ExplainText},
		{"json", unstyled(explainJSON)},
	}
}

func applyFormats() formats[Run] {
	return formats[Run]{
		{"text", ApplyText},
		{"json", unstyled(ApplyJSON)},
		{"prometheus", unstyled(ApplyPrometheus)},
	}
}

func restoreFormats() formats[Run] {
	return formats[Run]{
		{"text", ApplyText},
		{"json", unstyled(ApplyJSON)},
		{"markdown", unstyled(RestoreMarkdown)},
		{"csv", unstyled(RestoreCSV)},
	}
}

func pointsFormats() formats[Points] {
	return formats[Points]{
		{"text", PointsText},
		{"json", unstyled(PointsJSON)},
		{"csv", unstyled(PointsCSV)},
	}
}

func auditFormats() formats[audit.Result] {
	return formats[audit.Result]{
		{"text", AuditText},
		{"json", unstyled(AuditJSON)},
		{"csv", unstyled(AuditCSV)},
		{"markdown", unstyled(AuditMarkdown)},
		{"html", unstyled(AuditHTML)},
		{"sarif", unstyled(AuditSARIF)},
		{"junit", unstyled(AuditJUnit)},
		{"prometheus", unstyled(AuditPrometheus)},
	}
}

// PlanFormats returns the names of the formats of a plan, in the order in which help names them.
func PlanFormats() []string { return planFormats().names() }

// ExplainFormats returns the names of the formats of an explanation.
func ExplainFormats() []string { return explainFormats().names() }

// ApplyFormats returns the names of the formats of a run's report.
func ApplyFormats() []string { return applyFormats().names() }

// RestoreFormats returns the names of the formats of a report of restores.
func RestoreFormats() []string { return restoreFormats().names() }

// PointsFormats returns the names of the formats of recovery points.
func PointsFormats() []string { return pointsFormats().names() }

// AuditFormats returns the names of the formats of an audit.
func AuditFormats() []string { return auditFormats().names() }

// WritePlan writes a plan in one of [PlanFormats].
func WritePlan(w io.Writer, format string, p plan.Plan, s Style) error {
	return planFormats().write(w, "plan", format, p, s)
}

// WriteExplain writes what decides about one VM in one of [ExplainFormats].
func WriteExplain(w io.Writer, format string, e plan.Explanation, s Style) error {
	return explainFormats().write(w, "explanation", format, e, s)
}

// WriteApply writes a run's report in one of [ApplyFormats].
func WriteApply(w io.Writer, format string, r Run, s Style) error {
	return applyFormats().write(w, "report", format, r, s)
}

// WriteRestores writes a report of restores in one of [RestoreFormats].
func WriteRestores(w io.Writer, format string, r Run, s Style) error {
	return restoreFormats().write(w, "report", format, r, s)
}

// WritePoints writes recovery points in one of [PointsFormats].
func WritePoints(w io.Writer, format string, p Points, s Style) error {
	return pointsFormats().write(w, "recovery points", format, p, s)
}

// WriteAudit writes an audit in one of [AuditFormats]. The style concerns text only.
func WriteAudit(w io.Writer, format string, r audit.Result, s Style) error {
	return auditFormats().write(w, "audit", format, r, s)
}

func (f formats[R]) names() []string {
	names := make([]string, len(f))
	for i, one := range f {
		names[i] = one.name
	}
	return names
}

// write writes r in the format of that name. An error about a name begins with what r is.
func (f formats[R]) write(w io.Writer, what, name string, r R, s Style) error {
	for _, one := range f {
		if one.name == name {
			return one.write(w, r, s)
		}
	}
	return fmt.Errorf("writing %s: %q is not one of %s", what, name, strings.Join(f.names(), ", "))
}
