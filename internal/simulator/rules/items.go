package rules

import (
	"cmp"
	"net/http"
	"strings"

	"github.com/azbackup/azbackup/internal/simulator/ids"
	"github.com/azbackup/azbackup/internal/simulator/rawjson"
	"github.com/azbackup/azbackup/internal/simulator/reply"
	"github.com/azbackup/azbackup/internal/simulator/state"
)

// ItemPut is a PUT of a protected item while the rules check it.
type ItemPut struct {
	Vault        *state.Vault
	ContainerKey string
	// Existing is the item as it is, or nil.
	Existing *state.Item
	Sent     rawjson.Object
	// Policy is the one the request names, or nil.
	Policy *state.Policy
	Action string
}

// CheckItem returns the refusal of a PUT, or nil; it completes p.
func (ck Checker) CheckItem(p *ItemPut) *reply.Reply {
	for _, check := range []func(*ItemPut) *reply.Reply{
		ck.checkSource, ck.checkBusy, ck.chooseTransition, ck.checkPolicyOfItem, ck.checkMachine, ck.checkElsewhere, ck.checkVaultRoom, ck.checkGuard,
	} {
		if r := check(p); r != nil {
			return r
		}
	}
	return nil
}

// checkSource enforces: the request names the VM that the path names (docs/azure.md §4).
func (ck Checker) checkSource(p *ItemPut) *reply.Reply {
	source := p.Sent.Text("sourceResourceId")
	if source == "" && rawjson.BoolAt(p.Sent.Raw("isRehydrate")) {
		return nil // Terraform undeletes with isRehydrate alone
	}
	right := strings.EqualFold(p.Sent.Text("protectedItemType"), ids.VMType) &&
		ids.ContainerKeyFor(ids.Segment(source, "resourceGroups"), ids.LastSegment(source)) == p.ContainerKey
	if right {
		return nil
	}
	r := InvalidConfigure()
	return &r
}

// checkBusy enforces: one operation on an item at a time (docs/azure.md §4, §14).
func (ck Checker) checkBusy(p *ItemPut) *reply.Reply {
	return ck.BusyItemReply(state.ItemKey(p.Vault.Key, p.ContainerKey))
}

// BusyItemReply returns the refusal of a second operation on an item, or nil; backups do not count.
func (ck Checker) BusyItemReply(target string) *reply.Reply {
	if op := ck.State.OperationOn(target); op != nil && op.Action != state.ActBackup {
		r := ck.unverified("conflicting-operation", "A conflicting operation is in progress on the selected item. Please wait for it to finish and try again.")
		return &r
	}
	return nil
}

// chooseTransition sets p.Action to what the PUT does, by the state machine of docs/azure.md §6, or returns its refusal.
func (ck Checker) chooseTransition(p *ItemPut) *reply.Reply {
	asked := p.Sent.Text("protectionState")
	switch {
	case rawjson.BoolAt(p.Sent.Raw("isRehydrate")):
		return ck.transitionToUndelete(p)
	case p.Existing != nil && p.Existing.IsDeleted:
		r := ck.unverified("protect-soft-deleted", "The item is in soft deleted state. Please undelete it before it is configured again.")
		return &r
	case strings.EqualFold(asked, "ProtectionStopped"):
		return ck.transitionToStop(p)
	case strings.EqualFold(asked, "BackupsSuspended"):
		return ck.transitionToSuspend(p)
	case p.Sent.Text("policyId") == "" || p.Existing == nil && asked != "":
		// protectionState may not be set on the initial create (docs/azure.md §4).
		r := InvalidConfigure()
		return &r
	case p.Existing == nil:
		p.Action = state.ActProtect
	case p.Existing.IsActive():
		p.Action = state.ActModify
	default:
		p.Action = state.ActResume
	}
	return nil
}

