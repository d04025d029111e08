package state

import (
	"container/heap"
	"encoding/json"
	"time"
)

// Operation is work that continues after its request was answered: a long-running operation with its job, the purge of
// a soft-deleted item, the expiry of a recovery point. It holds absolute times and the request, so it continues after
// the simulator was killed.
type Operation struct {
	ID string `json:"id"`
	// Action is the effect at the end: [ActProtect] and so on.
	Action string `json:"action"`
	// Vault and Target are keys; Target is locked against other operations meanwhile.
	Vault  string `json:"vault,omitempty"`
	Target string `json:"target,omitempty"`
	// StatusPath and ResultPath are the paths the client polls, in the spelling it used.
	StatusPath string    `json:"status_path,omitempty"`
	ResultPath string    `json:"result_path,omitempty"`
	Version    string    `json:"version,omitempty"`
	Started    time.Time `json:"started"`
	Ends       time.Time `json:"ends,omitzero"`
	// Snapshot is when the first task of a backup's job ends, Handover when the job shows its second task, JobEnds when
	// the job ends, after the operation (docs/azure.md §5). Each is zero once it has passed. A restore has no Handover.
	Snapshot time.Time `json:"snapshot,omitzero"`
	Handover time.Time `json:"handover,omitzero"`
	JobEnds  time.Time `json:"job_ends,omitzero"`
	State    string    `json:"state"`
	Code     string    `json:"code,omitempty"`
	Message  string    `json:"message,omitempty"`
	Jobs     []string  `json:"jobs,omitempty"`
	// JobsFailed are the jobs of a policy update that could not be started (docs/azure.md §8.1).
	JobsFailed map[string]string `json:"jobs_failed,omitempty"`
	Request    json.RawMessage   `json:"request,omitempty"`
	// JobFails makes the job end Failed though the operation's status is Succeeded.
	JobFails bool `json:"job_fails,omitempty"`
	// JobCode and JobMessage are the reason for the failure.
	JobCode    string `json:"job_code,omitempty"`
	JobMessage string `json:"job_message,omitempty"`
	// Disks is the fate of a restore's disks: see Fault.Disks.
	Disks string `json:"disks,omitempty"`
	// Hangs keeps it InProgress forever.
	Hangs bool `json:"hangs,omitempty"`

	// Cause is the request that started the operation; unknown for operations already running when the server starts.
	Cause Cause `json:"-"`
}

// The effects that the end of an operation can have.
const (
	ActProtect     = "protect"
	ActModify      = "modify"
	ActStop        = "stop"
	ActSuspend     = "suspend"
	ActResume      = "resume"
	ActUndelete    = "undelete"
	ActSoftDelete  = "softDelete"
	ActHardDelete  = "hardDelete"
	ActBackup      = "backup"
	ActRestore     = "restore"
	ActValidate    = "validate"
	ActDeleteDisk  = "deleteDisk"
	ActCancel      = "cancel"
	ActRefresh     = "refresh"
	ActPolicy      = "policy"
	ActVaultCreate = "vaultCreate"
	ActVaultUpdate = "vaultUpdate"
	ActVaultDelete = "vaultDelete"
	// ActVanish and ActSettle follow the deletion and the creation of a vault.
	ActVanish = "vanish"
	ActSettle = "settle"
	// ActAppear puts restored disks into their group.
	ActAppear = "appear"

	ActScheduled = "scheduled"
	ActPurge     = "purge"
	ActExpire    = "expire"
	// ActAdopted ends a job that ran when the estate was taken.
	ActAdopted = "adopted"
)

// What the status of an operation says.
const (
	InProgress = "InProgress"
	Succeeded  = "Succeeded"
	Failed     = "Failed"
)

// operationRetention is how long the status of an ended operation can be read. UNVERIFIED.
const operationRetention = 24 * time.Hour

