package azure

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/azbackup/azbackup/internal/armid"
	"github.com/azbackup/azbackup/internal/azure/azuretest"
	"github.com/azbackup/azbackup/plan"
)

func rawVM(name string) string {
	return `{"id":"/subscriptions/` + sub + `/resourceGroups/RG-App/providers/Microsoft.Compute/virtualMachines/` + name +
		`","name":"` + name + `","location":"westeurope","properties":{}}`
}

func rawVault(id string) string {
	name := id[strings.LastIndexByte(id, '/')+1:]
	return `{"id":"` + id + `","name":"` + name + `","location":"westeurope","type":"Microsoft.RecoveryServices/vaults",
		"properties":{"provisioningState":"Succeeded","redundancySettings":{"standardTierStorageRedundancy":"GeoRedundant","crossRegionRestore":"Disabled"}}}`
}

// estate returns a fake of a subscription with one vault of the file; a test adds further answers.
func estate() *fake {
	return newFake().
		on("GET", vmList, lists(rawVM("VM1"), rawVM("VM2"))).
		on("GET", vaults, lists(rawVault(vaultID))).
		on("GET", vaultID, says(200, rawVault(vaultID))).
		on("GET", vaultID+"/backupProtectedItems", lists(azuretest.Item(vaultID, "VM1"))).
		on("GET", vaultID+"/backupPolicies", lists(azuretest.Policy(azuretest.DailySchedule+","+azuretest.Keep30Days+","+azuretest.PolicySettings))).
		on("GET", vaultID+"/backupJobs", lists()).
		on("GET", vaultID+"/backupResourceGuardProxies", lists()).
		on("GET", vaultID+"/backupProtectableItems", lists(`{"id":"`+vaultID+`/p","properties":{"virtualMachineId":"`+strings.Replace(vm1, "VM1", "VM2", 1)+`"}}`))
}

func scope() plan.Scope {
	return plan.Scope{
		Subscriptions: []string{sub}, Vaults: []plan.VaultRef{{ID: vaultID, Location: "westeurope", Manage: true}},
		Elsewhere: true, Protectable: true, Guards: true,
	}
}

func TestDiscoverReadsTheScope(t *testing.T) {
	f := estate()
	c := f.client(t, CommandPlan)
	o := discover(t, c, scope())
	if len(o.VMs) != 2 || len(o.Vaults) != 1 || len(o.Items) != 1 || len(o.Policies) != 1 || len(o.Protectable) != 1 || len(o.Gaps) != 0 {
		t.Errorf("%+v", o)
	}
	if v := o.Vaults[0]; !v.InFile || v.ResourceGuards == nil || len(v.ResourceGuards) != 0 {
		t.Errorf("vault %+v", v)
	}
	want := map[string]int{
		"virtual machines": 1, "vaults": 1, "vault": 1, "protected items": 1, "policies": 1, "jobs": 1, "resource guards": 1, "protectable items": 1,
	}
	if d := cmp.Diff(want, c.Requests()); d != "" {
		t.Error(d)
	}
	for _, r := range f.sent {
		if strings.HasSuffix(r.path, "backupProtectedItems") &&
			r.query != "api-version="+apiBackup+"&%24filter=backupManagementType%20eq%20%27AzureIaasVM%27%20and%20itemType%20eq%20%27VM%27" {
			t.Errorf("items were asked with %q", r.query)
		}
	}
}

func TestSizesOfDisksAreKeptOnlyWhereTheyAreRequested(t *testing.T) {
	sized := strings.Replace(rawVM("VM1"), `"properties":{}`, `"properties":{"storageProfile":{"osDisk":{"diskSizeGB":30}}}`, 1)
	for _, requested := range []bool{false, true} {
		s := scope()
		s.DiskSizes = requested
		o := discover(t, estate().on("GET", vmList, lists(sized)).client(t, CommandPlan), s)
		if known := len(o.VMs) == 1 && len(o.VMs[0].DiskSizes) == 1; known != requested {
			t.Errorf("requested: %t; %+v", requested, o.VMs)
		}
	}
}

