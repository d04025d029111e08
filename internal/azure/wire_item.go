package azure

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/azbackup/azbackup/internal/armid"
	"github.com/azbackup/azbackup/plan"
)

// wireItem is a protected item (docs/azure.md §3).
type wireItem struct {
	tolerantRow
	ID         field `json:"id"`
	Properties struct {
		Management         field           `json:"backupManagementType"`
		Workload           field           `json:"workloadType"`
		Type               field           `json:"protectedItemType"`
		SourceResourceID   field           `json:"sourceResourceId"`
		VirtualMachineID   field           `json:"virtualMachineId"`
		ContainerName      field           `json:"containerName"`
		ProtectionState    field           `json:"protectionState"`
		PolicyID           field           `json:"policyId"`
		PolicyName         field           `json:"policyName"`
		HealthStatus       field           `json:"healthStatus"`
		LastBackupStatus   field           `json:"lastBackupStatus"`
		LastBackupTime     field           `json:"lastBackupTime"`
		LastRecoveryPoint  field           `json:"lastRecoveryPoint"`
		SoftDeleted        field           `json:"isScheduledForDeferredDelete"`
		DeletedAt          field           `json:"deferredDeleteTimeInUTC"`
		DeleteRemaining    field           `json:"deferredDeleteTimeRemaining"`
		SoftDeleteDays     field           `json:"softDeleteRetentionPeriod"`
		SoftDeleteInDays   field           `json:"softDeleteRetentionPeriodInDays"`
		ExtendedProperties json.RawMessage `json:"extendedProperties"`
	} `json:"properties"`
}

