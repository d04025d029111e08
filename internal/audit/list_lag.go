package audit

import (
	"fmt"
	"time"

	"github.com/azbackup/azbackup/internal/armid"
)

// tellLag says beside each answer about a VM how far the list may be behind in which it stands, or is missing: a VM that
// was deleted is listed for a while, and a new one is not; its tags decide which rule it matches.
func tellLag(findings []Finding, vms []VM, lag time.Duration) {
	if lag <= 0 {
		return
	}
	note := fmt.Sprintf("listed by Resource Graph, up to %d hours behind", int(lag.Hours()))
	for i := range vms {
		vms[i].Notes = append(vms[i].Notes, note)
	}
	for i := range findings {
		if _, err := armid.ParseVM(findings[i].Target); err == nil {
			findings[i].Message += " (" + note + ")"
		}
	}
}
