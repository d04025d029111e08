package wire

import (
	"cmp"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/azbackup/azbackup/internal/armid"
	"github.com/azbackup/azbackup/plan"
)

// Item is a protected item (docs/azure.md §3).
type Item struct {
	tolerantRow
	ID         Field `json:"id"`
	Properties struct {
		Management         Field           `json:"backupManagementType"`
		Workload           Field           `json:"workloadType"`
		Type               Field           `json:"protectedItemType"`
		SourceResourceID   Field           `json:"sourceResourceId"`
		VirtualMachineID   Field           `json:"virtualMachineId"`
		ContainerName      Field           `json:"containerName"`
		ProtectionState    Field           `json:"protectionState"`
		PolicyID           Field           `json:"policyId"`
		PolicyName         Field           `json:"policyName"`
		HealthStatus       Field           `json:"healthStatus"`
		LastBackupStatus   Field           `json:"lastBackupStatus"`
		LastBackupTime     Field           `json:"lastBackupTime"`
		LastRecoveryPoint  Field           `json:"lastRecoveryPoint"`
		SoftDeleted        Field           `json:"isScheduledForDeferredDelete"`
		DeletedAt          Field           `json:"deferredDeleteTimeInUTC"`
		DeleteRemaining    Field           `json:"deferredDeleteTimeRemaining"`
		SoftDeleteDays     Field           `json:"softDeleteRetentionPeriod"`
		SoftDeleteInDays   Field           `json:"softDeleteRetentionPeriodInDays"`
		ExtendedProperties json.RawMessage `json:"extendedProperties"`
	} `json:"properties"`
}

// ToPlan converts w to plan's type. vault is where it was listed, at is when (zero: future times are accepted). Fields
// that were not understood are in the item's Unreadable; an error means that not even its VM is known.
func (w *Item) ToPlan(vault string, at time.Time) (plan.Item, error) {
	p, r := w.Properties, &fieldReader{}
	r.checkForm(w.tolerantRow)
	it := plan.Item{
		ID: r.id("id", w.ID), Vault: vault, VM: w.vm(r), Container: p.ContainerName.Text(),
		State: plan.CanonicalWord(r.word("protectionState", p.ProtectionState)), PolicyID: r.id("policyId", p.PolicyID),
		PolicyName: p.PolicyName.Text(), LastBackupStatus: plan.CanonicalWord(r.word("lastBackupStatus", p.LastBackupStatus)),
		LastRecoveryPoint: r.pastTime("lastRecoveryPoint", p.LastRecoveryPoint, at), Health: p.HealthStatus.Text(),
	}
	it.LastBackup, _ = p.LastBackupTime.PastTime(at)
	if it.VM == "" {
		return it, fmt.Errorf("the protected item %s does not name its VM: %s", Quote(string(w.ID)), r.describeProblems())
	}
	w.checkWorkload(r)
	w.checkIdentity(&it, r)
	w.readDeletion(&it, r, at)
	switch {
	case it.State == "" && p.ProtectionState.isText() && !it.SoftDeleted:
		r.addProblem("protectionState is missing")
	case it.State == plan.StateProtected && !it.LastRecoveryPoint.IsZero() && p.LastBackupStatus == "":
		r.addProblem("lastBackupStatus is missing")
	}
	var err error
	if it.Disks, err = readDiskFilter(p.ExtendedProperties); err != nil {
		r.addProblem("extendedProperties: %v", err)
	}
	it.Unreadable = r.describeProblems()
	return it, nil
}

// vm returns the id of the item's VM, which the service sends in two fields; "" when neither is understood, or when
// they differ.
func (w *Item) vm(r *fieldReader) string {
	source, machine := w.Properties.SourceResourceID, w.Properties.VirtualMachineID
	switch {
	case isMachine(source) && (!isMachine(machine) || strings.EqualFold(string(source), string(machine))):
		return string(source)
	case isMachine(machine) && !isMachine(source):
		return string(machine)
	}
	r.recordMisread("sourceResourceId", source)
	r.recordMisread("virtualMachineId", machine)
	return ""
}

