package apply

import (
	"slices"
	"strings"
	"time"

	"github.com/azbackup/azbackup/internal/armid"
	"github.com/azbackup/azbackup/plan"
)

// vaultSnapshot is one [Snapshot] of a vault, indexed.
type vaultSnapshot struct {
	at   time.Time // when it was requested, by our clock
	byID map[armid.Key]plan.Item
	byVM map[armid.Key]plan.Item
	jobs map[armid.Key][]plan.Job // by container
}

func newVaultSnapshot(s Snapshot, at time.Time) *vaultSnapshot {
	l := &vaultSnapshot{
		at:   at,
		byID: make(map[armid.Key]plan.Item, len(s.Items)),
		byVM: make(map[armid.Key]plan.Item, len(s.Items)),
		jobs: make(map[armid.Key][]plan.Job, len(s.Jobs)),
	}
	for _, it := range s.Items {
		l.byID[armid.Of(it.ID)] = it
		if old, twice := l.byVM[armid.Of(it.VM)]; !twice || old.SoftDeleted {
			l.byVM[armid.Of(it.VM)] = it
		}
	}
	for _, j := range s.Jobs {
		c := armid.Of(j.Container)
		l.jobs[c] = append(l.jobs[c], j)
	}
	return l
}

// item returns the item of a change: by its own id, else by its VM, because the service may spell the id of a
// new item otherwise than the request did (docs/azure.md §33.19).
func (s *vaultSnapshot) item(c plan.Change) (plan.Item, bool) {
	if it, ok := s.byID[armid.Of(c.Item)]; ok && c.Item != "" {
		return it, true
	}
	it, ok := s.byVM[armid.Of(c.Target)]
	return it, ok
}

// isConverged reports whether the item is listed in the change's desired state.
func (s *vaultSnapshot) isConverged(c plan.Change) bool {
	it, ok := s.item(c)
	return ok && plan.IsConverged(c, it)
}

// containerOf returns the container that links a change to its jobs: "iaasvmcontainerv2;group;vm", folded.
func containerOf(c plan.Change) armid.Key {
	if vm, err := armid.ParseVM(c.Target); err == nil && c.Item == "" {
		return armid.Of("iaasvmcontainerv2;" + vm.ResourceGroup + ";" + vm.Name())
	}
	key := string(armid.Of(c.Item))
	_, rest, found := strings.Cut(key, "/protectioncontainers/")
	if !found {
		return ""
	}
	container, _, _ := strings.Cut(rest, "/")
	_, name, _ := strings.Cut(container, ";")
	return armid.Key(name)
}

// phase is the progress of an operation, as far as the lists show it.
type phase int

const (
	phaseUnknown    phase = iota // nothing runs, and the item is not as desired
	phaseInProgress              // a job that configures the item is running, or ended while the vault was being read
	phaseSucceeded               // listed as desired, nothing runs, nothing failed
	phaseFailed                  // the newest job of this kind, started after our write, failed
)

// phase returns the phase of a change, and its job; no job has "" as its id. A job counts as the change's own where it
// started after since (by the service's clock) or has the operation's job id.
func (s *vaultSnapshot) phase(c plan.Change, since time.Time, jobID string) (phase, plan.Job) {
	switch c.Action {
	case plan.Backup:
		return s.backupPhase(c, since)
	case plan.Restore, plan.RestoreTest:
		return s.restorePhase(c, jobID)
	default:
	}
	var newest, ended plan.Job
	for _, j := range s.jobs[containerOf(c)] {
		if j.IsRunning() && isConfigureJob(j) {
			return phaseInProgress, j
		}
		if isConfigureJob(j) && j.End.After(s.at.Add(-clockSlack)) {
			ended = j
		}
		ours := (jobID != "" && isSameJob(j.ID, jobID)) || (!j.Start.IsZero() && !j.Start.Before(since.Add(-clockSlack)))
		if ours && strings.EqualFold(j.Operation, jobOperation(c.Action)) && (newest.ID == "" || j.Start.After(newest.Start)) {
			newest = j
		}
	}
	switch {
	case newest.HasFailed():
		return phaseFailed, newest
	case s.isConverged(c):
		return phaseSucceeded, newest
	case ended.ID != "":
		// Items and jobs are not read at the same moment: the items may still show the state before.
		return phaseInProgress, ended
	}
	return phaseUnknown, newest
}

// isUnsettled reports whether an operation on the item of a change runs, or ended while the vault was being read: items and jobs
// are not read at the same moment, and the item may still be listed as it was before.
func (s *vaultSnapshot) isUnsettled(c plan.Change) bool {
	return slices.ContainsFunc(s.jobs[containerOf(c)], func(j plan.Job) bool { return isConfigureJob(j) && (j.IsRunning() || !j.End.Before(s.at)) })
}

// backupPhase returns the phase of a backup: it has succeeded when its job is listed, unless the job has failed
// already.
func (s *vaultSnapshot) backupPhase(c plan.Change, since time.Time) (phase, plan.Job) {
	j, found := s.backupJob(c, since.Add(-clockSlack))
	switch {
	case !found:
		return phaseUnknown, j
	case j.HasFailed():
		return phaseFailed, j
	}
	return phaseSucceeded, j
}

// restorePhase returns the phase of a restore, which is that of its job: another Restore job of the item may be another
// client's.
func (s *vaultSnapshot) restorePhase(c plan.Change, jobID string) (phase, plan.Job) {
	for _, j := range s.jobs[containerOf(c)] {
		switch {
		case jobID == "" || !isSameJob(j.ID, jobID):
		case j.IsRunning():
			return phaseInProgress, j
		case j.HasFailed():
			return phaseFailed, j
		default:
			return phaseSucceeded, j
		}
	}
	return phaseUnknown, plan.Job{}
}

// clockSlack is how much earlier than the answer to its write a job may seem to start: the service's machines do
// not share one clock, and the Date header has whole seconds.
const clockSlack = 5 * time.Second

// backupJob returns a Backup job of the change's item that runs or was started after since.
func (s *vaultSnapshot) backupJob(c plan.Change, since time.Time) (plan.Job, bool) {
	for _, j := range s.jobs[containerOf(c)] {
		if j.IsBackup() && (j.IsRunning() || j.Start.After(since)) {
			return j, true
		}
	}
	return plan.Job{}, false
}

// findJob returns the job of the change's item with this id, and whether it is listed.
func (s *vaultSnapshot) findJob(c plan.Change, jobID string) (plan.Job, bool) {
	for _, j := range s.jobs[containerOf(c)] {
		if isSameJob(j.ID, jobID) {
			return j, true
		}
	}
	return plan.Job{}, false
}

// jobOperation returns the service's name for the job of an action (docs/azure.md §6).
func jobOperation(a plan.Action) string {
	switch a {
	case plan.Stop:
		return "DisableBackup"
	case plan.Undelete:
		return "Undelete"
	case plan.Backup:
		return "Backup"
	default:
		return "ConfigureBackup"
	}
}

// isConfigureJob reports whether a job changes how an item is protected; a backup does not.
func isConfigureJob(j plan.Job) bool {
	switch strings.ToLower(j.Operation) {
	case "backup", "restore", "crossregionrestore":
		return false
	}
	return true
}

// isSameJob reports whether two job ids, each a whole resource id or bare, name the same job.
func isSameJob(a, b string) bool {
	last := func(s string) armid.Key {
		k := string(armid.Of(s))
		return armid.Key(k[strings.LastIndex(k, "/")+1:])
	}
	return last(a) == last(b)
}
