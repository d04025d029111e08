package azure

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/azbackup/azbackup/internal/armid"
	"github.com/azbackup/azbackup/plan"
)

// wireItem is a protected item (azure-api.md §3).
type wireItem struct {
	ID         string `json:"id"`
	Properties struct {
		SourceResourceID   string          `json:"sourceResourceId"`
		VirtualMachineID   string          `json:"virtualMachineId"`
		ContainerName      string          `json:"containerName"`
		ProtectionState    string          `json:"protectionState"`
		PolicyID           string          `json:"policyId"`
		PolicyName         string          `json:"policyName"`
		HealthStatus       string          `json:"healthStatus"`
		LastBackupStatus   string          `json:"lastBackupStatus"`
		LastBackupTime     string          `json:"lastBackupTime"`
		LastRecoveryPoint  string          `json:"lastRecoveryPoint"`
		SoftDeleted        bool            `json:"isScheduledForDeferredDelete"`
		DeletedAt          string          `json:"deferredDeleteTimeInUTC"`
		DeleteRemaining    string          `json:"deferredDeleteTimeRemaining"`
		SoftDeleteDays     int             `json:"softDeleteRetentionPeriod"`
		SoftDeleteInDays   int             `json:"softDeleteRetentionPeriodInDays"`
		ExtendedProperties json.RawMessage `json:"extendedProperties"`
	} `json:"properties"`
}

// item is the protected item in plan's words. vault is where it was listed and at when. An error means that
// something that decides about backup could not be read.
func (w wireItem) item(vault string, at time.Time) (plan.Item, error) {
	p := w.Properties
	it := plan.Item{
		ID: w.ID, Vault: vault, VM: firstOf(p.SourceResourceID, p.VirtualMachineID), Container: p.ContainerName,
		State: p.ProtectionState, PolicyID: p.PolicyID, PolicyName: p.PolicyName,
		LastRecoveryPoint: parseTime(p.LastRecoveryPoint),
		LastBackup:        parseTime(p.LastBackupTime), LastBackupStatus: p.LastBackupStatus,
		Health: p.HealthStatus, SoftDeleted: p.SoftDeleted,
	}
	if !armid.Same(armid.VaultOf(w.ID), vault) {
		return it, fmt.Errorf("the protected item %q does not lie in its vault", w.ID)
	}
	if it.VM == "" {
		return it, fmt.Errorf("the protected item %q does not name its VM", w.ID)
	}
	if p.SoftDeleted {
		it.DeletedAt = parseTime(p.DeletedAt)
		it.PurgeAt = w.purgeAt(it.DeletedAt, at)
	}
	var err error
	if it.Disks, err = disks(p.ExtendedProperties); err != nil {
		return it, fmt.Errorf("the disk filter of the protected item %q: %w", w.ID, err)
	}
	return it, nil
}

// purgeAt is when the data of a soft-deleted item goes: deferredDeleteTimeInUTC is the time of the DELETE
// (FACTS 32), so the retention comes on top of it. The remaining time, which runs, is asked only where the
// service gave nothing better.
func (w wireItem) purgeAt(deleted, at time.Time) time.Time {
	days := max(w.Properties.SoftDeleteDays, w.Properties.SoftDeleteInDays)
	if !deleted.IsZero() && days > 0 {
		return deleted.AddDate(0, 0, days)
	}
	if left, err := parseTimeSpan(w.Properties.DeleteRemaining); err == nil && !at.IsZero() {
		return at.UTC().Add(left).Truncate(time.Minute)
	}
	return time.Time{}
}

// disks reads extendedProperties; nil = no filter. An exclusion of nothing is no filter either.
func disks(extended json.RawMessage) (*plan.Disks, error) {
	if len(extended) == 0 {
		return nil, nil //nolint:nilnil // no filter is an answer
	}
	var e struct {
		Filter *struct {
			LUNs    []int `json:"diskLunList"`
			Include *bool `json:"isInclusionList"`
		} `json:"diskExclusionProperties"`
	}
	if err := json.Unmarshal(extended, &e); err != nil {
		return nil, errors.New("it has an unknown form")
	}
	if e.Filter == nil {
		return nil, nil //nolint:nilnil // no filter is an answer
	}
	luns := slices.Clone(e.Filter.LUNs)
	slices.Sort(luns)
	luns = slices.Compact(luns)
	switch include := e.Filter.Include; {
	case include == nil && len(luns) > 0:
		return nil, errors.New("it does not say whether its disks are included or excluded")
	case include != nil && *include:
		return &plan.Disks{Include: true, LUNs: append([]int{}, luns...)}, nil
	case len(luns) == 0:
		return nil, nil //nolint:nilnil // nothing is excluded
	}
	return &plan.Disks{LUNs: luns}, nil
}

// wireProtectable is a protectable item (azure-api.md §2).
type wireProtectable struct {
	Properties struct {
		VirtualMachineID string `json:"virtualMachineId"`
	} `json:"properties"`
}

// wireStatus is backupStatus's answer (azure-api.md §9).
type wireStatus struct {
	ProtectionStatus string `json:"protectionStatus"`
	VaultID          string `json:"vaultId"`
	ContainerName    string `json:"containerName"`
	ItemName         string `json:"protectedItemName"`
	PolicyName       string `json:"policyName"`
	ErrorCode        string `json:"errorCode"`
	ErrorMessage     string `json:"errorMessage"`
}

// item is all that the status tells of an item.
func (w wireStatus) item(vm string) plan.Item {
	return plan.Item{
		ID:    w.VaultID + "/backupFabrics/Azure/protectionContainers/" + w.ContainerName + "/protectedItems/" + w.ItemName,
		Vault: w.VaultID, VM: vm, Container: w.ContainerName, PolicyName: w.PolicyName, Partial: true,
	}
}