// isMachine reports whether f is the id of a VM, classic ones included. It is called for each item, so it does not
// allocate.
func isMachine(f Field) bool {
	n := 0
	for part := range strings.SplitSeq(strings.Trim(string(f), "/"), "/") {
		ok := part != ""
		switch n {
		case 0:
			ok = strings.EqualFold(part, "subscriptions")
		case 2:
			ok = strings.EqualFold(part, "resourceGroups")
		case 4:
			ok = strings.EqualFold(part, "providers")
		case 5:
			ok = strings.EqualFold(part, "Microsoft.Compute") || strings.EqualFold(part, "Microsoft.ClassicCompute")
		case 6:
			ok = strings.EqualFold(part, "virtualMachines")
		}
		if n++; !ok || n > 8 {
			return false
		}
	}
	return n == 8 && len(f) <= MaxID
}

// checkIdentity checks the fields that join an item to its vault, policy and jobs. The id repeats some of them.
func (w *Item) checkIdentity(it *plan.Item, r *fieldReader) {
	container, ok := cutKindAndName(it.ID, vaultPrefixLen(it.ID, it.Vault), "protectedItems")
	if !ok {
		r.recordMisread("id", w.ID)
	} else if _, name, ok := strings.Cut(container, ";"); ok && (name == it.Container || !strings.EqualFold(name, it.Container)) {
		it.Container = name // a substring of the id, which takes no memory of its own
	}
	if it.PolicyID == "" {
		return
	}
	if _, ok := cutKindAndName(it.PolicyID, vaultPrefixLen(it.PolicyID, it.Vault), "backupPolicies"); !ok {
		r.recordMisread("policyId", w.Properties.PolicyID)
		return
	}
	if _, name := armid.CutName(it.PolicyID); !strings.EqualFold(name, it.PolicyName) {
		it.PolicyName = name
	}
}

// vaultPrefixLen returns the length of the vault's part of an id; 0 = the id is not in that vault.
func vaultPrefixLen(id, vault string) int {
	switch {
	case len(id) > len(vault) && id[len(vault)] == '/' && strings.EqualFold(id[:len(vault)], vault):
		return len(vault)
	case vault != "" && armid.Same(armid.VaultOf(id), vault):
		return len(armid.VaultOf(id))
	}
	return 0
}

// cutKindAndName reports whether an id ends in "/kind/name", behind its vault's part, and returns the part right before
// that.
func cutKindAndName(id string, vaultPart int, kind string) (before string, ok bool) {
	if vaultPart == 0 {
		return "", false
	}
	head, name := armid.CutName(id[vaultPart:])
	head, last := armid.CutName(head)
	_, before = armid.CutName(head)
	return before, name != "" && strings.EqualFold(last, kind)
}

// readDeletion reads whether the item is soft-deleted. Its flag comes first; where the flag is absent or not
// understood, the fields that only a soft-deleted item has (docs/azure.md §33.32) decide. Contradicting evidence is not
// understood. The date of the purge only informs, so an impossible one counts as unknown.
func (w *Item) readDeletion(it *plan.Item, r *fieldReader, at time.Time) {
	p := w.Properties
	var known bool
	it.DeletedAt, known = p.DeletedAt.PastTime(time.Time{})
	left, err := parseTimeSpan(p.DeleteRemaining.Text())
	evidence := !it.DeletedAt.IsZero() || err == nil && left > 0
	switch flag := p.SoftDeleted; {
	case flag == notText+"true":
		it.SoftDeleted = true
	case evidence && flag != notText+"false":
		it.SoftDeleted = true
	case evidence:
		r.addProblem("isScheduledForDeferredDelete is false, and deferredDeleteTimeInUTC is %s", Quote(p.DeletedAt.Text()))
	case !known:
		r.recordMisread("deferredDeleteTimeInUTC", p.DeletedAt)
	default:
		r.boolean("isScheduledForDeferredDelete", flag)
	}
	if it.SoftDeleted && plan.IsActive(it.State) {
		r.addProblem("protectionState is %q, and the item is said to be deleted", it.State)
	}
	if !it.SoftDeleted {
		it.DeletedAt = time.Time{}
		return
	}
	if _, past := p.DeletedAt.PastTime(at); !past {
		it.DeletedAt = time.Time{}
	}
	it.PurgeAt = w.purgeAt(it.DeletedAt, at)
}

