package simtest

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// notOnTheWire returns the pure cells that no reply of Azure leads to, with the reason.
func notOnTheWire() map[string]string {
	const (
		listsSubscriptions = "only an audit lists subscriptions"
		statusUnasked      = "backupStatus is asked only of VMs that no list showed as protected"
		askedByID          = "a VM of an id rule is asked by GET: it is there, 404 or a gap"
		hasRegion          = "Azure gives every vault a region; one without any is in no VM's region and not listed"
		policyInUse        = "Azure keeps a policy that items are under"
		manyPages          = "protectable items stay unread only where they fill 16 pages"
	)
	return map[string]string{
		"gap-subscription-id-rule--protected":  listsSubscriptions,
		"gap-subscriptions--protected":         listsSubscriptions,
		"gap-status-active--protected":         statusUnasked,
		"item-partly-read--protected":          statusUnasked,
		"vm-not-read--protected":               askedByID,
		"vm-not-read--stopped":                 askedByID,
		"gap-items-unknown-region--protected":  hasRegion,
		"policy-missing-disks-only--protected": policyInUse,
		"refresh-auto-not-read--protected":     manyPages,
	}
}

// TestCellsAreTheTable checks that the cells of docs/design.md §5's table are complete, and that every raw estate is
// used.
func TestCellsAreTheTable(t *testing.T) {
	t.Parallel()
	pure, excepted := pureNames(t), notOnTheWire()
	for _, name := range designedCells() {
		if !slices.Contains(pure, name) {
			t.Errorf("cell %s has no test", name)
		}
		if reason := excepted[name]; reason != "" {
			t.Errorf("cell %s is not read over HTTP: %s", name, reason)
		}
	}
	for name := range excepted {
		if !slices.Contains(pure, name) {
			t.Errorf("%s is excepted and does not exist", name)
		}
	}
	files, err := filepath.Glob(rawCells + "/*.json")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		row := strings.TrimSuffix(filepath.Base(f), ".json")
		used := slices.ContainsFunc(pure, func(name string) bool {
			return excepted[name] == "" && (name == row || strings.HasPrefix(name, row+"--"))
		})
		if !used && row != "base" {
			t.Errorf("%s is the estate of no cell", f)
		}
	}
}

// designedCells returns the rows of docs/design.md §5, one name or more each, times its columns.
func designedCells() []string {
	var cells []string
	for _, row := range []string{
		"no-item",
		"active-equal",
		"active-other-policy", "active-other-disks",
		"stopped-here",
		"suspended-here",
		"soft-deleted-here",
		"unknown-state-protectionpaused", "unknown-state-invalid", "unknown-state-quarantined",
		"active-in-sibling", "active-outside",
		"stopped-elsewhere", "suspended-elsewhere",
		"soft-deleted-elsewhere",
		"several-active-decides", "several-stopped-here", "several-soft-deleted-here",
		"operation-running",
		"vm-missing-item-here",
		"vm-missing-no-item",
		"gap-items-here", "gap-vms", "gap-vault",
		"other-region", "other-subscription", "enhanced-to-standard", "vm-needs-enhanced",
		"policy-missing", "policy-other-tier", "resource-guard-retention", // the limit: TestCellsOfAFullVault
	} {
		for _, column := range []string{"protected", "stopped", "left-alone", "no-rule", "no-rule-stop"} {
			if row == "vm-missing-no-item" && strings.HasPrefix(column, "no-rule") {
				continue // the dash of the table: neither a rule nor the command names the VM
			}
			cells = append(cells, row+"--"+column)
		}
	}
	return append(cells, "active-outside-accepted--protected")
}
