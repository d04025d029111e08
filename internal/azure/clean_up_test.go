package azure

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/azbackup/azbackup/apply"
	"github.com/azbackup/azbackup/internal/armid"
	"github.com/azbackup/azbackup/internal/azure/arm"
	"github.com/azbackup/azbackup/internal/azure/azuretest"
	"github.com/azbackup/azbackup/internal/azure/quota"
	"github.com/azbackup/azbackup/plan"
)

func allCommands() []Command {
	return []Command{
		CommandPlan, CommandApply, CommandAudit, CommandExplain, CommandExport, CommandSnapshot, CommandBackup, CommandPoints,
		CommandRestore, CommandRestoreTest, "", "APPLY", "Restore-Test",
	}
}

// deletes returns URLs for which somebody could try a DELETE, and which of them a permit for the group lets through.
func deletes() map[string]bool {
	const plain = "?api-version=" + apiDisks
	at := "https://arm.test"
	all := map[string]bool{
		at + disksPath + "/d" + plain:                                             true,
		at + disksPath + "/vm1-osdisk-20240515-083713" + plain:                    true,
		at + strings.ToUpper(disksPath) + "/D_1.x" + plain:                        true,
		at + strings.Replace(disksPath, "rg-tests", "RG-Tests", 1) + "/d" + plain: true,
	}
	refused := []string{
		// other groups and subscriptions
		strings.Replace(disksPath, "rg-tests", "rg-tests2", 1) + "/d", strings.Replace(disksPath, "rg-tests", "rg-test", 1) + "/d",
		strings.Replace(disksPath, "rg-tests", "rg-app", 1) + "/d", strings.Replace(disksPath, sub, strings.Repeat("2", 8)+sub[8:], 1) + "/d",
		strings.Replace(disksPath, "rg-tests", "*", 1) + "/d", strings.Replace(disksPath, "rg-tests", "", 1) + "/d",
		// other kinds of the same group, and what stands above and below a disk
		groupID, groupID + "/providers/Microsoft.Compute/virtualMachines/d", groupID + "/providers/Microsoft.Compute/snapshots/d",
		groupID + "/providers/Microsoft.Compute/disksX/d", groupID + "/providers/Microsoft.ComputeX/disks/d", groupID + "/providersX/Microsoft.Compute/disks/d",
		groupID + "/providers/Microsoft.Storage/storageAccounts/d", groupID + "/providers/Microsoft.RecoveryServices/vaults/d",
		groupID + "/providers/Microsoft.Compute/restorePointCollections/d", groupID + "/providers/Microsoft.Compute/diskEncryptionSets/d",
		disksPath, disksPath + "/", disksPath + "/d/", disksPath + "/d/privateEndpointConnections/e", "/" + disksPath + "/d", disksPath + "//d",
		"/subscriptions/" + sub, "/subscriptions/" + sub + "/resourceGroups", "/", "",
		// encoded segments, dots, slashes, matrix parameters
		disksPath + "/%64", disksPath + "/d%2f..%2fe", disksPath + "/d%5c..", disksPath + "/..", disksPath + "/.", disksPath + "/...", disksPath + "/%2e%2e",
		disksPath + "/d%00", disksPath + "/d;v=1", disksPath + "/d%3bv=1", disksPath + "/d%20", disksPath + "/d%3Fx", disksPath + "/d%23x", disksPath + "/é",
		strings.Replace(disksPath, "rg-tests", "rg-tests/../rg-app", 1) + "/d", strings.Replace(disksPath, "rg-tests", "rg-tests%2f..%2frg-app", 1) + "/d",
		strings.Replace(disksPath, "rg-tests", "rg%2dtests", 1) + "/d", strings.Replace(disksPath, "disks", "%64isks", 1) + "/d",
		strings.Replace(disksPath, "rg-tests", "rg-tests.", 1) + "/d", strings.Replace(disksPath, "/providers/", "/./providers/", 1) + "/d",
		// backup data, under every spelling that stands in this package's tests
		item1, item1 + "/recoveryPoints/1", vaultID, vaultID + "/backupPolicies/p", vaultID + "/backupResourceGuardProxies/VaultProxy", vm1,
		strings.ReplaceAll(item1, ";", "%3B"), strings.ToUpper(item1), vaultID + "/backupJobs/j", vaultID + "/backupProtectedItems/x",
	}
	for _, path := range refused {
		all[at+path+plain] = false
	}
	for _, query := range []string{
		"", "?", "?api-version=2025-08-01", plain + "&forceDeletion=true", plain + "&api-version=2025-08-01", "?API-VERSION=" + apiDisks, plain + "%20", plain + ";x=1", plain + "#f",
	} {
		all[at+disksPath+"/d"+query] = false
	}
	for _, host := range []string{"https://evil.test", "http://arm.test", "https://arm.test:444", "https://user@arm.test", "https://arm.test.evil.test"} {
		all[host+disksPath+"/d"+plain] = false
	}
	return all
}