// IsRunning reports whether the operation itself is running; see [Operation.IsJobRunning] for its job.
func (op *Operation) IsRunning() bool { return op.State == InProgress }

// IsJobRunning reports whether the job of a backup or a restore is running.
func (op *Operation) IsJobRunning() bool { return !op.JobEnds.IsZero() }

// nextEvent returns when the operation's next timer is due; zero: never.
func (op *Operation) nextEvent() time.Time {
	var next time.Time
	for _, t := range []time.Time{op.EndsAt(), op.Snapshot, op.Handover, op.JobEnds} {
		if !t.IsZero() && (next.IsZero() || t.Before(next)) {
			next = t
		}
	}
	if op.IsComplete() {
		return op.Ends.Add(operationRetention)
	}
	return next
}

// IsComplete reports whether the operation and its job have ended; it is only kept for status requests.
func (op *Operation) IsComplete() bool {
	return !op.IsRunning() && op.Snapshot.IsZero() && op.Handover.IsZero() && op.JobEnds.IsZero()
}

// EndsAt returns when the operation itself ends; zero: it has ended, or never does.
func (op *Operation) EndsAt() time.Time {
	if op.Hangs || !op.IsRunning() {
		return time.Time{}
	}
	return op.Ends
}

// IsInternal reports whether the service itself started the operation; such operations never cause conflicts.
func (op *Operation) IsInternal() bool {
	switch op.Action {
	case ActPurge, ActExpire, ActScheduled, ActVanish, ActSettle, ActAppear:
		return true
	}
	return false
}

// Start records op as running.
func (st *State) Start(op *Operation) {
	st.putOp(op)
	st.addTimer(op.nextEvent(), op.ID)
}

// OperationOn returns the operation that runs on target, or nil.
func (st *State) OperationOn(target string) *Operation {
	for _, id := range st.OnTarget[target] {
		if op := st.Ops[id]; op != nil && op.IsRunning() && !op.IsInternal() {
			return op
		}
	}
	return nil
}

// BackupOn returns the operation whose backup job runs on target, or nil.
func (st *State) BackupOn(target string) *Operation {
	for _, id := range st.OnTarget[target] {
		if op := st.Ops[id]; op != nil && op.Action == ActBackup && op.IsJobRunning() {
			return op
		}
	}
	return nil
}

// timer is a moment at which an operation changes by itself.
type timer struct {
	at time.Time
	ID string
}

type timerQueue []timer

func (q timerQueue) Len() int { return len(q) }

// Less orders by time, then by id, so that two runs do the same.
func (q timerQueue) Less(i, j int) bool {
	if !q[i].at.Equal(q[j].at) {
		return q[i].at.Before(q[j].at)
	}
	return q[i].ID < q[j].ID
}
func (q timerQueue) Swap(i, j int) { q[i], q[j] = q[j], q[i] }

// Push implements heap.Interface.
func (q *timerQueue) Push(x any) { *q = append(*q, x.(timer)) }

// Pop implements heap.Interface.
func (q *timerQueue) Pop() any {
	last := (*q)[len(*q)-1]
	*q = (*q)[:len(*q)-1]
	return last
}

// PopDue removes the earliest timer that is due at now, and returns its operation and its moment; nil: none is due.
func (st *State) PopDue(now time.Time) (*Operation, time.Time) {
	for len(st.timers) > 0 && !st.timers[0].at.After(now) {
		d := heap.Pop(&st.timers).(timer)
		if op := st.Ops[d.ID]; op != nil && op.nextEvent().Equal(d.at) {
			return op, d.at
		}
	}
	return nil, time.Time{}
}

// ResumeTimers sets the timers of the operations that run in the estate.
func (st *State) ResumeTimers() {
	for _, op := range st.Ops {
		st.addTimer(op.nextEvent(), op.ID)
	}
}

func (st *State) addTimer(at time.Time, id string) {
	if !at.IsZero() {
		heap.Push(&st.timers, timer{at, id})
	}
}
