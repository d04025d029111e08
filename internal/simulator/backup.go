package simulator

import (
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/azbackup/azbackup/internal/simulator/ids"
	"github.com/azbackup/azbackup/internal/simulator/rawjson"
	"github.com/azbackup/azbackup/internal/simulator/reply"
	"github.com/azbackup/azbackup/internal/simulator/state"
)

// backup starts an on-demand backup: the operation ends at once, its job continues (docs/azure.md §5, §33.9).
func (rc *requestContext) backup() reply.Reply {
	v, it, none := rc.item()
	if none != nil {
		return *none
	}
	if err := rawjson.CheckObject(rc.body); err != nil {
		return invalidContent(err)
	}
	request := rawjson.Parse(rc.body).Object("properties")
	if request.Text("objectType") != "IaasVMBackupRequest" {
		return reply.Error(http.StatusBadRequest, "BMSUserErrorInvalidInput", "Input for backup is not in proper format.") // docs/azure.md §33.36; UNVERIFIED code
	}
	if r := rc.rules().BusyItemReply(it.Key); r != nil {
		return *r
	}
	if rc.st.BackupOn(it.Key) != nil {
		return rc.unverified("backup-running", "You can't start a new backup job until the current job finishes.")
	}
	if !it.IsActive() {
		return rc.unverified("backup-stopped", "Backup of an item whose protection is stopped cannot be started.")
	}
	expiry := rc.now.AddDate(0, 0, 30) // docs/azure.md §5
	if t, err := time.Parse(time.RFC3339Nano, request.Text("recoveryPointExpiryTimeInUTC")); err == nil {
		expiry = t
	}
	op := rc.s.startBackup(rc.now, v, it, expiry)
	op.Ends = rc.now.Add(rc.s.sampleDuration("trigger", it.Key))
	op = rc.operationUnder(ids.Parent(rc.path), "backup", *op)
	rc.startOperation(op)
	return rc.acceptedReply(op)
}

// startBackup files the job of a backup and returns the operation that will end it; the caller names and starts it.
func (s *Server) startBackup(now time.Time, v *state.Vault, it *state.Item, expiry time.Time) *state.Operation {
	snapshot := now.Add(s.sampleDuration("snapshot", it.Key))
	extended := rawjson.NewObject(
		"tasksList", []rawjson.Object{
			newTask("Take Snapshot", rawjson.Time(now), state.InProgress),
			newTask("Transfer data to vault", rawjson.NoTime, "NotStarted"),
		},
		"propertyBag", rawjson.NewObject("VM Name", it.Friendly, "Recovery Point Expiry Time in UTC", expiry.UTC().Format("1/2/2006 3:04:05 PM")),
		"internalPropertyBag", rawjson.NewObject("IsInstantRpJob", "True"))
	id := s.fileJob(now, s.guid(now, "job"), v, it.Friendly, it.ContainerKey, "Backup", extended, []string{"Cancellable"})
	return &state.Operation{
		Action: state.ActBackup, Vault: v.Key, Target: it.Key, Started: now, State: state.Succeeded, Jobs: []string{id},
		Snapshot: snapshot, Handover: snapshot.Add(s.sampleDuration("handover", it.Key)), JobEnds: snapshot.Add(s.sampleDuration("transfer", it.Key)),
		Request: rawjson.NewObject("expiry", rawjson.Time(expiry)).Bytes(),
	}
}

func newTask(name, started, status string) rawjson.Object {
	// A task that has not begun or ended shows the year 1 without a zone (docs/azure.md §5).
	return rawjson.NewObject("taskId", name, "startTime", started, "endTime", rawjson.NoTime,
		"duration", "PT0S", "status", status, "taskType", "Normal")
}

// completeSnapshot ends the first task of a backup job, and with Settings.PointAtSnapshot makes the recovery point. For a
// restore it sets the first progress, as recorded.
func (s *Server) completeSnapshot(op *state.Operation, at time.Time) {
	if op.Action == state.ActRestore {
		s.setRestoreProgress(op, at)
		return
	}
	s.editBackupJob(op, func(p *rawjson.Object) {
		p.Put("extendedInfo", editTasks(p.Raw("extendedInfo"), func(t *rawjson.Object) {
			if t.Text("taskId") == "Take Snapshot" {
				endTask(t, op.Started, at)
			}
		}))
	})
	if s.set.PointAtSnapshot && !op.JobFails {
		s.addPoint(op, at)
	}
}

