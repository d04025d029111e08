package simulator

import (
	"net/http"
	"time"

	"github.com/azbackup/azbackup/internal/simulator/rawjson"
	"github.com/azbackup/azbackup/internal/simulator/reply"
)

// runDue runs all timers due at now, in order.
func (s *Server) runDue(now time.Time) {
	st := s.st
	for op, at := st.popDue(now); op != nil; op, at = st.popDue(now) {
		s.hasTimePassed = s.hasTimePassed || s.clock.isResumed && at.After(s.clock.estateStart)
		st.withCause(op.cause, func() { s.runTimer(op, at) })
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

// acceptedReply returns the 202 for a started or still running operation: no body and the URLs to poll.
func (rc *requestContext) acceptedReply(op *operation) reply.Reply {
	r := reply.Reply{Status: http.StatusAccepted}
	if op.StatusPath != "" && !rc.lacksAsyncHeader(op) {
		r.Set("Azure-AsyncOperation", rc.signedURL(op.StatusPath, asyncVersion(op)))
	}
	if op.ResultPath != "" {
		r.Set("Location", rc.signedURL(op.ResultPath, op.Version))
	}
	rc.setRetryAfter(&r)
	return r
}

// lacksAsyncHeader reports whether the reply has no Azure-AsyncOperation: refresh and cancel had none in 2016 and 2019
// (docs/azure.md §33.4).
func (rc *requestContext) lacksAsyncHeader(op *operation) bool {
	return (op.Action == actRefresh || op.Action == actCancel) && op.Version < "2019-05-13"
}
