package plan

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/azbackup/azbackup/internal/armid"
)

// chosen is the recovery point chosen for a restore.
type chosen struct {
	item  *Item
	point RecoveryPoint
	tier  string
	notes []string
}

// choose returns the point of a VM that the request prefers, of all vaults that hold the VM, or why there is none.
func (m *restorer) choose(vm string) (best chosen, reason Reason, detail string) {
	unread := 0
	var whys []string
	items := m.items[armid.Of(vm)]
	slices.SortStableFunc(items, func(a, b *ItemPoints) int { return armid.Compare(a.Item.ID, b.Item.ID) })
	for _, of := range items {
		if best.item == nil {
			best.item = &of.Item // so that a blocked change names its vault
		}
		if !of.Read {
			unread++
			continue
		}
		found, whyNot := m.newest(of)
		if found.item != nil && (best.point.ID == "" || m.isBetter(found, best)) {
			best = found
		}
		if whyNot != "" && len(items) > 1 {
			whyNot = "vault " + lastName(of.Item.Vault) + ": " + whyNot
		}
		if whyNot != "" {
			whys = append(whys, whyNot)
		}
	}
	switch {
	case len(items) == 0:
		return best, ReasonNoBackup, ""
	case unread > 0:
		// A point that was not read may be the requested one.
		return best, ReasonGap, "the recovery points of " + formatCount(unread, "item")
	case best.point.ID == "":
		return best, ReasonNoRestorablePoint, strings.Join(whys, "; ")
	}
	for _, of := range items {
		if note := m.passedOver(of, best); note != "" {
			best.notes = append(slices.Clip(best.notes), note)
		}
	}
	return best, "", ""
}

// mayHoldLater returns the vault that was not read and may back up the VM of an item that is not backed up any more: one of
// the same subscription and region. It returns "" for an active item, because a VM is backed up by one vault.
func (m *restorer) mayHoldLater(it *Item) string {
	if it.Class() == ItemActive {
		return ""
	}
	here := m.vaults[armid.Of(it.Vault)]
	for _, g := range m.gaps {
		location := g.Location
		if v := m.vaults[armid.Of(g.Vault)]; v != nil {
			location = cmp.Or(v.Location, location)
		}
		elsewhere := location != "" && here != nil && armid.Location(location) != armid.Location(here.Location)
		switch {
		case g.Subscription != "" && !strings.EqualFold(g.Subscription, armid.SubscriptionOf(it.Vault)), elsewhere:
		case (g.Kind == GapItems || g.Kind == GapVault) && g.Vault != "" && !armid.Same(g.Vault, it.Vault):
			return lastName(g.Vault)
		case g.Kind == GapVaults, g.Kind == GapSubscription && g.Subscription != "":
			return "the list of vaults"
		}
	}
	return ""
}

// passedOver returns a note where another item of the VM holds a point that the request prefers to the chosen one, and that
// cannot be restored.
func (m *restorer) passedOver(of *ItemPoints, best chosen) string {
	if of.Item.ID == best.item.ID {
		return ""
	}
	var p RecoveryPoint
	for _, q := range of.Points {
		if m.isMeant(of.Item, q) && m.preferred(q.Time, best.point.Time) > 0 && (p.ID == "" || m.preferred(q.Time, p.Time) > 0) {
			p = q
		}
	}
	if p.ID == "" {
		return ""
	}
	_, why := p.RestorableTier(m.now)
	if of.Item.SoftDeleted {
		why = "the item is soft-deleted: undelete it first"
	}
	return "the point of " + p.Time.UTC().Format(time.RFC3339) + " in vault " + lastName(of.Item.Vault) + " cannot be restored: " + why
}

// isBetter reports whether a is the better of two items' points: the newer one, else the one of the active item, else
// that of the first vault.
func (m *restorer) isBetter(a, b chosen) bool {
	return cmp.Or(
		m.preferred(a.point.Time, b.point.Time),
		boolToInt(a.item.Class() == ItemActive)-boolToInt(b.item.Class() == ItemActive),
		strings.Compare(string(armid.Of(b.item.ID)), string(armid.Of(a.item.ID))),
	) > 0
}

