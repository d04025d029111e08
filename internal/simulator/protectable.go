package simulator

import (
	"net/http"
	"strings"
	"time"

	"github.com/azbackup/azbackup/internal/simulator/ids"
	"github.com/azbackup/azbackup/internal/simulator/rawjson"
	"github.com/azbackup/azbackup/internal/simulator/reply"
)

// listProtectable lists the VMs of the vault's subscription and region that a refresh has discovered and that no vault
// protects (docs/azure.md §2, §33.26).
func (rc *requestContext) listProtectable() reply.Reply {
	v, none := rc.vault()
	if none != nil {
		return *none
	}
	f, bad := rc.filter("backupManagementType", "workloadType", "containerName", "status", "friendlyName")
	if bad != nil {
		return *bad
	}
	return rc.list("protectable", rc.protectable(v, f))
}

// protectable iterates over the snapshot's protectable items of the vault without a VM (classic VMs), then the VMs. A
// row is an index into the two tables placed end to end, so that a page costs only its own rows.
func (rc *requestContext) protectable(v *vault, f filter) rowIterator {
	behind := len(rc.st.protectables.rows)
	return func(from int, visit func(int, func() []byte) bool) {
		more := true
		rc.st.protectables.group(v.key, from, func(row int, l *opaqueResource) bool {
			body := rc.st.read(l.body)
			if rc.st.vms.get(ids.Key(rawjson.TextAt(body, "properties", "virtualMachineId"))) == nil && rc.protectableMatches(f, body) {
				more = visit(row, func() []byte { return body })
			}
			return more
		})
		if !more {
			return
		}
		rc.st.vms.group(v.sub, max(from-behind, 0), func(row int, machine *vm) bool {
			if machine.region != v.region || !rc.st.isDiscovered(machine) || rc.st.isProtected(machine.key) || !f.matches(func(name string) string { return protectableField(machine, name) }) {
				return true
			}
			return visit(behind+row, func() []byte { return rc.protectableBody(v, machine) })
		})
	}
}

// protectableField returns a VM's field by its name in a filter of protectable items.
func protectableField(machine *vm, name string) string {
	switch strings.ToLower(name) {
	case "backupmanagementtype":
		return "AzureIaasVM"
	case "workloadtype":
		return "VM"
	case "containername":
		return ids.ContainerKeyFor(machine.group, machine.name)
	case "status":
		return "NotProtected"
	}
	return machine.name
}

func (rc *requestContext) protectableBody(v *vault, machine *vm) []byte {
	vmID := rawjson.TextAt(rc.st.read(machine.body), "id")
	group := ids.Segment(vmID, "resourceGroups")
	tail := ids.ContainerKeyFor(group, machine.name)
	return rawjson.NewObject(
		// Three spellings of one name (docs/azure.md §2, §33.17).
		"id", v.id+"/backupFabrics/Azure/protectionContainers/"+ids.ContainerPrefix+tail+"/protectableItems/vm;"+tail,
		"name", tail, "type", "Microsoft.RecoveryServices/vaults/backupFabrics/protectionContainers/protectableItems",
		"properties", rawjson.NewObject("virtualMachineId", vmID, "virtualMachineVersion", "Compute", "resourceGroup", group,
			"backupManagementType", "AzureIaasVM", "protectableItemType", vmItem, "friendlyName", machine.name,
			"protectionState", "NotProtected")).Bytes()
}

func (rc *requestContext) protectableMatches(f filter, body []byte) bool {
	return f.matches(func(name string) string {
		switch strings.ToLower(name) {
		case "backupmanagementtype":
			return rawjson.TextAt(body, "properties", "backupManagementType")
		case "workloadtype":
			return "VM"
		case "containername":
			return ids.ContainerKeyOf(rawjson.TextAt(body, "name"))
		case "status":
			return rawjson.TextAt(body, "properties", "protectionState")
		}
		return rawjson.TextAt(body, "properties", "friendlyName")
	})
}