// toItem converts w to plan's type. vault is where it was listed, at is when (zero: future times are accepted). Fields
// that were not understood are in the item's Unreadable; an error means that not even its VM is known.
func (w *wireItem) toItem(vault string, at time.Time) (plan.Item, error) {
	p, r := w.Properties, &fieldReader{}
	r.checkForm(w.tolerantRow)
	it := plan.Item{
		ID: r.id("id", w.ID), Vault: vault, VM: w.vm(r), Container: p.ContainerName.textOrEmpty(),
		State: plan.CanonicalWord(r.word("protectionState", p.ProtectionState)), PolicyID: r.id("policyId", p.PolicyID),
		PolicyName: p.PolicyName.textOrEmpty(), LastBackupStatus: plan.CanonicalWord(r.word("lastBackupStatus", p.LastBackupStatus)),
		LastRecoveryPoint: r.pastTime("lastRecoveryPoint", p.LastRecoveryPoint, at), Health: p.HealthStatus.textOrEmpty(),
	}
	it.LastBackup, _ = p.LastBackupTime.parsePastTime(at)
	if it.VM == "" {
		return it, fmt.Errorf("the protected item %s does not name its VM: %s", quoted(string(w.ID)), r.describeProblems())
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
func (w *wireItem) vm(r *fieldReader) string {
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
func isMachine(f field) bool {
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
	return n == 8 && len(f) <= maxID
}

// checkIdentity checks the fields that join an item to its vault, policy and jobs. The id repeats some of them.
func (w *wireItem) checkIdentity(it *plan.Item, r *fieldReader) {
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
func (w *wireItem) readDeletion(it *plan.Item, r *fieldReader, at time.Time) {
	p := w.Properties
	var known bool
	it.DeletedAt, known = p.DeletedAt.parsePastTime(time.Time{})
	left, err := parseTimeSpan(p.DeleteRemaining.textOrEmpty())
	evidence := !it.DeletedAt.IsZero() || err == nil && left > 0
	switch flag := p.SoftDeleted; {
	case flag == notText+"true":
		it.SoftDeleted = true
	case evidence && flag != notText+"false":
		it.SoftDeleted = true
	case evidence:
		r.addProblem("isScheduledForDeferredDelete is false, and deferredDeleteTimeInUTC is %s", quoted(p.DeletedAt.textOrEmpty()))
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
	if _, past := p.DeletedAt.parsePastTime(at); !past {
		it.DeletedAt = time.Time{}
	}
	it.PurgeAt = w.purgeAt(it.DeletedAt, at)
}

// maxSoftDelete is the longest soft-delete retention of a vault (docs/azure.md §7.2), in days.
const maxSoftDelete = 180

// purgeAt returns when the data of a soft-deleted item is purged: deferredDeleteTimeInUTC is the time of the DELETE
// (docs/azure.md §33.32), so the retention is added to it. The remaining time, which changes, is used only where the
// service sent nothing better.
func (w *wireItem) purgeAt(deleted, at time.Time) time.Time {
	old, _ := w.Properties.SoftDeleteDays.parseNumber(maxSoftDelete)
	days, _ := w.Properties.SoftDeleteInDays.parseNumber(maxSoftDelete)
	if days = max(days, old); !deleted.IsZero() && days > 0 {
		return deleted.AddDate(0, 0, days)
	}
	left, err := parseTimeSpan(w.Properties.DeleteRemaining.textOrEmpty())
	if err == nil && left <= maxSoftDelete*24*time.Hour && !at.IsZero() {
		return at.UTC().Add(left).Truncate(time.Minute)
	}
	return time.Time{}
}

// maxLUN is the highest LUN of a data disk: a VM has up to 64.
const maxLUN = 63

// readDiskFilter reads extendedProperties; nil = no filter. Excluding nothing is no filter either.
func readDiskFilter(extended json.RawMessage) (*plan.Disks, error) {
	if len(extended) == 0 {
		return nil, nil //nolint:nilnil // no filter is an answer
	}
	var e struct {
		Filter json.RawMessage `json:"diskExclusionProperties"`
	}
	if err := json.Unmarshal(extended, &e); err != nil {
		return nil, errors.New("it is " + printable(string(extended)))
	}
	if len(e.Filter) == 0 {
		return nil, nil //nolint:nilnil // no filter is an answer
	}
	var filter *struct {
		LUNs    *[]int `json:"diskLunList"`
		Include *bool  `json:"isInclusionList"`
	}
	odd := errors.New("the disk filter is " + printable(string(e.Filter)))
	switch err := json.Unmarshal(e.Filter, &filter); {
	case err != nil:
		return nil, odd
	case filter == nil || filter.LUNs == nil && filter.Include == nil:
		return nil, nil //nolint:nilnil // no filter is an answer
	case filter.LUNs == nil || filter.Include == nil:
		return nil, odd // half a filter may mean anything
	}
	luns := slices.Clone(*filter.LUNs)
	slices.Sort(luns)
	luns = slices.Compact(luns)
	switch {
	case len(luns) > 0 && (luns[0] < 0 || luns[len(luns)-1] > maxLUN):
		return nil, odd
	case *filter.Include:
		return &plan.Disks{Include: true, LUNs: append([]int{}, luns...)}, nil
	case len(luns) == 0:
		return nil, nil //nolint:nilnil // nothing is excluded
	}
	return &plan.Disks{LUNs: luns}, nil
}

// wireProtectable is a protectable item (docs/azure.md §2). It only informs: a superfluous or missing refresh does no
// harm.
type wireProtectable struct {
	Properties struct {
		VirtualMachineID field `json:"virtualMachineId"`
	} `json:"properties"`
}

// wireStatus is backupStatus's answer (docs/azure.md §9). If it is not understood, the status is unknown.
type wireStatus struct {
	ProtectionStatus field `json:"protectionStatus"`
	VaultID          field `json:"vaultId"`
	ContainerName    field `json:"containerName"`
	ItemName         field `json:"protectedItemName"`
	PolicyName       field `json:"policyName"`
	ErrorCode        field `json:"errorCode"`
	ErrorMessage     field `json:"errorMessage"`
}

// isUnprotected reports whether the status is that the VM is in no vault.
func (w wireStatus) isUnprotected() bool {
	return strings.EqualFold(string(w.ProtectionStatus), "NotProtected")
}

// isProtected reports whether the status names the vault in which the VM is protected.
func (w wireStatus) isProtected() bool {
	if !strings.EqualFold(string(w.ProtectionStatus), "Protected") && !strings.EqualFold(string(w.ProtectionStatus), "Protecting") &&
		!strings.EqualFold(string(w.ProtectionStatus), "ProtectionFailed") {
		return false
	}
	_, err := armid.ParseVault(w.VaultID.textOrEmpty())
	return err == nil
}

// unclearGap returns the gap for a status that is neither.
func (w wireStatus) unclearGap(gap plan.Gap) plan.Gap {
	gap.Code = cmp.Or(w.ErrorCode.textOrEmpty(), "UnclearStatus")
	gap.Message = cmp.Or(w.ErrorMessage.textOrEmpty(), fmt.Sprintf("the service calls it %s and names no vault", quoted(strings.TrimPrefix(string(w.ProtectionStatus), notText))))
	return gap
}

// toItem returns an item with the few fields that the status has.
func (w wireStatus) toItem(vm string) plan.Item {
	vault, container := w.VaultID.textOrEmpty(), w.ContainerName.textOrEmpty()
	return plan.Item{
		ID:    vault + "/backupFabrics/Azure/protectionContainers/" + container + "/protectedItems/" + w.ItemName.textOrEmpty(),
		Vault: vault, VM: vm, Container: container, PolicyName: w.PolicyName.textOrEmpty(), Partial: true,
	}
}
