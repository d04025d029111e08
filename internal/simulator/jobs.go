package simulator

import (
	"cmp"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/azbackup/azbackup/internal/simulator/ids"
	"github.com/azbackup/azbackup/internal/simulator/query"
	"github.com/azbackup/azbackup/internal/simulator/rawjson"
	"github.com/azbackup/azbackup/internal/simulator/reply"
	"github.com/azbackup/azbackup/internal/simulator/state"
)

const jobType = "Microsoft.RecoveryServices/vaults/backupJobs"

// startJob records a job as InProgress and returns its id. bag is its one property besides the VM's name
// (docs/azure.md §5).
func (rc *requestContext) startJob(v *state.Vault, friendly, tail, operation, bag, value string) string {
	props := rawjson.NewObject("VM Name", friendly, bag, value)
	return rc.s.fileJob(rc.now, rc.s.guid(rc.now, "job"), v, friendly, tail, operation, rawjson.NewObject("tasksList", []string{}, "propertyBag", props), nil)
}

func (s *Server) fileJob(now time.Time, id string, v *state.Vault, friendly, tail, operation string, extended rawjson.Object, actions []string) string {
	p := rawjson.NewObject("jobType", "AzureIaaSVMJob")
	if len(actions) > 0 {
		p.Set("actionsInfo", actions)
	}
	for _, m := range rawjson.NewObject("containerName", tail, "duration", "PT0S", "virtualMachineVersion", "Compute",
		"extendedInfo", extended, "entityFriendlyName", friendly, "backupManagementType", "AzureIaasVM",
		"operation", operation, "status", state.InProgress, "startTime", rawjson.Time(now), "activityId", s.guid(now, "activity")) {
		p.Put(m.Key, m.Value)
	}
	s.st.PutJob(rawjson.NewObject("id", v.ID+"/backupJobs/"+id, "name", id, "type", jobType, "properties", p).Bytes())
	return id
}

// endJobs ends the jobs of op at at.
func (s *Server) endJobs(op *state.Operation, at time.Time) {
	for _, id := range op.Jobs {
		status := "Completed"
		if op.State == state.Failed || op.JobFails {
			status = "Failed"
		}
		s.endJob(op.Vault, id, at, status, op)
	}
}

// endJob writes a job's end. Job errors carry integers for codes (docs/azure.md §5).
func (s *Server) endJob(vaultKey, id string, at time.Time, status string, op *state.Operation) {
	j := s.st.Jobs.Get(vaultKey + "/backupjobs/" + id)
	if j == nil {
		return
	}
	s.st.PutJob(rawjson.Edit(s.st.Read(j.Body), func(p *rawjson.Object) {
		p.Set("status", status)
		p.Set("duration", rawjson.Duration(at.Sub(j.Started)))
		p.SetBefore("activityId", "endTime", rawjson.Time(at))
		if status == "Failed" {
			p.SetBefore("activityId", "errorDetails", []rawjson.Object{rawjson.NewObject(
				"errorCode", 400001, "errorTitle", cmp.Or(op.JobCode, op.Code, "CloudInternalError"),
				"errorString", cmp.Or(op.JobMessage, op.Message, "Microsoft Azure Backup encountered an internal error."),
				"recommendations", []string{"Retry the operation."})})
		}
	}, "properties"))
}

// jobBody returns a job's body as of now: the durations of running jobs grow with the clock.
func (rc *requestContext) jobBody(j *state.Job) []byte {
	if !j.IsRunning() && rc.version >= "2023-02-01" {
		return rc.st.Read(j.Body)
	}
	return rc.editedJob(j, func(p *rawjson.Object) {
		if j.IsRunning() {
			p.Put("extendedInfo", runningTasks(p.Raw("extendedInfo"), rc.now))
		}
	})
}

// jobRow returns a job as lists show it: without detail (docs/azure.md §11, §33.29).
func (rc *requestContext) jobRow(j *state.Job) []byte {
	return rc.editedJob(j, func(p *rawjson.Object) { p.Del("extendedInfo", "errorDetails") })
}

func (rc *requestContext) editedJob(j *state.Job, change func(p *rawjson.Object)) []byte {
	return rawjson.Edit(rc.st.Read(j.Body), func(p *rawjson.Object) {
		if j.IsRunning() {
			p.Set("duration", rawjson.Duration(rc.now.Sub(j.Started)))
		}
		// Older api-versions number the actions (docs/azure.md §33.34).
		if rc.version < "2023-02-01" && p.Has("actionsInfo") {
			p.Set("actionsInfo", []int{1})
		}
		change(p)
	}, "properties")
}

func runningTasks(extended []byte, now time.Time) json.RawMessage {
	return editTasks(extended, func(task *rawjson.Object) {
		started, err := time.Parse(time.RFC3339Nano, task.Text("startTime"))
		if err == nil && task.Text("status") == state.InProgress {
			task.Set("duration", rawjson.Duration(now.Sub(started)))
		}
	})
}

func editTasks(extended []byte, change func(task *rawjson.Object)) json.RawMessage {
	if len(extended) == 0 {
		return rawjson.NewObject().Bytes()
	}
	return rawjson.Edit(extended, func(o *rawjson.Object) {
		tasks := o.Raw("tasksList")
		i := rawjson.SkipSpace(tasks, 0)
		if i >= len(tasks) || tasks[i] != '[' {
			return
		}
		out := []json.RawMessage{}
		_, _ = rawjson.WalkArray(tasks, i, 0, func(raw []byte) {
			task := rawjson.Parse(raw)
			change(&task)
			out = append(out, task.Bytes())
		})
		o.Set("tasksList", out)
	})
}

