package plan

// Reason is why a change is in a plan, for people and for filters. No write depends on one; code branches on a reason only
// to count excluded VMs, to pass over no vault that was not read, and to choose the advice of a report. The set is closed:
// [Reasons] lists it, [Reason.Sentence] explains each.
type Reason string

// Reasons for changes to be done.
const (
	ReasonVaultMissing      Reason = "vault-not-there"
	ReasonVaultDiffers      Reason = "vault-differs"
	ReasonPolicyMissing     Reason = "policy-not-there"
	ReasonPolicyDiffers     Reason = "policy-differs"
	ReasonNotOffered        Reason = "vm-not-offered"
	ReasonRefreshAlways     Reason = "refresh-always"
	ReasonNotProtected      Reason = "vm-not-protected"
	ReasonOtherPolicy       Reason = "other-policy"
	ReasonOtherDisks        Reason = "other-disks"
	ReasonOtherPolicyDisks  Reason = "other-policy-and-disks"
	ReasonProtectionStopped Reason = "protection-stopped"
	ReasonBackupsSuspended  Reason = "backups-suspended"
	ReasonSoftDeleted       Reason = "soft-deleted"
	ReasonRuleStops         Reason = "rule-stops"
	ReasonUnmatchedStops    Reason = "unmatched-stops"
	ReasonPointTooOld       Reason = "recovery-point-too-old"
	ReasonNoPoint           Reason = "no-recovery-point"
	ReasonNeverProven       Reason = "restore-never-proven"
	ReasonProofTooOld       Reason = "restore-proof-too-old"
	ReasonAsked             Reason = "asked"
	ReasonAdopted           Reason = "restore-adopted"
)

// Reasons for blocked changes.
const (
	ReasonGap                 Reason = "gap"
	ReasonIncomplete          Reason = "plan-incomplete"
	ReasonNoSuchVM            Reason = "no-such-vm"
	ReasonUnsupported         Reason = "vm-unsupported"
	ReasonUnknownState        Reason = "unknown-state"
	ReasonPartlyRead          Reason = "item-partly-read"
	ReasonElsewhere           Reason = "protected-elsewhere"
	ReasonRegisteredElsewhere Reason = "registered-elsewhere"
	ReasonNoVault             Reason = "no-vault"
	ReasonAmbiguousVault      Reason = "ambiguous-vault"
	ReasonNoSuchVault         Reason = "no-such-vault"
	ReasonOtherRegion         Reason = "other-region"
	ReasonOtherSubscription   Reason = "other-subscription"
	ReasonVaultFull           Reason = "vault-full"
	ReasonVaultLimit          Reason = "vault-limit"
	ReasonVaultLocation       Reason = "vault-location-fixed"
	ReasonRedundancyFixed     Reason = "redundancy-fixed"
	ReasonCRRFixed            Reason = "cross-region-restore-fixed"
	ReasonCRRNeedsGeo         Reason = "cross-region-restore-needs-geo"
	ReasonImmutabilityLocked  Reason = "immutability-locked"
	ReasonImmutableVault      Reason = "immutable-vault"
	ReasonRetentionNotKnown   Reason = "retention-not-known"
	ReasonNoSuchPolicy        Reason = "no-such-policy"
	ReasonPolicyTier          Reason = "policy-other-tier"
	ReasonPolicyUnreadable    Reason = "policy-unreadable"
	ReasonPolicyLimit         Reason = "policy-limit"
	ReasonPolicyArchives      Reason = "policy-archives"
	ReasonSuspendedItems      Reason = "suspended-items"
	ReasonEnhancedToStandard  Reason = "enhanced-to-standard"
	ReasonNeedsEnhanced       Reason = "vm-needs-enhanced"
	ReasonResourceGuard       Reason = "resource-guard"
	ReasonNoBackup            Reason = "no-backup"
	ReasonNoRestorablePoint   Reason = "no-restorable-point"
	ReasonNoSuchDisk          Reason = "no-such-disk"
	ReasonRestoreGroup        Reason = "restore-group"
	ReasonNoStaging           Reason = "no-staging-account"
	ReasonRestoreLimit        Reason = "restore-limit"
)

// Reasons for VMs and items that stay unchanged.
const (
	ReasonInSync            Reason = "in-sync"
	ReasonExcluded          Reason = "excluded"
	ReasonNoRule            Reason = "no-rule"
	ReasonNothingToStop     Reason = "nothing-to-stop"
	ReasonAlreadyStopped    Reason = "already-stopped"
	ReasonSuspendedAges     Reason = "suspended-points-age"
	ReasonAcceptedElsewhere Reason = "accepted-elsewhere"
	ReasonStoppedElsewhere  Reason = "stopped-elsewhere"
	ReasonOrphan            Reason = "orphan"
)

