package audit

import (
	"cmp"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/azbackup/azbackup/internal/armid"
	"github.com/azbackup/azbackup/plan"
)

// newRow returns the row of a VM with all that is known of the VM and its deciding item, and without a state.
func (a *assessor) newRow(v *evaluation) VM {
	vm, it := v.vm, v.item
	row := VM{
		ID: vm.ID, Name: vm.Name, ResourceGroup: vm.ResourceGroup, Subscription: strings.ToLower(vm.Subscription),
		Location: armid.Location(vm.Location), Tags: vm.Tags, TimeCreated: timePtr(vm.TimeCreated), Rule: a.origin(v.rule).rule,
	}
	a.addRestoreTest(&row)
	if v.class == classNone {
		return row
	}
	row.Vault, row.Policy, row.ProtectionState = it.Vault, policyName(it), it.State
	row.LastBackupStatus, row.Health = it.LastBackupStatus, it.Health
	row.LastBackup, row.LastRecoveryPoint = timePtr(it.LastBackup), timePtr(it.LastRecoveryPoint)
	if !it.LastRecoveryPoint.IsZero() {
		age := max(0, toSeconds(a.opt.Now.Sub(it.LastRecoveryPoint)))
		row.AgeSeconds = &age
	}
	if it.SoftDeleted && !it.PurgeAt.IsZero() {
		left := max(0, int(it.PurgeAt.Sub(a.opt.Now)/(24*time.Hour)))
		row.PurgeAt, row.DaysLeft = timePtr(it.PurgeAt), &left
	}
	return row
}

func policyName(it plan.Item) string { return cmp.Or(it.PolicyName, lastName(it.PolicyID)) }

func timePtr(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	t = t.UTC()
	return &t
}

func equalFold(a, b string) bool {
	return strings.EqualFold(strings.TrimSpace(a), strings.TrimSpace(b))
}

func formatStamp(t time.Time) string { return t.UTC().Format("2006-01-02 15:04Z") }

func formatTime(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return " at " + formatStamp(t)
}

// formatAge returns a duration in minutes below an hour, in hours below two days, else in days, rounded down.
func formatAge(d time.Duration) string {
	switch {
	case d < time.Hour:
		return strconv.Itoa(int(d/time.Minute)) + " min"
	case d < 48*time.Hour:
		return strconv.Itoa(int(d/time.Hour)) + " h"
	default:
		return strconv.Itoa(int(d/(24*time.Hour))) + " d"
	}
}

func describeDisks(d *plan.Disks) string {
	switch {
	case d.Include && len(d.LUNs) == 0:
		return "only the OS disk is backed up"
	case d.Include:
		return fmt.Sprintf("only the OS disk and the data disks with LUN %s are backed up", formatLUNs(d.LUNs))
	default:
		return fmt.Sprintf("the data disks with LUN %s are not backed up", formatLUNs(d.LUNs))
	}
}

func formatLUNs(numbers []int) string {
	words := make([]string, len(numbers))
	for i, n := range numbers {
		words[i] = strconv.Itoa(n)
	}
	return strings.Join(words, ", ")
}

// vmName returns the display name of a VM with its group, because names repeat across groups.
func vmName(id string) string {
	vm, err := armid.ParseVM(id)
	if err != nil {
		return id
	}
	return vm.ResourceGroup + "/" + vm.Name()
}