// maxSoftDelete is the longest soft-delete retention of a vault (docs/azure.md §7.2), in days.
const maxSoftDelete = 180

// purgeAt returns when the data of a soft-deleted item is purged: deferredDeleteTimeInUTC is the time of the DELETE
// (docs/azure.md §33.32), so the retention is added to it. The remaining time, which changes, is used only where the
// service sent nothing better.
func (w *Item) purgeAt(deleted, at time.Time) time.Time {
	old, _ := w.Properties.SoftDeleteDays.parseNumber(maxSoftDelete)
	days, _ := w.Properties.SoftDeleteInDays.parseNumber(maxSoftDelete)
	if days = max(days, old); !deleted.IsZero() && days > 0 {
		return deleted.AddDate(0, 0, days)
	}
	left, err := parseTimeSpan(w.Properties.DeleteRemaining.Text())
	if err == nil && left <= maxSoftDelete*24*time.Hour && !at.IsZero() {
		return at.UTC().Add(left).Truncate(time.Minute)
	}
	return time.Time{}
}

// ProtectableItem is a protectable item (docs/azure.md §2). It decides about a refresh alone, and a superfluous or
// missing refresh does no harm.
type ProtectableItem struct {
	Properties struct {
		VirtualMachineID Field `json:"virtualMachineId"`
	} `json:"properties"`
}

// BackupStatus is the answer of backupStatus (docs/azure.md §9). Where it is not understood, the status is unknown.
type BackupStatus struct {
	ProtectionStatus Field `json:"protectionStatus"`
	VaultID          Field `json:"vaultId"`
	ContainerName    Field `json:"containerName"`
	ItemName         Field `json:"protectedItemName"`
	PolicyName       Field `json:"policyName"`
	ErrorCode        Field `json:"errorCode"`
	ErrorMessage     Field `json:"errorMessage"`
}

// IsUnprotected reports whether the status is that the VM is in no vault.
func (w BackupStatus) IsUnprotected() bool {
	return strings.EqualFold(string(w.ProtectionStatus), "NotProtected")
}

// IsProtected reports whether the status names the vault in which the VM is protected.
func (w BackupStatus) IsProtected() bool {
	if !strings.EqualFold(string(w.ProtectionStatus), "Protected") && !strings.EqualFold(string(w.ProtectionStatus), "Protecting") &&
		!strings.EqualFold(string(w.ProtectionStatus), "ProtectionFailed") {
		return false
	}
	_, err := armid.ParseVault(w.VaultID.Text())
	return err == nil
}

// UnclearGap returns gap with the code and message for a status that is neither.
func (w BackupStatus) UnclearGap(gap plan.Gap) plan.Gap {
	gap.Code = cmp.Or(w.ErrorCode.Text(), "UnclearStatus")
	gap.Message = cmp.Or(w.ErrorMessage.Text(), fmt.Sprintf("the service calls it %s and names no vault", Quote(strings.TrimPrefix(string(w.ProtectionStatus), notText))))
	return gap
}

// ToItem returns the item of a VM with the few fields that the status has ([plan.Item.Partial]).
func (w BackupStatus) ToItem(vm string) plan.Item {
	vault, container := w.VaultID.Text(), w.ContainerName.Text()
	return plan.Item{
		ID:    vault + "/backupFabrics/Azure/protectionContainers/" + container + "/protectedItems/" + w.ItemName.Text(),
		Vault: vault, VM: vm, Container: container, PolicyName: w.PolicyName.Text(), Partial: true,
	}
}
