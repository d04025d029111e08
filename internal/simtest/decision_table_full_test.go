package simtest

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/azbackup/azbackup/internal/armid"
	"github.com/azbackup/azbackup/plan"
)

// TestCellsOfAFullVault is the row "limit reached", whose estate is too large for a file: no VM is added to a vault
// that holds a thousand, and a VM in it is treated as in any other vault.
func TestCellsOfAFullVault(t *testing.T) {
	t.Parallel()
	for _, column := range []string{"protected", "stopped", "left-alone", "no-rule", "no-rule-stop"} {
		for _, row := range []string{"no-item", "active-equal"} {
			t.Run("limit-reached-"+row+"--"+column, func(t *testing.T) {
				t.Parallel()
				c := readCell(t, row+"--"+column)
				fill(t, c, armid.Vault(subscriptionOfCells, "rg-backup", "here"))
				if row == "no-item" && column == "protected" {
					c.want[0], c.want[1] = "blocked "+c.want[0], "why "+string(plan.ReasonVaultFull)
				}
				c.check(t)
			})
		}
	}
}

// fill adds items of deleted VMs to the vault until it is full.
func fill(t testing.TB, c *cell, vault string) {
	t.Helper()
	var items []json.RawMessage
	if err := json.Unmarshal(c.row["protectedItems"], &items); err != nil {
		t.Fatal(err)
	}
	e := &estate{}
	for i := len(items); i < plan.MaxVMsPerVault; i++ {
		e.addItem(vault, armid.VM(subscriptionOfCells, "app", fmt.Sprintf("gone%04d", i)), itemState{state: "Protected", policy: "daily"})
	}
	for _, it := range items {
		e.items = append(e.items, string(it))
	}
	c.row["protectedItems"] = json.RawMessage("[" + strings.Join(e.items, ",") + "]")
}