// The one DELETE is that of a disk right in the group of the tests, by a client that was permitted to: for every command,
// every method that deletes or hides one, and every spelling, nothing else leaves the process.
func TestNoOtherDeleteLeavesTheProcess(t *testing.T) {
	permits := map[string]func(*Client) error{
		"not permitted": func(*Client) error { return nil },
		"permitted":     func(c *Client) error { return c.PermitCleanUp(groupID) },
		"another group": func(c *Client) error { return c.PermitCleanUp(strings.Replace(groupID, "rg-tests", "rg-other", 1)) },
	}
	for _, command := range allCommands() {
		for name, permit := range permits {
			f := newFake()
			c := f.client(t, command)
			err := permit(c)
			mayDelete := command == CommandApply || command == CommandRestoreTest
			if (err == nil) != (mayDelete || name == "not permitted") {
				t.Errorf("%q, %s: %v", command, name, err)
			}
			for u, isDisk := range deletes() {
				for _, method := range []string{http.MethodDelete, "delete", "Delete", "DELETE ", "PURGE", "POST", "PATCH", "PUT", "MOVE"} {
					want := method == http.MethodDelete && isDisk && mayDelete && name == "permitted"
					if method != http.MethodDelete && c.isWriteOf(method, u) {
						continue // a write of its own route: TestACommandSendsOnlyItsOwnWrites
					}
					before := len(f.sent)
					_, err := c.arm.Do(t.Context(), arm.Request{Method: method, URL: u, Class: quota.Write})
					if sent := len(f.sent) > before; sent != want {
						t.Errorf("%q, %s: %s %s was sent: %v, want %v (%v)", command, name, method, u, sent, want, err)
					}
				}
			}
		}
	}
}

// isWriteOf reports whether a route that is no DELETE lists the request.
func (c *Client) isWriteOf(method, u string) bool {
	parsed, err := url.Parse(u)
	if err != nil {
		return false
	}
	_, found := c.router.find(method, parsed)
	return found
}

func TestOnlyAResourceGroupIsPermitted(t *testing.T) {
	for _, group := range []string{
		"", "/", "rg-tests", "/subscriptions/" + sub, "/subscriptions/" + sub + "/resourceGroups", "/subscriptions/" + sub + "/resourceGroups/",
		groupID + "/", groupID + "/providers", "/subscriptions//resourceGroups/rg", "/subscriptions/" + sub + "/resourceGroups/..", "/subscriptions/" + sub + "/resourceGroups/*",
		"/subscriptions/" + sub + "/resourceGroups/%72g", "/tenants/" + sub + "/resourceGroups/rg", "/subscriptions/" + sub + "/providers/rg", "x" + groupID, disksPath + "/d",
	} {
		c := newFake().client(t, CommandApply)
		if err := c.PermitCleanUp(group); err == nil || len(c.deletable.groups) > 0 {
			t.Errorf("%q is permitted", group)
		}
	}
}

// madeByTest is the restore that made the disk of [azuretest.Disk].
func madeByTest() plan.CleanUp {
	start := time.Date(2024, 5, 15, 8, 35, 43, 0, time.UTC)
	return plan.CleanUp{Group: groupID, Job: "j1", Start: start, End: start.Add(90 * time.Second)}
}

