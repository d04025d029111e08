package simulator

import (
	"cmp"
	"encoding/json"
	"net/http"
	"strings"

	"github.com/azbackup/azbackup/internal/simulator/ids"
	"github.com/azbackup/azbackup/internal/simulator/rawjson"
	"github.com/azbackup/azbackup/internal/simulator/reply"
	"github.com/azbackup/azbackup/internal/simulator/state"
)

// itemPut is a PUT of a protected item while the rules check it.
type itemPut struct {
	vault        *state.Vault
	containerKey string
	// existing is the item as it is, or nil.
	existing *state.Item
	sent     rawjson.Object
	// policy is the one the request names, or nil.
	policy *state.Policy
	action string
}

// putItem handles protect, modify, stop, suspend, resume and undelete: one PUT, distinguished by its body
// (docs/azure.md §6).
func (rc *requestContext) putItem() reply.Reply {
	v, none := rc.vault()
	if none != nil {
		return *none
	}
	tail, bad := rc.itemNames()
	if bad != nil {
		return *bad
	}
	if err := rawjson.CheckObject(rc.body); err != nil {
		return invalidContent(err)
	}
	p := &itemPut{vault: v, containerKey: tail, existing: rc.st.Items.Get(state.ItemKey(v.Key, tail)), sent: rawjson.Parse(rc.body).Object("properties")}
	for _, check := range []func(*itemPut) *reply.Reply{
		rc.checkSource, rc.checkBusy, rc.chooseTransition, rc.checkPolicyOfItem, rc.checkMachine, rc.checkElsewhere, rc.checkVaultRoom, rc.checkGuard,
	} {
		if r := check(p); r != nil {
			return *r
		}
	}
	if r := rc.consumeDailyLimit("protection-changes", v); r != nil {
		return *r
	}
	return rc.acceptedReply(rc.startItemOp(p))
}

// startItemOp starts the operation; its URLs are under the item in the client's spelling (docs/azure.md §4, §33.1).
func (rc *requestContext) startItemOp(p *itemPut) *state.Operation {
	id := rc.guid("item operation")
	target := state.ItemKey(p.vault.Key, p.containerKey)
	op := &state.Operation{
		ID: id, Action: p.action, Vault: p.vault.Key, Target: target, Version: rc.version, State: state.InProgress,
		StatusPath: rc.path + "/operationsStatus/" + id, ResultPath: rc.path + "/operationResults/" + id,
		Started: rc.now, Ends: rc.now.Add(rc.s.sampleDuration(p.action, target)), Request: json.RawMessage(rc.body),
	}
	friendly := ids.LastSegment(p.sent.Text("sourceResourceId"))
	if p.existing != nil {
		friendly = p.existing.Friendly
	}
	switch p.action {
	case state.ActStop, state.ActSuspend:
		op.Jobs = []string{rc.startJob(p.vault, friendly, p.containerKey, "DisableBackup", "Policy Name", "")}
	case state.ActUndelete:
		op.Jobs = []string{rc.startJob(p.vault, friendly, p.containerKey, "Undelete", "Undelete flag", "True")}
	default:
		op.Jobs = []string{rc.startJob(p.vault, friendly, p.containerKey, "ConfigureBackup", "Policy Name", p.policy.Name)}
	}
	rc.startOperation(op)
	return op
}

// checkSource enforces: the request names the VM that the path names (docs/azure.md §4).
func (rc *requestContext) checkSource(p *itemPut) *reply.Reply {
	source := p.sent.Text("sourceResourceId")
	if source == "" && rawjson.BoolAt(p.sent.Raw("isRehydrate")) {
		return nil // Terraform undeletes with isRehydrate alone
	}
	right := strings.EqualFold(p.sent.Text("protectedItemType"), vmItem) &&
		ids.ContainerKeyFor(ids.Segment(source, "resourceGroups"), ids.LastSegment(source)) == p.containerKey
	if right {
		return nil
	}
	r := invalidConfigure()
	return &r
}

// checkBusy enforces: one operation on an item at a time (docs/azure.md §4, §14).
func (rc *requestContext) checkBusy(p *itemPut) *reply.Reply {
	return rc.busyItemReply(state.ItemKey(p.vault.Key, p.containerKey))
}

func (rc *requestContext) busyItemReply(target string) *reply.Reply {
	if op := rc.st.OperationOn(target); op != nil && op.Action != state.ActBackup {
		r := rc.unverified("conflicting-operation", "A conflicting operation is in progress on the selected item. Please wait for it to finish and try again.")
		return &r
	}
	return nil
}

