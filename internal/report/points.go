package report

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/azbackup/azbackup/plan"
)

// Points are the recovery points of some VMs at a time.
type Points struct {
	Now  time.Time
	VMs  []VMPoints // in the order in which the caller asked for them
	Gaps []plan.Gap
	// Subscriptions are display names by folded id, as far as they were read.
	Subscriptions map[string]string
}

// names returns how to name the VMs: with the subscription where VMs of several subscriptions share a name.
func (p Points) names() namesakes {
	return namesakesOfIDs(p.Subscriptions, func(yield func(string) bool) {
		for _, v := range p.VMs {
			if !yield(v.VM) {
				return
			}
		}
	})
}

// VMPoints are the recovery points of a VM in one vault.
type VMPoints struct {
	VM string // id
	// Gone means that the VM is known not to exist, Unseen that no list showed it.
	Gone, Unseen bool
	// Item is nil where no vault that was read backs the VM up.
	Item *plan.Item
	// Read reports whether the points could be read.
	Read   bool
	Points []Point // newest first
}

// Point is a recovery point with what else is known of it.
type Point struct {
	plan.RecoveryPoint
	// Proof is the last job that restored it to the end; nil = none that is known.
	Proof *plan.RestoreJob
	// MayBePrunedEarlier reports whether the policy that the file wants may expire the point earlier than today's policy does.
	MayBePrunedEarlier bool
}

// state returns an item's state for people.
func (v VMPoints) state() string {
	switch {
	case v.Item == nil:
		return ""
	case v.Item.SoftDeleted:
		return plan.StateSoftDeleted
	case v.Item.Partial:
		return ""
	}
	return v.Item.State
}

// whyNot returns why a point cannot be restored now; "" = it can.
func (v VMPoints) whyNot(p Point, now time.Time) string {
	if _, why := p.RestorableTier(now); why != "" {
		return why
	}
	if v.Item.SoftDeleted {
		return "its item is soft-deleted: undelete it first"
	}
	return ""
}

// consistencyWords returns short words for recoveryPointType.
func consistencyWords(s string) string {
	for word, short := range map[string]string{
		"AppConsistent": "application", "FileSystemConsistent": "file system", "CrashConsistent": "crash",
	} {
		if strings.EqualFold(s, word) {
			return short
		}
	}
	return s
}

// tierWords returns the tiers of a point: where a restore comes from fastest stands first.
func tierWords(tiers []plan.PointTier) string {
	if tiers == nil {
		return "tiers not told"
	}
	names := map[string]string{plan.TierInstant: "snapshot", plan.TierVault: "vault", plan.TierArchive: "archive"}
	var words []string
	for _, want := range []string{plan.TierInstant, plan.TierVault, plan.TierArchive} {
		for _, t := range tiers {
			if strings.EqualFold(t.Type, want) {
				words = append(words, tierWord(names[want], t.Status))
			}
		}
	}
	for _, t := range tiers {
		known := slices.ContainsFunc([]string{plan.TierInstant, plan.TierVault, plan.TierArchive}, func(k string) bool { return strings.EqualFold(k, t.Type) })
		if !known {
			words = append(words, tierWord(t.Type, t.Status))
		}
	}
	return strings.Join(words, ", ")
}

func tierWord(tier, status string) string {
	switch {
	case strings.EqualFold(status, "Valid"):
		return tier
	case status == "":
		status = "not known"
	}
	return tier + " (" + strings.ToLower(status) + ")"
}

// heldWords returns the disks in a point: those that are left out are named.
func heldWords(d *plan.PointDisks) string {
	if d == nil {
		return ""
	}
	words := fmt.Sprintf("%d of %d disks", d.Held, d.Attached)
	if len(d.Excluded) > 0 {
		words += ", without " + diskNames(d.Excluded)
	}
	return words
}

func diskNames(disks []plan.PointDisk) string {
	names := make([]string, len(disks))
	for i, d := range disks {
		names[i] = d.Name
	}
	return strings.Join(names, ", ")
}