func TestADiskIsReadRightBeforeItsDelete(t *testing.T) {
	const id = disksPath + "/vm1-osdisk-20240515-083713"
	deleting := func(read http.HandlerFunc, made plan.CleanUp) (string, *fake, error) {
		f := newFake().on("GET", id, read).on("DELETE", id, says(202, ""))
		c := f.client(t, CommandRestoreTest)
		if err := c.PermitCleanUp(groupID); err != nil {
			t.Fatal(err)
		}
		kept, err := c.DeleteDisk(t.Context(), id, made)
		return kept, f, err
	}
	kept, f, err := deleting(says(200, azuretest.Disk), madeByTest())
	if kept != "" || err != nil || f.count("DELETE", "") != 1 || f.sent[len(f.sent)-1].method != "DELETE" || f.sent[len(f.sent)-2].method != "GET" {
		t.Fatalf("kept %q, %v, sent %v", kept, err, f.sent)
	}
	used := madeByTest()
	used.Existing = map[armid.Key]bool{armid.Of(id): true}
	other := madeByTest()
	other.Job = "j2"
	for name, tt := range map[string]struct {
		read http.HandlerFunc
		made plan.CleanUp
	}{
		"attached meanwhile":    {says(200, edited(t, azuretest.Disk, `"location"`, `"managedBy":"`+vm1+`","location"`)), madeByTest()},
		"shared meanwhile":      {says(200, edited(t, azuretest.Disk, `"location"`, `"managedByExtended":["`+vm1+`"],"location"`)), madeByTest()},
		"in use meanwhile":      {says(200, edited(t, azuretest.Disk, `"Unattached"`, `"ActiveSAS"`)), madeByTest()},
		"tagged meanwhile":      {says(200, edited(t, azuretest.Disk, `"j1"`, `"j9"`)), madeByTest()},
		"tag removed meanwhile": {says(200, edited(t, azuretest.Disk, `"rsvaultbackup":"j1",`, ``)), madeByTest()},
		"not understood":        {says(200, edited(t, azuretest.Disk, `"diskState":"Unattached"`, `"diskState":3`)), madeByTest()},
		"made by another job":   {says(200, azuretest.Disk), other},
		"there before":          {says(200, azuretest.Disk), used},
		"of no job that ended":  {says(200, azuretest.Disk), plan.CleanUp{Group: groupID, Job: "j1"}},
	} {
		if kept, f, err := deleting(tt.read, tt.made); kept == "" || err != nil || f.count("DELETE", "") != 0 {
			t.Errorf("%s: kept %q, %v, %d deletes", name, kept, err, f.count("DELETE", ""))
		}
	}
	for name, read := range map[string]http.HandlerFunc{
		"not to be read": fails(403, "AuthorizationFailed"),
		"another disk":   says(200, edited(t, azuretest.Disk, "vm1-osdisk-20240515-083713", "vm2")),
		"another 404":    fails(404, "SubscriptionNotFound"),
	} {
		kept, f, err := deleting(read, madeByTest())
		e, ok := errors.AsType[*apply.Error](err)
		if !ok || e.Unknown || kept != "" || f.count("DELETE", "") != 0 {
			t.Errorf("%s: kept %q, %v, %d deletes", name, kept, err, f.count("DELETE", ""))
		}
	}
	if kept, f, err := deleting(fails(404, "ResourceNotFound"), madeByTest()); kept != "" || err != nil || f.count("DELETE", "") != 0 {
		t.Errorf("gone: kept %q, %v, %d deletes", kept, err, f.count("DELETE", ""))
	}
}

func TestADeleteIsSentOnce(t *testing.T) {
	const id = disksPath + "/vm1-osdisk-20240515-083713"
	for name, tt := range map[string]struct {
		answer  http.HandlerFunc
		code    string
		unknown bool
	}{
		"accepted":       {says(202, ""), "", false},
		"done":           {says(200, ""), "", false},
		"not there":      {says(204, ""), "", false},
		"gone meanwhile": {fails(404, "ResourceNotFound"), "", false},
		"attached":       {fails(409, "OperationNotAllowed"), "OperationNotAllowed", false},
		"no right":       {fails(403, "AuthorizationFailed"), "AuthorizationFailed", false},
		"trouble":        {fails(503, "ServerBusy"), "ServerBusy", true},
		"no answer":      {resets, "", true},
	} {
		f := newFake().on("GET", id, says(200, azuretest.Disk)).on("DELETE", id, tt.answer)
		c := f.client(t, CommandApply)
		if err := c.PermitCleanUp(groupID); err != nil {
			t.Fatal(err)
		}
		_, err := c.DeleteDisk(t.Context(), id, madeByTest())
		e, failed := errors.AsType[*apply.Error](err)
		if failed != (tt.code != "" || tt.unknown) || failed && (e.Code != tt.code || e.Unknown != tt.unknown) || f.count("DELETE", "") != 1 {
			t.Errorf("%s: %v, %d deletes", name, err, f.count("DELETE", ""))
		}
	}
	f := newFake().on("GET", id, says(200, azuretest.Disk))
	if _, err := f.client(t, CommandApply).DeleteDisk(t.Context(), id, madeByTest()); err == nil || f.count("DELETE", "") != 0 {
		t.Errorf("without a permit: %v, %d deletes", err, f.count("DELETE", ""))
	}
}