func TestTheOrderOfAnswersDoesNotShow(t *testing.T) {
	read := func(vms, items []string) plan.Observed {
		f := estate().on("GET", vmList, lists(vms...)).on("GET", vaultID+"/backupProtectedItems", lists(items...))
		return discover(t, f.client(t, CommandPlan), scope())
	}
	vms := []string{rawVM("b"), rawVM("A"), rawVM("c"), rawVM("b")}
	items := []string{azuretest.Item(vaultID, "c"), azuretest.Item(vaultID, "A")}
	a := read(vms, items)
	slices.Reverse(vms)
	slices.Reverse(items)
	if d := cmp.Diff(a, read(vms, items)); d != "" {
		t.Error(d)
	}
	if len(a.VMs) != 3 || a.VMs[0].Name != "A" {
		t.Errorf("VMs %+v", a.VMs)
	}
}

// A failed read is a gap of its own kind, with the service's code and the request's id, and never an absence.
func TestWhatCannotBeReadIsAGap(t *testing.T) {
	for path, kind := range map[string]plan.GapKind{
		vmList:                                  plan.GapVMs,
		vaults:                                  plan.GapVaults,
		vaultID:                                 plan.GapVault,
		vaultID + "/backupProtectedItems":       plan.GapItems,
		vaultID + "/backupPolicies":             plan.GapPolicies,
		vaultID + "/backupJobs":                 plan.GapJobs,
		vaultID + "/backupResourceGuardProxies": plan.GapGuards,
		vaultID + "/backupProtectableItems":     plan.GapProtectable,
	} {
		for _, bad := range []struct {
			status int
			code   string
		}{{403, "AuthorizationFailed"}, {404, "SubscriptionNotFound"}, {404, "NotFound"}, {404, ""}, {400, "BadRequest"}, {401, "ExpiredAuthenticationToken"}} {
			f := estate().on("GET", path, fails(bad.status, bad.code))
			o := discover(t, f.client(t, CommandPlan), scope())
			if len(o.Gaps) != 1 {
				t.Errorf("%s, %d: gaps %+v", kind, bad.status, o.Gaps)
				continue
			}
			g := o.Gaps[0]
			if g.Kind != kind || g.Code != bad.code || g.Status != bad.status || g.RequestID != "request-1" || g.Message != "in words" || g.Subscription != sub {
				t.Errorf("%s, %d: %+v", kind, bad.status, g)
			}
			if len(o.Missing) != 0 {
				t.Errorf("%s: missing %v", kind, o.Missing)
			}
		}
	}
}

func TestAVaultThatDoesNotExistIsNoGap(t *testing.T) {
	for _, code := range []string{"ResourceNotFound", "ResourceGroupNotFound"} {
		f := estate().on("GET", vaultID, fails(404, code)).on("GET", vaults, lists())
		o := discover(t, f.client(t, CommandPlan), scope())
		if len(o.Gaps) != 0 || len(o.Vaults) != 0 {
			t.Errorf("%s: %+v", code, o)
		}
		if n := f.count("GET", "/backupProtectedItems"); n != 0 {
			t.Errorf("the items of a vault that does not exist were asked for")
		}
	}
}

func TestAnItemThatCannotBeReadIsAGapBesideTheOthers(t *testing.T) {
	f := estate().on("GET", vaultID+"/backupProtectedItems", lists(azuretest.Item(vaultID, "VM1"), `{"id":7}`))
	o := discover(t, f.client(t, CommandPlan), scope())
	if d := cmp.Diff([]string{"items MalformedAnswer"}, gapKinds(o)); d != "" || len(o.Items) != 1 {
		t.Error(d, o.Items)
	}
}

func TestFewerVMsThanExpectedIsAGap(t *testing.T) {
	s := scope()
	s.MinVMs = 2
	if o := discover(t, estate().client(t, CommandPlan), s); len(o.Gaps) != 0 {
		t.Errorf("%+v", o.Gaps)
	}
	s.MinVMs = 3
	o := discover(t, estate().client(t, CommandPlan), s)
	if d := cmp.Diff([]string{"vms FewerVMsThanExpected"}, gapKinds(o)); d != "" || len(o.VMs) != 2 {
		t.Error(d)
	}
	// A list that changes between its pages has a VM twice, and one is not two.
	o = discover(t, estate().on("GET", vmList, lists(rawVM("VM1"), rawVM("VM2"), rawVM("vm2"))).client(t, CommandPlan), s)
	if d := cmp.Diff([]string{"vms FewerVMsThanExpected"}, gapKinds(o)); d != "" || len(o.VMs) != 2 {
		t.Errorf("%d VMs, %s", len(o.VMs), d)
	}
}