// listJobs returns the vault's jobs, the newest first (docs/azure.md §11, §33.29).
func (rc *requestContext) listJobs() reply.Reply {
	v, none := rc.vault()
	if none != nil {
		return *none
	}
	f, err := query.ParseFilter(queryOf(rc.r.URL.RawQuery)["$filter"])
	if err == nil {
		err = f.CheckNames("startTime", "endTime", "status", "operation", "backupManagementType", "jobId", "containerName", "entityFriendlyName")
	}
	window, werr := parseJobWindow(f, rc.now)
	if err == nil {
		err = werr
	}
	if err != nil {
		return rc.unverified("filter-input", "The filter is not valid: %s", err)
	}
	var found []*state.Job
	rc.st.Jobs.Group(v.Key, 0, func(_ int, j *state.Job) bool {
		if window.contains(j.Started) && rc.jobMatches(f, j) {
			found = append(found, j)
		}
		return true
	})
	slices.SortStableFunc(found, func(a, b *state.Job) int { return b.Started.Compare(a.Started) })
	return rc.list("jobs", func(from int, visit func(int, func() []byte) bool) {
		for i := from; i < len(found); i++ {
			if !visit(i, func() []byte { return rc.jobRow(found[i]) }) {
				return
			}
		}
	})
}

func (rc *requestContext) jobMatches(f query.Filter, j *state.Job) bool {
	return f.MatchesAll(func(name, want string) bool {
		switch strings.ToLower(name) {
		case "starttime", "endtime":
			return true
		case "status":
			return strings.EqualFold(j.Status, want)
		case "operation":
			return strings.EqualFold(j.Operation, want)
		case "backupmanagementtype":
			return strings.EqualFold(j.Management, want)
		case "jobid":
			return strings.EqualFold(j.ID, want)
		case "containername":
			return ids.ContainerKeyOf(want) == strings.TrimPrefix(j.Item, j.Vault+"|")
		}
		return strings.EqualFold(rawjson.TextAt(rc.st.Read(j.Body), "properties", name), want)
	})
}

// timeWindow is the period given by startTime and endTime of a job filter.
type timeWindow struct{ from, to time.Time }

func (w timeWindow) contains(t time.Time) bool { return !t.Before(w.from) && !t.After(w.to) }

// jobDate is the form of dates in job filters: 2026-11-01 12:00:00 AM, UTC (docs/azure.md §11).
const jobDate = "2006-01-02 03:04:05 PM"

// parseJobWindow returns the period that a job filter asks for: 30 days from or to the one bound that it has, and the
// last 30 days where it has none (docs/azure.md §11).
func parseJobWindow(f query.Filter, now time.Time) (timeWindow, error) {
	const span = 30 * 24 * time.Hour
	var w timeWindow
	for _, c := range f {
		into := map[string]*time.Time{"starttime": &w.from, "endtime": &w.to}[strings.ToLower(c.Name)]
		if into == nil {
			continue
		}
		t, err := time.Parse(jobDate, c.Value)
		if err != nil {
			return w, err
		}
		*into = t
	}
	switch {
	case w.from.IsZero() && w.to.IsZero():
		w = timeWindow{now.Add(-span), now}
	case w.from.IsZero():
		w.from = w.to.Add(-span)
	case w.to.IsZero():
		w.to = w.from.Add(span)
	}
	return w, nil
}

func (rc *requestContext) job() (*state.Vault, *state.Job, *reply.Reply) {
	v, none := rc.vault()
	if none != nil {
		return nil, nil, none
	}
	j := rc.st.Jobs.Get(v.Key + "/backupjobs/" + ids.Key(rc.params["job"]))
	if j == nil {
		r := reply.Error(http.StatusNotFound, "BMSUserErrorJobNotFound", "The job '%s' was not found.", rc.params["job"]) // UNVERIFIED code
		return v, nil, &r
	}
	return v, j, nil
}

func (rc *requestContext) getJob() reply.Reply {
	_, j, none := rc.job()
	if none != nil {
		return *none
	}
	return reply.OK(rc.jobBody(j))
}

// cancelJob cancels a running backup (docs/azure.md §5).
func (rc *requestContext) cancelJob() reply.Reply {
	v, j, none := rc.job()
	if none != nil {
		return *none
	}
	if j.Status != state.InProgress || rawjson.RawAt(rc.st.Read(j.Body), "properties", "actionsInfo") == nil {
		return reply.Error(http.StatusBadRequest, "BMSUserErrorJobNotCancellable", "The job cannot be cancelled.") // UNVERIFIED code
	}
	rc.st.PutJob(rawjson.Edit(rc.st.Read(j.Body), func(p *rawjson.Object) { p.Set("status", "Cancelling") }, "properties"))
	op := rc.operationUnder(ids.Parent(rc.path), "cancel", state.Operation{
		Action: state.ActCancel, Vault: v.Key, Target: j.Key, Ends: rc.now.Add(rc.s.sampleDuration("cancel", j.Key)),
	})
	rc.startOperation(op)
	return rc.acceptedReply(op)
}

// finishCancel ends the job as Cancelled and drops the effects of its normal end.
func (s *Server) finishCancel(op *state.Operation, at time.Time) {
	j := s.st.Jobs.Get(op.Target)
	if j == nil || j.Status != "Cancelling" {
		return
	}
	s.endJob(j.Vault, j.ID, at, "Cancelled", op)
	for _, id := range slices.Clone(s.st.OnTarget[j.Item]) {
		running := s.st.Ops[id]
		if running == nil || !running.IsJobRunning() || !slices.Contains(running.Jobs, j.ID) {
			continue
		}
		clone := *running
		clone.Snapshot, clone.Handover, clone.JobEnds = time.Time{}, time.Time{}, time.Time{}
		s.st.Start(&clone)
	}
}