// reasons pairs each reason with its sentence, in the order of the constants.
func reasons() []reasonText {
	return []reasonText{
		{ReasonVaultMissing, "the file manages this vault and it does not exist"},
		{ReasonVaultDiffers, "the vault's settings are not what the file says"},
		{ReasonPolicyMissing, "the file manages this policy and the vault does not have it"},
		{ReasonPolicyDiffers, "the policy is not what the file says"},
		{ReasonNotOffered, "a VM to protect is not among the VMs that the service offers for protection"},
		{ReasonRefreshAlways, "the file asks for a refresh before each protection"},
		{ReasonNotProtected, "the VM has no backup"},
		{ReasonOtherPolicy, "the VM is backed up by another policy than the file says"},
		{ReasonOtherDisks, "other disks are backed up than the file says"},
		{ReasonOtherPolicyDisks, "policy and disks are not what the file says"},
		{ReasonProtectionStopped, "backup of the VM was stopped"},
		{ReasonBackupsSuspended, "backup of the VM is suspended"},
		{ReasonSoftDeleted, "the VM's backup was deleted and can still be recovered"},
		{ReasonRuleStops, "the rule wants no new backups; the data is kept"},
		{ReasonUnmatchedStops, "no rule matches the VM and its vault says `unmatched: stop`; the data is kept"},
		{ReasonPointTooOld, "the last recovery point is older than the rule allows"},
		{ReasonNoPoint, "the VM has no recovery point"},
		{ReasonNeverProven, "no restore of the VM into the group of the test is known"},
		{ReasonProofTooOld, "the last restore of the VM into the group of the test is older than the test allows"},
		{ReasonAsked, "asked for on the command line"},
		{ReasonAdopted, "a restore that was started before does this: it is followed, not started again"},

		{ReasonGap, "what this depends on could not be read"},
		{ReasonIncomplete, "something could not be read, and an incomplete plan stops nothing"},
		{ReasonNoSuchVM, "the VM does not exist"},
		{ReasonUnsupported, "Azure Backup cannot or should not protect this VM"},
		{ReasonUnknownState, "the item is in a state from which nothing is planned"},
		{ReasonPartlyRead, "only the vault and policy of the item are known, not its disks"},
		{ReasonElsewhere, "the VM is backed up in a vault that the rule does not name"},
		{ReasonRegisteredElsewhere, "the VM is registered in another vault, where its backup is stopped"},
		{ReasonNoVault, "the file has no vault in the VM's subscription and region"},
		{ReasonAmbiguousVault, "several vaults are possible; name one with `vault:` or allow `spread: true`"},
		{ReasonNoSuchVault, "the vault does not exist and the file does not manage it"},
		{ReasonOtherRegion, "a vault backs up VMs of its own region only"},
		{ReasonOtherSubscription, "a vault backs up VMs of its own subscription only"},
		{ReasonVaultFull, "the vault has as many VMs as the service allows"},
		{ReasonVaultLimit, "the region has as many vaults as the service allows in a subscription"},
		{ReasonVaultLocation, "the region of a vault cannot change"},
		{ReasonRedundancyFixed, "the redundancy of a vault cannot change once it has held an item"},
		{ReasonCRRFixed, "cross-region restore cannot be turned off"},
		{ReasonCRRNeedsGeo, "cross-region restore needs geo-redundant storage"},
		{ReasonImmutabilityLocked, "a locked vault stays immutable"},
		{ReasonImmutableVault, "an immutable vault refuses to keep recovery points for a shorter time"},
		{ReasonRetentionNotKnown, "an immutable vault takes another policy only where nothing is kept for a shorter time"},
		{ReasonNoSuchPolicy, "the vault does not have the policy and the file does not manage it there"},
		{ReasonPolicyTier, "the vault has a policy of this name with another tier, and a tier cannot change"},
		{ReasonPolicyUnreadable, "the policy holds something this program does not understand, so what it keeps is not known"},
		{ReasonPolicyLimit, "the vault has as many policies as the service allows"},
		{ReasonPolicyArchives, "the service refuses this schedule and retention while the policy moves points to the archive tier, which only the portal ends"},
		{ReasonSuspendedItems, "the service refuses a longer retention while an item of the policy is suspended"},
		{ReasonEnhancedToStandard, "an item cannot go back from an Enhanced to a Standard policy"},
		{ReasonNeedsEnhanced, "only an Enhanced policy can protect this VM"},
		{ReasonResourceGuard, "a resource guard protects the vault; the step needs its approval and must be done by hand"},
		{ReasonNoBackup, "no vault that was read backs the VM up"},
		{ReasonNoRestorablePoint, "the VM has no recovery point that can be restored now"},
		{ReasonNoSuchDisk, "the recovery point does not hold a disk that is wanted"},
		{ReasonRestoreGroup, "the resource group to restore into cannot be used"},
		{ReasonNoStaging, "no storage account that was named can stage restores of the vault"},
		{ReasonRestoreLimit, "the item was restored as often as the service allows in 24 hours"},

		{ReasonInSync, "as the file says"},
		{ReasonExcluded, "the file leaves the VM alone"},
		{ReasonNoRule, "no rule matches the VM"},
		{ReasonNothingToStop, "the rule wants no backups and there are none"},
		{ReasonAlreadyStopped, "backup is stopped as the file says"},
		{ReasonSuspendedAges, "backup is suspended: no new points, and the old ones still age out"},
		{ReasonAcceptedElsewhere, "the VM is backed up in another vault, and the file accepts that"},
		{ReasonStoppedElsewhere, "backup is not running; what is left of it lies in another vault"},
		{ReasonOrphan, "backup data whose VM does not exist or is not visible"},
	}
}

type reasonText struct {
	reason   Reason
	sentence string
}

// Reasons returns the closed set, in the order of the documentation.
func Reasons() []Reason {
	all := reasons()
	out := make([]Reason, len(all))
	for i, r := range all {
		out[i] = r.reason
	}
	return out
}

// Sentence returns the explanation of the reason; "" for a word that is not a reason.
func (r Reason) Sentence() string {
	for _, t := range reasons() {
		if t.reason == r {
			return t.sentence
		}
	}
	return ""
}