func TestVMsOfIDRules(t *testing.T) {
	third := strings.Replace(vm1, "VM1", "VM3", 1)
	for name, c := range map[string]struct {
		answer  http.HandlerFunc
		vms     int
		missing int
		gaps    []string
	}{
		"there, not listed":  {says(200, rawVM("VM3")), 3, 0, nil},
		"gone":               {fails(404, "ResourceNotFound"), 2, 1, nil},
		"group gone":         {fails(404, "ResourceGroupNotFound"), 2, 1, nil},
		"forbidden":          {fails(403, "AuthorizationFailed"), 2, 0, []string{"vm AuthorizationFailed"}},
		"a 404 of something": {fails(404, "InvalidResourceType"), 2, 0, []string{"vm InvalidResourceType"}},
		"another VM":         {says(200, rawVM("VM4")), 2, 0, []string{"vm MalformedAnswer"}},
	} {
		s := scope()
		s.VMs = []string{third, strings.ToUpper(vm1)}
		f := estate().on("GET", third, c.answer)
		o := discover(t, f.client(t, CommandPlan), s)
		if len(o.VMs) != c.vms || len(o.Missing) != c.missing || cmp.Diff(c.gaps, gapKinds(o)) != "" {
			t.Errorf("%s: %d VMs, missing %v, gaps %v", name, len(o.VMs), o.Missing, gapKinds(o))
		}
		if n := f.count("GET", "/virtualMachines/VM1"); n != 0 {
			t.Errorf("%s: a VM that was listed was asked for again", name)
		}
	}
}

func recent(d time.Duration) string {
	return `"lastRecoveryPoint":"` + time.Now().Add(-d).UTC().Format(time.RFC3339) + `"`
}

// Items with fresh points whose VMs are not listed: the identity sees too little, unless the VMs are gone.
func TestVisibility(t *testing.T) {
	hidden := func(n int) string {
		return "/subscriptions/" + sub + "/resourceGroups/RG-App/providers/Microsoft.Compute/virtualMachines/H" + fmt.Sprint(n)
	}
	for name, c := range map[string]struct {
		more   string
		answer http.HandlerFunc
		gaps   []string
		asked  int
	}{
		"forbidden":    {recent(time.Hour), fails(403, "AuthorizationFailed"), []string{"visibility AuthorizationFailed"}, 1},
		"not readable": {recent(time.Hour), fails(400, "Odd"), []string{"visibility Odd"}, 1},
		"deleted":      {recent(time.Hour), fails(404, "ResourceNotFound"), nil, 1},
		"just made":    {recent(time.Hour), says(200, rawVM("H1")), nil, 1},
		"old point":    {recent(100 * time.Hour), fails(403, "AuthorizationFailed"), nil, 0},
		"no point":     {azuretest.JustEnabled, fails(403, "AuthorizationFailed"), nil, 0},
		"soft-deleted": {recent(time.Hour) + "," + azuretest.SoftDeleted, fails(403, "AuthorizationFailed"), nil, 0},
	} {
		f := estate().on("GET", hidden(1), c.answer).
			on("GET", vaultID+"/backupProtectedItems", lists(azuretest.Item(vaultID, "VM1"), azuretest.Item(vaultID, "H1", c.more)))
		o := discover(t, f.client(t, CommandPlan), scope())
		if d := cmp.Diff(c.gaps, gapKinds(o)); d != "" || f.count("GET", "/virtualMachines/H1") != c.asked {
			t.Errorf("%s: asked %d times, %s", name, f.count("GET", "/virtualMachines/H1"), d)
		}
	}
	// Rights are granted by resource group, so one request per group is enough.
	f := estate().on("GET", vaultID+"/backupProtectedItems", lists(
		azuretest.Item(vaultID, "H1", recent(3*time.Hour)), azuretest.Item(vaultID, "H2", recent(time.Hour)), azuretest.Item(vaultID, "H3", recent(2*time.Hour)))).
		on("GET", hidden(2), fails(403, "AuthorizationFailed"))
	o := discover(t, f.client(t, CommandPlan), scope())
	if d := cmp.Diff([]string{"visibility AuthorizationFailed"}, gapKinds(o)); d != "" {
		t.Error(d)
	}
	if len(o.Gaps) != 1 || o.Gaps[0].Subscription != sub || f.count("GET", "/virtualMachines/H2") != 1 {
		t.Errorf("gaps %+v", o.Gaps)
	}
}

