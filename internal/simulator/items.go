package simulator

import (
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/azbackup/azbackup/internal/simulator/ids"
	"github.com/azbackup/azbackup/internal/simulator/rawjson"
	"github.com/azbackup/azbackup/internal/simulator/reply"
	"github.com/azbackup/azbackup/internal/simulator/rules"
	"github.com/azbackup/azbackup/internal/simulator/state"
)

const (
	itemType = "Microsoft.RecoveryServices/vaults/backupFabrics/protectionContainers/protectedItems"
)

// listItems returns the inventory of a vault, soft-deleted items included (docs/azure.md §3).
func (rc *requestContext) listItems() reply.Reply {
	v, none := rc.vault()
	if none != nil {
		return *none
	}
	f, bad := rc.filter("backupManagementType", "itemType", "policyName", "containerName", "friendlyName",
		"fabricName", "healthState", "backupEngineName", "backupSetName")
	if bad != nil {
		return *bad
	}
	keep := func(it *state.Item) bool {
		return !rc.isHidden(it) && f.Matches(func(name string) string { return rc.itemField(it, name) })
	}
	return rc.list("items", each(rc.st.Items, v.Key, keep, rc.itemBody))
}

func (rc *requestContext) itemField(it *state.Item, name string) string {
	switch strings.ToLower(name) {
	case "backupmanagementtype":
		return it.Management
	case "itemtype":
		return it.Workload
	case "policyname":
		return ids.LastSegment(it.Policy)
	case "containername":
		return it.ContainerKey
	case "friendlyname":
		return it.Friendly
	case "fabricname":
		return "Azure"
	case "healthstate":
		return rawjson.TextAt(rc.st.Read(it.Body), "properties", "healthStatus")
	}
	return ""
}

// itemBody returns an item's body as of now: the remaining time of a soft-deleted item changes with the clock.
func (rc *requestContext) itemBody(it *state.Item) []byte {
	body := rc.st.Read(it.Body)
	if !it.IsDeleted {
		return body
	}
	left := rc.st.PurgeTime(it).Sub(rc.now)
	return rawjson.Edit(body, func(p *rawjson.Object) { p.Set("deferredDeleteTimeRemaining", rawjson.TimeSpan(left)) }, "properties")
}

// itemNames checks the container's and the item's names in the path (docs/azure.md §3) and returns their tail.
func (rc *requestContext) itemNames() (tail string, bad *reply.Reply) {
	container, name := ids.Key(rc.params["container"]), ids.Key(rc.params["item"])
	if !strings.HasPrefix(container, "iaasvmcontainer;") || strings.Count(ids.ContainerKeyOf(container), ";") != 2 {
		r := reply.Error(http.StatusBadRequest, "BMSUserErrorContainerNameIncorrectFormat", "The format of the container name '%s' is not valid.", rc.params["container"])
		return "", &r
	}
	if !strings.HasPrefix(name, "vm;") || strings.Count(ids.ContainerKeyOf(name), ";") != 2 {
		r := reply.Error(http.StatusBadRequest, "BMSUserErrorProtectedItemNameIncorrectFormat", "The format of the protected item name '%s' is not valid.", rc.params["item"])
		return "", &r
	}
	if ids.ContainerKeyOf(container) != ids.ContainerKeyOf(name) {
		r := rules.InvalidConfigure()
		return "", &r
	}
	return ids.ContainerKeyOf(name), nil
}

func itemNotFound() reply.Reply {
	return reply.Error(http.StatusNotFound, "BMSUserErrorDataSourceObjectNotFound", "Item not found.\r\nThe item does not exist, or is not protected in this vault.")
}

// vaultAndTail returns the vault of the path and the tail of the item's name, or the reply that refuses them.
func (rc *requestContext) vaultAndTail() (v *state.Vault, tail string, bad *reply.Reply) {
	if v, bad = rc.vault(); bad == nil {
		tail, bad = rc.itemNames()
	}
	return v, tail, bad
}

// item returns the item of the path, or the not-found reply.
func (rc *requestContext) item() (*state.Vault, *state.Item, *reply.Reply) {
	v, tail, bad := rc.vaultAndTail()
	if bad != nil {
		return nil, nil, bad
	}
	it := rc.st.Items.Get(state.ItemKey(v.Key, tail))
	if it == nil || rc.isHidden(it) {
		r := itemNotFound()
		return v, nil, &r
	}
	return v, it, nil
}

