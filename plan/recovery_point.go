package plan

import (
	"fmt"
	"strings"
	"time"
)

// RecoveryPoint is a recovery point of an item. Its list tells less of it than its own document (docs/azure.md §33.45).
type RecoveryPoint struct {
	ID   string
	Name string
	Item string // item id
	Time time.Time
	// Consistency is recoveryPointType: AppConsistent, FileSystemConsistent, CrashConsistent.
	Consistency string
	// Tiers are where the point lies; nil = the service did not say.
	Tiers []PointTier
	// Disks are those it holds; nil = not told, as where nothing is left out.
	Disks *PointDisks
	// Expires is when the service lets it go; zero = not said.
	Expires     time.Time
	SoftDeleted bool
	OS          string
	// Unmanaged says that the VM had no managed disks, which a restore could bring back as such.
	Unmanaged bool
	// PrivateAccess says that a disk was reachable through private endpoints alone: a restore has to say what becomes
	// of that (docs/azure.md §25.2).
	PrivateAccess bool
	Encrypted     bool   // by the VM itself (Azure Disk Encryption)
	EdgeZone      string // the edge zone in which it lies, or ""
	// Unreadable says what of the point was not understood, with the value. Such a point is never restored.
	Unreadable string
}

// PointTier is a place in which a recovery point lies.
type PointTier struct {
	Type   string
	Status string
	// RehydratedUntil is how long a point that was brought back from the archive stays; zero = not said.
	RehydratedUntil time.Time
}

// PointDisks are the disks of a VM when a recovery point was taken.
type PointDisks struct {
	Included, Excluded []PointDisk // nil = only their number was told
	// Held and Attached are how many disks the point holds and the VM had.
	Held, Attached int
}

// PointDisk is a disk that a recovery point tells of.
type PointDisk struct {
	LUN  int    `json:"lun"`            // [OSDisk] for the OS disk
	Name string `json:"name,omitempty"` // "" = not told
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

// RestorableTier says from which tier the point can be restored now, or why it cannot. A tier of "" with no reason is a point
// whose tiers the service did not tell: it is for the service to say.
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
