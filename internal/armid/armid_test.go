package armid

import (
	"strings"
	"testing"

	"pgregory.net/rapid"
)

const vmID = "/subscriptions/S/resourceGroups/RG/providers/Microsoft.Compute/virtualMachines/VM1"

func TestSpellingsOfOneResourceHaveOneKey(t *testing.T) {
	vault := "/subscriptions/s/resourceGroups/rg/providers/Microsoft.RecoveryServices/vaults/v"
	for _, pair := range [][2]string{
		{vmID, "/Subscriptions/s/resourcegroups/rg/providers/microsoft.compute/virtualmachines/vm1"},
		{vmID, vmID + "/"},
		{vault + "/backupFabrics/Azure/protectionContainers/IaasVMContainer;a;b;c", vault + "/backupfabrics/azure/protectioncontainers/iaasvmcontainer%3Ba%3bb;c"},
	} {
		if !Same(pair[0], pair[1]) {
			t.Errorf("%q and %q name the same resource", pair[0], pair[1])
		}
	}
	if Same(vmID, vmID+"x") {
		t.Error("two machines have one key")
	}
}

func TestIDsAreOrderedAsTheirKeys(t *testing.T) {
	check := func(a, b string) {
		if got, want := Compare(a, b), strings.Compare(string(Of(a)), string(Of(b))); got != want {
			t.Errorf("Compare(%q, %q) = %d, the keys %q and %q say %d", a, b, got, Of(a), Of(b), want)
		}
	}
	pieces := []string{"a", "A", "b", "B", "z", "0", "3", "!", "/", ";", " ", "%", "%3", "%3b", "%3B", "é", "\u2003"}
	rapid.Check(t, func(t *rapid.T) {
		part := rapid.Map(rapid.SliceOfN(rapid.SampledFrom(pieces), 0, 12), func(p []string) string { return strings.Join(p, "") })
		same := part.Draw(t, "same")
		check(same+part.Draw(t, "a"), same+part.Draw(t, "b"))
	})
	for n := range 17 { // what folding changes stands before, across and behind the end of a word
		same := strings.Repeat("a", n)
		for _, a := range pieces {
			for _, b := range pieces {
				for _, c := range pieces {
					check(same+a, same+b+c)
				}
			}
		}
	}
	other := strings.ToUpper(vmID[:len(vmID)-1]) + "2"
	if n := testing.AllocsPerRun(10, func() { Compare(vmID, other) }); n > 0 {
		t.Errorf("%v allocations to compare two ids", n)
	}
}

func TestIDsOfAnotherFormAreRefused(t *testing.T) {
	for _, id := range []string{
		"", "vm1", "/subscriptions/s", "/subscriptions/s/resourceGroups/rg/providers/Microsoft.Compute/virtualMachines",
		"/subscriptions//resourceGroups/rg/providers/Microsoft.Compute/virtualMachines/vm",
		"/subscriptions/s/resourceGroups/rg/providers/Microsoft.Compute/disks/d", vmID + "/extensions/e",
	} {
		if got, err := ParseVM(id); err == nil {
			t.Errorf("ParseVM(%q) = %+v, want an error", id, got)
		}
	}
	got, err := ParseVM(vmID)
	if err != nil || got.Subscription != "S" || got.ResourceGroup != "RG" || got.Name() != "VM1" {
		t.Errorf("ParseVM(%q) = %+v, %v", vmID, got, err)
	}
}

func TestPartsOfAVaultKnowTheirVault(t *testing.T) {
	vault := Vault("s", "rg", "v")
	vm, err := ParseVM(vmID)
	if err != nil {
		t.Fatal(err)
	}
	for _, id := range []string{vault, Policy(vault, "p"), ProtectedItem(vault, vm), vault + "/backupJobs/j"} {
		if got := VaultOf(id); got != vault {
			t.Errorf("VaultOf(%q) = %q", id, got)
		}
	}
	if got := VaultOf(vmID); got != "" {
		t.Errorf("VaultOf of a machine = %q", got)
	}
	if got := ProtectedItem(vault, vm); got != vault+"/backupFabrics/Azure/protectionContainers/IaasVMContainer;iaasvmcontainerv2;RG;VM1/protectedItems/VM;iaasvmcontainerv2;RG;VM1" {
		t.Errorf("ProtectedItem = %q", got)
	}
}

func TestRegionsCompareWithoutCaseAndSpaces(t *testing.T) {
	if Location("West Europe") != Location("westeurope") {
		t.Error("West Europe is westeurope")
	}
}

func TestANameIsWhatFollowsTheLastSlash(t *testing.T) {
	for id, want := range map[string][2]string{
		vmID: {vmID[:len(vmID)-len("/VM1")], "VM1"}, "a/": {"a", ""}, "/a": {"", "a"}, "a": {"", "a"}, "": {"", ""},
	} {
		if parent, name := CutName(id); parent != want[0] || name != want[1] {
			t.Errorf("%q is cut into %q and %q, want %q", id, parent, name, want)
		}
	}
}

func TestVMsAreShownWithTheirGroup(t *testing.T) {
	vault := Vault("s", "rg-backup", "v1")
	for id, want := range map[string]string{
		VM("s", "RG-App", "vm1"): "RG-App/vm1",
		vault:                    "v1",
		Policy(vault, "daily"):   "daily",
		"vm1":                    "vm1",
		"":                       "",
	} {
		if got := DisplayName(id); got != want {
			t.Errorf("%q is shown as %q, want %q", id, got, want)
		}
	}
}

func TestAReferenceIsAnIDAGroupAndNameOrAName(t *testing.T) {
	id := VM("11111111-1111-1111-1111-111111111111", "rg-app", "web1")
	for ref, want := range map[string]bool{
		"web1": true, "WEB1": true, "RG-App/Web1": true, strings.ToUpper(id): true, id + "/": true,
		"": false, "web": false, "rg-db/web1": false, "rg-app/web2": false, "rg-app/": false, "/web1": false, id + "0": false,
	} {
		if got := IsCalled(ref, id, "rg-app", "web1"); got != want {
			t.Errorf("IsCalled(%q) = %v", ref, got)
		}
	}
}