// getItem returns 200 for a soft-deleted item too (docs/azure.md §3).
func (rc *requestContext) getItem() reply.Reply {
	_, it, none := rc.item()
	if none != nil {
		return *none
	}
	body := rc.itemBody(it)
	if strings.Contains(strings.ToLower(queryOf(rc.r.URL.RawQuery)["$filter"]), "expand") {
		body = rawjson.Edit(body, func(p *rawjson.Object) { p.Set("extendedInfo", rc.extendedInfo(it)) }, "properties")
	}
	return reply.OK(body)
}

// extendedInfo returns an item's extendedInfo, which a reply has only on request (docs/azure.md §3).
func (rc *requestContext) extendedInfo(it *state.Item) rawjson.Object {
	points := rc.pointsOf(it.Key)
	o := rawjson.NewObject("recoveryPointCount", len(points), "policyInconsistent", false)
	if len(points) > 0 {
		oldest := points[len(points)-1].Taken
		o.Set("oldestRecoveryPoint", rawjson.Time(oldest))
		o.Set("oldestRecoveryPointInVault", rawjson.Time(oldest))
	}
	return o
}

// deleteItem returns 202 with vault-level URLs (docs/azure.md §6, §33.2).
func (rc *requestContext) deleteItem() reply.Reply {
	v, tail, bad := rc.vaultAndTail()
	if bad != nil {
		return *bad
	}
	it := rc.st.Items.Get(state.ItemKey(v.Key, tail))
	if it == nil {
		return reply.Reply{Status: http.StatusNoContent}
	}
	if it.IsDeleted {
		return rc.unverified("delete-soft-deleted", "The item is in soft deleted state and goes when its time is over.")
	}
	if r := rc.rules().BusyItemReply(it.Key); r != nil {
		return *r
	}
	if rc.st.Proxies.Count(v.Key) > 0 && !rc.st.Service.Unlocked[it.Key].After(rc.now) {
		return *rc.rules().GuardRequired("")
	}
	points := rc.st.Points.Count(it.Key)
	if rules.IsImmutable(rc.st, v) && points > 0 {
		return rc.unverified("immutable-denied", "%s", rules.ImmutableText)
	}
	action := state.ActHardDelete
	if rules.SoftDeleteDays(rc.st, v) > 0 {
		action = state.ActSoftDelete
	}
	id := rc.guid("delete")
	vaultPath := ids.VaultPart(rc.path)
	op := &state.Operation{
		ID: id, Action: action, Vault: v.Key, Target: it.Key, Version: rc.version, State: state.InProgress,
		StatusPath: vaultPath + "/backupOperations/" + id, ResultPath: vaultPath + "/backupOperationResults/" + id,
		Started: rc.now, Ends: rc.now.Add(rc.s.sampleDuration(action, it.Key)),
	}
	op.Jobs = []string{rc.startJob(v, it.Friendly, it.ContainerKey, "DeleteBackupData", "Number of Recovery Points", strconv.Itoa(points))}
	rc.startOperation(op)
	return rc.acceptedReply(op)
}

// finishDelete soft-deletes an item, or removes it with its recovery points.
func (s *Server) finishDelete(op *state.Operation, at time.Time) {
	it := s.st.Items.Get(op.Target)
	if it == nil {
		return
	}
	if op.Action != state.ActSoftDelete {
		s.dropItem(it)
		return
	}
	v := s.st.Vaults.Get(it.Vault)
	if v == nil {
		return
	}
	days := rules.SoftDeleteDays(s.st, v)
	it = s.st.PutItem(rawjson.Edit(s.st.Read(it.Body), func(p *rawjson.Object) {
		p.Set("protectionState", "ProtectionStopped")
		p.Set("policyId", "")
		p.Set("policyName", "")
		p.SetBefore("isArchiveEnabled", "deferredDeleteTimeInUTC", rawjson.Time(op.Started))
		p.SetBefore("isArchiveEnabled", "isScheduledForDeferredDelete", true)
		p.SetBefore("isArchiveEnabled", "deferredDeleteTimeRemaining", rawjson.TimeSpan(op.Started.AddDate(0, 0, days).Sub(at)))
		p.Set("softDeleteRetentionPeriod", days)
	}, "properties"))
	s.schedulePurge(it)
}

