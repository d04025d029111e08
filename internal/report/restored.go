package report

import (
	"strings"
	"time"

	"github.com/azbackup/azbackup/apply"
	"github.com/azbackup/azbackup/plan"
)

// Restored is what a restore made.
type Restored struct {
	Disks []string `json:"disks"` // ids
	// Template is the URI of the template that rebuilds the VM.
	Template string `json:"template,omitempty"`
	// Seconds is how long the job ran.
	Seconds int64 `json:"seconds"`
	// Leaves names what stays in the staging account: account and container.
	Leaves string `json:"leaves,omitempty"`
	// OSDisk is that of Disks which is an OS disk; "" = none, or not known.
	OSDisk string `json:"os_disk,omitempty"`
}

// details returns the lines that stand below a restore's result.
func (r *Restored) details() []string {
	if r == nil {
		return nil
	}
	var lines []string
	names := make([]string, len(r.Disks))
	for i, id := range r.Disks {
		names[i] = lastName(id)
	}
	if len(names) > 0 {
		lines = append(lines, Line("disks: "+strings.Join(names, ", ")))
	}
	if r.Template != "" {
		lines = append(lines, Line("template: "+r.Template))
	}
	if r.Leaves != "" {
		lines = append(lines, Line("left in the staging account: "+r.Leaves))
	}
	return lines
}

// resultDocument is a result in JSON: the keys of what was restored stand among its own.
type resultDocument struct {
	apply.Result
	*Restored
	// Wanted is what the plan wanted to do, of a change that it blocked.
	Wanted plan.Action `json:"wanted,omitempty"`
	// Next is what to do about a restore that is not done.
	Next string `json:"next,omitempty"`
}

func (r Run) documents() []resultDocument {
	out := make([]resultDocument, len(r.Results))
	wanted := map[string]plan.Action{}
	for _, c := range r.Plan.Changes {
		wanted[c.ID] = c.Wanted
	}
	for i, result := range r.Results {
		out[i] = resultDocument{Result: result, Restored: r.restored(result), Wanted: wanted[result.ID]}
		if r.isOfRestores() {
			out[i].Next = r.nextFor(result)
		}
	}
	return out
}

// restored returns what a result's restore made, or nil.
func (r Run) restored(result apply.Result) *Restored {
	m := result.Made
	if m == nil {
		return r.Restored[result.ID]
	}
	return &Restored{Disks: append([]string{}, m.Disks...), Template: m.Template, Seconds: m.Seconds}
}

// testDetails returns the lines that stand below the result of a restore test: its steps, and what it did not remove.
func testDetails(r apply.Result, verbose bool) []string {
	var lines []string
	for _, s := range r.Steps {
		if verbose || s.Outcome != apply.Done {
			line := string(s.Name) + ": " + strings.ReplaceAll(string(s.Outcome), "-", " ") + " after " + formatDuration(time.Duration(s.Seconds)*time.Second)
			if s.Message != "" {
				line += ": " + s.Message
			}
			lines = append(lines, Line(line))
		}
	}
	for _, l := range r.LeftBehind {
		lines = append(lines, Line("left behind: "+l.Kind+" "+leftName(l)+": "+l.Why))
	}
	return lines
}

func leftName(l apply.LeftBehind) string {
	if l.Kind == apply.LeftDisk {
		return lastName(l.ID)
	}
	return l.ID
}
