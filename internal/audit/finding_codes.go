package audit

import (
	"slices"
	"strings"
)

// The codes of findings. A code keeps its meaning permanently; a retired one is not reused.
const (
	codeUnknown     = "BKP100"
	codeUnprotected = "BKP101"
	codeSoftDeleted = "BKP102"
	codeStopped     = "BKP103"
	codeSuspended   = "BKP104"
	codePending     = "BKP105"
	codeStale       = "BKP106"
	codeFailing     = "BKP107"
	codeFailingLong = "BKP108"
	codeOtherVault  = "BKP109"
	codeOtherPolicy = "BKP110"
	codeRecreated   = "BKP111"
	codeDisks       = "BKP112"
	codeUnsupported = "BKP113"
	codeLost        = "BKP114"
	codeOrphan      = "BKP120"
	codeNoSuchVM    = "BKP121"

	codeSoftDeleteOff = "BKP201"
	codeNotImmutable  = "BKP202"
	codeNotLocked     = "BKP203"
	codeLocal         = "BKP204"
	codeVaultFull     = "BKP205"
	codeVaultNearFull = "BKP206"
	codeVaultDiffers  = "BKP207"
	codeVaultMissing  = "BKP208"

	codeUnusedPolicy  = "BKP301"
	codeRetention     = "BKP302"
	codePolicyDiffers = "BKP303"
	codeNeedsEnhanced = "BKP304"
	codePolicyMissing = "BKP305"
	codePolicyUnread  = "BKP306"

	codeTestFailed  = "BKP401"
	codeTestOverdue = "BKP402"
	codeNeverProven = "BKP403"
	codeDisksLeft   = "BKP404"
)

// CodeHelp explains a code. Its texts are plain text. Means is the meaning of the finding, Hint the recommended action;
// Controls are the controls of public frameworks that the finding is evidence for.
type CodeHelp struct {
	Code     string
	Name     string // short, stable, for programs: "vm-unprotected"
	Title    string
	Severity Severity
	State    State // "" where the finding is not about a VM's state
	Means    string
	Hint     string
	Controls []string
}

// regularBackups returns BR-1 of the Microsoft cloud security benchmark v1, protectBackups BR-2, with the controls that its
// own table maps them to (CIS Controls v8, NIST SP 800-53 r4). Other frameworks are left to those who certify against
// them.
func regularBackups() []string { return []string{"MCSB BR-1", "NIST SP 800-53 CP-9", "CIS v8 11.2"} }

func protectBackups() []string { return []string{"MCSB BR-2", "NIST SP 800-53 CP-9", "CIS v8 11.3"} }

// testBackups returns BR-4 of the same benchmark.
func testBackups() []string { return []string{"MCSB BR-4", "NIST SP 800-53 CP-4", "CIS v8 11.5"} }

// Codes returns the help for all findings that an audit can have, in the order of their codes.
func Codes() []CodeHelp { return slices.Concat(vmCodes(), vaultCodes(), policyCodes(), restoreCodes()) }

// Codes returns the help for the findings that this audit can have, in the order of their codes: those of restore tests only
// where the file has some.
func (r Result) Codes() []CodeHelp {
	if r.Summary.RestoreProven == nil {
		return slices.Concat(vmCodes(), vaultCodes(), policyCodes())
	}
	return Codes()
}

