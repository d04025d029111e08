package main

import (
	"fmt"
	"strings"
	"time"
)

const (
	policyDaily   = "daily-30d"
	policyHourly  = "hourly-4h"
	policyDefault = "DefaultPolicy"

	neverBackedUp = "2001-01-01T00:00:00Z" // docs/azure.md §3
)

// item is a protected item: a machine's place in a vault.
type item struct {
	machine machine
	vault   vault
	state   string
	policy  string // "" = none
	deleted bool
	luns    []int // nil = no filter
	last    time.Time
	failed  bool
}

// wantedPolicy returns the machine's policy in the config.
func (m machine) wantedPolicy() string {
	if m.role == "sql" {
		return policyHourly
	}
	return policyDaily
}

// items returns the machine's items in vaults, the decisive one last.
func (f *fleet) items(m machine) []item {
	if m.outcome == unprotected {
		return nil
	}
	recent := f.taken.Add(-time.Duration(m.n%1800)*time.Second - 7*time.Hour)
	old := recent.AddDate(0, -1-m.n%4, 0)
	it := item{machine: m, vault: f.vaults[m.vault], state: "Protected", policy: m.wantedPolicy(), last: recent, failed: m.n%97 == 0}
	if it.policy == policyDaily && it.vault.policy == "missing" {
		it.policy = policyDefault
	}
	if m.role == "sql" {
		it.luns = []int{0, 1}
	}
	switch m.outcome {
	case otherPolicy:
		it.policy = policyDefault
	case otherDisks:
		it.luns = []int{0}
	case pending:
		it.state, it.last, it.failed = "IRPending", time.Time{}, false
	case failing:
		it.state, it.last, it.failed = "ProtectionError", old, true
	case stopped:
		it.state, it.policy, it.last = "ProtectionStopped", "", old
	case softDeleted:
		it.state, it.policy, it.last, it.deleted = "ProtectionStopped", "", old, true
	case suspended:
		it.state, it.last = "BackupsSuspended", old
	case paused:
		it.state, it.last = "ProtectionPaused", old
	case invalid:
		it.state, it.last = "Invalid", old
	case elsewhere, stoppedElsewhere, deletedThenProtected:
		return f.itemsElsewhere(it, old)
	default:
	}
	return []item{it}
}

// itemsElsewhere returns the items of a machine in the vault that no file names. That vault is in one region: machines
// of other regions are never in it.
func (f *fleet) itemsElsewhere(here item, old time.Time) []item {
	legacy := f.legacy[f.subscriptionIndex(here.machine.subscription)]
	if legacy.region != here.machine.region {
		return []item{here}
	}
	there := here
	there.vault, there.policy = legacy, policyDefault
	switch here.machine.outcome {
	case stoppedElsewhere:
		there.state, there.policy, there.last = "ProtectionStopped", "", old
	case deletedThenProtected:
		there.state, there.policy, there.last, there.deleted = "ProtectionStopped", "", old, true
		return []item{there, here}
	default:
	}
	return []item{there}
}

func (f *fleet) subscriptionIndex(id string) int {
	for i, s := range f.subscriptions {
		if s == id {
			return i
		}
	}
	return 0
}

// body returns the item as the list shows it (docs/azure.md §3).
func (it item) body(taken time.Time) body {
	m := it.machine
	tail := "iaasvmcontainerv2;" + strings.ToLower(m.group) + ";" + strings.ToLower(m.name)
	p := body{
		"friendlyName": m.name, "virtualMachineId": m.id(), "sourceResourceId": m.id(),
		"protectionStatus": "Healthy", "protectionState": it.state, "healthStatus": "Passed",
		"lastBackupStatus": "", "lastBackupTime": neverBackedUp,
		"protectedItemDataId": fmt.Sprint(686097000000000 + m.n), "sourceSideScanning": 0, "extendedProperties": body{},
		"protectedItemType": "Microsoft.Compute/virtualMachines", "backupManagementType": "AzureIaasVM", "workloadType": "VM",
		"containerName": tail, "policyId": "", "policyName": it.policy,
		"vaultId":          "https://management.azure.com" + it.vault.id(),
		"isArchiveEnabled": false, "softDeleteRetentionPeriod": 14,
	}
	if it.policy != "" {
		p["policyId"] = it.vault.policyID(it.policy)
	}
	if it.luns != nil {
		p["extendedProperties"] = body{"diskExclusionProperties": body{"diskLunList": it.luns, "isInclusionList": true}}
	}
	if !it.last.IsZero() {
		p["lastBackupTime"], p["lastRecoveryPoint"] = stamp(it.last.Add(4*time.Minute)), stamp(it.last)
		it.addHealth(p)
	}
	if it.deleted {
		// As old as possible without being purged by the time the estate is used.
		at := taken.Add(-time.Duration(m.n%48) * time.Hour)
		left := at.AddDate(0, 0, 14).Sub(taken)
		p["isScheduledForDeferredDelete"], p["deferredDeleteTimeInUTC"] = true, stamp(at)
		p["deferredDeleteTimeRemaining"] = fmt.Sprintf("%d.%02d:%02d:%02d.8991234",
			int(left.Hours())/24, int(left.Hours())%24, int(left.Minutes())%60, int(left.Seconds())%60)
	}
	return body{
		"id": it.vault.id() + "/backupFabrics/Azure/protectionContainers/IaasVMContainer;" + tail +
			"/protectedItems/VM;" + tail,
		"name": "VM;" + tail, "properties": p,
		"type": "Microsoft.RecoveryServices/vaults/backupFabrics/protectionContainers/protectedItems",
	}
}

func (it item) addHealth(p body) {
	health := body{
		"code": 400239, "title": "IaasVmHealthGreenDefault",
		"message": "Backup pre-check status of this virtual machine is OK.", "recommendations": []string{},
	}
	p["lastBackupStatus"] = "Completed"
	if it.failed {
		p["lastBackupStatus"], p["protectionStatus"], p["healthStatus"] = "Failed", "Unhealthy", "ActionRequired"
		health = body{
			"code": 400239, "title": "UserErrorGuestAgentStatusUnavailable",
			"message": "Azure Backup could not reach the agent of the virtual machine.", "recommendations": []string{"Start the agent."},
		}
	}
	p["healthDetails"] = []body{health}
}

func stamp(t time.Time) string { return t.Format("2006-01-02T15:04:05.0000000Z") }