// chooseTransition is the state machine of docs/azure.md §6.
func (rc *requestContext) chooseTransition(p *itemPut) *reply.Reply {
	asked := p.sent.Text("protectionState")
	switch {
	case rawjson.BoolAt(p.sent.Raw("isRehydrate")):
		return rc.transitionToUndelete(p)
	case p.existing != nil && p.existing.IsDeleted:
		r := rc.unverified("protect-soft-deleted", "The item is in soft deleted state. Please undelete it before it is configured again.")
		return &r
	case strings.EqualFold(asked, "ProtectionStopped"):
		return rc.transitionToStop(p)
	case strings.EqualFold(asked, "BackupsSuspended"):
		return rc.transitionToSuspend(p)
	case p.sent.Text("policyId") == "" || p.existing == nil && asked != "":
		// protectionState may not be set on the initial create (docs/azure.md §4).
		r := invalidConfigure()
		return &r
	case p.existing == nil:
		p.action = state.ActProtect
	case p.existing.IsActive():
		p.action = state.ActModify
	default:
		p.action = state.ActResume
	}
	return nil
}

func (rc *requestContext) transitionToUndelete(p *itemPut) *reply.Reply {
	p.action = state.ActUndelete
	switch {
	case p.existing == nil:
		r := rc.unverified("undelete-absent", "Item not found.")
		return &r
	case !p.existing.IsDeleted:
		r := rc.unverified("undelete-not-deleted", "The item is not in soft deleted state.")
		return &r
	}
	return nil
}

func (rc *requestContext) transitionToStop(p *itemPut) *reply.Reply {
	p.action = state.ActStop
	if p.existing == nil {
		r := rc.unverified("stop-absent", "Item not found.")
		return &r
	}
	return nil
}

// transitionToSuspend: only where the vault is immutable (docs/azure.md §6).
func (rc *requestContext) transitionToSuspend(p *itemPut) *reply.Reply {
	p.action = state.ActSuspend
	switch {
	case p.existing == nil:
		r := rc.unverified("suspend-absent", "Item not found.")
		return &r
	case !isImmutable(rc.st, p.vault):
		r := reply.Error(http.StatusBadRequest, "UserErrorOperationDeniedOnImmutableItem", "%s", immutableText)
		return &r
	case p.existing.State == "ProtectionStopped":
		r := rc.unverified("suspend-stopped", "Backups of an item whose protection is stopped cannot be suspended.")
		return &r
	}
	return nil
}

func (p *itemPut) needsPolicy() bool {
	return p.action == state.ActProtect || p.action == state.ActModify || p.action == state.ActResume
}

// checkPolicyOfItem enforces: the policy is of this vault and of this workload; an item does not go back from V2 to V1
// (docs/azure.md §4, §8.3).
func (rc *requestContext) checkPolicyOfItem(p *itemPut) *reply.Reply {
	if !p.needsPolicy() {
		return nil
	}
	id := p.sent.Text("policyId")
	p.policy = rc.st.Policies.Get(ids.Key(id))
	if p.policy == nil || p.policy.Vault != p.vault.Key {
		r := rc.unverified("policy-not-found", "Input for configure protection is not in proper format. The policy '%s' does not exist in the vault.", ids.LastSegment(id))
		return &r
	}
	if !strings.EqualFold(p.policy.Management, "AzureIaasVM") {
		r := reply.Error(http.StatusBadRequest, "BMSUserErrorInvalidPolicyForGivenProvider", "The given policy is not valid for the workload of the item.")
		return &r
	}
	if p.existing == nil || policyTypeOf(rc.st, p.policy) == "V2" {
		return nil
	}
	if before := rc.st.Policies.Get(p.existing.Policy); before != nil && policyTypeOf(rc.st, before) == "V2" {
		r := rc.unverified("enhanced-to-standard", "An item cannot be moved from an enhanced to a standard policy.")
		return &r
	}
	return nil
}

// policyTypeOf returns a policy's type; absent means V1 (docs/azure.md §8.2).
func policyTypeOf(st *state.State, p *state.Policy) string {
	return cmp.Or(rawjson.TextAt(st.Read(p.Body), "properties", "policyType"), "V1")
}

