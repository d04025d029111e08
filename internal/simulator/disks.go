package simulator

import (
	"encoding/json"
	"net/http"
	"strings"
	"time"
)

// Managed disks: what restores make, and what is there beside it (docs/azure.md §19).

const (
	diskType = "Microsoft.Compute/disks"
	// jobTag is the tag that ties a disk to the job that restored it (docs/azure.md §25.2).
	jobTag = "RSVaultBackup"
)

func (c *call) listDisks() reply {
	return c.listResourcesOf("disks", c.st.disks, func(r reply) reply { return r })
}

func (c *call) getDisk() reply {
	if r := c.noGroup(); r != nil {
		return *r
	}
	d := c.st.disks.get(key(c.path))
	if d == nil {
		return resourceNotFound(diskType, c.params["disk"], c.params["group"])
	}
	return ok(c.st.read(d.body))
}

// deleteDisk answers 202 with both headers, 204 where there is none, and 409 for one that is attached
// (docs/azure.md §19).
func (c *call) deleteDisk() reply {
	if r := c.noGroup(); r != nil {
		return *r
	}
	d := c.st.disks.get(key(c.path))
	if d == nil {
		return reply{status: http.StatusNoContent}
	}
	if owner := c.st.holder(d); owner != "" {
		return fail(http.StatusConflict, "OperationNotAllowed", diskInUse, d.name, owner)
	}
	if op := c.st.busy(d.key); op != nil {
		return c.diskAccepted(op)
	}
	id := c.guid("disk operation")
	path := "/subscriptions/" + c.params["sub"] + "/providers/Microsoft.Compute/locations/" + first(d.region, "global") + "/DiskOperations/" + id
	op := &operation{
		ID: id, Action: actDeleteDisk, Target: d.key, Version: c.version, State: inProgress, StatusPath: path, ResultPath: path,
		Started: c.now, Ends: c.now.Add(c.s.lasts("diskDelete", d.key)),
	}
	c.begin(op)
	return c.diskAccepted(op)
}

const diskInUse = "Disk %s is attached to VM %s."

// holder is what a disk is attached to; "" when it is free.
func (st *state) holder(d *resource) string {
	body := st.read(d.body)
	if by := text(body, "managedBy"); by != "" {
		return by
	}
	var shared []string
	_ = json.Unmarshal(get(body, "managedByExtended"), &shared)
	if len(shared) > 0 {
		return shared[0]
	}
	if state := text(body, "properties", "diskState"); strings.EqualFold(state, "Attached") || strings.EqualFold(state, "Reserved") {
		return "(" + state + ")"
	}
	return ""
}

// finishDiskDelete takes the disk away, unless somebody attached it meanwhile.
func (s *Server) finishDiskDelete(op *operation) {
	d := s.st.disks.get(op.Target)
	if d == nil {
		return
	}
	if owner := s.st.holder(d); owner != "" {
		op.State, op.Code, op.Message = failed, "OperationNotAllowed", "Disk "+d.name+" is attached to VM "+owner+"."
		return
	}
	s.st.remove("disks", d.key)
}

// diskAccepted is Compute's 202: both headers name the same operation.
func (c *call) diskAccepted(op *operation) reply {
	r := c.accepted(op)
	r.header.Set("Location", r.header.Get("Location")+"&monitor=true")
	c.comeBackAfter(&r, 5) // UNVERIFIED
	return r
}

// diskOperation answers the status of Compute's operations and, with monitor=true, their result.
func (c *call) diskOperation() reply {
	op := c.operation()
	if op == nil {
		return c.noOperation()
	}
	if query(c.r.URL.RawQuery)["monitor"] == "true" {
		switch {
		case op.running():
			return c.diskAccepted(op)
		case op.State == failed:
			return fail(http.StatusConflict, op.Code, "%s", op.Message)
		}
		return reply{status: http.StatusOK}
	}
	body := obj("startTime", stamp(op.Started))
	if !op.running() {
		body.set("endTime", stamp(op.Ends))
	}
	body.set("status", op.State)
	if op.State == failed {
		body.set("error", obj("code", op.Code, "message", op.Message))
	}
	body.set("name", op.ID)
	r := ok(body.bytes())
	if op.running() {
		c.comeBackAfter(&r, 5)
	}
	return r
}

// attach is somebody putting the disks whose id matches pattern into use.
func (st *state) attach(pattern string) {
	var found []*resource
	st.disks.all(0, func(_ int, d *resource) bool {
		if glob(key(pattern), d.key) && st.holder(d) == "" {
			found = append(found, d)
		}
		return true
	})
	for _, d := range found {
		st.putDisk(attached(st.read(d.body)))
	}
}

func attached(body json.RawMessage) json.RawMessage {
	vm := before(text(body, "id"), "disks") + "/virtualMachines/somebodys"
	return edit(body, func(o *object) {
		o.set("managedBy", vm)
		o.put("properties", edit(o.raw("properties"), func(p *object) { p.set("diskState", "Attached") }))
	})
}

// restoredDisk is the body of a disk that a restore made of d (docs/azure.md §19, §25.2).
func (s *Server) restoredDisk(op *operation, o *restoreOrder, d sourceDisk, id string, at time.Time) json.RawMessage {
	props := object{}
	if d.LUN < 0 {
		props = obj("osType", d.OS, "hyperVGeneration", d.Generation)
	}
	created := obj("createOption", "Restore", "sourceResourceId", o.snapshotOf(d))
	if !o.instant() {
		// Which word a restore from the vault leaves is UNVERIFIED; Import is seen in the field.
		created = obj("createOption", "Import", "sourceUri", "https://"+lastSegment(o.Account)+".blob.core.windows.net/vhds/"+d.Name+".vhd")
	}
	for _, m := range obj(
		"creationData", created, "diskSizeGB", d.SizeGB, "diskSizeBytes", int64(d.SizeGB)<<30, "timeCreated", at.UTC().Format("2006-01-02T15:04:05.0000000-07:00"),
		"provisioningState", "Succeeded", "diskState", "Unattached", "encryption", obj("type", "EncryptionAtRestWithPlatformKey"),
		"networkAccessPolicy", "AllowAll", "publicNetworkAccess", "Enabled", "uniqueId", guidOf(s.digest("disk", id))) {
		props.put(m.key, m.value)
	}
	// The job's tag is never the only one (docs/azure.md §25.2).
	tags := obj("Creator", "Azure Policy")
	for _, m := range parse(d.Tags) {
		if !strings.EqualFold(m.key, jobTag) { // a disk that was restored is backed up like any other
			tags.put(m.key, m.value)
		}
	}
	tags.set(jobTag, op.Jobs[0])
	return obj("id", id, "name", lastSegment(id), "type", diskType, "location", o.Region, "tags", tags,
		"sku", obj("name", first(d.Storage, "Premium_LRS")), "properties", props).bytes()
}