func manyVaults(n int) (bodies []string, ids []string) {
	for i := range n {
		id := fmt.Sprintf("%s-%02d", otherID, i)
		bodies, ids = append(bodies, rawVault(id)), append(ids, id)
	}
	return bodies, ids
}

const statusPath = "/subscriptions/" + sub + "/providers/Microsoft.RecoveryServices/locations/westeurope/backupStatus"

func TestOtherVaultsAreListedWhileThatIsCheap(t *testing.T) {
	bodies, ids := manyVaults(budgetTenth)
	f := estate().on("GET", vaults, lists(append(bodies, rawVault(vaultID))...))
	for _, id := range ids {
		f.on("GET", id+"/backupProtectedItems", lists())
	}
	f.on("GET", ids[3]+"/backupProtectedItems", lists(azuretest.Item(ids[3], "VM2", azuretest.Stopped)))
	o := discover(t, f.client(t, CommandPlan), scope())
	if len(o.Items) != 2 || o.Items[1].Vault != ids[3] || o.Items[1].State != "ProtectionStopped" || len(o.Gaps) != 0 {
		t.Errorf("items %+v, gaps %+v", o.Items, o.Gaps)
	}
	if n := f.count("POST", "/backupStatus"); n != 0 {
		t.Errorf("%d questions for the status", n)
	}
	if len(o.Vaults) != budgetTenth+1 || o.Vaults[1].InFile {
		t.Errorf("%d vaults", len(o.Vaults))
	}
	// No VM is left to protect, so protectable items are not read.
	if n := f.count("GET", "/backupProtectableItems"); n != 0 {
		t.Error("protectable items were read in vain")
	}
}

func TestBackupStatusIsAskedWhereListingCostsMore(t *testing.T) {
	bodies, ids := manyVaults(budgetTenth + 1)
	for name, c := range map[string]struct {
		answer string
		items  int
		gaps   []string
	}{
		"protected": {
			`{"protectionStatus":"Protected","vaultId":"` + ids[0] + `","fabricName":"Azure","containerName":"iaasvmcontainer;iaasvmcontainerv2;rg-app;vm2",
			"protectedItemName":"vm;iaasvmcontainerv2;rg-app;vm2","policyName":"Daily","objectType":"BackupStatusResponse"}`, 2, nil,
		},
		"not protected": {`{"protectionStatus":"NotProtected","containerName":"c","errorCode":"Success"}`, 1, nil},
		"unclear":       {`{"protectionStatus":"Protecting"}`, 1, []string{"status UnclearStatus"}},
		"a new word":    {`{"protectionStatus":"Dancing"}`, 1, []string{"status UnclearStatus"}},
	} {
		f := estate().on("GET", vaults, lists(bodies...)).on("POST", statusPath, says(200, c.answer))
		o := discover(t, f.client(t, CommandPlan), scope())
		if d := cmp.Diff(c.gaps, gapKinds(o)); d != "" || len(o.Items) != c.items {
			t.Errorf("%s: items %+v %s", name, o.Items, d)
		}
		if f.count("POST", "/backupStatus") != 1 || f.count("GET", "/backupProtectedItems") != 1 {
			t.Errorf("%s: %+v", name, f.sent)
		}
		for _, it := range o.Items {
			if it.Partial && (!armid.Same(it.Vault, ids[0]) || it.PolicyName != "Daily" || !strings.HasSuffix(it.VM, "VM2")) {
				t.Errorf("%+v", it)
			}
		}
		for _, r := range f.sent {
			if r.method == "POST" && r.body != `{"resourceId":"`+strings.Replace(vm1, "VM1", "VM2", 1)+`","resourceType":"VM"}` {
				t.Errorf("asked %s", r.body)
			}
		}
	}
	f := estate().on("GET", vaults, lists(bodies...)).on("POST", statusPath, fails(403, "AuthorizationFailed"))
	if d := cmp.Diff([]string{"status AuthorizationFailed"}, gapKinds(discover(t, f.client(t, CommandPlan), scope()))); d != "" {
		t.Error(d)
	}
}

func TestVaultsOfOtherRegionsAreNotListed(t *testing.T) {
	f := estate().on("GET", vaults, lists(strings.Replace(rawVault(otherID), "westeurope", "northeurope", 1)))
	o := discover(t, f.client(t, CommandPlan), scope())
	if n := f.count("GET", otherID+"/backupProtectedItems"); n != 0 || len(o.Gaps) != 0 {
		t.Errorf("listed %d times, gaps %+v", n, o.Gaps)
	}
}