// checkMachine enforces: the VM exists in the vault's subscription and region, a refresh discovered it if the settings
// require that, and the policy's tier can back it up (docs/azure.md §4, §8.3, §13).
func (rc *requestContext) checkMachine(p *itemPut) *reply.Reply {
	if !p.needsPolicy() {
		return nil
	}
	machine := rc.st.VMs.Get(ids.Key(p.sent.Text("sourceResourceId")))
	var r reply.Reply
	switch {
	case machine == nil:
		r = invalidConfigure()
	case machine.Sub != p.vault.Sub:
		r = rc.unverified("other-subscription", "The virtual machine is in another subscription than the vault.")
	case machine.Region != p.vault.Region:
		r = rc.unverified("vm-location-mismatch", "The virtual machine is in '%s', the vault is in '%s'.", machine.Region, p.vault.Region)
	case p.existing == nil && rc.s.set.ProtectNeedsRefresh && !rc.st.IsDiscovered(machine):
		r = invalidConfigure()
	case policyTypeOf(rc.st, p.policy) != "V2" && needsEnhanced(rc.st, machine, rc.version):
		r = reply.Error(http.StatusBadRequest, "BMSUserErrorInvalidPolicyForGivenProvider", // UNVERIFIED code
			"The virtual machine can only be protected with an enhanced policy.")
	default:
		return nil
	}
	return &r
}

// needsEnhanced reports whether a VM needs an Enhanced policy: Ultra and Premium SSD v2 disks, and trusted launch
// before api-version 2025-01-01 (docs/azure.md §0.3, §8.3).
func needsEnhanced(st *state.State, machine *state.VM, version string) bool {
	props := rawjson.RawAt(st.Read(machine.Body), "properties")
	if version < "2025-01-01" && strings.EqualFold(rawjson.TextAt(props, "securityProfile", "securityType"), "TrustedLaunch") {
		return true
	}
	special := false
	check := func(disk []byte) {
		kind := strings.ToLower(rawjson.TextAt(disk, "managedDisk", "storageAccountType"))
		special = special || strings.HasPrefix(kind, "ultrassd") || strings.HasPrefix(kind, "premiumv2")
	}
	check(rawjson.RawAt(props, "storageProfile", "osDisk"))
	disks := rawjson.RawAt(props, "storageProfile", "dataDisks")
	if i := rawjson.SkipSpace(disks, 0); i < len(disks) && disks[i] == '[' {
		_, _ = rawjson.WalkArray(disks, i, 0, check)
	}
	return special
}

// checkElsewhere enforces: a VM is in one vault only, unless it is soft-deleted there (docs/azure.md §4, §6, §13).
func (rc *requestContext) checkElsewhere(p *itemPut) *reply.Reply {
	if p.action != state.ActProtect {
		return nil
	}
	for _, it := range rc.st.ItemsOf(ids.Key(p.sent.Text("sourceResourceId"))) {
		if it.Vault != p.vault.Key && !it.IsDeleted {
			r := rc.protectedElsewhereReply()
			return &r
		}
	}
	if op := protecting(rc.st, ids.Key(p.sent.Text("sourceResourceId"))); op != nil && op.Vault != p.vault.Key {
		r := rc.protectedElsewhereReply()
		return &r
	}
	return nil
}

func (rc *requestContext) protectedElsewhereReply() reply.Reply {
	return rc.unverified("protected-elsewhere", "Virtual machine is already registered\\registering with another recovery services vault Please select a different virtual machine for registration.")
}

// protecting returns the operation that is about to protect a VM in some vault, or nil.
func protecting(st *state.State, vmKey string) *state.Operation {
	tail := ids.ContainerKeyFor(ids.Segment(vmKey, "resourcegroups"), ids.LastSegment(vmKey))
	var found *state.Operation
	st.Vaults.Group(ids.Segment(vmKey, "subscriptions"), 0, func(_ int, v *state.Vault) bool {
		if op := st.OperationOn(state.ItemKey(v.Key, tail)); op != nil && op.Action == state.ActProtect {
			found = op
		}
		return found == nil
	})
	return found
}

// maxItems is the maximum number of VMs in a vault (docs/azure.md §13).
const maxItems = 1000

func (rc *requestContext) checkVaultRoom(p *itemPut) *reply.Reply {
	if p.action != state.ActProtect || rc.st.CountVMs(p.vault) < maxItems {
		return nil
	}
	r := rc.unverified("protection-quota", "The vault has reached its limit of %d protected virtual machines. Please create a new vault.", maxItems)
	return &r
}