func (ck Checker) transitionToUndelete(p *ItemPut) *reply.Reply {
	p.Action = state.ActUndelete
	switch {
	case p.Existing == nil:
		r := ck.unverified("undelete-absent", "Item not found.")
		return &r
	case !p.Existing.IsDeleted:
		r := ck.unverified("undelete-not-deleted", "The item is not in soft deleted state.")
		return &r
	}
	return nil
}

func (ck Checker) transitionToStop(p *ItemPut) *reply.Reply {
	p.Action = state.ActStop
	if p.Existing == nil {
		r := ck.unverified("stop-absent", "Item not found.")
		return &r
	}
	return nil
}

// transitionToSuspend refuses a suspend where the vault is not immutable (docs/azure.md §6).
func (ck Checker) transitionToSuspend(p *ItemPut) *reply.Reply {
	p.Action = state.ActSuspend
	switch {
	case p.Existing == nil:
		r := ck.unverified("suspend-absent", "Item not found.")
		return &r
	case !IsImmutable(ck.State, p.Vault):
		r := reply.Error(http.StatusBadRequest, "UserErrorOperationDeniedOnImmutableItem", "%s", ImmutableText)
		return &r
	case p.Existing.State == "ProtectionStopped":
		r := ck.unverified("suspend-stopped", "Backups of an item whose protection is stopped cannot be suspended.")
		return &r
	}
	return nil
}

func (p *ItemPut) needsPolicy() bool {
	return p.Action == state.ActProtect || p.Action == state.ActModify || p.Action == state.ActResume
}

// checkPolicyOfItem enforces: the policy is of this vault and of this workload; an item does not go back from V2 to V1
// (docs/azure.md §4, §8.3).
func (ck Checker) checkPolicyOfItem(p *ItemPut) *reply.Reply {
	if !p.needsPolicy() {
		return nil
	}
	id := p.Sent.Text("policyId")
	p.Policy = ck.State.Policies.Get(ids.Key(id))
	if p.Policy == nil || p.Policy.Vault != p.Vault.Key {
		r := ck.unverified("policy-not-found", "Input for configure protection is not in proper format. The policy '%s' does not exist in the vault.", ids.LastSegment(id))
		return &r
	}
	if !strings.EqualFold(p.Policy.Management, "AzureIaasVM") {
		r := reply.Error(http.StatusBadRequest, "BMSUserErrorInvalidPolicyForGivenProvider", "The given policy is not valid for the workload of the item.")
		return &r
	}
	if p.Existing == nil || PolicyTypeOf(ck.State, p.Policy) == "V2" {
		return nil
	}
	if before := ck.State.Policies.Get(p.Existing.Policy); before != nil && PolicyTypeOf(ck.State, before) == "V2" {
		r := ck.unverified("enhanced-to-standard", "An item cannot be moved from an enhanced to a standard policy.")
		return &r
	}
	return nil
}

// PolicyTypeOf returns a policy's type; absent means V1 (docs/azure.md §8.2).
func PolicyTypeOf(st *state.State, p *state.Policy) string {
	return cmp.Or(rawjson.TextAt(st.Read(p.Body), "properties", "policyType"), "V1")
}

// maxItems is the maximum number of VMs in a vault (docs/azure.md §13).
const maxItems = 1000

func (ck Checker) checkVaultRoom(p *ItemPut) *reply.Reply {
	if p.Action != state.ActProtect || ck.State.CountVMs(p.Vault) < maxItems {
		return nil
	}
	r := ck.unverified("protection-quota", "The vault has reached its limit of %d protected virtual machines. Please create a new vault.", maxItems)
	return &r
}

// InvalidConfigure returns the refusal of most mistakes in a PUT of an item.
func InvalidConfigure() reply.Reply {
	return reply.Error(http.StatusBadRequest, "BMSUserErrorInvalidConfigureProtectionRequest",
		"Input for configure protection is not in proper format. Please ensure that container exists and other parameters are in valid format")
}

// ImmutableText is the service's own misleading wording (docs/azure.md §6).
const ImmutableText = "The Vault and Bakcup Item is in Immutable state where destructive operations are not supported."
