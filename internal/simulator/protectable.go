package simulator

import (
	"net/http"
	"strings"
	"time"

	"github.com/azbackup/azbackup/internal/simulator/ids"
	"github.com/azbackup/azbackup/internal/simulator/query"
	"github.com/azbackup/azbackup/internal/simulator/rawjson"
	"github.com/azbackup/azbackup/internal/simulator/reply"
	"github.com/azbackup/azbackup/internal/simulator/state"
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
func (rc *requestContext) protectable(v *state.Vault, f query.Filter) rowIterator {
	behind := len(rc.st.Protectables.Rows)
	return func(from int, visit func(int, func() []byte) bool) {
		more := true
		rc.st.Protectables.Group(v.Key, from, func(row int, l *state.OpaqueResource) bool {
			body := rc.st.Read(l.Body)
			if rc.st.VMs.Get(ids.Key(rawjson.TextAt(body, "properties", "virtualMachineId"))) == nil && rc.protectableMatches(f, body) {
				more = visit(row, func() []byte { return body })
			}
			return more
		})
		if !more {
			return
		}
		rc.st.VMs.Group(v.Sub, max(from-behind, 0), func(row int, machine *state.VM) bool {
			if machine.Region != v.Region || !rc.st.IsDiscovered(machine) || rc.st.IsProtected(machine.Key) || !f.Matches(func(name string) string { return protectableField(machine, name) }) {
				return true
			}
			return visit(behind+row, func() []byte { return rc.protectableBody(v, machine) })
		})
	}
}

// protectableField returns a VM's field by its name in a filter of protectable items.
func protectableField(machine *state.VM, name string) string {
	switch strings.ToLower(name) {
	case "backupmanagementtype":
		return "AzureIaasVM"
	case "workloadtype":
		return "VM"
	case "containername":
		return ids.ContainerKeyFor(machine.Group, machine.Name)
	case "status":
		return "NotProtected"
	}
	return machine.Name
}

func (rc *requestContext) protectableBody(v *state.Vault, machine *state.VM) []byte {
	vmID := rawjson.TextAt(rc.st.Read(machine.Body), "id")
	group := ids.Segment(vmID, "resourceGroups")
	tail := ids.ContainerKeyFor(group, machine.Name)
	return rawjson.NewObject(
		// Three spellings of one name (docs/azure.md §2, §33.17).
		"id", v.ID+"/backupFabrics/Azure/protectionContainers/"+ids.ContainerPrefix+tail+"/protectableItems/vm;"+tail,
		"name", tail, "type", "Microsoft.RecoveryServices/vaults/backupFabrics/protectionContainers/protectableItems",
		"properties", rawjson.NewObject("virtualMachineId", vmID, "virtualMachineVersion", "Compute", "resourceGroup", group,
			"backupManagementType", "AzureIaasVM", "protectableItemType", ids.VMType, "friendlyName", machine.Name,
			"protectionState", "NotProtected")).Bytes()
}

func (rc *requestContext) protectableMatches(f query.Filter, body []byte) bool {
	return f.Matches(func(name string) string {
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
	target := v.Key + "|refresh"
	if rc.st.OperationOn(target) != nil {
		return rc.unverified("refresh-running", "A discovery is in progress.")
	}
	op := rc.operationUnder(ids.Parent(rc.path), "refresh", state.Operation{
		Action: state.ActRefresh, Vault: v.Key, Target: target, Ends: rc.now.Add(rc.s.sampleDuration("refresh", v.Key)),
	})
	rc.startOperation(op)
	return rc.acceptedReply(op)
}

func (s *Server) finishRefresh(op *state.Operation, at time.Time) {
	v := s.st.Vaults.Get(op.Vault)
	if v == nil {
		return
	}
	if s.st.Service.Refreshed == nil {
		s.st.Service.Refreshed = map[string]time.Time{}
	}
	s.st.Service.Refreshed[v.Sub+"/"+v.Region] = at
}

// listContainers lists the VMs registered with the vault; those of soft-deleted items are in the list of deleted
// containers (docs/azure.md §3, §33.32).
func (rc *requestContext) listContainers() reply.Reply {
	return rc.containers(func(it *state.Item) bool { return !it.IsDeleted }, "Registered")
}

func (rc *requestContext) listDeletedContainers() reply.Reply {
	return rc.containers(func(it *state.Item) bool { return it.IsDeleted }, "SoftDeleted")
}

func (rc *requestContext) containers(keep func(*state.Item) bool, status string) reply.Reply {
	v, none := rc.vault()
	if none != nil {
		return *none
	}
	f, bad := rc.filter("backupManagementType", "status", "friendlyName", "backupEngineName")
	if bad != nil {
		return *bad
	}
	field := func(it *state.Item, name string) string {
		if strings.EqualFold(name, "status") {
			return status
		}
		return rc.itemField(it, name)
	}
	accept := func(it *state.Item) bool {
		return keep(it) && f.Matches(func(name string) string { return field(it, name) })
	}
	return rc.list("containers", each(rc.st.Items, v.Key, accept, func(it *state.Item) []byte { return rc.containerBody(it, status) }))
}

func (rc *requestContext) containerBody(it *state.Item, status string) []byte {
	body := rc.st.Read(it.Body)
	vmID := rawjson.TextAt(body, "properties", "virtualMachineId")
	id, _, _ := strings.Cut(rawjson.TextAt(body, "id"), "/protectedItems/")
	return rawjson.NewObject("id", id, "name", ids.LastSegment(id), "type", "Microsoft.RecoveryServices/vaults/backupFabrics/protectionContainers",
		"properties", rawjson.NewObject("virtualMachineId", vmID, "virtualMachineVersion", "Compute", "resourceGroup", ids.Segment(vmID, "resourceGroups"),
			"friendlyName", it.Friendly, "backupManagementType", it.Management, "registrationStatus", status,
			"healthStatus", "Healthy", "containerType", ids.VMType, "protectableObjectType", ids.VMType)).Bytes()
}

// listUsage counts a vault's items; its limit of -1 does not show the quota (docs/azure.md §11).
func (rc *requestContext) listUsage() reply.Reply {
	v, none := rc.vault()
	if none != nil {
		return *none
	}
	return reply.OK(rawjson.NewObject("value", []rawjson.Object{rawjson.NewObject("name", rawjson.NewObject("value", "AzureIaasVM", "localizedValue", "AzureIaasVM"),
		"currentValue", rc.st.CountVMs(v), "limit", -1, "unit", "Count")}).Bytes())
}

func (rc *requestContext) listGuards() reply.Reply {
	v, none := rc.vault()
	if none != nil {
		return *none
	}
	var bodies [][]byte
	rc.st.Proxies.Group(v.Key, 0, func(_ int, l *state.OpaqueResource) bool { bodies = append(bodies, rc.st.Read(l.Body)); return true })
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
		o.Set("vaultId", rc.st.Vaults.Get(it.Vault).ID)
	}
	o.Set("fabricName", "Azure")
	o.Set("containerName", strings.ToLower(ids.ContainerPrefix)+tail)
	o.Set("protectedItemName", strings.ToLower(ids.ItemPrefix)+tail)
	if it != nil && status == "Protected" {
		o.Set("policyName", rc.st.PolicyNameOf(it))
	}
	o.Set("protectedItemsCount", 0)
	o.Set("objectType", "BackupStatusResponse")
	return reply.OK(o.Bytes())
}

// statusOf searches all vaults of the region; its status of stopped and soft-deleted items is UNVERIFIED.
func (rc *requestContext) statusOf(vmKey, location string) (string, *state.Item) {
	status := "NotProtected"
	var found *state.Item
	for _, it := range rc.st.ItemsOf(vmKey) {
		v := rc.st.Vaults.Get(it.Vault)
		if v == nil || v.Region != location {
			continue
		}
		switch {
		case it.IsDeleted:
			if found == nil {
				status = rc.s.set.Unverified["status-of-soft-deleted"]
				found = it
			}
		case it.State == "ProtectionStopped":
			status, found = rc.s.set.Unverified["status-of-stopped"], it
		default:
			return "Protected", it
		}
	}
	if found == nil && rc.st.Protecting(vmKey) != nil {
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
	if rc.st.IsProtected(ids.Key(id)) {
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