func TestAllVaultsAreReadWhenAskedFor(t *testing.T) {
	f := estate().on("GET", vaults, lists(strings.Replace(rawVault(otherID), "westeurope", "northeurope", 1))).
		on("GET", otherID+"/backupProtectedItems", lists(azuretest.Item(otherID, "VM2"))).on("GET", otherID+"/backupPolicies", lists()).
		on("GET", "/subscriptions", lists(`{"id":"/subscriptions/`+sub+`","subscriptionId":"`+sub+`","displayName":"Prod","tenantId":"t"}`))
	s := scope()
	s.AllVaults = true
	o := discover(t, f.client(t, CommandAudit), s)
	if len(o.Items) != 2 || len(o.Gaps) != 0 || cmp.Diff([]plan.Subscription{{ID: sub, Name: "Prod", Tenant: "t"}}, o.Subscriptions) != "" {
		t.Errorf("%+v", o)
	}
}

func TestAVaultThatIsListedTwiceIsReadOnce(t *testing.T) {
	other := rawVault(otherID)
	f := estate().on("GET", vaults, lists(other, strings.Replace(other, otherID, strings.ToUpper(otherID), 1))).
		on("GET", otherID+"/backupProtectedItems", lists(azuretest.Item(otherID, "VM2"))).on("GET", otherID+"/backupPolicies", lists())
	s := scope()
	s.AllVaults = true
	o := discover(t, f.client(t, CommandAudit), s)
	if n := f.count("GET", otherID+"/backupProtectedItems"); n != 1 || len(o.Vaults) != 2 || len(o.Items) != 2 {
		t.Errorf("listed %d times, vaults %+v, items %+v", n, o.Vaults, o.Items)
	}
}

func TestProtectableItemsAreNotReadWhereTheyCostTooMuch(t *testing.T) {
	many := make([]string, budgetTenth*protectablePageSize+2)
	for i := range many {
		many[i] = rawVM(fmt.Sprintf("VM%d", i))
	}
	f := estate().on("GET", vmList, lists(many...))
	if o := discover(t, f.client(t, CommandPlan), scope()); len(o.Protectable) != 0 || f.count("GET", "/backupProtectableItems") != 0 || len(o.Gaps) != 0 {
		t.Errorf("protectable %+v, gaps %+v", o.Protectable, o.Gaps)
	}
	pages := 0
	f = estate().on("GET", vaultID+"/backupProtectableItems", func(w http.ResponseWriter, r *http.Request) {
		pages++
		says(200, fmt.Sprintf(`{"value":[],"nextLink":"https://arm.test%s?skip=%d"}`, r.URL.Path, pages))(w, r)
	})
	if o := discover(t, f.client(t, CommandPlan), scope()); len(o.Protectable) != 0 || pages != budgetTenth || len(o.Gaps) != 0 {
		t.Errorf("%d pages, protectable %+v, gaps %+v", pages, o.Protectable, o.Gaps)
	}
}

func TestJobsOfTheWindowAreRead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) { // 2000-01-01 00:00 UTC
		job := func(id, op string) string {
			return `{"id":"` + vaultID + `/backupJobs/` + id + `","properties":{"operation":"` + op + `","status":"InProgress","containerName":"c"}}`
		}
		f := estate().on("GET", vaultID+"/backupJobs", lists(job("1", "Backup")), lists(job("1", "Backup"), job("2", "Backup")))
		s := scope()
		s.BackupJobsSince = plan.Duration(26 * time.Hour)
		o := discover(t, f.client(t, CommandPlan), s)
		if len(o.Jobs) != 2 {
			t.Errorf("jobs %+v", o.Jobs)
		}
		var filters []string
		for _, r := range f.sent {
			if strings.HasSuffix(r.path, "/backupJobs") {
				filters = append(filters, mustURL(t, "?"+r.query).Query().Get("$filter"))
			}
		}
		want := []string{
			"status eq 'InProgress' and backupManagementType eq 'AzureIaasVM'",
			"startTime eq '1999-12-30 10:00:00 PM' and endTime eq '2000-01-01 01:00:00 AM' and operation eq 'Backup' and backupManagementType eq 'AzureIaasVM'",
		}
		if d := cmp.Diff(want, filters); d != "" {
			t.Error(d)
		}
	})
}
