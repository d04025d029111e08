package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/azbackup/azbackup/config"
	"github.com/azbackup/azbackup/internal/azure"
	"github.com/azbackup/azbackup/internal/azure/arm"
	"github.com/azbackup/azbackup/internal/export"
	"github.com/azbackup/azbackup/internal/simulator"
	"github.com/azbackup/azbackup/plan"
)

// generate runs the command and returns its output and the config's path.
func generate(t *testing.T, args ...string) (estate []byte, file string) {
	t.Helper()
	file = filepath.Join(t.TempDir(), "fleet.yaml")
	var out, diagnostics bytes.Buffer
	if err := run(append(args, "-config", file), &out, &diagnostics); err != nil {
		t.Fatalf("%v\n%s", err, diagnostics.String())
	}
	return out.Bytes(), file
}

type estateFile struct {
	VirtualMachines []json.RawMessage `json:"virtualMachines"`
	Vaults          []struct{ ID, Location string }
	Policies        []struct {
		ID         string
		Properties struct {
			ProtectedItemsCount int `json:"protectedItemsCount"`
		}
	}
	ProtectedItems []struct {
		ID         string
		Properties struct {
			ProtectionState              string
			PolicyID                     string
			SourceResourceID             string
			IsScheduledForDeferredDelete bool
		}
	} `json:"protectedItems"`
}

func decode(t *testing.T, raw []byte) estateFile {
	t.Helper()
	var e estateFile
	if err := json.Unmarshal(raw, &e); err != nil {
		t.Fatal(err)
	}
	return e
}

// The same options give the same bytes, another seed gives different ones.
func TestSameOptionsSameBytes(t *testing.T) {
	first, firstConfig := generate(t, "-vms", "300")
	again, againConfig := generate(t, "-vms", "300")
	other, _ := generate(t, "-vms", "300", "-seed", "2")
	if !bytes.Equal(first, again) {
		t.Error("two runs differ")
	}
	if bytes.Equal(first, other) {
		t.Error("another seed gives the same estate")
	}
	a, errA := os.ReadFile(firstConfig)
	b, errB := os.ReadFile(againConfig)
	if errA != nil || errB != nil || !bytes.Equal(a, b) {
		t.Errorf("two configs differ: %v, %v", errA, errB)
	}
}

// Machines are as big as real ones, every state of an item occurs, and no vault holds more than Azure allows.
func TestEstateIsLikeARealOne(t *testing.T) {
	raw, _ := generate(t, "-vms", "6000", "-vaults", "30")
	e := decode(t, raw)
	if len(e.VirtualMachines) != 6000 || len(e.Vaults) != 32 {
		t.Fatalf("%d machines and %d vaults, want 6000 and 30 with 2 legacy ones", len(e.VirtualMachines), len(e.Vaults))
	}
	for _, vm := range e.VirtualMachines {
		if len(vm) < 1500 {
			t.Fatalf("a machine of %d bytes: %s", len(vm), vm)
		}
	}
	states, perVault, perPolicy := map[string]int{}, map[string]int{}, map[string]int{}
	for _, it := range e.ProtectedItems {
		state := it.Properties.ProtectionState
		if it.Properties.IsScheduledForDeferredDelete {
			state = "soft-deleted"
		}
		states[state]++
		vault, _, _ := strings.Cut(it.ID, "/backupFabrics/")
		perVault[vault]++
		if it.Properties.PolicyID != "" {
			perPolicy[it.Properties.PolicyID]++
		}
	}
	for _, state := range []string{
		"IRPending", "Protected", "ProtectionError", "ProtectionStopped", "ProtectionPaused", "BackupsSuspended", "Invalid", "soft-deleted",
	} {
		if states[state] == 0 {
			t.Errorf("no item is %s: %v", state, states)
		}
	}
	for vault, n := range perVault {
		if n > vaultMaximum {
			t.Errorf("%s holds %d items", vault, n)
		}
	}
	for _, p := range e.Policies {
		if p.Properties.ProtectedItemsCount != perPolicy[p.ID] {
			t.Errorf("%s says it protects %d items, and %d name it", p.ID, p.Properties.ProtectedItemsCount, perPolicy[p.ID])
		}
		delete(perPolicy, p.ID)
	}
	if len(perPolicy) != 0 {
		t.Errorf("items name policies that are not there: %v", perPolicy)
	}
}

// The protected share is kept, from none to all.
func TestProtectedShare(t *testing.T) {
	for share, want := range map[string][2]int{"0": {0, 0}, "0.5": {900, 1100}, "1": {1950, 2100}} {
		raw, _ := generate(t, "-vms", "2000", "-protected-share", share)
		if n := len(decode(t, raw).ProtectedItems); n < want[0] || n > want[1] {
			t.Errorf("share %s: %d items of 2000, want %v", share, n, want)
		}
	}
}

