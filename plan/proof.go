package plan

import (
	"time"

	"github.com/azbackup/azbackup/internal/armid"
)

// RestoreTestOrder names the test of the file that a change of action [RestoreTest] belongs to, and why it is due. A blocked
// test has it as well, without a [RestoreOrder], unless the operator requested the test ([MakeRestoreTests]).
type RestoreTestOrder struct {
	Name  string   `json:"name"` // of the entry in restoreTests
	Every Duration `json:"every"`
	// Proven is the latest restore of the VM into the group of the test; nil = none is known.
	Proven *RestoreProof `json:"proven"`
	// DueSince is when Proven got older than Every; nil = never proven.
	DueSince *time.Time `json:"due_since,omitempty"`
	// Point is which point is taken, "latest" or "oldest"; "" = the one that the operator chose by its name or a time.
	Point string `json:"point,omitempty"`
	// Group is the id of the resource group that the file names for the disks, [RestoreOrder.Into] of the change. Disks
	// are removed from this group alone.
	Group string `json:"group"`
}

// RestoreProof is a completed restore: the job that the service keeps is the proof (docs/design.md §12).
type RestoreProof struct {
	Time time.Time `json:"time"` // the end of the job
	Job  string    `json:"job"`  // resource id
	// Point is the time of the restored recovery point, in whole seconds.
	Point   time.Time `json:"point"`
	Seconds int64     `json:"seconds"` // how long the job took
}

// approvedTest returns the part of a test that the operator approves.
func approvedTest(o *RestoreTestOrder) *RestoreTestOrder {
	if o == nil {
		return nil
	}
	return &RestoreTestOrder{Name: o.Name, Point: o.Point, Group: string(armid.Of(o.Group))}
}

// isSameTest reports whether two changes restore the same disks into the same group through the same account, for the
// same test. The recovery point differs as time goes by.
func isSameTest(a, b Change) bool {
	if a.Test == nil || b.Test == nil || a.RestoreOrder == nil || b.RestoreOrder == nil {
		return false
	}
	x, y := a.RestoreOrder, b.RestoreOrder
	return a.Test.Name == b.Test.Name && armid.Same(a.Vault, b.Vault) && x.Select.String() == y.Select.String() &&
		armid.Same(x.Into, y.Into) && armid.Same(x.Staging, y.Staging)
}
