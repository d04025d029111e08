package simulator

import (
	"container/heap"
	"encoding/json"
	"net/http"
	"slices"
	"time"

	"github.com/azbackup/azbackup/internal/simulator/rawjson"
)

// operation is work that continues after its request was answered: a long-running operation with its job, the purge of
// a soft-deleted item, the expiry of a recovery point. It holds absolute times and the request, so it continues after
// the simulator was killed.
type operation struct {
	ID string `json:"id"`
	// Action is the effect at the end: one of the act constants.
	Action string `json:"action"`
	// Vault and Target are keys; Target is locked against other operations meanwhile.
	Vault  string `json:"vault,omitempty"`
	Target string `json:"target,omitempty"`
	// Status and Result are the paths the client polls, in the spelling it used.
	StatusPath string    `json:"status_path,omitempty"`
	ResultPath string    `json:"result_path,omitempty"`
	Version    string    `json:"version,omitempty"`
	Started    time.Time `json:"started"`
	Ends       time.Time `json:"ends,omitzero"`
	// Snapshot, Handover and JobEnds are the phases of a backup, whose job outlives the operation (docs/azure.md §5).
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

	// cause is the request that started the operation; unknown for operations already running when the server starts.
	cause Cause
}

// The ends an operation can have.
const (
	actProtect     = "protect"
	actModify      = "modify"
	actStop        = "stop"
	actSuspend     = "suspend"
	actResume      = "resume"
	actUndelete    = "undelete"
	actSoftDelete  = "softDelete"
	actHardDelete  = "hardDelete"
	actBackup      = "backup"
	actRestore     = "restore"
	actValidate    = "validate"
	actDeleteDisk  = "deleteDisk"
	actCancel      = "cancel"
	actRefresh     = "refresh"
	actPolicy      = "policy"
	actVaultCreate = "vaultCreate"
	actVaultUpdate = "vaultUpdate"
	actVaultDelete = "vaultDelete"
	// actVanish and actSettle follow the deletion and the creation of a vault.
	actVanish = "vanish"
	actSettle = "settle"
	// actAppear puts restored disks into their group.
	actAppear = "appear"

	actPurge  = "purge"
	actExpire = "expire"
	// actAdopted ends a job that ran when the estate was taken.
	actAdopted = "adopted"
)

const (
	inProgress = "InProgress"
	succeeded  = "Succeeded"
	failed     = "Failed"
)

// operationRetention is how long the status of an ended operation can be read. UNVERIFIED.
const operationRetention = 24 * time.Hour

// isRunning reports whether the operation itself is running; isJobRunning whether its job is.
func (op *operation) isRunning() bool { return op.State == inProgress }

func (op *operation) isJobRunning() bool { return !op.JobEnds.IsZero() }

// nextEvent returns when the operation's next timer is due; zero: never.
func (op *operation) nextEvent() time.Time {
	var next time.Time
	for _, t := range []time.Time{op.endsAt(), op.Snapshot, op.Handover, op.JobEnds} {
		if !t.IsZero() && (next.IsZero() || t.Before(next)) {
			next = t
		}
	}
	if op.isComplete() {
		return op.Ends.Add(operationRetention)
	}
	return next
}

// isComplete reports whether the operation and its job have ended; it is only kept for status requests.
func (op *operation) isComplete() bool {
	return !op.isRunning() && op.Snapshot.IsZero() && op.Handover.IsZero() && op.JobEnds.IsZero()
}

func (op *operation) endsAt() time.Time {
	if op.Hangs || !op.isRunning() {
		return time.Time{}
	}
	return op.Ends
}

// isInternal reports whether the service itself started the operation; such operations never cause conflicts.
func (op *operation) isInternal() bool {
	switch op.Action {
	case actPurge, actExpire, actScheduled, actVanish, actSettle, actAppear:
		return true
	}
	return false
}