// startTransfer adds the second task to the job; it began when the first ended.
func (s *Server) startTransfer(op *state.Operation) {
	s.editBackupJob(op, func(p *rawjson.Object) {
		began := ""
		p.Put("extendedInfo", editTasks(p.Raw("extendedInfo"), func(t *rawjson.Object) {
			if t.Text("status") == "NotStarted" {
				t.Set("startTime", began)
				t.Set("status", state.InProgress)
			}
			began = t.Text("endTime")
		}))
	})
}

func endTask(t *rawjson.Object, from, at time.Time) {
	t.Set("endTime", rawjson.Time(at))
	t.Set("duration", rawjson.Duration(at.Sub(from)))
	t.Set("status", "Completed")
}

func (s *Server) editBackupJob(op *state.Operation, change func(*rawjson.Object)) {
	for _, id := range op.Jobs {
		if j := s.st.Jobs.Get(op.Vault + "/backupjobs/" + id); j != nil {
			s.st.PutJob(rawjson.Edit(s.st.Read(j.Body), change, "properties"))
		}
	}
}

// completeBackup ends a backup's job; the item is Protected and has a recovery point from now on (docs/azure.md §3, §5).
func (s *Server) completeBackup(op *state.Operation, at time.Time) {
	if op.Action == state.ActRestore {
		s.completeRestore(op, at)
		return
	}
	if op.Handover = (time.Time{}); op.Snapshot.IsZero() {
		s.startTransfer(op)
	}
	s.editBackupJob(op, func(p *rawjson.Object) {
		p.Put("extendedInfo", rawjson.Edit(editTasks(p.Raw("extendedInfo"), func(t *rawjson.Object) {
			if started, err := time.Parse(time.RFC3339Nano, t.Text("startTime")); err == nil && t.Text("status") == state.InProgress {
				endTask(t, started, at)
			}
		}), func(bag *rawjson.Object) {
			if !op.JobFails {
				bag.Set("Backup Size", strconv.Itoa(1000+int(s.seed.Uniform("size", op.Target)*30000))+" MB")
			}
		}, "propertyBag"))
	})
	s.endJobs(op, at)
	it := s.st.Items.Get(op.Target)
	if it == nil || it.IsDeleted {
		return
	}
	if op.JobFails {
		s.st.PutItem(rawjson.Edit(s.st.Read(it.Body), func(p *rawjson.Object) {
			p.Set("lastBackupStatus", "Failed")
			p.Set("lastBackupTime", rawjson.Time(op.Started))
		}, "properties"))
		return
	}
	if !s.set.PointAtSnapshot {
		s.addPoint(op, at)
	}
}

// adoptRunningJobs schedules the completion of the estate's running jobs that no operation of the estate has, and the
// purge of soft-deleted items.
func (s *Server) adoptRunningJobs() {
	now := s.clock.now()
	known := map[string]bool{}
	for _, op := range s.st.Ops {
		for _, id := range op.Jobs {
			known[id] = true
		}
		known[op.ID] = true
	}
	s.st.Jobs.All(0, func(_ int, j *state.Job) bool {
		if known[j.ID] || j.Status != state.InProgress && j.Status != "Cancelling" {
			return true
		}
		op := &state.Operation{
			ID: "adopted|" + j.ID, Action: state.ActAdopted, Vault: j.Vault, Target: j.Item, Started: j.Started,
			Jobs: []string{j.ID}, State: state.InProgress, Ends: now.Add(s.sampleDuration(adoptedDurationKind(j.Operation), j.Item)),
		}
		if strings.EqualFold(j.Operation, "Backup") {
			op.Action, op.State, op.Ends = state.ActBackup, state.Succeeded, j.Started
			op.JobEnds = now.Add(s.sampleDuration("transfer", j.Item))
			op.Request = rawjson.NewObject("expiry", rawjson.Time(j.Started.AddDate(0, 0, 30))).Bytes()
		}
		s.st.Start(op)
		return true
	})
	s.st.Items.All(0, func(_ int, it *state.Item) bool {
		if it.IsDeleted && !known["purge|"+it.Key+"|"+rawjson.Time(s.st.PurgeTime(it))] {
			s.schedulePurge(it)
		}
		return true
	})
}

func adoptedDurationKind(operation string) string {
	switch operation {
	case "ConfigureBackup":
		return state.ActProtect
	case "DisableBackup":
		return state.ActStop
	case "DeleteBackupData":
		return state.ActHardDelete
	case "Undelete":
		return state.ActUndelete
	}
	return state.ActRestore
}

// finishAdopted does nothing: an adopted job only ends, for what it was to bring about is unknown.
func (s *Server) finishAdopted(*state.Operation, time.Time) {}
