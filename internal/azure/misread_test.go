package azure

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/azbackup/azbackup/internal/azure/azuretest"
	"github.com/azbackup/azbackup/plan"
)

// with returns a JSON object with one more key at its outer level.
func with(object, more string) string { return "{" + more + "," + strings.TrimPrefix(object, "{") }

func TestARowThatIsNotUnderstoodIsAGapOfItsOwn(t *testing.T) {
	vm2 := strings.Replace(vm1, "VM1", "VM2", 1)
	oddVault := strings.Replace(rawVault(vaultID), `"GeoRedundant"`, `["GeoRedundant"]`, 1)
	for name, c := range map[string]struct {
		path   string
		answer http.HandlerFunc
		want   plan.Gap
	}{
		"VM":              {vmList, lists(with(rawVM("VM1"), `"tags":[]`), rawVM("VM2")), plan.Gap{Kind: plan.GapVM, Target: vm1, Message: "tags is []"}},
		"VM's form":       {vmList, lists(strings.Replace(rawVM("VM1"), `"properties":{}`, `"properties":{"storageProfile":"none"}`, 1)), plan.Gap{Kind: plan.GapVM, Target: vm1, Message: "properties.storageProfile is of type string"}},
		"item":            {vaultID + "/backupProtectedItems", lists(azuretest.Item(vaultID, "VM1", `"isScheduledForDeferredDelete":"true"`), azuretest.Item(vaultID, "VM2")), plan.Gap{Kind: plan.GapItem, Location: "westeurope", Vault: vaultID, Target: vm1, Message: `isScheduledForDeferredDelete is "true"`}},
		"policy":          {vaultID + "/backupPolicies", lists(`{"id":"` + policyID + `","name":"p","properties":null}`), plan.Gap{Kind: plan.GapPolicy, Location: "westeurope", Vault: vaultID, Target: policyID, Message: "properties is null"}},
		"policy's id":     {vaultID + "/backupPolicies", lists(`{"name":"p"}`), plan.Gap{Kind: plan.GapPolicies, Location: "westeurope", Vault: vaultID, Message: `properties is missing; the id of a policy is ""`}},
		"vault":           {vaultID, says(200, oddVault), plan.Gap{Kind: plan.GapVault, Location: "westeurope", Vault: vaultID, Message: `standardTierStorageRedundancy is ["GeoRedundant"]`}},
		"job":             {vaultID + "/backupJobs", lists(`{"id":"` + vaultID + `/backupJobs/j1","properties":{"containerName":"c","operation":"Backup","status":7,"startTime":"2024-05-13T10:18:06Z"}}`), plan.Gap{Kind: plan.GapJobs, Location: "westeurope", Vault: vaultID, Message: `job "j1": status is 7`}},
		"vault elsewhere": {vaults, lists(rawVault(vaultID), strings.Replace(rawVault(otherID), `"location":"westeurope",`, "", 1)), plan.Gap{Kind: plan.GapVault, Vault: otherID, Message: "location is missing"}},
	} {
		t.Run(name, func(t *testing.T) {
			f := estate().on("GET", c.path, c.answer)
			o := discover(t, f.client(t, CommandPlan), scope())
			c.want.Subscription, c.want.Code = sub, plan.CodeNotUnderstood
			if d := cmp.Diff([]plan.Gap{c.want}, o.Gaps); d != "" {
				t.Error(d)
			}
			odd := ""
			for _, vm := range o.VMs {
				odd += vm.Unreadable
			}
			for _, it := range o.Items {
				odd += it.Unreadable
			}
			row := c.want.Kind == plan.GapVM || c.want.Kind == plan.GapItem
			if row && odd != c.want.Message || !row && odd != "" {
				t.Errorf("rows say %q", odd)
			}
			if name == "item" && (len(o.Items) != 2 || o.Items[1].VM != vm2 || o.Items[1].Unreadable != "") {
				t.Errorf("the other item is lost: %+v", o.Items)
			}
		})
	}
}

