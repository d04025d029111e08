package apply

import (
	"strings"

	"github.com/azbackup/azbackup/plan"
)

// CodeChangedMeanwhile is the code of a change that was not written, because what is there is neither as the plan showed
// it nor as the change wants it: somebody else was at work after the plan was made.
const CodeChangedMeanwhile = "ChangedMeanwhile"

// ChangedMeanwhile is the error for such a change.
func ChangedMeanwhile(op string, drifts []plan.Drift) *Error {
	words := make([]string, len(drifts))
	for i, d := range drifts {
		words[i] = d.String()
	}
	return &Error{Op: op, Code: CodeChangedMeanwhile, Message: "changed since it was approved, so it was not written: " + strings.Join(words, "; ")}
}
