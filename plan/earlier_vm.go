package plan

import (
	"time"

	"github.com/azbackup/azbackup/internal/armid"
)

// noteEarlierVM returns a note where the item of a VM holds points of an earlier VM of the same name too: which of the two
// the chosen point is of, and how the other one is restored. On the day of a disaster a machine that was lost is often made
// anew under its name, and backed up since: its newest point holds nothing of what was lost.
func (m *restorer) noteEarlierVM(vm string, created time.Time, chosen time.Time) string {
	if created.IsZero() {
		return ""
	}
	since := created.UTC().Format(time.RFC3339)
	if chosen.Before(created) {
		return "the point is of an earlier VM of the same name: the one that exists was created at " + since
	}
	var last time.Time // the newest point of the earlier VM
	for _, of := range m.items[armid.Of(vm)] {
		for _, p := range of.Points {
			if p.Time.Before(created) && p.Time.After(last) {
				last = p.Time
			}
		}
	}
	if last.IsZero() {
		return ""
	}
	return "the point is of the VM that was created at " + since + "; the last one of an earlier VM of the same name is of " +
		last.UTC().Format(time.RFC3339) + ": --before " + since + " restores that one"
}
