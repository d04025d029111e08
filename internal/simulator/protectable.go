package simulator

import (
	"net/http"
	"strings"
	"time"
)

// listProtectable lists the VMs of the vault's subscription and region that a refresh has found and that no vault
// protects (docs/azure.md §2, §33.26).
func (c *call) listProtectable() reply {
	v, none := c.vault()
	if none != nil {
		return *none
	}
	f, bad := c.filter("backupManagementType", "workloadType", "containerName", "status", "friendlyName")
	if bad != nil {
		return *bad
	}
	return c.list("protectable", c.protectable(v, f))
}

// protectable walks what was listed for the vault when the estate was taken and has no VM in it (classic VMs), then
// the VMs. A row is a place in one table behind the other, so that a page costs its own rows.
func (c *call) protectable(v *vault, f filter) walker {
	behind := len(c.st.protectables.rows)
	return func(from int, visit func(int, func() []byte) bool) {
		more := true
		c.st.protectables.group(v.key, from, func(row int, l *listed) bool {
			body := c.st.read(l.body)
			if c.st.vms.get(key(text(body, "properties", "virtualMachineId"))) == nil && c.protectableMatches(f, body) {
				more = visit(row, func() []byte { return body })
			}
			return more
		})
		if !more {
			return
		}
		c.st.vms.group(v.sub, max(from-behind, 0), func(row int, machine *vm) bool {
			if machine.region != v.region || !c.st.discovered(machine) || c.st.held(machine.key) || !f.matches(machine.protectableField) {
				return true
			}
			return visit(behind+row, func() []byte { return c.protectableBody(v, machine) })
		})
	}
}

// protectableField is what a filter of protectable items asks of a VM.
func (v *vm) protectableField(name string) string {
	switch strings.ToLower(name) {
	case "backupmanagementtype":
		return "AzureIaasVM"
	case "workloadtype":
		return "VM"
	case "containername":
		return tailFor(v.group, v.name)
	case "status":
		return "NotProtected"
	}
	return v.name
}

// held says whether some vault holds the VM, so that it cannot be protected anew (docs/azure.md §2).
func (st *state) held(vmKey string) bool {
	for _, it := range st.itemsOf(vmKey) {
		if !it.deleted {
			return true
		}
	}
	return false
}

// discovered says whether the cache of protectable items knows the VM: it was listed when the estate was taken, or
// a refresh came since the VM exists (docs/azure.md §1: the cache is the subscription's).
func (st *state) discovered(machine *vm) bool {
	if st.known[machine.key] {
		return true
	}
	at, refreshed := st.memory.Refreshed[machine.sub+"/"+machine.region]
	return refreshed && !st.memory.Made[machine.key].After(at)
}

func (c *call) protectableBody(v *vault, machine *vm) []byte {
	vmID := text(c.st.read(machine.body), "id")
	group := segment(vmID, "resourceGroups")
	tail := tailFor(group, machine.name)
	return obj(
		// Three spellings of one name (docs/azure.md §2, §33.17).
		"id", v.id+"/backupFabrics/Azure/protectionContainers/"+containerPrefix+tail+"/protectableItems/vm;"+tail,
		"name", tail, "type", "Microsoft.RecoveryServices/vaults/backupFabrics/protectionContainers/protectableItems",
		"properties", obj("virtualMachineId", vmID, "virtualMachineVersion", "Compute", "resourceGroup", group,
			"backupManagementType", "AzureIaasVM", "protectableItemType", vmItem, "friendlyName", machine.name,
			"protectionState", "NotProtected")).bytes()
}

func (c *call) protectableMatches(f filter, body []byte) bool {
	return f.matches(func(name string) string {
		switch strings.ToLower(name) {
		case "backupmanagementtype":
			return text(body, "properties", "backupManagementType")
		case "workloadtype":
			return "VM"
		case "containername":
			return tailOf(text(body, "name"))
		case "status":
			return text(body, "properties", "protectionState")
		}
		return text(body, "properties", "friendlyName")
	})
}

// refresh asks the service to look for VMs: 202 and fabric-level URLs (docs/azure.md §1).
func (c *call) refresh() reply {
	v, none := c.vault()
	if none != nil {
		return *none
	}
	target := v.key + "|refresh"
	if c.st.busy(target) != nil {
		return c.unverified("refresh-running", "A discovery is in progress.")
	}
	id := c.guid("refresh")
	fabricPath := strings.TrimSuffix(c.path, "/"+lastSegment(c.path))
	op := &operation{
		ID: id, Action: actRefresh, Vault: v.key, Target: target, Version: c.version, State: inProgress,
		StatusPath: fabricPath + "/operationsStatus/" + id, ResultPath: fabricPath + "/operationResults/" + id,
		Started: c.now, Ends: c.now.Add(c.s.lasts("refresh", v.key)),
	}
	c.begin(op)
	return c.accepted(op)
}

func (s *Server) finishRefresh(op *operation, at time.Time) {
	v := s.st.vaults.get(op.Vault)
	if v == nil {
		return
	}
	if s.st.memory.Refreshed == nil {
		s.st.memory.Refreshed = map[string]time.Time{}
	}
	s.st.memory.Refreshed[v.sub+"/"+v.region] = at
}

// listContainers lists the VMs registered with the vault; those of soft-deleted items are in the list of deleted
// ones (docs/azure.md §3, §33.32).
func (c *call) listContainers() reply {
	return c.containers(func(it *item) bool { return !it.deleted }, "Registered")
}

