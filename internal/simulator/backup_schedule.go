package simulator

import (
	"strings"
	"time"

	"github.com/azbackup/azbackup/internal/simulator/ids"
	"github.com/azbackup/azbackup/internal/simulator/rawjson"
	"github.com/azbackup/azbackup/internal/simulator/rules"
	"github.com/azbackup/azbackup/internal/simulator/state"
)

// Scheduled backups (Settings.ScheduledBackups). Policies run on the half hour (docs/azure.md §8.3), so the simulator
// checks them at each half hour. Run times are read as UTC; the effect of timeZone beyond "no DST adjustment"
// (docs/azure.md §8.2) is UNVERIFIED.

const (
	schedulerInterval = 30 * time.Minute
	// longestCatchUp bounds the past period whose backups are caught up when an estate is reopened.
	longestCatchUp = 60 * 24 * time.Hour
)

// scheduleTick schedules the next half-hourly check.
func (s *Server) scheduleTick(from time.Time) {
	if !s.set.ScheduledBackups {
		return
	}
	next := from.Truncate(schedulerInterval).Add(schedulerInterval)
	s.st.Start(&state.Operation{ID: "tick", Action: state.ActScheduled, Started: from, Ends: next, State: state.InProgress})
}

// resumeScheduler starts where an earlier server of the estate stopped, at most longestCatchUp ago.
func (s *Server) resumeScheduler(now time.Time) {
	from := now
	if last := s.st.Service.Scheduled; !last.IsZero() && last.Before(now) {
		from = last
		if oldest := now.Add(-longestCatchUp); from.Before(oldest) {
			from = oldest
		}
	}
	s.scheduleTick(from)
}

// runSchedule starts the backups of every policy that runs at at.
func (s *Server) runSchedule(op *state.Operation, at time.Time) {
	if !s.set.ScheduledBackups {
		return // an earlier run had them on
	}
	if op.Target != "" {
		s.runScheduled(op, at)
		return
	}
	s.st.Service.Scheduled = at
	s.st.Policies.All(0, func(_ int, p *state.Policy) bool {
		if spec := s.spec(p); spec != nil && spec.RunsAt(at) {
			for _, it := range s.st.ProtectedBy(p) {
				s.scheduleItem(it, at)
			}
		}
		return true
	})
	s.scheduleTick(at)
}

// scheduleItem schedules an item's backup within two hours (docs/azure.md §13).
func (s *Server) scheduleItem(it *state.Item, at time.Time) {
	if !it.IsActive() {
		return
	}
	start := at.Add(s.set.Durations["scheduleDelay"].Sample(s.seed.Uniform("delay", it.Key, at.Unix())))
	s.st.Start(&state.Operation{
		ID: "scheduled|" + it.Key + "|" + rawjson.Time(at), Action: state.ActScheduled, Vault: it.Vault, Target: it.Key,
		Started: at, Ends: start, State: state.InProgress,
	})
}

func (s *Server) runScheduled(op *state.Operation, at time.Time) {
	it, v := s.st.Items.Get(op.Target), s.st.Vaults.Get(op.Vault)
	if it == nil || v == nil || !it.IsActive() || s.st.BackupOn(it.Key) != nil {
		return
	}
	p := s.st.Policies.Get(it.Policy)
	if p == nil {
		return
	}
	backup := s.startBackup(at, v, it, s.spec(p).Expiry(op.Started))
	backup.ID = s.guid(at, "scheduled backup")
	backup.Request = rawjson.Edit(backup.Request, func(o *rawjson.Object) { o.Set("scheduled", rawjson.Time(op.Started)) })
	s.st.Start(backup)
}

// spec returns a policy's fields that the rules read, nil for other workloads. Records never change, so it is cached
// by record.
func (s *Server) spec(p *state.Policy) *rules.Policy {
	if spec, known := s.specs[p]; known {
		return spec
	}
	var spec *rules.Policy
	if strings.EqualFold(p.Management, "AzureIaasVM") {
		if read, err := rules.ReadPolicy(rawjson.Parse(s.st.Read(p.Body)).Object("properties")); err == nil {
			spec = read
		}
	}
	s.specs[p] = spec
	return spec
}

// scheduleExpiry schedules the deletion of a recovery point at its expiry.
func (s *Server) scheduleExpiry(pointID string, op *state.Operation, at time.Time) {
	expiry, err := time.Parse(time.RFC3339Nano, rawjson.TextAt(op.Request, "expiry"))
	if err != nil || !expiry.After(at) {
		return
	}
	s.expireAt(ids.Key(pointID), op.Vault, expiry, op.Request)
}

func (s *Server) expireAt(pointKey, vaultKey string, at time.Time, request []byte) {
	s.st.Start(&state.Operation{
		ID: "expire|" + pointKey, Action: state.ActExpire, Vault: vaultKey, Target: pointKey,
		Started: at, Ends: at, State: state.InProgress, Request: request,
	})
}

// expirePoint deletes a recovery point. Data of a stopped item stays, and so does the last point of a suspended item
// (docs/azure.md §6): they are checked again a day later.
func (s *Server) expirePoint(op *state.Operation, at time.Time) {
	p := s.st.Points.Get(op.Target)
	if p == nil {
		return
	}
	it := s.st.Items.Get(p.Item)
	kept := it != nil && (it.State == "ProtectionStopped" || it.State == "BackupsSuspended" && s.st.Points.Count(p.Item) == 1)
	if kept {
		s.expireAt(op.Target, op.Vault, at.AddDate(0, 0, 1), op.Request)
		return
	}
	s.st.Remove("recoveryPoints", op.Target)
}

// updateExpiries applies the current retention of the item's policy to its scheduled points; points it no longer keeps
// are deleted within a day (docs/azure.md §13).
func (s *Server) updateExpiries(it *state.Item, at time.Time) {
	p := s.st.Policies.Get(it.Policy)
	if p == nil {
		return
	}
	spec := s.spec(p)
	for _, q := range s.st.PointsOf(it.Key) {
		op := s.st.Ops["expire|"+q.Key]
		if op == nil {
			continue
		}
		due, err := time.Parse(time.RFC3339Nano, rawjson.TextAt(op.Request, "scheduled"))
		if err != nil {
			continue // made on demand: it keeps the requested expiry
		}
		until := spec.Expiry(due)
		if soonest := at.Add(24 * time.Hour); until.Before(soonest) {
			until = soonest
		}
		s.expireAt(q.Key, it.Vault, until, op.Request)
	}
}
