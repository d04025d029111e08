package plan

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/azbackup/azbackup/internal/armid"
)

// AdoptedJob is a Restore job that does, or did a short time ago, what a change orders. The change follows it and starts
// nothing: a run that was killed can be run again.
type AdoptedJob struct {
	ID      string    `json:"job"`
	Started time.Time `json:"started"`
	Status  string    `json:"status"`
}

// IsRunning reports whether the job had not ended when the plan was made.
func (a *AdoptedJob) IsRunning() bool { return Job{Status: a.Status}.IsRunning() }

// How long after its end a restore counts as the one that is wanted, and how long the disks that it made may not be
// listed yet (docs/azure.md §25.1). AdoptionReach is how far back Restore jobs are read for it: a job that still runs may
// be older.
const (
	AdoptionReach    = 3 * 24 * time.Hour
	adoptedFor       = 24 * time.Hour
	DisksListedAfter = 10 * time.Minute
)

// adopted returns the job that does what o orders, or nil, and a note where a job may be that one and was not
// understood. Of several, a completed one counts first, then the newest.
func (m *restorer) adopted(it Item, o *RestoreOrder) (found *AdoptedJob, note string) {
	if m.request.Again {
		return nil, ""
	}
	var best *RestoreJob
	for i := range m.facts.Jobs {
		j := &m.facts.Jobs[i]
		switch {
		case !j.isOf(it) || j.Operation != JobRestore:
		case j.Unreadable != "":
			note = "a Restore job of it was not understood, so it may be restored twice: " + j.Unreadable
		case m.isOrdered(*j, o) && (best == nil || adoptFirst(*j, *best) < 0):
			best = j
		}
	}
	if best == nil {
		return nil, note
	}
	return &AdoptedJob{ID: best.ID, Started: best.Start.UTC(), Status: best.Status}, ""
}

func adoptFirst(a, b RestoreJob) int {
	return cmp.Or(boolToInt(a.IsRunning())-boolToInt(b.IsRunning()), b.Start.Compare(a.Start), strings.Compare(a.ID, b.ID))
}

// isOrdered reports whether a job restores, or restored lately, the ordered point into the ordered group.
func (m *restorer) isOrdered(j RestoreJob, o *RestoreOrder) bool {
	switch {
	case j.ID == "" || !strings.EqualFold(j.Group, lastName(o.Into)) || !j.PointTime.Equal(o.Point.Time.UTC().Truncate(time.Second)):
		return false
	case j.IsRunning():
		return true // which of the disks it restores is known at its end
	}
	return j.IsProof() && m.now.Sub(j.End) < adoptedFor && o.IsRestoredBy(j) && m.hasDisks(j, o.Into)
}

// hasDisks reports whether the disks of a completed job are there, as far as is known: they may be listed late, and may
// have been deleted since.
func (m *restorer) hasDisks(j RestoreJob, group string) bool {
	disks, read := m.facts.Disks[armid.Of(group)]
	return !read || m.now.Sub(j.End) < DisksListedAfter ||
		slices.ContainsFunc(disks, func(d Disk) bool { return d.Job != "" && strings.EqualFold(d.Job, lastName(j.ID)) })
}

// IsRestoredBy reports whether a completed job restored the disks of the order, as far as both name them.
func (o *RestoreOrder) IsRestoredBy(j RestoreJob) bool {
	switch {
	case j.Restored == nil:
		return true
	case o.Disks == nil:
		return j.Held == nil || len(j.Restored) == len(j.Held)
	case slices.ContainsFunc(o.Disks, func(d PointDisk) bool { return d.Name == "" }):
		return len(j.Restored) == len(o.Disks)
	}
	return len(j.Restored) == len(o.Disks) && !slices.ContainsFunc(o.Disks, func(d PointDisk) bool {
		return !slices.ContainsFunc(j.Restored, func(name string) bool { return strings.EqualFold(name, d.Name) })
	})
}

// GroupsRestoredInto returns the ids of the groups into which a job restored: whether its disks are still there decides
// whether it is adopted.
func (f RestoreFacts) GroupsRestoredInto() []string {
	var ids []string
	for _, g := range f.Groups {
		if slices.ContainsFunc(f.Jobs, func(j RestoreJob) bool { return j.IsProof() && strings.EqualFold(j.Group, lastName(g.ID)) }) {
			ids = append(ids, g.ID)
		}
	}
	return ids
}
