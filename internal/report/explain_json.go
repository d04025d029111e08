package report

import (
	"io"
	"time"

	"github.com/azbackup/azbackup/plan"
)

// explanation is the JSON form of a [plan.Explanation].
type explanation struct {
	FormatVersion string `json:"format_version"`
	plan.Explanation
	Steps []explainedStep `json:"steps"`
	Items []explainedItem `json:"items"`
}

type explainedStep struct {
	Rule    string `json:"rule"`
	File    string `json:"file"`
	Line    int    `json:"line"`
	Matched bool   `json:"matched"`
	Chosen  bool   `json:"chosen"`
	Reason  string `json:"reason"`
}

type explainedItem struct {
	ID                string      `json:"id"`
	Vault             string      `json:"vault"`
	State             string      `json:"state"`
	Policy            string      `json:"policy,omitempty"`
	Disks             *plan.Disks `json:"disks,omitempty"`
	LastRecoveryPoint *time.Time  `json:"last_recovery_point,omitempty"`
	PurgeAt           *time.Time  `json:"purge_at,omitempty"`
}

func explainJSON(w io.Writer, e plan.Explanation) error {
	e.Next = nonNil(e.Next)
	out := explanation{FormatVersion: plan.FormatVersion, Explanation: e, Steps: []explainedStep{}, Items: []explainedItem{}}
	for _, s := range e.Steps {
		out.Steps = append(out.Steps, explainedStep{s.Name, s.Pos.File, s.Pos.Line, s.Matched, s.Chosen, s.Reason})
	}
	for _, it := range e.Items {
		state := it.State
		if it.SoftDeleted {
			state = plan.StateSoftDeleted
		}
		out.Items = append(out.Items, explainedItem{
			ID: it.ID, Vault: it.Vault, State: state, Policy: it.PolicyName, Disks: it.Disks,
			LastRecoveryPoint: timePtr(it.LastRecoveryPoint), PurgeAt: timePtr(it.PurgeAt),
		})
	}
	return WriteJSON(w, out)
}

// timePtr returns t, or nil for a time that Azure did not say.
func timePtr(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}
