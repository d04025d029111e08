package simulator

import (
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"time"
)

func itoa(n int) string { return strconv.Itoa(n) }

// change is a PUT of a protected item on its way through the rules.
type itemPut struct {
	v    *vault
	tail string
	// was is the item as it is, or nil.
	was  *item
	sent object
	// policy is the one the request names, or nil.
	policy *policy
	action string
}

// putItem is protect, modify, stop, suspend, resume and undelete: one PUT, told apart by its body
// (docs/azure.md §6).
func (c *call) putItem() reply {
	v, none := c.vault()
	if none != nil {
		return *none
	}
	tail, bad := c.itemNames()
	if bad != nil {
		return *bad
	}
	if err := validObject(c.body); err != nil {
		return invalidContent(err)
	}
	p := &itemPut{v: v, tail: tail, was: c.st.items.get(itemKey(v.key, tail)), sent: parse(c.body).sub("properties")}
	for _, check := range []func(*itemPut) *reply{
		c.checkSource, c.checkBusy, c.chooseAction, c.checkPolicyOfItem, c.checkMachine, c.checkElsewhere, c.checkVaultRoom, c.checkGuard,
	} {
		if r := check(p); r != nil {
			return *r
		}
	}
	if r := c.spend("protection-changes", v); r != nil {
		return *r
	}
	return c.accepted(c.startItemOp(p))
}

// startItemOp starts the operation; its URLs lie under the item in the spelling the client used
// (docs/azure.md §4, §33.1).
func (c *call) startItemOp(p *itemPut) *operation {
	id := c.guid("item operation")
	target := itemKey(p.v.key, p.tail)
	op := &operation{
		ID: id, Action: p.action, Vault: p.v.key, Target: target, Version: c.version, State: inProgress,
		StatusPath: c.path + "/operationsStatus/" + id, ResultPath: c.path + "/operationResults/" + id,
		Started: c.now, Ends: c.now.Add(c.s.lasts(p.action, target)), Request: json.RawMessage(c.body),
	}
	friendly := lastSegment(p.sent.text("sourceResourceId"))
	if p.was != nil {
		friendly = p.was.friendly
	}
	switch p.action {
	case actStop, actSuspend:
		op.Jobs = []string{c.startJob(p.v, friendly, p.tail, "DisableBackup", "Policy Name", "")}
	case actUndelete:
		op.Jobs = []string{c.startJob(p.v, friendly, p.tail, "Undelete", "Undelete flag", "True")}
	default:
		op.Jobs = []string{c.startJob(p.v, friendly, p.tail, "ConfigureBackup", "Policy Name", p.policy.name)}
	}
	c.begin(op)
	return op
}

// checkSource: the request names the VM that the path names (docs/azure.md §4).
func (c *call) checkSource(p *itemPut) *reply {
	source := p.sent.text("sourceResourceId")
	if source == "" && truth(p.sent.raw("isRehydrate")) {
		return nil // Terraform undeletes with isRehydrate alone
	}
	right := strings.EqualFold(p.sent.text("protectedItemType"), vmItem) &&
		tailFor(segment(source, "resourceGroups"), lastSegment(source)) == p.tail
	if right {
		return nil
	}
	r := invalidConfigure()
	return &r
}

// checkBusy: one operation on an item at a time (docs/azure.md §4, §14).
func (c *call) checkBusy(p *itemPut) *reply { return c.itemBusy(itemKey(p.v.key, p.tail)) }

func (c *call) itemBusy(target string) *reply {
	if op := c.st.busy(target); op != nil && op.Action != actBackup {
		r := c.unverified("conflicting-operation", "A conflicting operation is in progress on the selected item. Please wait for it to finish and try again.")
		return &r
	}
	return nil
}

// chooseAction is the state machine of docs/azure.md §6.
func (c *call) chooseAction(p *itemPut) *reply {
	state := p.sent.text("protectionState")
	switch {
	case truth(p.sent.raw("isRehydrate")):
		return c.chooseUndelete(p)
	case p.was != nil && p.was.deleted:
		r := c.unverified("protect-soft-deleted", "The item is in soft deleted state. Please undelete it before it is configured again.")
		return &r
	case strings.EqualFold(state, "ProtectionStopped"):
		return c.chooseStop(p)
	case strings.EqualFold(state, "BackupsSuspended"):
		return c.chooseSuspend(p)
	case p.sent.text("policyId") == "" || p.was == nil && state != "":
		// protectionState may not be set on the initial create (docs/azure.md §4).
		r := invalidConfigure()
		return &r
	case p.was == nil:
		p.action = actProtect
	case p.was.active():
		p.action = actModify
	default:
		p.action = actResume
	}
	return nil
}

