package report

import (
	"encoding/json"
	"io"

	"github.com/azbackup/azbackup/internal/audit"
	"github.com/azbackup/azbackup/plan"
)

// PlanJSON writes a plan as JSON (docs/design.md §7): what is to be done or is blocked, with the digest that
// [plan.ParseSaved] checks. With all it also writes what is unchanged, and no digest: such a document is to be read,
// not applied. A field of the document is a field of [plan.Plan], with its tag.
func PlanJSON(w io.Writer, p plan.Plan, all bool) error {
	if !all {
		p.Unchanged = nil
	}
	// Lists are never null for the programs that read this.
	p.Changes = nonNil(p.Changes)
	p.Gaps = nonNil(p.Gaps)
	p.Refusals = nonNil(p.Refusals)
	if all {
		return WriteJSON(w, p)
	}
	p, err := plan.WithDigest(p)
	if err != nil {
		return err
	}
	return WriteJSON(w, p)
}

// AuditJSON writes an audit as JSON (docs/design.md §7). A field of the document is a field of [audit.Result], with its tag.
func AuditJSON(w io.Writer, r audit.Result) error {
	r.Findings, r.VMs, r.Gaps = nonNil(r.Findings), nonNil(r.VMs), nonNil(r.Gaps)
	return streamJSON(w, r)
}

// nonNil returns s, and an empty list in place of none.
func nonNil[T any](s []T) []T {
	if s == nil {
		return []T{}
	}
	return s
}

// WriteJSON writes a document of the command line as JSON, with lines and indents, for people and programs. It holds the whole
// document; streamJSON writes those that are large.
func WriteJSON(w io.Writer, v any) error {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	return enc.Encode(v)
}