// refresh starts the discovery of VMs: 202 and fabric-level URLs (docs/azure.md §1).
func (rc *requestContext) refresh() reply.Reply {
	v, none := rc.vault()
	if none != nil {
		return *none
	}
	target := v.key + "|refresh"
	if rc.st.operationOn(target) != nil {
		return rc.unverified("refresh-running", "A discovery is in progress.")
	}
	id := rc.guid("refresh")
	fabricPath := strings.TrimSuffix(rc.path, "/"+ids.LastSegment(rc.path))
	op := &operation{
		ID: id, Action: actRefresh, Vault: v.key, Target: target, Version: rc.version, State: inProgress,
		StatusPath: fabricPath + "/operationsStatus/" + id, ResultPath: fabricPath + "/operationResults/" + id,
		Started: rc.now, Ends: rc.now.Add(rc.s.sampleDuration("refresh", v.key)),
	}
	rc.startOperation(op)
	return rc.acceptedReply(op)
}

func (s *Server) finishRefresh(op *operation, at time.Time) {
	v := s.st.vaults.get(op.Vault)
	if v == nil {
		return
	}
	if s.st.service.Refreshed == nil {
		s.st.service.Refreshed = map[string]time.Time{}
	}
	s.st.service.Refreshed[v.sub+"/"+v.region] = at
}

// listContainers lists the VMs registered with the vault; those of soft-deleted items are in the list of deleted
// containers (docs/azure.md §3, §33.32).
func (rc *requestContext) listContainers() reply.Reply {
	return rc.containers(func(it *item) bool { return !it.isDeleted }, "Registered")
}

func (rc *requestContext) listDeletedContainers() reply.Reply {
	return rc.containers(func(it *item) bool { return it.isDeleted }, "SoftDeleted")
}

func (rc *requestContext) containers(keep func(*item) bool, status string) reply.Reply {
	v, none := rc.vault()
	if none != nil {
		return *none
	}
	f, bad := rc.filter("backupManagementType", "status", "friendlyName", "backupEngineName")
	if bad != nil {
		return *bad
	}
	field := func(it *item, name string) string {
		if strings.EqualFold(name, "status") {
			return status
		}
		return rc.itemField(it, name)
	}
	accept := func(it *item) bool {
		return keep(it) && f.matches(func(name string) string { return field(it, name) })
	}
	return rc.list("containers", each(rc.st.items, v.key, accept, func(it *item) []byte { return rc.containerBody(it, status) }))
}

func (rc *requestContext) containerBody(it *item, status string) []byte {
	body := rc.st.read(it.body)
	vmID := rawjson.TextAt(body, "properties", "virtualMachineId")
	id, _, _ := strings.Cut(rawjson.TextAt(body, "id"), "/protectedItems/")
	return rawjson.NewObject("id", id, "name", ids.LastSegment(id), "type", "Microsoft.RecoveryServices/vaults/backupFabrics/protectionContainers",
		"properties", rawjson.NewObject("virtualMachineId", vmID, "virtualMachineVersion", "Compute", "resourceGroup", ids.Segment(vmID, "resourceGroups"),
			"friendlyName", it.friendly, "backupManagementType", it.management, "registrationStatus", status,
			"healthStatus", "Healthy", "containerType", vmItem, "protectableObjectType", vmItem)).Bytes()
}

// listUsage counts a vault's items; its limit of -1 does not show the quota (docs/azure.md §11).
func (rc *requestContext) listUsage() reply.Reply {
	v, none := rc.vault()
	if none != nil {
		return *none
	}
	return reply.OK(rawjson.NewObject("value", []rawjson.Object{rawjson.NewObject("name", rawjson.NewObject("value", "AzureIaasVM", "localizedValue", "AzureIaasVM"),
		"currentValue", rc.st.countVMs(v), "limit", -1, "unit", "Count")}).Bytes())
}