// The longest id that is understood has 2048 bytes; a longer one names no item that could be missed, so the whole list
// is a gap.
func TestAnIDIsUnderstoodUpToItsLongest(t *testing.T) {
	longest := vaultID + "/backupPolicies/"
	longest += strings.Repeat("p", 2048-len(longest))
	for id, want := range map[string]plan.GapKind{longest: plan.GapPolicy, longest + "p": plan.GapPolicies} {
		f := estate().on("GET", vaultID+"/backupPolicies", lists(`{"id":"`+id+`","properties":null}`))
		o := discover(t, f.client(t, CommandPlan), scope())
		if len(o.Gaps) != 1 || o.Gaps[0].Kind != want {
			t.Errorf("an id of %d bytes: gaps %.200v, want one of kind %s", len(id), o.Gaps, want)
		}
	}
}

// A failed page fails the list, but the names of the pages before it are kept.
func TestAListThatBreaksOffKeepsItsNames(t *testing.T) {
	paged := func(path, row string) []http.HandlerFunc {
		return []http.HandlerFunc{says(200, `{"value":[`+row+`],"nextLink":"https://arm.test`+path+`?page=2"}`), fails(400, "BadToken")}
	}
	f := estate().on("GET", vmList, paged(vmList, rawVM("VM2"))...)
	o := discover(t, f.client(t, CommandPlan), scope())
	if len(o.VMs) != 1 || o.VMs[0].Name != "VM2" || o.VMs[0].Unreadable == "" || !slices.Equal(gapKinds(o), []string{"vms BadToken"}) {
		t.Errorf("VMs %+v, gaps %+v", o.VMs, o.Gaps)
	}
	items := vaultID + "/backupProtectedItems"
	f = estate().on("GET", items, paged(items, azuretest.Item(vaultID, "VM2"))...)
	o = discover(t, f.client(t, CommandPlan), scope())
	if len(o.Items) != 1 || !strings.HasSuffix(o.Items[0].VM, "VM2") || o.Items[0].Unreadable == "" || !slices.Equal(gapKinds(o), []string{"items BadToken"}) {
		t.Errorf("items %+v, gaps %+v", o.Items, o.Gaps)
	}
}

// A row of another workload costs a note, and a policy of another workload keeps its name.
func TestRowsOfOtherWorkloadsCostANote(t *testing.T) {
	sql := azuretest.Item(vaultID, "VM2", `"backupManagementType":"AzureWorkload","workloadType":"SQLDataBase","protectedItemType":"AzureVmWorkloadSQLDatabase"`)
	log := `{"id":"` + vaultID + `/backupPolicies/HourlyLogBackup","name":"HourlyLogBackup","properties":{"backupManagementType":"AzureWorkload","workLoadType":"SQLDataBase"}}`
	f := estate().on("GET", vaultID+"/backupProtectedItems", lists(sql, azuretest.Item(vaultID, "VM1"), sql)).
		on("GET", vaultID+"/backupPolicies", lists(log, azuretest.Policy(azuretest.DailySchedule+","+azuretest.Keep30Days+","+azuretest.PolicySettings)))
	o := discover(t, f.client(t, CommandPlan), scope())
	if len(o.Gaps) != 0 || len(o.Items) != 1 || len(o.Policies) != 1 || len(o.Notes) != 2 || !slices.Equal(o.Taken, []string{vaultID + "/backupPolicies/HourlyLogBackup"}) {
		t.Errorf("%+v", o)
	}
}

// A VM that one read shows without understanding it, and another read understands, is understood.
func TestTheBetterReadingOfAVMCounts(t *testing.T) {
	s := scope()
	s.VMs = []string{vm1}
	f := estate().on("GET", vmList, lists(with(rawVM("VM1"), `"tags":[]`))).on("GET", vm1, says(200, rawVM("VM1")))
	o := discover(t, f.client(t, CommandPlan), s)
	if len(o.VMs) != 1 || o.VMs[0].Unreadable != "" {
		t.Errorf("%+v", o.VMs)
	}
}

func TestAVMThatTwoReadsDoNotUnderstandIsOneGap(t *testing.T) {
	s, odd := scope(), with(rawVM("VM1"), `"tags":[]`)
	s.VMs = []string{vm1}
	o := discover(t, estate().on("GET", vmList, lists(odd)).on("GET", vm1, says(200, odd)).client(t, CommandPlan), s)
	if len(o.VMs) != 1 || o.VMs[0].Unreadable == "" || len(o.Gaps) != 1 {
		t.Errorf("VMs %+v, gaps %+v", o.VMs, o.Gaps)
	}
}
