package rules

import (
	"net/http"
	"strings"

	"github.com/azbackup/azbackup/internal/simulator/ids"
	"github.com/azbackup/azbackup/internal/simulator/rawjson"
	"github.com/azbackup/azbackup/internal/simulator/reply"
	"github.com/azbackup/azbackup/internal/simulator/state"
)

// checkMachine enforces: the VM exists in the vault's subscription and region, a refresh discovered it if the settings
// require that, and the policy's tier can back it up (docs/azure.md §4, §8.3, §13).
func (ck Checker) checkMachine(p *ItemPut) *reply.Reply {
	if !p.needsPolicy() {
		return nil
	}
	machine := ck.State.VMs.Get(ids.Key(p.Sent.Text("sourceResourceId")))
	var r reply.Reply
	switch {
	case machine == nil:
		r = InvalidConfigure()
	case machine.Sub != p.Vault.Sub:
		r = ck.unverified("other-subscription", "The virtual machine is in another subscription than the vault.")
	case machine.Region != p.Vault.Region:
		r = ck.unverified("vm-location-mismatch", "The virtual machine is in '%s', the vault is in '%s'.", machine.Region, p.Vault.Region)
	case p.Existing == nil && ck.Settings.ProtectNeedsRefresh && !ck.State.IsDiscovered(machine):
		r = InvalidConfigure()
	case PolicyTypeOf(ck.State, p.Policy) != "V2" && needsEnhanced(ck.State, machine, ck.Version):
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
func (ck Checker) checkElsewhere(p *ItemPut) *reply.Reply {
	if p.Action != state.ActProtect {
		return nil
	}
	for _, it := range ck.State.ItemsOf(ids.Key(p.Sent.Text("sourceResourceId"))) {
		if it.Vault != p.Vault.Key && !it.IsDeleted {
			r := ck.protectedElsewhereReply()
			return &r
		}
	}
	if op := ck.State.Protecting(ids.Key(p.Sent.Text("sourceResourceId"))); op != nil && op.Vault != p.Vault.Key {
		r := ck.protectedElsewhereReply()
		return &r
	}
	return nil
}

func (ck Checker) protectedElsewhereReply() reply.Reply {
	return ck.unverified("protected-elsewhere", "Virtual machine is already registered\\registering with another recovery services vault Please select a different virtual machine for registration.")
}