// start records op as running.
func (st *state) start(op *operation) {
	st.putOp(op)
	st.addTimer(op.nextEvent(), op.ID)
}

// operationOn returns the operation that runs on target, or nil.
func (st *state) operationOn(target string) *operation {
	for _, id := range st.onTarget[target] {
		if op := st.ops[id]; op != nil && op.isRunning() && !op.isInternal() {
			return op
		}
	}
	return nil
}

// backupOn returns the operation whose backup job runs on target, or nil.
func (st *state) backupOn(target string) *operation {
	for _, id := range st.onTarget[target] {
		if op := st.ops[id]; op != nil && op.Action == actBackup && op.isJobRunning() {
			return op
		}
	}
	return nil
}

// timer is a moment at which an operation changes by itself.
type timer struct {
	at time.Time
	id string
}

type timerQueue []timer

func (q timerQueue) Len() int { return len(q) }

// Less orders by time, then by id, so that two runs do the same.
func (q timerQueue) Less(i, j int) bool {
	if !q[i].at.Equal(q[j].at) {
		return q[i].at.Before(q[j].at)
	}
	return q[i].id < q[j].id
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

func (st *state) addTimer(at time.Time, id string) {
	if !at.IsZero() {
		heap.Push(&st.timers, timer{at, id})
	}
}

// runDue runs all timers due at now, in order.
func (s *Server) runDue(now time.Time) {
	st := s.st
	for len(st.timers) > 0 && !st.timers[0].at.After(now) {
		d := heap.Pop(&st.timers).(timer)
		if op := st.ops[d.id]; op != nil && op.nextEvent().Equal(d.at) {
			s.hasTimePassed = s.hasTimePassed || s.clock.isResumed && d.at.After(s.clock.estateStart)
			st.withCause(op.cause, func() { s.runTimer(op, d.at) })
		}
	}
	if now.After(st.service.Clock) {
		st.service.Clock = now
	}
}

// runTimer does the one thing of op that is due at at.
func (s *Server) runTimer(op *operation, at time.Time) {
	st := s.st
	if op.isComplete() {
		st.remove("operations", op.ID)
		return
	}
	filed := op
	clone := *op
	op = &clone
	switch {
	case op.endsAt().Equal(at) && !op.endsAt().IsZero():
		s.complete(op, at)
	case op.Snapshot.Equal(at) && !op.Snapshot.IsZero():
		op.Snapshot = time.Time{}
		s.completeSnapshot(op, at)
	case op.Handover.Equal(at) && !op.Handover.IsZero():
		op.Handover = time.Time{}
		s.startTransfer(op)
	case op.JobEnds.Equal(at) && !op.JobEnds.IsZero():
		op.JobEnds = time.Time{}
		s.completeBackup(op, at)
	}
	if op.isInternal() {
		// No client reads their status; if the operation rescheduled itself, the new record stays.
		if st.ops[op.ID] == filed {
			st.remove("operations", op.ID)
		}
		return
	}
	st.start(op)
}

// complete ends op at at and applies its effect.
func (s *Server) complete(op *operation, at time.Time) {
	op.State = succeeded
	if op.Code != "" {
		op.State = failed
	}
	if op.Action != actBackup && op.Action != actRestore {
		s.endJobs(op, at)
	}
	if op.State == failed && (op.Action == actBackup || op.Action == actRestore) {
		op.Snapshot, op.Handover, op.JobEnds = time.Time{}, time.Time{}, time.Time{} // no job was started after all
		s.endJobs(op, at)
	}
	if op.State == failed || op.JobFails {
		s.undo(op)
		return
	}
	switch op.Action {
	case actProtect, actModify, actResume, actStop, actSuspend, actUndelete:
		s.finishItem(op, at)
	case actSoftDelete, actHardDelete, actPurge:
		s.finishDelete(op, at)
	case actRefresh:
		s.finishRefresh(op, at)
	case actPolicy:
		p := s.st.putPolicy(op.Request)
		for _, it := range s.st.protectedBy(p) {
			s.updateExpiries(it, at)
		}
	case actVanish, actSettle:
		s.applyFollowUp(op)
	case actAppear:
		s.showDisks(op)
	case actDeleteDisk:
		s.finishDiskDelete(op)
	case actScheduled:
		s.runSchedule(op, at)
	case actCancel:
		s.finishCancel(op, at)
	case actVaultCreate, actVaultUpdate, actVaultDelete:
		s.finishVault(op, at)
	case actExpire:
		s.expirePoint(op, at)
	case actAdopted:
		s.finishAdopted(op, at)
	}
}

// undo reverts the changes that a failed operation made at its start.
func (s *Server) undo(op *operation) {
	switch op.Action {
	case actVaultCreate, actVaultUpdate, actVaultDelete:
		if v := s.st.vaults.get(op.Target); v != nil {
			s.st.putVault(rawjson.Edit(s.st.read(v.body), func(p *rawjson.Object) { p.Set("provisioningState", "Failed") }, "properties"))
		}
	}
}

// jobIDs returns the job ids shown in the status body (docs/azure.md §4).
func (op *operation) jobIDs() []string { return slices.Clone(op.Jobs) }

// statusBody returns the body of operationsStatus, backupOperations and policy operations (docs/azure.md §4, §8.1).
func (op *operation) statusBody() json.RawMessage {
	body := rawjson.NewObject("id", op.ID, "name", op.ID, "status", op.State, "startTime", stamp(op.Started))
	if op.isRunning() {
		body.Set("endTime", noTime)
		return body.Bytes()
	}
	// endTime equals startTime, whatever the operation took (docs/azure.md §4).
	body.Set("endTime", stamp(op.Started))
	if op.State == failed {
		body.Set("error", rawjson.NewObject("code", op.Code, "message", op.Message))
	}
	switch {
	case op.Action == actPolicy:
		failedJobs := op.JobsFailed
		if failedJobs == nil {
			failedJobs = map[string]string{}
		}
		body.Set("properties", rawjson.NewObject("objectType", "OperationStatusJobsExtendedInfo", "jobIds", op.jobIDs(), "failedJobsError", failedJobs))
	case op.Action == actValidate && op.State == succeeded:
		body.Set("properties", rawjson.NewObject("objectType", "OperationStatusValidateOperationExtendedInfo", "validateOperationResponse", rawjson.NewObject("validationResults", op.Request)))
	case len(op.Jobs) > 0:
		body.Set("properties", rawjson.NewObject("objectType", "OperationStatusJobExtendedInfo", "jobId", op.Jobs[0]))
	}
	return body.Bytes()
}

// acceptedReply returns the 202 for a started or still running operation: no body and the URLs to poll.
func (rc *requestContext) acceptedReply(op *operation) reply {
	r := reply{status: http.StatusAccepted}
	if op.StatusPath != "" && !rc.lacksAsyncHeader(op) {
		r.set("Azure-AsyncOperation", rc.signedURL(op.StatusPath, op.asyncVersion()))
	}
	if op.ResultPath != "" {
		r.set("Location", rc.signedURL(op.ResultPath, op.Version))
	}
	rc.setRetryAfter(&r)
	return r
}

// asyncVersion returns the api-version in Azure-AsyncOperation: a different one for refresh and cancel (docs/azure.md
// §33.4).
func (op *operation) asyncVersion() string {
	if op.Action == actRefresh || op.Action == actCancel {
		return "2019-05-13-preview"
	}
	return op.Version
}

// lacksAsyncHeader reports whether the reply has no Azure-AsyncOperation: refresh and cancel had none in 2016 and 2019
// (docs/azure.md §33.4).
func (rc *requestContext) lacksAsyncHeader(op *operation) bool {
	return (op.Action == actRefresh || op.Action == actCancel) && op.Version < "2019-05-13"
}