func vmCodes() []CodeHelp {
	return []CodeHelp{
		{
			codeUnknown, "vm-unknown", "Backup of the VM could not be determined", Medium, Unknown,
			"Something that could hold the answer could not be read. The VM is neither called protected nor unprotected, and stays out of the percentage.",
			"give the identity that runs the audit Backup Reader and Reader on the scope named in the message, then run it again", regularBackups(),
		},
		{
			codeUnprotected, "vm-unprotected", "VM has no backup", High, Unprotected,
			"Every vault that may hold an item of the VM was read, and none does.",
			"add a rule with a policy for it and apply, or exclude it with protect: false and a reason", regularBackups(),
		},
		{
			codeSoftDeleted, "vm-soft-deleted", "Backup data of the VM was deleted", Critical, SoftDeleted,
			"The protected item is soft-deleted: no backups are taken, and the data goes for good when its retention ends.",
			"undelete it before the date named in the message; apply does so when a rule protects the VM", regularBackups(),
		},
		{
			codeStopped, "vm-stopped", "Backups of the VM are stopped", High, Stopped,
			"Protection was stopped with the data kept: old recovery points remain, new ones are not made.",
			"resume protection; apply does so when a rule protects the VM", regularBackups(),
		},
		{
			codeSuspended, "vm-suspended", "Backups of the VM are suspended", High, Suspended,
			"Backups were suspended in an immutable vault: no new recovery points, and the old ones age out by policy, all but the last.",
			"resume protection; apply does so when a rule protects the VM", regularBackups(),
		},
		{
			codePending, "vm-pending", "VM has no recovery point yet", Low, Pending,
			"Protection is on, but the first backup has not been made.",
			"wait for the schedule, or run azbackup backup for it now", regularBackups(),
		},
		{
			codeStale, "vm-stale", "Last recovery point of the VM is too old", High, Stale,
			"The last recovery point is older than the longest pause in the policy's schedule plus the tolerance, or than --max-age.",
			"look at the VM's backup jobs in the vault; run azbackup backup for it when the cause is gone", regularBackups(),
		},
		{
			codeFailing, "vm-failing", "Last backup of the VM failed", Medium, Failing,
			"The last attempt failed; the last recovery point is still fresh enough.",
			"look at the failed job's recommendations in the vault; the next schedule tries again", regularBackups(),
		},
		{
			codeFailingLong, "vm-failing-for-days", "Backups of the VM have been failing for days", High, Failing,
			"The last attempt failed and the last recovery point is days old: this does not mend itself.",
			"look at the failed job's recommendations in the vault; most often it is the VM agent, the network or a lock", regularBackups(),
		},
		{
			codeOtherVault, "vm-other-vault", "VM is protected in another vault than the file's", Info, OtherVault,
			"It is protected, in a vault that the file does not name or that its rule does not route to.",
			"name that vault in the file, or accept it with elsewhere: accept; a VM changes vaults only after its data was deleted in the old one", nil,
		},
		{
			codeOtherPolicy, "vm-other-policy", "VM has another policy than the file says", Low, OtherPolicy,
			"It is protected under a policy that its rule does not name.",
			"run azbackup plan to see the difference, and apply", regularBackups(),
		},
		{
			codeRecreated, "vm-recreated", "Recovery points are of an earlier VM", Medium, Pending,
			"The VM was created after its last recovery point: a VM of the same name was there before. None of the points holds this machine.",
			"run azbackup backup for it now, or wait for the schedule", regularBackups(),
		},
		{
			codeDisks, "vm-disks-left-out", "Some disks of the VM are not backed up", Low, "",
			"The item has a disk filter that the file does not ask for.",
			"say disks: in the VM's rule, either the filter or all", regularBackups(),
		},
		{
			codeUnsupported, "vm-unsupported", "VM cannot be protected by Azure Backup", Info, Unsupported,
			"The VM is of a kind that Azure Backup cannot or should not protect; it stays out of the percentage.",
			"protect its data by other means, or exclude it with a reason so that the decision is on record", nil,
		},
		{
			codeLost, "vm-lost-coverage", "VM was covered in the baseline and is not now", High, "",
			"In the baseline the VM was covered; in this audit it is not.",
			"find out what changed since the baseline; the VM's own finding says what it lacks", regularBackups(),
		},
		{
			codeOrphan, "orphan", "Backup data without a VM", Low, "",
			"A protected item with recovery points whose VM is not in the VM list, though that list was read in full.",
			"stop its backups when the VM is gone on purpose, and keep or delete the data as your retention rules say", nil,
		},
		{
			codeNoSuchVM, "vm-missing", "The file names a VM that does not exist", Medium, "",
			"Azure answered 404 for the id in a rule.",
			"correct the id, or remove the rule", nil,
		},
	}
}

