package plan

import (
	"fmt"
	"strings"
	"time"
)

// RecoveryPoint is a recovery point of an item. The list of points returns fewer fields than the point's own document
// (docs/azure.md §33.45).
type RecoveryPoint struct {
	ID   string
	Name string
	Item string // item id
	Time time.Time
	// Consistency is recoveryPointType: AppConsistent, FileSystemConsistent, CrashConsistent.
	Consistency string
	// Tiers are the tiers that hold the point; nil = not given by the service.
	Tiers []PointTier
	// Disks are the disks that the point holds; nil = not given, as in a list, or where no disk is excluded.
	Disks *PointDisks
	// Expires is when the service deletes it; zero = not given.
	Expires     time.Time
	SoftDeleted bool
	OS          string // osType as read: Windows or Linux; "" = not given
	// Unmanaged is true where the VM had no managed disks that a restore could create again.
	Unmanaged bool
	// PrivateAccess is true where a disk was reachable through private endpoints alone: a restore must set the access
	// of the new disks (docs/azure.md §25.2).
	PrivateAccess bool
	Encrypted     bool   // by the VM itself (Azure Disk Encryption)
	EdgeZone      string // the edge zone that holds it, or ""
	// Unreadable is the part of the point that was not understood, with its value. Such a point is never restored.
	Unreadable string
}

// PointTier is a tier that holds a recovery point (docs/azure.md §19).
type PointTier struct {
	Type   string // [TierInstant], [TierVault] or [TierArchive]
	Status string // as read: Valid, Disabled, Deleted, Rehydrated
	// RehydratedUntil is when a point rehydrated from the archive leaves the tier again; zero = not given.
	RehydratedUntil time.Time
}

// PointDisks are the disks of a VM when a recovery point was taken.
type PointDisks struct {
	Included, Excluded []PointDisk // nil = only their number was given
	// Held and Attached are the numbers of disks that the point holds and that the VM had.
	Held, Attached int
}

// PointDisk is a disk listed by a recovery point.
type PointDisk struct {
	LUN  int    `json:"lun"`            // [OSDisk] for the OS disk
	Name string `json:"name,omitempty"` // "" = not given
}

// OSDisk is the LUN under which the service lists the OS disk (docs/azure.md §33.45).
const OSDisk = -1

// The tiers of docs/azure.md §19, and their statuses that decide.
const (
	TierInstant = "InstantRP"
	TierVault   = "HardenedRP"
	TierArchive = "ArchivedRP"
	tierValid   = "Valid"
	tierWarm    = "Rehydrated"
)

// RestorableTier returns the tier from which the point can be restored now, or why it cannot. A tier of "" without a
// reason means that the service did not give the point's tiers: the service decides at the restore.
func (p RecoveryPoint) RestorableTier(now time.Time) (tier, whyNot string) {
	switch {
	case p.Unreadable != "":
		return "", "not all of it was understood: " + p.Unreadable
	case p.SoftDeleted:
		return "", "it is soft-deleted"
	case p.Unmanaged:
		return "", "it holds no managed disks"
	case p.EdgeZone != "":
		return "", "it lies in the edge zone " + p.EdgeZone
	case p.Tiers == nil:
		return "", ""
	}
	archived := false
	for _, want := range []string{TierInstant, TierVault, TierArchive} {
		for _, t := range p.Tiers {
			if !strings.EqualFold(t.Type, want) {
				continue
			}
			valid := strings.EqualFold(t.Status, tierValid)
			warm := strings.EqualFold(t.Status, tierWarm) && (t.RehydratedUntil.IsZero() || t.RehydratedUntil.After(now))
			if valid && want != TierArchive || warm && want != TierInstant {
				return want, ""
			}
			archived = archived || want == TierArchive && (valid || strings.EqualFold(t.Status, tierWarm))
		}
	}
	if archived {
		return "", "it is in the archive tier alone: it needs rehydration first, which takes hours to a day"
	}
	return "", "no tier of it is valid: " + p.describeTiers()
}

func (p RecoveryPoint) describeTiers() string {
	if len(p.Tiers) == 0 {
		return "it has none"
	}
	words := make([]string, len(p.Tiers))
	for i, t := range p.Tiers {
		words[i] = fmt.Sprintf("%s is %s", t.Type, t.Status)
	}
	return strings.Join(words, ", ")
}