func (s *Server) dropItem(it *state.Item) {
	for _, p := range s.st.PointsOf(it.Key) {
		s.st.Remove("recoveryPoints", p.Key)
	}
	s.st.Remove("protectedItems", it.Key)
}

// schedulePurge schedules the purge of a soft-deleted item at the end of its retention.
func (s *Server) schedulePurge(it *state.Item) {
	at := s.st.PurgeTime(it)
	if at.IsZero() {
		return
	}
	s.st.Start(&state.Operation{
		ID: "purge|" + it.Key + "|" + rawjson.Time(at), Action: state.ActPurge, Vault: it.Vault, Target: it.Key,
		Started: at, Ends: at, State: state.InProgress,
	})
}

// finishItem applies the effect of an accepted PUT (docs/azure.md §6).
func (s *Server) finishItem(op *state.Operation, at time.Time) {
	it := s.st.Items.Get(op.Target)
	if op.Action == state.ActProtect {
		if it == nil {
			s.createItem(op, at)
		}
		return
	}
	if it == nil {
		return
	}
	sent := rawjson.Parse(op.Request).Object("properties")
	it = s.st.PutItem(rawjson.Edit(s.st.Read(it.Body), func(p *rawjson.Object) { s.applyItemChange(p, op, sent) }, "properties"))
	if op.Action == state.ActModify || op.Action == state.ActResume {
		s.updateExpiries(it, at)
	}
}

func (s *Server) applyItemChange(p *rawjson.Object, op *state.Operation, sent rawjson.Object) {
	switch op.Action {
	case state.ActStop:
		p.Set("protectionState", "ProtectionStopped")
		p.Set("policyId", "")
		p.Set("policyName", "")
	case state.ActSuspend:
		p.Set("protectionState", "BackupsSuspended")
	case state.ActUndelete:
		p.Set("protectionState", "ProtectionStopped")
		p.Set("policyId", "")
		p.Set("policyName", "")
		p.Del("deferredDeleteTimeInUTC", "isScheduledForDeferredDelete", "deferredDeleteTimeRemaining")
		p.Set("softDeleteRetentionPeriod", 0)
	case state.ActModify, state.ActResume:
		policyID := strings.ReplaceAll(sent.Text("policyId"), "%3B", ";")
		p.Set("policyId", policyID) // in the spelling it was PUT with (docs/azure.md §33.16)
		p.Set("policyName", s.st.PolicyName(policyID))
		if op.Action == state.ActResume {
			p.Set("protectionState", resumedState(*p))
		}
		s.setDisks(p, sent)
	}
}

// resumedState returns an item's state after resume: with recovery points Protected, without IRPending (docs/azure.md
// §6; the latter UNVERIFIED).
func resumedState(p rawjson.Object) string {
	if p.Text("lastRecoveryPoint") != "" {
		return "Protected"
	}
	return "IRPending"
}

// setDisks keeps an item's disk filter unless the request names one (docs/azure.md §6).
func (s *Server) setDisks(p *rawjson.Object, sent rawjson.Object) {
	extended := sent.Raw("extendedProperties")
	if extended == nil && !s.set.PolicyChangeDropsDiskFilter {
		return
	}
	disks := rawjson.RawAt(extended, "diskExclusionProperties")
	if disks == nil || string(disks) == "null" {
		p.Del("extendedProperties")
		return
	}
	p.SetBefore("protectedItemType", "extendedProperties", rawjson.NewObject("diskExclusionProperties", json.RawMessage(disks)))
	p.Set("extendedProperties", rawjson.NewObject("diskExclusionProperties", json.RawMessage(disks)))
}