func vaultCodes() []CodeHelp {
	return []CodeHelp{
		{
			codeSoftDeleteOff, "vault-soft-delete-off", "Soft delete of the vault is off", High, "",
			"Backup data that is deleted in this vault is gone at once.",
			"turn soft delete on in the vault's security settings", protectBackups(),
		},
		{
			codeNotImmutable, "vault-not-immutable", "Vault is not immutable", Medium, "",
			"Whoever has the rights can shorten retention and delete recovery points before they expire.",
			"set immutability: Unlocked on the vault, and Locked when you are sure", protectBackups(),
		},
		{
			codeNotLocked, "vault-immutability-not-locked", "Immutability of the vault is not locked", Info, "",
			"Immutability is on, but an administrator can turn it off again.",
			"set immutability: Locked when you are sure: it cannot be undone", protectBackups(),
		},
		{
			codeLocal, "vault-locally-redundant", "Vault keeps its data in one datacentre", Medium, "",
			"Redundancy is LocallyRedundant: one datacentre holds all copies.",
			"choose ZoneRedundant or GeoRedundant for new vaults; it cannot be changed once something is protected", protectBackups(),
		},
		{
			codeVaultFull, "vault-full", "Vault holds as many VMs as it can", High, "",
			"Azure allows 1000 VMs in a vault; more are refused.",
			"add a vault in the same region and subscription and route new VMs to both with spread: true", nil,
		},
		{
			codeVaultNearFull, "vault-nearly-full", "Vault is nearly full", Low, "",
			"The vault holds more than 900 of the 1000 VMs that Azure allows.",
			"add a vault in the same region and subscription before the last hundred are taken", nil,
		},
		{
			codeVaultDiffers, "vault-differs", "Vault differs from the file", Medium, "",
			"The file manages the vault, and a setting is not as it says.",
			"run azbackup plan to see the difference, and apply", protectBackups(),
		},
		{
			codeVaultMissing, "vault-missing", "Vault of the file does not exist", High, "",
			"The vault list of its subscription was read, and the vault is not in it.",
			"create it, or let azbackup do so with manage: true", regularBackups(),
		},
	}
}

func policyCodes() []CodeHelp {
	return []CodeHelp{
		{
			codeUnusedPolicy, "policy-unused", "Policy protects nothing", Info, "",
			"No item uses the policy. The two that every new vault comes with are not counted.",
			"use it in a rule, or remove it from the vault", nil,
		},
		{
			codeRetention, "policy-retention-short", "Policy keeps recovery points too short", Medium, "",
			"A policy in use keeps its daily (or weekly) recovery points for less than --min-retention.",
			"raise retention.days (or weeks) of the policy in the file, and apply", regularBackups(),
		},
		{
			codePolicyDiffers, "policy-differs", "Policy differs from the file", Medium, "",
			"The file manages the policy, and schedule, retention or a setting is not as it says.",
			"run azbackup plan to see the difference, and apply", regularBackups(),
		},
		{
			codeNeedsEnhanced, "vm-needs-enhanced", "VM needs an Enhanced policy", Medium, "",
			"Azure protects this VM only under an Enhanced (V2) policy, and the policy chosen for it is Standard.",
			"give its rule a policy with tier: Enhanced; an item moves from Standard to Enhanced, never back", regularBackups(),
		},
		{
			codePolicyMissing, "policy-missing", "Policy of the file does not exist in the vault", Medium, "",
			"A rule needs the policy in this vault, and the vault does not have it.",
			"apply creates it when the policy has manage: true", regularBackups(),
		},
		{
			codePolicyUnread, "policy-not-understood", "Policy could not be understood", Low, "",
			"The policy's schedule or retention is of a kind this version does not know; ages under it are judged by every schedule there can be.",
			"give --max-age, or a newer version of azbackup", nil,
		},
	}
}

func restoreCodes() []CodeHelp {
	return []CodeHelp{
		{
			codeTestFailed, "restore-test-failed", "Restore test of the VM failed", High, "",
			"The last restore of the VM into the group of its restore test failed or was cancelled: whether its backups can be restored is open.",
			"look at the job in the vault; azbackup plan tests the VM again when the cause is gone", testBackups(),
		},
		{
			codeTestOverdue, "restore-test-overdue", "Restore test of the VM is overdue", Medium, "",
			"The last restore of the VM into the group of its restore test is older than the test's interval.",
			"run azbackup apply: it tests the VMs that are the longest unproven first, as many as the test's sample", testBackups(),
		},
		{
			codeNeverProven, "restore-never-proven", "No restore of the VM was ever proven", Medium, "",
			"A restore test covers the VM, all Restore jobs that the vault keeps were read, and none completed into the group of the test.",
			"run azbackup apply, which tests it, or azbackup plan to see what keeps it from being tested", testBackups(),
		},
		{
			codeDisksLeft, "restore-disks-left", "Restore tests left disks behind", Low, "",
			"Disks that completed restore tests made are still in the group of the tests, attached to nothing, because a run was cut or could not delete them. They cost what disks cost.",
			"remove them with azbackup restore-test --clean-up, or by hand", nil,
		},
	}
}

// URL returns the address of the section that explains the code. It does not change between releases.
func (h CodeHelp) URL() string {
	return "https://github.com/azbackup/azbackup/blob/main/docs/findings.md#" + strings.ToLower(h.Code)
}
