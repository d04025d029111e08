package plan

import (
	"fmt"
	"slices"
	"time"

	"github.com/azbackup/azbackup/config"
	"github.com/azbackup/azbackup/internal/armid"
)

// MaxPointReads is the maximum number of items whose recovery points a plan requests: one request each, out of an
// hourly budget of at least 150 ([BackupRequestsPerHour]).
const MaxPointReads = 50

// expiry describes the recovery points that a change may expire: those of these items, when their policy turns from
// before into after.
type expiry struct {
	before *PolicySpec // nil = all points are kept now, or the retention is unknown
	after  *PolicySpec // nil = the retention is unknown
	items  []*Item
	// unlisted is the number of further items under the policy, as the service counts them.
	unlisted int
}

// newExpiry returns the expiry of items whose policy turns from before into after; nil where no recovery point can expire
// earlier.
func newExpiry(before, after *PolicySpec, unlisted int, items ...*Item) *expiry {
	if before != nil && after != nil && !shortensRetention(*before, *after) {
		return nil
	}
	return &expiry{before: before, after: after, items: items, unlisted: unlisted}
}

// expires reports whether the change may expire the point (upper bound): no daily retention keeps it, nor does a
// retention that got shorter or selects less. No list shows which point a weekly, monthly or yearly retention had
// selected.
func (l *expiry) expires(taken, now time.Time) bool {
	to := l.after.Retention
	if to.Days > 0 && !taken.AddDate(0, 0, to.Days).Before(now) {
		return false
	}
	if l.before == nil {
		return true
	}
	from := l.before.Retention
	return to.Days < from.Days ||
		to.Weeks.expires(from.Weeks, weeksLater, taken, now) ||
		to.Months.expires(from.Months, monthsLater, taken, now) ||
		to.Years.expires(from.Years, yearsLater, taken, now)
}

// expires reports whether a point that the retention old selected may no longer be kept.
func (k *KeepSpec) expires(old *KeepSpec, later func(time.Time, int) time.Time, taken, now time.Time) bool {
	if k.covers(old) {
		return false
	}
	return k == nil || !k.coversSelection(old) || later(taken, k.Keep).Before(now)
}

// isExpired reports whether a point is older than all retentions of the policy allow, however it was selected.
func (r RetentionSpec) isExpired(taken, now time.Time) bool {
	keeps := func(k *KeepSpec, later func(time.Time, int) time.Time) bool {
		return k != nil && !later(taken, k.Keep).Before(now)
	}
	return taken.AddDate(0, 0, r.Days).Before(now) &&
		!keeps(r.Weeks, weeksLater) && !keeps(r.Months, monthsLater) && !keeps(r.Years, yearsLater)
}

func weeksLater(t time.Time, n int) time.Time  { return t.AddDate(0, 0, 7*n) }
func monthsLater(t time.Time, n int) time.Time { return t.AddDate(0, n, 0) }
func yearsLater(t time.Time, n int) time.Time  { return t.AddDate(n, 0, 0) }

// PointsPrunedEarlier returns a function that reports whether, once the file is applied, a recovery point of an item (by its id)
// may expire earlier than under its policy now: an upper bound, as in the notes of a plan.
func PointsPrunedEarlier(c *config.Config, o Observed, opt Options) func(item string, taken time.Time) bool {
	m := newPlanner(c, &o, opt, nil)
	m.planVaults()
	m.planPolicies()
	m.decideAll(m.vmStates())
	m.arrangeChanges()
	of := map[armid.Key][]*expiry{}
	for _, d := range m.changes {
		if d.expiry == nil {
			continue
		}
		for _, it := range d.expiry.items {
			of[armid.Of(it.ID)] = append(of[armid.Of(it.ID)], d.expiry)
		}
	}
	return func(item string, taken time.Time) bool {
		return slices.ContainsFunc(of[armid.Of(item)], func(l *expiry) bool {
			return l.after == nil || l.expires(taken, opt.Now) // a point under an unknown retention may expire
		})
	}
}

// expiredPoints counts the recovery points that some changes may expire; a point counts once, however many changes
// expire it.
type expiredPoints struct {
	points, beyond int // points that may expire; of them, points older than every retention
	items, unread  int // items with counted points; items whose points were not read
	oldest         time.Time
}

