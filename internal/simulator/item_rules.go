package simulator

import (
	"cmp"
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

// checkItem returns the refusal of a PUT, or nil; it completes p.
func (ck checker) checkItem(p *itemPut) *reply.Reply {
	for _, check := range []func(*itemPut) *reply.Reply{
		ck.checkSource, ck.checkBusy, ck.chooseTransition, ck.checkPolicyOfItem, ck.checkMachine, ck.checkElsewhere, ck.checkVaultRoom, ck.checkGuard,
	} {
		if r := check(p); r != nil {
			return r
		}
	}
	return nil
}

// checkSource enforces: the request names the VM that the path names (docs/azure.md §4).
func (ck checker) checkSource(p *itemPut) *reply.Reply {
	source := p.sent.Text("sourceResourceId")
	if source == "" && rawjson.BoolAt(p.sent.Raw("isRehydrate")) {
		return nil // Terraform undeletes with isRehydrate alone
	}
	right := strings.EqualFold(p.sent.Text("protectedItemType"), ids.VMType) &&
		ids.ContainerKeyFor(ids.Segment(source, "resourceGroups"), ids.LastSegment(source)) == p.containerKey
	if right {
		return nil
	}
	r := invalidConfigure()
	return &r
}

// checkBusy enforces: one operation on an item at a time (docs/azure.md §4, §14).
func (ck checker) checkBusy(p *itemPut) *reply.Reply {
	return ck.busyItemReply(state.ItemKey(p.vault.Key, p.containerKey))
}

func (ck checker) busyItemReply(target string) *reply.Reply {
	if op := ck.st.OperationOn(target); op != nil && op.Action != state.ActBackup {
		r := ck.unverified("conflicting-operation", "A conflicting operation is in progress on the selected item. Please wait for it to finish and try again.")
		return &r
	}
	return nil
}

// chooseTransition is the state machine of docs/azure.md §6.
func (ck checker) chooseTransition(p *itemPut) *reply.Reply {
	asked := p.sent.Text("protectionState")
	switch {
	case rawjson.BoolAt(p.sent.Raw("isRehydrate")):
		return ck.transitionToUndelete(p)
	case p.existing != nil && p.existing.IsDeleted:
		r := ck.unverified("protect-soft-deleted", "The item is in soft deleted state. Please undelete it before it is configured again.")
		return &r
	case strings.EqualFold(asked, "ProtectionStopped"):
		return ck.transitionToStop(p)
	case strings.EqualFold(asked, "BackupsSuspended"):
		return ck.transitionToSuspend(p)
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

func (ck checker) transitionToUndelete(p *itemPut) *reply.Reply {
	p.action = state.ActUndelete
	switch {
	case p.existing == nil:
		r := ck.unverified("undelete-absent", "Item not found.")
		return &r
	case !p.existing.IsDeleted:
		r := ck.unverified("undelete-not-deleted", "The item is not in soft deleted state.")
		return &r
	}
	return nil
}

func (ck checker) transitionToStop(p *itemPut) *reply.Reply {
	p.action = state.ActStop
	if p.existing == nil {
		r := ck.unverified("stop-absent", "Item not found.")
		return &r
	}
	return nil
}

// transitionToSuspend: only where the vault is immutable (docs/azure.md §6).
func (ck checker) transitionToSuspend(p *itemPut) *reply.Reply {
	p.action = state.ActSuspend
	switch {
	case p.existing == nil:
		r := ck.unverified("suspend-absent", "Item not found.")
		return &r
	case !isImmutable(ck.st, p.vault):
		r := reply.Error(http.StatusBadRequest, "UserErrorOperationDeniedOnImmutableItem", "%s", immutableText)
		return &r
	case p.existing.State == "ProtectionStopped":
		r := ck.unverified("suspend-stopped", "Backups of an item whose protection is stopped cannot be suspended.")
		return &r
	}
	return nil
}

func (p *itemPut) needsPolicy() bool {
	return p.action == state.ActProtect || p.action == state.ActModify || p.action == state.ActResume
}

// checkPolicyOfItem enforces: the policy is of this vault and of this workload; an item does not go back from V2 to V1
// (docs/azure.md §4, §8.3).
func (ck checker) checkPolicyOfItem(p *itemPut) *reply.Reply {
	if !p.needsPolicy() {
		return nil
	}
	id := p.sent.Text("policyId")
	p.policy = ck.st.Policies.Get(ids.Key(id))
	if p.policy == nil || p.policy.Vault != p.vault.Key {
		r := ck.unverified("policy-not-found", "Input for configure protection is not in proper format. The policy '%s' does not exist in the vault.", ids.LastSegment(id))
		return &r
	}
	if !strings.EqualFold(p.policy.Management, "AzureIaasVM") {
		r := reply.Error(http.StatusBadRequest, "BMSUserErrorInvalidPolicyForGivenProvider", "The given policy is not valid for the workload of the item.")
		return &r
	}
	if p.existing == nil || policyTypeOf(ck.st, p.policy) == "V2" {
		return nil
	}
	if before := ck.st.Policies.Get(p.existing.Policy); before != nil && policyTypeOf(ck.st, before) == "V2" {
		r := ck.unverified("enhanced-to-standard", "An item cannot be moved from an enhanced to a standard policy.")
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
func (ck checker) checkMachine(p *itemPut) *reply.Reply {
	if !p.needsPolicy() {
		return nil
	}
	machine := ck.st.VMs.Get(ids.Key(p.sent.Text("sourceResourceId")))
	var r reply.Reply
	switch {
	case machine == nil:
		r = invalidConfigure()
	case machine.Sub != p.vault.Sub:
		r = ck.unverified("other-subscription", "The virtual machine is in another subscription than the vault.")
	case machine.Region != p.vault.Region:
		r = ck.unverified("vm-location-mismatch", "The virtual machine is in '%s', the vault is in '%s'.", machine.Region, p.vault.Region)
	case p.existing == nil && ck.set.ProtectNeedsRefresh && !ck.st.IsDiscovered(machine):
		r = invalidConfigure()
	case policyTypeOf(ck.st, p.policy) != "V2" && needsEnhanced(ck.st, machine, ck.version):
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
func (ck checker) checkElsewhere(p *itemPut) *reply.Reply {
	if p.action != state.ActProtect {
		return nil
	}
	for _, it := range ck.st.ItemsOf(ids.Key(p.sent.Text("sourceResourceId"))) {
		if it.Vault != p.vault.Key && !it.IsDeleted {
			r := ck.protectedElsewhereReply()
			return &r
		}
	}
	if op := ck.st.Protecting(ids.Key(p.sent.Text("sourceResourceId"))); op != nil && op.Vault != p.vault.Key {
		r := ck.protectedElsewhereReply()
		return &r
	}
	return nil
}

func (ck checker) protectedElsewhereReply() reply.Reply {
	return ck.unverified("protected-elsewhere", "Virtual machine is already registered\\registering with another recovery services vault Please select a different virtual machine for registration.")
}

// maxItems is the maximum number of VMs in a vault (docs/azure.md §13).
const maxItems = 1000

func (ck checker) checkVaultRoom(p *itemPut) *reply.Reply {
	if p.action != state.ActProtect || ck.st.CountVMs(p.vault) < maxItems {
		return nil
	}
	r := ck.unverified("protection-quota", "The vault has reached its limit of %d protected virtual machines. Please create a new vault.", maxItems)
	return &r
}

func invalidConfigure() reply.Reply {
	return reply.Error(http.StatusBadRequest, "BMSUserErrorInvalidConfigureProtectionRequest",
		"Input for configure protection is not in proper format. Please ensure that container exists and other parameters are in valid format")
}

// immutableText is the service's own misleading wording (docs/azure.md §6).
const immutableText = "The Vault and Bakcup Item is in Immutable state where destructive operations are not supported."
