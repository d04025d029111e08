package simulator

import (
	"cmp"
	"encoding/json"
	"net/http"
	"strings"
	"time"

	"github.com/azbackup/azbackup/internal/simulator/ids"
	"github.com/azbackup/azbackup/internal/simulator/rawjson"
	"github.com/azbackup/azbackup/internal/simulator/reply"
	"github.com/azbackup/azbackup/internal/simulator/seed"
	"github.com/azbackup/azbackup/internal/simulator/state"
)

// Managed disks: those that restores create, and the others of the estate (docs/azure.md §19).

const (
	diskType = "Microsoft.Compute/disks"
	// jobTag is the tag that ties a disk to the job that restored it (docs/azure.md §25.2).
	jobTag = "RSVaultBackup"
)

func (rc *requestContext) listDisks() reply.Reply {
	return rc.listResourcesOf("disks", rc.st.Disks, func(r reply.Reply) reply.Reply { return r })
}

func (rc *requestContext) getDisk() reply.Reply {
	if r := rc.groupNotFound(); r != nil {
		return *r
	}
	d := rc.st.Disks.Get(ids.Key(rc.path))
	if d == nil {
		return reply.ResourceNotFound(diskType, rc.params["disk"], rc.params["group"])
	}
	return reply.OK(rc.st.Read(d.Body))
}

// deleteDisk returns 202 with both headers, 204 for a missing disk, and 409 for an attached one (docs/azure.md §19).
func (rc *requestContext) deleteDisk() reply.Reply {
	if r := rc.groupNotFound(); r != nil {
		return *r
	}
	d := rc.st.Disks.Get(ids.Key(rc.path))
	if d == nil {
		return reply.Reply{Status: http.StatusNoContent}
	}
	if owner := rc.st.HolderOf(d); owner != "" {
		return reply.Error(http.StatusConflict, "OperationNotAllowed", diskInUse, d.Name, owner)
	}
	if op := rc.st.OperationOn(d.Key); op != nil {
		return rc.diskAcceptedReply(op)
	}
	id := rc.guid("disk operation")
	path := "/subscriptions/" + rc.params["sub"] + "/providers/Microsoft.Compute/locations/" + cmp.Or(d.Region, "global") + "/DiskOperations/" + id
	op := &state.Operation{
		ID: id, Action: state.ActDeleteDisk, Target: d.Key, Version: rc.version, State: state.InProgress, StatusPath: path, ResultPath: path,
		Started: rc.now, Ends: rc.now.Add(rc.s.sampleDuration("diskDelete", d.Key)),
	}
	rc.startOperation(op)
	return rc.diskAcceptedReply(op)
}

const diskInUse = "Disk %s is attached to VM %s."

// finishDiskDelete removes the disk, unless another client attached it meanwhile.
func (s *Server) finishDiskDelete(op *state.Operation) {
	d := s.st.Disks.Get(op.Target)
	if d == nil {
		return
	}
	if owner := s.st.HolderOf(d); owner != "" {
		op.State, op.Code, op.Message = state.Failed, "OperationNotAllowed", "Disk "+d.Name+" is attached to VM "+owner+"."
		return
	}
	s.st.Remove("disks", d.Key)
}

// diskAcceptedReply returns Compute's 202: both headers name the same operation.
func (rc *requestContext) diskAcceptedReply(op *state.Operation) reply.Reply {
	r := rc.acceptedReply(op)
	r.Header.Set("Location", r.Header.Get("Location")+"&monitor=true")
	rc.setRetryAfterSeconds(&r, 5) // UNVERIFIED
	return r
}

