package simulator

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/azbackup/azbackup/internal/simulator/ids"
	"github.com/azbackup/azbackup/internal/simulator/rawjson"
	"github.com/azbackup/azbackup/internal/simulator/settings"
	"github.com/azbackup/azbackup/internal/simulator/state"
)

// startedRestore returns the initial properties of a restore's job, as recorded (docs/azure.md §33.48).
func startedRestore(o *restoreOrder) rawjson.Object {
	bag := rawjson.NewObject("Job Type", "Recover disks", "Target VM Name", "vmName", "Target Storage Account Name", ids.LastSegment(o.Account),
		"Recovery point time ", o.Taken.UTC().Format("1/2/2006 3:04:05 PM"))
	if o.Group != "" {
		bag.Set("Target resource group", ids.LastSegment(o.Group))
	}
	return rawjson.NewObject(
		"tasksList", []rawjson.Object{rawjson.NewObject("taskId", "Transfer data from vault", "duration", "PT0S", "status", state.InProgress, "taskType", "Normal")},
		"propertyBag", bag, "internalPropertyBag", rawjson.NewObject("restoreLocationType", "RestoreDisks"),
		"progressPercentage", json.RawMessage("1.0"), "dynamicErrorMessage", "")
}

func orderOf(op *state.Operation) *restoreOrder {
	var o restoreOrder
	_ = json.Unmarshal(op.Request, &o) // encoded by this package
	return &o
}

// setRestoreProgress sets a restore's progress: half of its transfer, or that its task has ended.
func (s *Server) setRestoreProgress(op *state.Operation, at time.Time) {
	o := orderOf(op)
	s.editBackupJob(op, func(p *rawjson.Object) {
		p.Put("extendedInfo", rawjson.Edit(editTasks(p.Raw("extendedInfo"), func(t *rawjson.Object) {
			if !o.hasTransfer() {
				t.Set("status", "Completed")
				return
			}
			t.SetBefore("taskType", "taskExecutionDetails", transferred(o, 50))
		}), func(e *rawjson.Object) {
			if o.hasTransfer() {
				e.Set("progressPercentage", json.RawMessage("50.0"))
				e.SetBefore("dynamicErrorMessage", "estimatedRemainingDuration", rawjson.Duration(op.JobEnds.Sub(at)))
			}
		}))
	})
}

func transferred(o *restoreOrder, percent int) string {
	all := 0
	for _, d := range o.Disks {
		all += d.SizeGB
	}
	done := strconv.FormatFloat(float64(all)*float64(percent)/100, 'f', -1, 64)
	return done + " GBs / " + strconv.Itoa(all) + " GBs Transferred"
}

// completeRestore ends a restore's job; its disks exist from now on, or after a lag (docs/azure.md §25.1).
func (s *Server) completeRestore(op *state.Operation, at time.Time) {
	o := orderOf(op)
	if op.JobFails {
		s.editBackupJob(op, func(p *rawjson.Object) {
			p.Put("extendedInfo", editTasks(p.Raw("extendedInfo"), func(t *rawjson.Object) { t.Set("status", "Failed") }))
		})
		if op.Disks == settings.DisksLeft {
			s.makeDisks(op, o, o.Disks[:1], at)
		}
		s.endJobs(op, at)
		return
	}
	s.editBackupJob(op, func(p *rawjson.Object) {
		p.Put("extendedInfo", rawjson.Edit(editTasks(p.Raw("extendedInfo"), func(t *rawjson.Object) {
			t.Set("status", "Completed")
			if o.hasTransfer() {
				t.SetBefore("taskType", "taskExecutionDetails", transferred(o, 100))
			}
		}), func(e *rawjson.Object) {
			e.Set("progressPercentage", json.RawMessage("100.0"))
			e.Set("estimatedRemainingDuration", "PT0S")
			e.Del("dynamicErrorMessage")
			e.Put("propertyBag", rawjson.Edit(e.Raw("propertyBag"), func(bag *rawjson.Object) { s.setRestoredProperties(bag, op, o) }))
		}))
	})
	s.endJobs(op, at)
	if o.hasTransfer() {
		if s.st.Service.Staged == nil {
			s.st.Service.Staged = map[string]int{}
		}
		s.st.Service.Staged[ids.Key(o.Account)] += len(o.Disks)
		s.st.MarkDirty()
	}
	disks := o.Disks
	if op.Disks == settings.DiskMissing {
		disks = disks[:len(disks)-1]
	}
	s.makeDisks(op, o, disks, at)
}