func (c *call) listDeletedContainers() reply {
	return c.containers(func(it *item) bool { return it.deleted }, "SoftDeleted")
}

func (c *call) containers(keep func(*item) bool, status string) reply {
	v, none := c.vault()
	if none != nil {
		return *none
	}
	f, bad := c.filter("backupManagementType", "status", "friendlyName", "backupEngineName")
	if bad != nil {
		return *bad
	}
	field := func(it *item, name string) string {
		if strings.EqualFold(name, "status") {
			return status
		}
		return c.itemField(it, name)
	}
	accept := func(it *item) bool {
		return keep(it) && f.matches(func(name string) string { return field(it, name) })
	}
	return c.list("containers", each(c.st.items, v.key, accept, func(it *item) []byte { return c.containerBody(it, status) }))
}

func (c *call) containerBody(it *item, status string) []byte {
	body := c.st.read(it.body)
	vmID := text(body, "properties", "virtualMachineId")
	id, _, _ := strings.Cut(text(body, "id"), "/protectedItems/")
	return obj("id", id, "name", lastSegment(id), "type", "Microsoft.RecoveryServices/vaults/backupFabrics/protectionContainers",
		"properties", obj("virtualMachineId", vmID, "virtualMachineVersion", "Compute", "resourceGroup", segment(vmID, "resourceGroups"),
			"friendlyName", it.friendly, "backupManagementType", it.management, "registrationStatus", status,
			"healthStatus", "Healthy", "containerType", vmItem, "protectableObjectType", vmItem)).bytes()
}

// listUsage counts a vault's items; its limit of -1 does not tell the quota (docs/azure.md §11).
func (c *call) listUsage() reply {
	v, none := c.vault()
	if none != nil {
		return *none
	}
	return ok(obj("value", []object{obj("name", obj("value", "AzureIaasVM", "localizedValue", "AzureIaasVM"),
		"currentValue", c.st.countVMs(v), "limit", -1, "unit", "Count")}).bytes())
}

func (c *call) listGuards() reply {
	v, none := c.vault()
	if none != nil {
		return *none
	}
	var bodies [][]byte
	c.st.proxies.group(v.key, 0, func(_ int, l *listed) bool { bodies = append(bodies, c.st.read(l.body)); return true })
	return ok(joined(bodies))
}

// backupStatus tells in which vault of a region a VM is protected (docs/azure.md §9).
func (c *call) backupStatus() reply {
	if err := validObject(c.body); err != nil {
		return invalidContent(err)
	}
	sent := parse(c.body)
	if !strings.EqualFold(sent.text("resourceType"), "VM") || segment(sent.text("resourceId"), "virtualMachines") == "" {
		return fail(http.StatusBadRequest, "BMSUserErrorInvalidInput", "Input for backup status is not in proper format.") // UNVERIFIED code
	}
	id := sent.text("resourceId")
	tail := tailFor(segment(id, "resourceGroups"), lastSegment(id))
	status, it := c.statusOf(key(id), region(c.params["location"]))
	o := obj("protectionStatus", status)
	if it != nil && status == "Protected" {
		o.set("vaultId", c.st.vaults.get(it.vault).id)
	}
	o.set("fabricName", "Azure")
	o.set("containerName", strings.ToLower(containerPrefix)+tail)
	o.set("protectedItemName", strings.ToLower(itemPrefix)+tail)
	if it != nil && status == "Protected" {
		o.set("policyName", c.st.policyNameOf(it))
	}
	o.set("protectedItemsCount", 0)
	o.set("objectType", "BackupStatusResponse")
	return ok(o.bytes())
}

func (st *state) policyNameOf(it *item) string {
	return text(st.read(it.body), "properties", "policyName")
}

// statusOf looks in all vaults of the region; what it says of stopped and soft-deleted items is UNVERIFIED.
func (c *call) statusOf(vmKey, location string) (string, *item) {
	status := "NotProtected"
	var found *item
	for _, it := range c.st.itemsOf(vmKey) {
		v := c.st.vaults.get(it.vault)
		if v == nil || v.region != location {
			continue
		}
		switch {
		case it.deleted:
			if found == nil {
				status = c.s.set.Unverified["status-of-soft-deleted"]
				found = it
			}
		case it.state == "ProtectionStopped":
			status, found = c.s.set.Unverified["status-of-stopped"], it
		default:
			return "Protected", it
		}
	}
	if found == nil && c.st.protecting(vmKey) != nil {
		status = c.s.set.Unverified["status-of-protecting"]
	}
	return status, found
}

// preValidate answers 200 for a failure too (docs/azure.md §9).
func (c *call) preValidate() reply {
	if err := validObject(c.body); err != nil {
		return invalidContent(err)
	}
	sent := parse(c.body)
	id := sent.text("resourceId")
	tail := tailFor(segment(id, "resourceGroups"), lastSegment(id))
	o := obj("status", "Succeeded", "containerName", strings.ToLower(containerPrefix)+tail, "protectedItemName", strings.ToLower(itemPrefix)+tail)
	if c.st.held(key(id)) {
		o.set("status", "Failed")
		o.set("errorCode", "VirtualMachineAlreadyProtected")
		o.set("errorMessage", "Virtual machine with same name and same resource group is already protected.")
		o.set("recommendation", "Stop protection of the virtual machine in the other vault first.")
	}
	return ok(o.bytes())
}

func (c *call) validateFeatures() reply {
	return ok(obj("supportStatus", "Supported").bytes())
}
