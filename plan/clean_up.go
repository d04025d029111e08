package plan

import (
	"strings"
	"time"

	"github.com/azbackup/azbackup/internal/armid"
)

// A resource group allows restore tests, and the deletion of their disks, by the tag TagTestsAllowed with the value
// TestsAllowed (docs/design.md §12). The name is compared without case, the value with it.
const (
	TagTestsAllowed = "azbackup-restore-tests"
	TestsAllowed    = "allowed"
)

// AllowsRestoreTests reports whether the group is known to carry the tag that allows restore tests in it.
func (g ResourceGroup) AllowsRestoreTests() bool {
	if g.Unreadable != "" {
		return false
	}
	for name, value := range g.Tags {
		if strings.EqualFold(name, TagTestsAllowed) && value == TestsAllowed {
			return true
		}
	}
	return false
}

// CleanUp identifies the disks that one restore of a test made. Only the disks of a restore whose job has completed may be
// deleted, and only in one resource group (docs/design.md §12).
type CleanUp struct {
	Group string // the id of the resource group
	Job   string // the name of the Restore job, which has completed
	// Start and End are the times of the job, by the service's clock.
	Start, End time.Time
	// Existing are the disks that the group held right before the restore; nil = not known, as in a later run.
	Existing map[armid.Key]bool
}

// cleanUpSlack is how far the times of a disk and of the job that made it may be apart: the service's machines do not
// share one clock.
const cleanUpSlack = time.Minute

// WhyKept returns why a disk must not be deleted; "" = it may be deleted.
func (c CleanUp) WhyKept(d Disk) string {
	switch {
	case c.Job == "" || c.Start.IsZero() || c.End.IsZero():
		return "no restore is known to have completed"
	case !armid.Same(groupOf(d.ID), c.Group):
		return "it is in another resource group"
	case d.Unreadable != "":
		return "not all of it was understood: " + d.Unreadable
	case d.Job != c.Job:
		return "its tag does not name the restore"
	case c.Existing[armid.Of(d.ID)]:
		return "it was there before the restore"
	case d.Created.IsZero():
		return "it does not say when it was made"
	case d.Created.Before(c.Start.Add(-cleanUpSlack)), d.Created.After(c.End.Add(cleanUpSlack)):
		return "it was not made while the restore ran"
	case len(d.Holders) > 0:
		return "it is attached to " + lastName(d.Holders[0])
	case !d.IsFree():
		return "it is in use: its state is " + d.State
	}
	return ""
}

// groupOf returns the id of the resource group of a disk, or "".
func groupOf(disk string) string {
	parts := strings.Split(disk, "/")
	if len(parts) != 9 || !strings.EqualFold(parts[5]+"/"+parts[6]+"/"+parts[7], "providers/Microsoft.Compute/disks") || parts[8] == "" {
		return ""
	}
	return strings.Join(parts[:5], "/")
}