func (c *call) chooseUndelete(p *itemPut) *reply {
	p.action = actUndelete
	switch {
	case p.was == nil:
		r := c.unverified("undelete-absent", "Item not found.")
		return &r
	case !p.was.deleted:
		r := c.unverified("undelete-not-deleted", "The item is not in soft deleted state.")
		return &r
	}
	return nil
}

func (c *call) chooseStop(p *itemPut) *reply {
	p.action = actStop
	if p.was == nil {
		r := c.unverified("stop-absent", "Item not found.")
		return &r
	}
	return nil
}

// chooseSuspend: only where the vault is immutable (docs/azure.md §6).
func (c *call) chooseSuspend(p *itemPut) *reply {
	p.action = actSuspend
	switch {
	case p.was == nil:
		r := c.unverified("suspend-absent", "Item not found.")
		return &r
	case !c.st.immutable(p.v):
		r := fail(http.StatusBadRequest, "UserErrorOperationDeniedOnImmutableItem", "%s", immutableText)
		return &r
	case p.was.state == "ProtectionStopped":
		r := c.unverified("suspend-stopped", "Backups of an item whose protection is stopped cannot be suspended.")
		return &r
	}
	return nil
}

func (p *itemPut) needsPolicy() bool {
	return p.action == actProtect || p.action == actModify || p.action == actResume
}

// checkPolicyOfItem: the policy is one of this vault and of this workload; an item does not go back from V2 to V1
// (docs/azure.md §4, §8.3).
func (c *call) checkPolicyOfItem(p *itemPut) *reply {
	if !p.needsPolicy() {
		return nil
	}
	id := p.sent.text("policyId")
	p.policy = c.st.policies.get(key(id))
	if p.policy == nil || p.policy.vault != p.v.key {
		r := c.unverified("policy-not-found", "Input for configure protection is not in proper format. The policy '%s' does not exist in the vault.", lastSegment(id))
		return &r
	}
	if !strings.EqualFold(p.policy.management, "AzureIaasVM") {
		r := fail(http.StatusBadRequest, "BMSUserErrorInvalidPolicyForGivenProvider", "The given policy is not valid for the workload of the item.")
		return &r
	}
	if p.was == nil || c.st.tier(p.policy) == "V2" {
		return nil
	}
	if before := c.st.policies.get(p.was.policy); before != nil && c.st.tier(before) == "V2" {
		r := c.unverified("enhanced-to-standard", "An item cannot be moved from an enhanced to a standard policy.")
		return &r
	}
	return nil
}

// tier is a policy's type; absent means V1 (docs/azure.md §8.2).
func (st *state) tier(p *policy) string {
	return first(text(st.read(p.body), "properties", "policyType"), "V1")
}

// checkMachine: the VM exists in the vault's subscription and region, a refresh found it if that is asked for, and
// the policy's tier can back it up (docs/azure.md §4, §8.3, §13).
func (c *call) checkMachine(p *itemPut) *reply {
	if !p.needsPolicy() {
		return nil
	}
	machine := c.st.vms.get(key(p.sent.text("sourceResourceId")))
	var r reply
	switch {
	case machine == nil:
		r = invalidConfigure()
	case machine.sub != p.v.sub:
		r = c.unverified("other-subscription", "The virtual machine is in another subscription than the vault.")
	case machine.region != p.v.region:
		r = c.unverified("vm-location-mismatch", "The virtual machine is in '%s', the vault is in '%s'.", machine.region, p.v.region)
	case p.was == nil && c.s.set.ProtectNeedsRefresh && !c.st.discovered(machine):
		r = invalidConfigure()
	case c.st.tier(p.policy) != "V2" && c.st.needsEnhanced(machine, c.version):
		r = fail(http.StatusBadRequest, "BMSUserErrorInvalidPolicyForGivenProvider", // UNVERIFIED code
			"The virtual machine can only be protected with an enhanced policy.")
	default:
		return nil
	}
	return &r
}