// diskOperation returns the status of Compute's operations and, with monitor=true, their result.
func (rc *requestContext) diskOperation() reply.Reply {
	op := rc.operation()
	if op == nil {
		return rc.operationNotFound()
	}
	if queryOf(rc.r.URL.RawQuery)["monitor"] == "true" {
		switch {
		case op.IsRunning():
			return rc.diskAcceptedReply(op)
		case op.State == state.Failed:
			return reply.Error(http.StatusConflict, op.Code, "%s", op.Message)
		}
		return reply.Reply{Status: http.StatusOK}
	}
	body := rawjson.NewObject("startTime", rawjson.Time(op.Started))
	if !op.IsRunning() {
		body.Set("endTime", rawjson.Time(op.Ends))
	}
	body.Set("status", op.State)
	if op.State == state.Failed {
		body.Set("error", rawjson.NewObject("code", op.Code, "message", op.Message))
	}
	body.Set("name", op.ID)
	r := reply.OK(body.Bytes())
	if op.IsRunning() {
		rc.setRetryAfterSeconds(&r, 5)
	}
	return r
}

// newRestoredDisk returns the body of a disk restored from d (docs/azure.md §19, §25.2).
func (s *Server) newRestoredDisk(op *state.Operation, o *restoreOrder, d sourceDisk, id string, at time.Time) json.RawMessage {
	props := rawjson.Object{}
	if d.LUN < 0 {
		props = rawjson.NewObject("osType", d.OS, "hyperVGeneration", d.Generation)
	}
	created := rawjson.NewObject("createOption", "Restore", "sourceResourceId", o.snapshotOf(d))
	if !o.isInstant() {
		// The createOption after a restore from the vault is UNVERIFIED; Import was observed in the field.
		created = rawjson.NewObject("createOption", "Import", "sourceUri", "https://"+ids.LastSegment(o.Account)+".blob.core.windows.net/vhds/"+d.Name+".vhd")
	}
	for _, m := range rawjson.NewObject(
		"creationData", created, "diskSizeGB", d.SizeGB, "diskSizeBytes", int64(d.SizeGB)<<30, "timeCreated", at.UTC().Format("2006-01-02T15:04:05.0000000-07:00"),
		"provisioningState", "Succeeded", "diskState", "Unattached", "encryption", rawjson.NewObject("type", "EncryptionAtRestWithPlatformKey"),
		"networkAccessPolicy", "AllowAll", "publicNetworkAccess", "Enabled", "uniqueId", seed.GUID(s.seed.Digest("disk", id))) {
		props.Put(m.Key, m.Value)
	}
	// The job's tag is never the only one (docs/azure.md §25.2).
	tags := rawjson.NewObject("Creator", "Azure Policy")
	for _, m := range rawjson.Parse(d.Tags) {
		if !strings.EqualFold(m.Key, jobTag) { // a restored disk is backed up like any other
			tags.Put(m.Key, m.Value)
		}
	}
	tags.Set(jobTag, op.Jobs[0])
	return rawjson.NewObject("id", id, "name", ids.LastSegment(id), "type", diskType, "location", o.Region, "tags", tags,
		"sku", rawjson.NewObject("name", cmp.Or(d.Storage, "Premium_LRS")), "properties", props).Bytes()
}

// listVMs returns Compute's list, of a subscription or a resource group (docs/azure.md §10).
func (rc *requestContext) listVMs() reply.Reply {
	group := ids.Key(rc.params["group"])
	if group != "" {
		if r := rc.groupNotFound(); r != nil {
			return *r
		}
	}
	keep := func(v *state.VM) bool { return group == "" || v.Group == group }
	return rc.list("vms", each(rc.st.VMs, ids.Key(rc.params["sub"]), keep, func(v *state.VM) []byte { return rc.st.Read(v.Body) }))
}

func (rc *requestContext) getVM() reply.Reply {
	if r := rc.groupNotFound(); r != nil {
		return *r
	}
	v := rc.st.VMs.Get(ids.Key(rc.path))
	if v == nil {
		return reply.ResourceNotFound("Microsoft.Compute/virtualMachines", rc.params["vm"], rc.params["group"])
	}
	return reply.OK(rc.st.Read(v.Body))
}