// setRestoredProperties adds the final properties to the property bag (docs/azure.md §33.48).
func (s *Server) setRestoredProperties(bag *rawjson.Object, op *state.Operation, o *restoreOrder) {
	d := s.seed.Digest("container", op.Jobs[0])
	prefix := diskPrefix(o.Friendly)
	container := prefix + "-" + hex.EncodeToString(d[:16])
	base := "https://" + ids.LastSegment(o.Account) + ".blob.core.windows.net/" + container + "/"
	config := "config-" + prefix + "-" + op.Jobs[0] + ".json"
	const next = "Target resource group"
	bag.SetBefore(next, "Config Blob Name", config)
	bag.SetBefore(next, "Config Blob Container Name", container)
	bag.SetBefore(next, "Config Blob Uri", base+config)
	bag.Set("Template Blob Uri", base+"azuredeploy"+op.Jobs[0]+".json")
	if o.Group != "" {
		bag.Set("Restored disk(s)", diskNames(o.Disks))
		bag.Set("Backed-up disk(s)", diskNames(o.Held))
	}
}

// diskNames returns the names of source disks in a job's format.
func diskNames(disks []sourceDisk) string {
	var names []string
	for _, d := range disks {
		names = append(names, d.Name)
	}
	return strings.Join(names, "; ")
}

// makeDisks creates the disks of a restore in its group, at once or after the lag.
func (s *Server) makeDisks(op *state.Operation, o *restoreOrder, disks []sourceDisk, at time.Time) {
	if o.Group == "" || len(disks) == 0 {
		return
	}
	bodies := []json.RawMessage{}
	for i, id := range s.diskIDs(o, disks, at) {
		body := s.newRestoredDisk(op, o, disks[i], id, at)
		if op.Disks == settings.DisksAttached {
			body = state.WithHolder(body)
		}
		bodies = append(bodies, body)
	}
	later := at.Add(s.sampleDuration("diskLag", op.Target))
	appear := &state.Operation{
		ID: state.ActAppear + "|" + op.ID, Action: state.ActAppear, Started: at, Ends: later, State: state.InProgress, Request: rawjson.Encode(bodies), Cause: op.Cause,
	}
	if !later.After(at) {
		s.showDisks(appear)
		return
	}
	s.st.Start(appear)
}

// diskIDs returns ids for the disks of one restore; they share a time stamp (docs/azure.md §25.2), the first free one.
func (s *Server) diskIDs(o *restoreOrder, disks []sourceDisk, at time.Time) []string {
	for ; ; at = at.Add(time.Second) {
		var made []string
		for _, d := range disks {
			name := diskPrefix(o.Friendly) + "-osdisk"
			if d.LUN >= 0 {
				name = diskPrefix(o.Friendly) + fmt.Sprintf("-datadisk-%03d", d.LUN)
			}
			made = append(made, o.Group+"/providers/Microsoft.Compute/disks/"+name+at.UTC().Format("-20060102-150405"))
		}
		if !slices.ContainsFunc(made, func(id string) bool { return s.st.Disks.Get(ids.Key(id)) != nil }) {
			return made
		}
	}
}

func (s *Server) showDisks(op *state.Operation) {
	var bodies []json.RawMessage
	_ = json.Unmarshal(op.Request, &bodies) // encoded by this package
	for _, body := range bodies {
		s.st.PutDisk(body)
	}
}