// add counts the points of one item that any of its expiries may let expire.
func (p *expiredPoints) add(points []time.Time, losses []*expiry, now time.Time) {
	p.items++
	for _, taken := range points {
		lost, beyond := false, false
		for _, l := range losses {
			if l.expires(taken, now) {
				lost, beyond = true, beyond || l.after.Retention.isExpired(taken, now)
			}
		}
		if !lost {
			continue
		}
		p.points++
		p.beyond += boolToInt(beyond)
		if p.oldest.IsZero() || taken.Before(p.oldest) {
			p.oldest = taken
		}
	}
}

// describe returns "up to 37 recovery points of 4 items (oldest 2026-03-01), …", or "" where there are no items.
func (p *expiredPoints) describe() string {
	switch {
	case p.items == 0 && p.unread == 0:
		return ""
	case p.items == 0:
		return "those of " + formatCount(p.unread, "item") + " were not read"
	}
	s := fmt.Sprintf("none today of %s", formatCount(p.items, "item"))
	if p.points > 0 {
		s = fmt.Sprintf("up to %s of %s (oldest %s)", formatCount(p.points, "recovery point"), formatCount(p.items, "item"), p.oldest.UTC().Format(time.DateOnly))
	}
	if p.beyond > 0 {
		s += fmt.Sprintf(", %d of them older than all that is kept", p.beyond)
	}
	if p.unread > 0 {
		s += "; those of " + formatCount(p.unread, "item") + " were not read"
	}
	return s
}

// countExpired counts the points that these expiries may let expire, each item once.
func (pl *planner) countExpired(losses ...*expiry) expiredPoints {
	var out expiredPoints
	of := map[armid.Key][]*expiry{}
	var items []*Item
	unknown := map[armid.Key]bool{}
	for _, l := range losses {
		out.unread += l.unlisted
		for _, it := range l.items {
			k := armid.Of(it.ID)
			if of[k] == nil {
				items = append(items, it)
			}
			of[k] = append(of[k], l)
			unknown[k] = unknown[k] || l.after == nil
		}
	}
	for _, it := range items {
		k := armid.Of(it.ID)
		points, read := pl.pointsOf(it)
		if !read || unknown[k] {
			out.unread++
			continue
		}
		out.add(points, of[k], pl.opt.Now)
	}
	return out
}

// pointsOf returns the recovery points of an item, and whether they are known. An empty list for an item that was backed
// up is incomplete: an estate may hold the item without its points.
func (pl *planner) pointsOf(it *Item) (points []time.Time, known bool) {
	points = pl.index.points[armid.Of(it.ID)]
	return points, len(points) > 0 || !it.mayHavePoints()
}

// unapprovedExpiries lists the expiries of the plan's changes that no rule allows.
func (pl *planner) unapprovedExpiries() []*expiry {
	var out []*expiry
	for i := range pl.changes {
		if d := &pl.changes[i]; d.expiry != nil && !d.Allowed {
			out = append(out, d.expiry)
		}
	}
	return out
}

// noteExpiry adds to each change a note on the points that it may expire.
func (pl *planner) noteExpiry() {
	for i := range pl.changes {
		d := &pl.changes[i]
		if d.expiry == nil || d.Allowed {
			continue
		}
		if counted := pl.countExpired(d.expiry); counted.describe() != "" {
			d.Notes = append(d.Notes, "recovery points that may be pruned earlier: "+counted.describe())
		}
	}
}

// retentionMessage returns the refusal of a retention cut.
func (pl *planner) retentionMessage(t guardCounts) string {
	if t.retention == t.instantOnly {
		return formatCount(t.retention, "change") + " after which recovery points stay for fewer days in the tier for instant restore; none is pruned for it"
	}
	s := formatCount(t.retention, "change") + " after which recovery points that exist may be pruned earlier"
	counted := pl.countExpired(pl.unapprovedExpiries()...)
	if words := counted.describe(); words != "" {
		s += ": " + words
	}
	if t.instantOnly > 0 {
		s += fmt.Sprintf("; %d of the changes only shorten instant restore", t.instantOnly)
	}
	return s
}