// needsEnhanced: Ultra and Premium SSD v2 disks, and trusted launch before api-version 2025-01-01
// (docs/azure.md §0.3, §8.3).
func (st *state) needsEnhanced(machine *vm, version string) bool {
	props := get(st.read(machine.body), "properties")
	if version < "2025-01-01" && strings.EqualFold(text(props, "securityProfile", "securityType"), "TrustedLaunch") {
		return true
	}
	special := false
	check := func(disk []byte) {
		kind := strings.ToLower(text(disk, "managedDisk", "storageAccountType"))
		special = special || strings.HasPrefix(kind, "ultrassd") || strings.HasPrefix(kind, "premiumv2")
	}
	check(get(props, "storageProfile", "osDisk"))
	disks := get(props, "storageProfile", "dataDisks")
	if i := skipSpace(disks, 0); i < len(disks) && disks[i] == '[' {
		_, _ = walkArray(disks, i, 0, check)
	}
	return special
}

// checkElsewhere: a VM is in one vault only, unless it is soft-deleted there (docs/azure.md §4, §6, §13).
func (c *call) checkElsewhere(p *itemPut) *reply {
	if p.action != actProtect {
		return nil
	}
	for _, it := range c.st.itemsOf(key(p.sent.text("sourceResourceId"))) {
		if it.vault != p.v.key && !it.deleted {
			r := c.elsewhere()
			return &r
		}
	}
	if op := c.st.protecting(key(p.sent.text("sourceResourceId"))); op != nil && op.Vault != p.v.key {
		r := c.elsewhere()
		return &r
	}
	return nil
}

func (c *call) elsewhere() reply {
	return c.unverified("protected-elsewhere", "Virtual machine is already registered\\registering with another recovery services vault Please select a different virtual machine for registration.")
}

// protecting is the operation that is about to protect a VM in some vault, or nil.
func (st *state) protecting(vmKey string) *operation {
	tail := tailFor(segment(vmKey, "resourcegroups"), lastSegment(vmKey))
	var found *operation
	st.vaults.group(segment(vmKey, "subscriptions"), 0, func(_ int, v *vault) bool {
		if op := st.busy(itemKey(v.key, tail)); op != nil && op.Action == actProtect {
			found = op
		}
		return found == nil
	})
	return found
}

// maxItems is how many VMs a vault takes (docs/azure.md §13).
const maxItems = 1000

func (c *call) checkVaultRoom(p *itemPut) *reply {
	if p.action != actProtect || c.st.countVMs(p.v) < maxItems {
		return nil
	}
	r := c.unverified("protection-quota", "The vault has reached its limit of %d protected virtual machines. Please create a new vault.", maxItems)
	return &r
}

// checkGuard: with a resource guard, critical operations name its request (docs/azure.md §6). Which ones are critical
// is UNVERIFIED; here every change of an item that exists is.
func (c *call) checkGuard(p *itemPut) *reply {
	if p.action == actProtect || p.action == actUndelete || c.st.proxies.count(p.v.key) == 0 || named(p.sent) {
		return nil
	}
	return c.guardRequired()
}

// named says whether a request names that of a resource guard.
func named(sent object) bool {
	requests := string(sent.raw("resourceGuardOperationRequests"))
	return requests != "" && requests != "null" && requests != "[]"
}

func (c *call) guardRequired() *reply {
	r := c.unverified("guard-required", "The operation is protected by a resource guard. Please give its operation request.")
	return &r
}

// unlockFor is how long an unlocked item may be deleted (docs/azure.md §6).
const unlockFor = 30 * time.Minute

// unlockDelete lets a guarded item be deleted (docs/azure.md §6).
func (c *call) unlockDelete() reply {
	v, none := c.vault()
	if none != nil {
		return *none
	}
	if err := validObject(c.body); err != nil {
		return invalidContent(err)
	}
	sent := parse(c.body)
	if c.st.proxies.count(v.key) == 0 || !named(sent) {
		return *c.guardRequired()
	}
	if c.st.memory.Unlocked == nil {
		c.st.memory.Unlocked = map[string]time.Time{}
	}
	until := c.now.Add(unlockFor)
	target := sent.text("resourceToBeDeleted")
	c.st.memory.Unlocked[itemKey(key(vaultPart(target)), tailOf(lastSegment(target)))] = until
	c.st.remember()
	return ok(obj("unlockDeleteExpiryTime", stamp(until)).bytes())
}