func (rc *requestContext) listGuards() reply.Reply {
	v, none := rc.vault()
	if none != nil {
		return *none
	}
	var bodies [][]byte
	rc.st.proxies.group(v.key, 0, func(_ int, l *opaqueResource) bool { bodies = append(bodies, rc.st.read(l.body)); return true })
	return reply.OK(joinBodies(bodies))
}

// backupStatus returns the vault of a region that protects a VM (docs/azure.md §9).
func (rc *requestContext) backupStatus() reply.Reply {
	if err := rawjson.CheckObject(rc.body); err != nil {
		return invalidContent(err)
	}
	sent := rawjson.Parse(rc.body)
	if !strings.EqualFold(sent.Text("resourceType"), "VM") || ids.Segment(sent.Text("resourceId"), "virtualMachines") == "" {
		return reply.Error(http.StatusBadRequest, "BMSUserErrorInvalidInput", "Input for backup status is not in proper format.") // UNVERIFIED code
	}
	id := sent.Text("resourceId")
	tail := ids.ContainerKeyFor(ids.Segment(id, "resourceGroups"), ids.LastSegment(id))
	status, it := rc.statusOf(ids.Key(id), ids.Region(rc.params["location"]))
	o := rawjson.NewObject("protectionStatus", status)
	if it != nil && status == "Protected" {
		o.Set("vaultId", rc.st.vaults.get(it.vault).id)
	}
	o.Set("fabricName", "Azure")
	o.Set("containerName", strings.ToLower(ids.ContainerPrefix)+tail)
	o.Set("protectedItemName", strings.ToLower(ids.ItemPrefix)+tail)
	if it != nil && status == "Protected" {
		o.Set("policyName", rc.st.policyNameOf(it))
	}
	o.Set("protectedItemsCount", 0)
	o.Set("objectType", "BackupStatusResponse")
	return reply.OK(o.Bytes())
}

// statusOf searches all vaults of the region; its status of stopped and soft-deleted items is UNVERIFIED.
func (rc *requestContext) statusOf(vmKey, location string) (string, *item) {
	status := "NotProtected"
	var found *item
	for _, it := range rc.st.itemsOf(vmKey) {
		v := rc.st.vaults.get(it.vault)
		if v == nil || v.region != location {
			continue
		}
		switch {
		case it.isDeleted:
			if found == nil {
				status = rc.s.set.Unverified["status-of-soft-deleted"]
				found = it
			}
		case it.state == "ProtectionStopped":
			status, found = rc.s.set.Unverified["status-of-stopped"], it
		default:
			return "Protected", it
		}
	}
	if found == nil && protecting(rc.st, vmKey) != nil {
		status = rc.s.set.Unverified["status-of-protecting"]
	}
	return status, found
}

// preValidate returns 200 for a failure too (docs/azure.md §9).
func (rc *requestContext) preValidate() reply.Reply {
	if err := rawjson.CheckObject(rc.body); err != nil {
		return invalidContent(err)
	}
	sent := rawjson.Parse(rc.body)
	id := sent.Text("resourceId")
	tail := ids.ContainerKeyFor(ids.Segment(id, "resourceGroups"), ids.LastSegment(id))
	o := rawjson.NewObject("status", "Succeeded", "containerName", strings.ToLower(ids.ContainerPrefix)+tail, "protectedItemName", strings.ToLower(ids.ItemPrefix)+tail)
	if rc.st.isProtected(ids.Key(id)) {
		o.Set("status", "Failed")
		o.Set("errorCode", "VirtualMachineAlreadyProtected")
		o.Set("errorMessage", "Virtual machine with same name and same resource group is already protected.")
		o.Set("recommendation", "Stop protection of the virtual machine in the other vault first.")
	}
	return reply.OK(o.Bytes())
}

func (rc *requestContext) validateFeatures() reply.Reply {
	return reply.OK(rawjson.NewObject("supportStatus", "Supported").Bytes())
}