// A fleet for comparison has the given number of subscriptions, and overfills its vaults.
func TestCrowdedFleetKeepsToItsVaultsAndSubscriptions(t *testing.T) {
	raw, file := generate(t, "-vms", "3000", "-vaults", "2", "-crowded", "-subscriptions", "4")
	e := decode(t, raw)
	if len(e.VirtualMachines) != 3000 || len(e.Vaults) != 2+4 {
		t.Errorf("%d machines and %d vaults, want 3000 and 2 with 4 legacy ones", len(e.VirtualMachines), len(e.Vaults))
	}
	c, _, err := config.Load([]string{file}, func(string) (string, bool) { return "", false })
	if err != nil || len(c.Subscriptions) != 4 {
		t.Errorf("%v: %v", c.Subscriptions, err)
	}
}

func TestImpossibleFleetsAreRefused(t *testing.T) {
	for _, args := range [][]string{
		{"-vms", "0"}, {"-vms", "2000", "-vaults", "1"}, {"-protected-share", "1.5"}, {"-taken", "yesterday"}, {"-vaults", "-1"}, {"-subscriptions", "-1"},
	} {
		var out, diagnostics bytes.Buffer
		if err := run(args, &out, &diagnostics); err == nil || out.Len() > 0 {
			t.Errorf("%v: got %d bytes, %v", args, out.Len(), err)
		}
	}
}

var anHourLater = time.Date(2026, 11, 20, 7, 0, 0, 0, time.UTC)

// discover reads an estate through the simulator, without gaps.
func discover(t *testing.T, raw []byte, scope plan.Scope) plan.Observed {
	t.Helper()
	estate, err := simulator.Read(bytes.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	server, err := simulator.New(estate, simulator.Options{})
	if err != nil {
		t.Fatal(err)
	}
	client, err := azure.New(azure.CommandPlan, arm.Options{
		Endpoint: "https://simulator.invalid", AccessToken: "x", Transport: server.Transport(), Now: time.Now,
	})
	if err != nil {
		t.Fatal(err)
	}
	o, err := client.Discover(t.Context(), scope)
	if err != nil || len(o.Gaps) > 0 {
		t.Fatalf("discovery: %v, %v", err, o.Gaps)
	}
	return o
}

// An export of the fleet takes few bytes a machine, and a plan over it has no warnings and nothing to do.
func TestExportOfTheFleetIsSmallAndLeavesNothingToDo(t *testing.T) {
	const vms, bytesEach = 5000, 50
	raw, file := generate(t, "-vms", strconv.Itoa(vms))
	fleet, _, err := config.Load([]string{file}, func(string) (string, bool) { return "", false })
	if err != nil {
		t.Fatal(err)
	}
	scope := plan.Scope{Subscriptions: fleet.Subscriptions, AllVaults: true, Elsewhere: true}
	for name, groupBy := range map[string]string{"groups": "resource-group", "names": "none", "tags": "tag:role"} {
		r, err := export.Export(discover(t, raw, scope), export.Options{GroupBy: groupBy, Manage: true, Subscriptions: fleet.Subscriptions})
		if err != nil {
			t.Fatal(err)
		}
		text, err := r.Config.Encode(r.Comments)
		if err != nil {
			t.Fatal(err)
		}
		if len(text) > vms*bytesEach {
			t.Errorf("%s: %d bytes, more than %d a machine", name, len(text), bytesEach)
		}
		if err := os.WriteFile(file, text, 0o600); err != nil {
			t.Fatal(err)
		}
		c, warnings, err := config.Load([]string{file}, func(string) (string, bool) { return "", false })
		if err != nil || len(warnings) > 0 {
			t.Fatalf("%s: the export: %v, %v", name, err, warnings)
		}
		p := plan.Make(c, discover(t, raw, plan.ScopeOf(c)), plan.Options{Now: anHourLater})
		if len(p.Changes) > 0 || !p.Complete {
			t.Errorf("%s: the plan is complete: %t, with %v", name, p.Complete, p.Summary)
		}
	}
}

// The config loads without warnings, and a plan over the estate has every kind of change, and refuses none.
func TestPlanOverTheFleetHasALittleOfEverything(t *testing.T) {
	raw, file := generate(t, "-vms", "4000", "-vaults", "40")
	c, warnings, err := config.Load([]string{file}, func(string) (string, bool) { return "", false })
	if err != nil || len(warnings) > 0 {
		t.Fatalf("the config: %v, %v", err, warnings)
	}
	o := discover(t, raw, plan.ScopeOf(c))
	p := plan.Make(c, o, plan.Options{Now: anHourLater})
	for _, action := range []plan.Action{
		plan.CreatePolicy, plan.UpdatePolicy, plan.Undelete, plan.Protect, plan.Modify, plan.Resume, plan.Stop, plan.Blocked, plan.Unchanged,
	} {
		if p.Summary[action] == 0 {
			t.Errorf("the plan has no %s: %v", action, p.Summary)
		}
	}
	if refused := plan.Judge(p, map[string]bool{}).Refusals; len(refused) > 0 {
		t.Errorf("the plan is refused: %v", refused)
	}
}
