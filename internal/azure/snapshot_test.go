package azure

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/azbackup/azbackup/internal/azure/arm"
	"github.com/azbackup/azbackup/internal/azure/azuretest"
	"github.com/azbackup/azbackup/plan"
)

// secretVM holds every property of a VM's body that could be a secret.
const secretVM = `{"id":"` + vm1 + `","name":"VM1","location":"westeurope","properties":{"big":9007199254740993,"userData":"s3cret",
	"osProfile":{"computerName":"VM1","adminUsername":"boss","adminPassword":"s3cret","customData":"s3cret",
	"windowsConfiguration":{"additionalUnattendContent":[{"content":"s3cret"}],"patchSettings":{"patchMode":"Manual"}}}},
	"resources":[{"id":"x","properties":{"publisher":"p","settings":{"commandToExecute":"s3cret"},"protectedSettings":{"k":"s3cret"}}}]}`

type estateFile struct {
	FormatVersion  string            `json:"format_version"`
	Cloud          string            `json:"cloud"`
	Subscriptions  []json.RawMessage `json:"subscriptions"`
	ResourceGroups []json.RawMessage `json:"resourceGroups"`
	VMs            []json.RawMessage `json:"virtualMachines"`
	Vaults         []json.RawMessage `json:"vaults"`
	Policies       []json.RawMessage `json:"policies"`
	Items          []json.RawMessage `json:"protectedItems"`
	Protectable    []json.RawMessage `json:"protectableItems"`
	Jobs           []json.RawMessage `json:"jobs"`
	RecoveryPoints []json.RawMessage `json:"recoveryPoints"`
	ResourceGuards []json.RawMessage `json:"resourceGuardProxies"`
	Refused        []failedRead      `json:"refused"`
	Operations     []json.RawMessage `json:"operations"`
}

func snapshot(t *testing.T, f *fake, s plan.Scope) (estateFile, string) {
	t.Helper()
	return snapshotWith(t, f, s, nil)
}

func snapshotWith(t *testing.T, f *fake, s plan.Scope, wants func(plan.Observed) plan.Questions) (estateFile, string) {
	t.Helper()
	var out bytes.Buffer
	if _, err := f.client(t, CommandSnapshot).Snapshot(t.Context(), s, wants, &out); err != nil {
		t.Fatal(err)
	}
	var e estateFile
	dec := json.NewDecoder(bytes.NewReader(out.Bytes()))
	if err := dec.Decode(&e); err != nil {
		t.Fatal(err, out.String())
	}
	return e, out.String()
}

func snapshotEstate() *fake {
	return estate().
		on("GET", vmList, lists(rawVM("VM2"), secretVM)).
		on("GET", vaults, lists(rawVault(vaultID), rawVault(otherID))).
		on("GET", otherID+"/backupProtectedItems", lists()).on("GET", otherID+"/backupPolicies", lists()).
		on("GET", "/subscriptions", lists(`{"id":"/subscriptions/`+sub+`","subscriptionId":"`+sub+`"}`)).
		on("GET", "/subscriptions/"+sub+"/resourcegroups", lists(`{"id":"/subscriptions/`+sub+`/resourceGroups/rg-backup","name":"rg-backup"}`))
}

func TestASnapshotHoldsTheBodiesThatWereRead(t *testing.T) {
	e, text := snapshot(t, snapshotEstate(), scope())
	got := []int{
		len(e.Subscriptions), len(e.ResourceGroups), len(e.VMs), len(e.Vaults), len(e.Policies), len(e.Items), len(e.Protectable),
		len(e.Jobs), len(e.RecoveryPoints), len(e.ResourceGuards), len(e.Refused), len(e.Operations),
	}
	if d := cmp.Diff([]int{1, 1, 2, 2, 1, 1, 1, 0, 0, 0, 0, 0}, got); d != "" || e.FormatVersion != "1" || e.Cloud != arm.AzurePublic {
		t.Errorf("%s\n%s", d, text)
	}
	if !sameJSON(t, string(e.Items[0]), azuretest.Item(vaultID, "VM1")) {
		t.Errorf("an item changed: %s", e.Items[0])
	}
	_, second := snapshot(t, snapshotEstate(), scope())
	if cut := func(s string) string { return s[strings.Index(s, "\n"):] }; cut(text) != cut(second) {
		t.Error("two snapshots of the same estate differ")
	}
}

func TestNoSecretEntersASnapshot(t *testing.T) {
	_, text := snapshot(t, snapshotEstate(), scope())
	for _, secret := range []string{"s3cret", token, "Bearer"} {
		if strings.Contains(text, secret) {
			t.Errorf("%q stands in the snapshot", secret)
		}
	}
	for _, kept := range []string{`"big":9007199254740993`, "patchMode", "adminUsername"} {
		if !strings.Contains(text, kept) {
			t.Errorf("%q is missing", kept)
		}
	}
}

func TestWhatWasRefusedStandsInASnapshot(t *testing.T) {
	f := snapshotEstate().
		on("GET", vaultID+"/backupPolicies", says(403, `{"error":{"code":"AuthorizationFailed","message":"m"}}`, "Authorization", "x")).
		on("GET", vaultID+"/backupJobs", says(200, "<html>", "Content-Type", "text/html")).
		on("GET", "/subscriptions", fails(403, "AuthorizationFailed")).
		on("GET", otherID+"/backupProtectedItems", says(200, `{"value":[],"nextLink":"https://thief.test/"}`))
	e, _ := snapshot(t, f, scope())
	want := []failedRead{
		{
			Method: "GET", Path: "/subscriptions", Status: 403, Headers: map[string]string{"x-ms-request-id": "request-1"},
			Body: json.RawMessage(`{"error":{"code":"AuthorizationFailed","message":"in words"}}`),
		},
		{
			Method: "GET", Path: vaultID + "/backupJobs", Status: noAnswerStatus,
			Body: json.RawMessage(`{"error":{"code":"MalformedAnswer","message":"the answer is \"text/html\", not JSON"}}`),
		},
		{
			Method: "GET", Path: vaultID + "/backupPolicies", Status: 403, Headers: map[string]string{"x-ms-request-id": "request-1"},
			Body: json.RawMessage(`{"error":{"code":"AuthorizationFailed","message":"m"}}`),
		},
		{
			Method: "GET", Path: otherID + "/backupProtectedItems", Status: noAnswerStatus,
			Body: json.RawMessage(`{"error":{"code":"Refused","message":"refusing GET https://thief.test: requests go to https://arm.test only"}}`),
		},
	}
	if d := cmp.Diff(want, e.Refused); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff([]json.RawMessage{json.RawMessage(`"` + sub + `"`)}, e.Subscriptions); d != "" {
		t.Errorf("a subscription whose body could not be read is not named: %s", d)
	}
}

// A body that cannot be kept fails the snapshot: left out, a plan over the snapshot would see it as missing.
func TestASnapshotLosesNothing(t *testing.T) {
	f := snapshotEstate().on("GET", vaultID+"/backupProtectedItems", lists(`{"name":"no id"}`))
	_, err := f.client(t, CommandSnapshot).Snapshot(t.Context(), scope(), nil, &bytes.Buffer{})
	if err == nil || !strings.Contains(err.Error(), "protectedItems") {
		t.Errorf("got %v", err)
	}
}