// createItem creates the item of a VM whose first backup is pending (docs/azure.md §3, §33.30).
func (s *Server) createItem(op *state.Operation, at time.Time) {
	v := s.st.Vaults.Get(op.Vault)
	sent := rawjson.Parse(op.Request).Object("properties")
	machine := s.st.VMs.Get(ids.Key(sent.Text("sourceResourceId")))
	if v == nil || machine == nil {
		return
	}
	vmID := rawjson.TextAt(s.st.Read(machine.Body), "id")
	tail := op.Target[len(op.Vault)+1:]
	policyID := strings.ReplaceAll(sent.Text("policyId"), "%3B", ";")
	props := rawjson.NewObject(
		"friendlyName", machine.Name, "virtualMachineId", vmID, "protectionStatus", "Healthy",
		"protectionState", "IRPending", "healthStatus", "Passed", "lastBackupStatus", "",
		"lastBackupTime", "2001-01-01T00:00:00Z", "protectedItemDataId", s.digits(at, op.Target, 15),
		"sourceSideScanning", 0, "protectedItemType", ids.VMType, "backupManagementType", "AzureIaasVM", "workloadType", "VM",
		"containerName", tail, "sourceResourceId", vmID, "policyId", policyID, "policyName", s.st.PolicyName(policyID),
		"vaultId", s.st.Endpoint()+v.ID, "isArchiveEnabled", false, "softDeleteRetentionPeriod", 0)
	s.setDisks(&props, sent)
	s.st.PutItem(rawjson.NewObject("id", v.ID+"/backupFabrics/Azure/protectionContainers/"+ids.ContainerPrefix+tail+"/protectedItems/"+ids.ItemPrefix+tail,
		"name", ids.ItemPrefix+tail, "type", itemType, "properties", props).Bytes())
	s.assignStorage(v)
}

// assignStorage assigns the vault's storage with its first item (recorded: backupStorageVersion Unassigned -> V2).
func (s *Server) assignStorage(v *state.Vault) {
	body := s.st.Read(v.Body)
	if rawjson.TextAt(body, "properties", "backupStorageVersion") != "Unassigned" {
		return
	}
	body = rawjson.Edit(body, func(p *rawjson.Object) { p.Set("backupStorageVersion", "V2") }, "properties")
	path := []string{"properties", "securitySettings", "softDeleteSettings"}
	if rawjson.TextAt(body, append(path, "softDeleteState")...) == "Disabled" {
		// With soft delete off the days read 0 from here on (recorded; Era "2024" only).
		body = rawjson.Edit(body, func(p *rawjson.Object) { p.Set("softDeleteRetentionPeriodInDays", 0) }, path...)
	}
	s.st.PutVault(body)
}

// putItem handles protect, modify, stop, suspend, resume and undelete: one PUT, distinguished by its body
// (docs/azure.md §6).
func (rc *requestContext) putItem() reply.Reply {
	v, tail, bad := rc.vaultAndTail()
	if bad != nil {
		return *bad
	}
	if err := rawjson.CheckObject(rc.body); err != nil {
		return invalidContent(err)
	}
	p := &rules.ItemPut{Vault: v, ContainerKey: tail, Existing: rc.st.Items.Get(state.ItemKey(v.Key, tail)), Sent: rawjson.Parse(rc.body).Object("properties")}
	if r := rc.rules().CheckItem(p); r != nil {
		return *r
	}
	if r := rc.consumeDailyLimit("protection-changes", v); r != nil {
		return *r
	}
	return rc.acceptedReply(rc.startItemOp(p))
}

// startItemOp starts the operation; its URLs are under the item in the client's spelling (docs/azure.md §4, §33.1).
func (rc *requestContext) startItemOp(p *rules.ItemPut) *state.Operation {
	target := state.ItemKey(p.Vault.Key, p.ContainerKey)
	op := rc.operationUnder(rc.path, "item operation", state.Operation{
		Action: p.Action, Vault: p.Vault.Key, Target: target,
		Ends: rc.now.Add(rc.s.sampleDuration(p.Action, target)), Request: json.RawMessage(rc.body),
	})
	friendly := ids.LastSegment(p.Sent.Text("sourceResourceId"))
	if p.Existing != nil {
		friendly = p.Existing.Friendly
	}
	switch p.Action {
	case state.ActStop, state.ActSuspend:
		op.Jobs = []string{rc.startJob(p.Vault, friendly, p.ContainerKey, "DisableBackup", "Policy Name", "")}
	case state.ActUndelete:
		op.Jobs = []string{rc.startJob(p.Vault, friendly, p.ContainerKey, "Undelete", "Undelete flag", "True")}
	default:
		op.Jobs = []string{rc.startJob(p.Vault, friendly, p.ContainerKey, "ConfigureBackup", "Policy Name", p.Policy.Name)}
	}
	rc.startOperation(op)
	return op
}
