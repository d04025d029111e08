package plan

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/azbackup/azbackup/internal/armid"
)

// AdoptedJob is a Restore job that does, or did in the last 24 hours, what a change orders. The change follows this job
// and starts none: so a run that was killed can be run again.
type AdoptedJob struct {
	ID      string    `json:"job"` // resource id
	Started time.Time `json:"started"`
	Status  string    `json:"status"` // when the plan was made
}

// IsRunning reports whether the job had not ended when the plan was made.
func (a *AdoptedJob) IsRunning() bool { return Job{Status: a.Status}.IsRunning() }

// AdoptionReach is how far back Restore jobs that have ended are read to adopt one. adoptedFor is how long after its end a completed job
// is adopted; one that still runs is adopted whatever its age. DisksListedAfter is how long after the end of a job the
// list of disks may lack those that it made (docs/azure.md §25.1).
const (
	AdoptionReach    = 3 * 24 * time.Hour
	adoptedFor       = 24 * time.Hour
	DisksListedAfter = 10 * time.Minute
)

// adopted returns the job that does what o orders, or nil; the note is set where a job that was not understood may be it.
// Of several jobs it returns a completed one before a running one, then the newest.
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

// jobsUnread reports whether the Restore jobs of a vault could not be read: then it is not known what an earlier run
// restored.
func (m *restorer) jobsUnread(vault string) bool {
	return slices.ContainsFunc(m.facts.Gaps, func(g Gap) bool {
		return g.Kind == GapJobs && g.Code != CodeNotUnderstood && armid.Same(g.Vault, vault)
	})
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

// hasDisks reports whether a group still holds a disk of a completed job. It returns true as well where the disks were
// not read or may not be listed yet.
func (m *restorer) hasDisks(j RestoreJob, group string) bool {
	disks, read := m.facts.Disks[armid.Of(group)]
	return !read || m.now.Sub(j.End) < DisksListedAfter ||
		slices.ContainsFunc(disks, func(d Disk) bool { return d.Job != "" && strings.EqualFold(d.Job, lastName(j.ID)) })
}

// IsRestoredBy reports whether a completed job restored the disks of the order. It compares their names, or their
// numbers where a name is missing; a job that names no disks is taken to have restored them.
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

// GroupsRestoredInto returns the ids of the groups into which a completed job restored. The caller reads their disks into
// [RestoreFacts.Disks]: a job whose disks are gone is not adopted.
func (f RestoreFacts) GroupsRestoredInto() []string {
	var ids []string
	for _, g := range f.Groups {
		if slices.ContainsFunc(f.Jobs, func(j RestoreJob) bool { return j.IsProof() && strings.EqualFold(j.Group, lastName(g.ID)) }) {
			ids = append(ids, g.ID)
		}
	}
	return ids
}