// preferred compares the times of two points: the preferred one is greater.
func (m *restorer) preferred(a, b time.Time) int {
	if m.request.Oldest {
		return b.Compare(a)
	}
	return a.Compare(b)
}

// newest returns the newest point of an item that matches the request and can be restored (the oldest, where that is
// requested), or why there is none.
// Points are chosen by their time, never by their position in a list (docs/azure.md §25.5).
func (m *restorer) newest(of *ItemPoints) (best chosen, whyNot string) {
	if of.Item.SoftDeleted {
		if n := len(of.Points); n > 0 {
			return chosen{}, "the item is soft-deleted, with " + formatCount(n, "point") + " that can be restored after an undelete"
		}
		return chosen{}, "the item is soft-deleted: undelete it first"
	}
	points := slices.Clone(of.Points)
	slices.SortStableFunc(points, func(a, b RecoveryPoint) int {
		return cmp.Or(m.preferred(b.Time, a.Time), strings.Compare(a.ID, b.ID))
	})
	var notes []string
	unclear := ""
	for _, p := range points {
		if m.approved(of.Item) == nil && m.isUnclear(p) {
			unclear = cmp.Or(unclear, "a point that may be meant was not understood: "+p.Unreadable)
		}
	}
	if unclear != "" && m.request.Point == "" {
		notes = append(notes, unclear)
	}
	for _, p := range points {
		if !m.isMeant(of.Item, p) {
			continue
		}
		tier, why := p.RestorableTier(m.now)
		if why == "" {
			return chosen{item: &of.Item, point: p, tier: tier, notes: notes}, ""
		}
		words := "the point of " + p.Time.UTC().Format(time.RFC3339) + " cannot be restored: " + why
		whyNot = cmp.Or(whyNot, words)
		notes = append(notes, words)
	}
	switch {
	case whyNot != "":
	case m.approved(of.Item) != nil:
		whyNot = "the approved point of " + m.approved(of.Item).Time.Format(time.RFC3339) + " is not there any more"
	case unclear != "":
		whyNot = unclear
	case m.request.Point != "":
		whyNot = "there is no point " + m.request.Point
	case !m.created.IsZero() && len(points) > 0:
		whyNot = "its points are of an earlier VM of the same name"
	case m.request.Before.IsZero():
		whyNot = "there is no point"
	default:
		whyNot = "there is no point of " + m.request.Before.UTC().Format(time.RFC3339) + " or earlier"
	}
	return chosen{}, whyNot
}

// isMeant reports whether a point matches the request: the approved point, the named one, or one of the requested time. A
// point with an unknown time matches no time.
func (m *restorer) isMeant(it Item, p RecoveryPoint) bool {
	switch {
	case m.approved(it) != nil:
		return armid.Same(p.ID, m.approved(it).ID)
	case m.request.Point != "":
		return strings.EqualFold(p.Name, m.request.Point)
	case p.Time.IsZero() || p.Time.Before(m.created):
		return false
	}
	taken := p.Time
	if m.request.Before.Nanosecond() == 0 {
		// Points have fractions of seconds that no list shows: a time that is copied from one means the point of that second.
		taken = taken.Truncate(time.Second)
	}
	return m.request.Before.IsZero() || !taken.After(m.request.Before)
}

// approved returns the approved point of an item's VM, or nil.
func (m *restorer) approved(it Item) *PointRef {
	if p, ok := m.request.Approved[armid.Of(it.VM)]; ok {
		return &p
	}
	return nil
}

// isUnclear reports whether it is unknown if a point matches the request, because its name or time was not understood.
func (m *restorer) isUnclear(p RecoveryPoint) bool {
	if m.request.Point != "" {
		return p.Name == ""
	}
	return p.Time.IsZero()
}
