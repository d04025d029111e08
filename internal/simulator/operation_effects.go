package simulator

import (
	"net/http"
	"time"

	"github.com/azbackup/azbackup/internal/simulator/rawjson"
	"github.com/azbackup/azbackup/internal/simulator/reply"
	"github.com/azbackup/azbackup/internal/simulator/state"
)

// runDue runs all timers due at now, in order.
func (s *Server) runDue(now time.Time) {
	st := s.st
	for op, at := st.PopDue(now); op != nil; op, at = st.PopDue(now) {
		s.hasTimePassed = s.hasTimePassed || s.clock.isResumed && at.After(s.clock.estateStart)
		st.WithCause(op.Cause, func() { s.runTimer(op, at) })
	}
	if now.After(st.Service.Clock) {
		st.Service.Clock = now
	}
}

// runTimer does the one thing of op that is due at at.
func (s *Server) runTimer(op *state.Operation, at time.Time) {
	st := s.st
	if op.IsComplete() {
		st.Remove("operations", op.ID)
		return
	}
	filed := op
	clone := *op
	op = &clone
	switch {
	case op.EndsAt().Equal(at) && !op.EndsAt().IsZero():
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
	if op.IsInternal() {
		// No client reads their status; if the operation rescheduled itself, the new record stays.
		if st.Ops[op.ID] == filed {
			st.Remove("operations", op.ID)
		}
		return
	}
	st.Start(op)
}

// complete ends op at at and applies its effect.
func (s *Server) complete(op *state.Operation, at time.Time) {
	op.State = state.Succeeded
	if op.Code != "" {
		op.State = state.Failed
	}
	if op.Action != state.ActBackup && op.Action != state.ActRestore {
		s.endJobs(op, at)
	}
	if op.State == state.Failed && (op.Action == state.ActBackup || op.Action == state.ActRestore) {
		op.Snapshot, op.Handover, op.JobEnds = time.Time{}, time.Time{}, time.Time{} // no job was started after all
		s.endJobs(op, at)
	}
	if op.State == state.Failed || op.JobFails {
		s.undo(op)
		return
	}
	switch op.Action {
	case state.ActProtect, state.ActModify, state.ActResume, state.ActStop, state.ActSuspend, state.ActUndelete:
		s.finishItem(op, at)
	case state.ActSoftDelete, state.ActHardDelete, state.ActPurge:
		s.finishDelete(op, at)
	case state.ActRefresh:
		s.finishRefresh(op, at)
	case state.ActPolicy:
		p := s.st.PutPolicy(op.Request)
		for _, it := range s.st.ProtectedBy(p) {
			s.updateExpiries(it, at)
		}
	case state.ActVanish, state.ActSettle:
		s.applyFollowUp(op)
	case state.ActAppear:
		s.showDisks(op)
	case state.ActDeleteDisk:
		s.finishDiskDelete(op)
	case state.ActScheduled:
		s.runSchedule(op, at)
	case state.ActCancel:
		s.finishCancel(op, at)
	case state.ActVaultCreate, state.ActVaultUpdate, state.ActVaultDelete:
		s.finishVault(op, at)
	case state.ActExpire:
		s.expirePoint(op, at)
	case state.ActAdopted:
		s.finishAdopted(op, at)
	}
}

// undo reverts the changes that a failed operation made at its start.
func (s *Server) undo(op *state.Operation) {
	switch op.Action {
	case state.ActVaultCreate, state.ActVaultUpdate, state.ActVaultDelete:
		if v := s.st.Vaults.Get(op.Target); v != nil {
			s.st.PutVault(rawjson.Edit(s.st.Read(v.Body), func(p *rawjson.Object) { p.Set("provisioningState", "Failed") }, "properties"))
		}
	}
}

// acceptedReply returns the 202 for a started or still running operation: no body and the URLs to poll.
func (rc *requestContext) acceptedReply(op *state.Operation) reply.Reply {
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
func (rc *requestContext) lacksAsyncHeader(op *state.Operation) bool {
	return (op.Action == state.ActRefresh || op.Action == state.ActCancel) && op.Version < "2019-05-13"
}