func TestTheCheckOfARestore(t *testing.T) {
	const status = vaultID + "/backupValidateOperationsStatuses/op-1"
	verdict := func(state, rows string) http.HandlerFunc {
		return says(200, fmt.Sprintf(`{"id":"op-1","name":"op-1","status":%q,"startTime":"2024-01-01T00:00:00Z","endTime":"0001-01-01T00:00:00",
			"properties":{"objectType":"OperationStatusValidateOperationExtendedInfo"%s}}`, state, rows))
	}
	results := func(rows string) string { return `,"validateOperationResponse":{"validationResults":` + rows + `}` }
	f := newFake().on("POST", vaultID+"/backupTriggerValidateOperation", says(202, "", "Azure-AsyncOperation", "https://arm.test"+status+"?t=1", "Retry-After", "10"))
	c := f.client(t, CommandApply)
	op, err := c.StartValidation(t.Context(), restoreChange())
	if err != nil || op.ID != "op-1" || op.RetryAfter != 10*time.Second {
		t.Fatalf("%+v, %v", op, err)
	}
	want := `{"id":"` + item1 + `/recoveryPoints/362588450327416","properties":{"objectType":"ValidateIaasVMRestoreOperationRequest","restoreRequest":{
		"objectType":"IaasVMRestoreRequest","recoveryPointId":"362588450327416","recoveryType":"RestoreDisks","sourceResourceId":"` + vm1 + `",
		"targetResourceGroupId":"` + groupID + `","storageAccountId":"` + accountID + `","region":"westeurope","createNewCloudService":false,"originalStorageAccountOption":false}}}`
	if got := f.last().body; !sameJSON(t, got, want) {
		t.Errorf("sent %s\nwant %s", got, want)
	}
	row := apply.Finding{Code: "UserErrorCoreCountSubscriptionQuotaReached", Message: "no cores", Recommendations: []string{"ask for more"}}
	rows := `[{"code":"UserErrorCoreCountSubscriptionQuotaReached","message":"no cores","recommendations":["ask for more"]}]`
	for name, tt := range map[string]struct {
		answer http.HandlerFunc
		want   apply.Validation
		code   string
	}{
		"running":        {verdict("InProgress", ""), apply.Validation{}, ""},
		"no rows":        {verdict("Succeeded", ""), apply.Validation{Done: true}, ""},
		"null":           {verdict("Succeeded", results("null")), apply.Validation{Done: true}, ""},
		"empty":          {verdict("Succeeded", results("[]")), apply.Validation{Done: true}, ""},
		"a row":          {verdict("Succeeded", results(rows)), apply.Validation{Done: true, Findings: []apply.Finding{row}}, ""},
		"failed":         {verdict("Failed", ""), apply.Validation{}, "OperationFailed"},
		"not understood": {verdict("Succeeded", results(`{"code":"x"}`)), apply.Validation{}, plan.CodeNotUnderstood},
		"no result":      {verdict("Succeeded", `,"validateOperationResponse":7`), apply.Validation{}, plan.CodeNotUnderstood},
		"not found":      {fails(404, "NotFound"), apply.Validation{}, "NotFound"},
	} {
		f.on("GET", status, tt.answer)
		got, err := c.PollValidation(t.Context(), op)
		code := ""
		if e, ok := errors.AsType[*apply.Error](err); ok {
			code = e.Code
		}
		if code != tt.code || got.Done != tt.want.Done || len(got.Findings) != len(tt.want.Findings) ||
			len(got.Findings) == 1 && (got.Findings[0].Code != row.Code || got.Findings[0].Message != row.Message || !slices.Equal(got.Findings[0].Recommendations, row.Recommendations)) {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
	}
	if _, err := c.PollValidation(t.Context(), apply.Operation{}); err == nil {
		t.Error("an answer without a URL leads nowhere")
	}
}
