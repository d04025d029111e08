package wire

import (
	"encoding/json"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/azbackup/azbackup/internal/armid"
	"github.com/azbackup/azbackup/internal/azure/azuretest"
	"github.com/azbackup/azbackup/plan"
)

// read decodes a document.
func read[T any](t *testing.T, body string) (w T) {
	t.Helper()
	if err := Unmarshal([]byte(body), &w); err != nil {
		t.Fatal(body, err)
	}
	return w
}

// edited returns a JSON body with one text replaced.
func edited(t *testing.T, body, old, replacement string) string {
	t.Helper()
	if !strings.Contains(body, old) {
		t.Fatalf("%q is not in %s", old, body)
	}
	return strings.Replace(body, old, replacement, 1)
}

func readPoint(t *testing.T, body string) plan.RecoveryPoint {
	t.Helper()
	return read[RecoveryPoint](t, body).ToPlan(azuretest.ItemID, time.Date(2024, 5, 16, 0, 0, 0, 0, time.UTC))
}

func TestARecoveryPointIsReadWithItsDisks(t *testing.T) {
	const id = azuretest.ItemID + "/recoveryPoints/362588450327416"
	want := plan.RecoveryPoint{
		ID: id, Name: "362588450327416", Item: azuretest.ItemID,
		Time: time.Date(2024, 5, 15, 7, 52, 53, 732673500, time.UTC), Consistency: "AppConsistent", OS: "Windows",
		Tiers: []plan.PointTier{
			{Type: "InstantRP", Status: "Valid"},
			{Type: "ArchivedRP", Status: "Rehydrated", RehydratedUntil: time.Date(2024, 5, 20, 0, 0, 0, 0, time.UTC)},
		},
		Disks: &plan.PointDisks{
			Held: 2, Attached: 3, Included: []plan.PointDisk{{LUN: plan.OSDisk, Name: "os"}, {LUN: 0, Name: "data"}},
			Excluded: []plan.PointDisk{{LUN: 1, Name: "scratch"}},
		},
		Expires: time.Date(2024, 6, 15, 7, 52, 53, 0, time.UTC),
	}
	if d := cmp.Diff(want, readPoint(t, azuretest.RecoveryPoint)); d != "" {
		t.Error(d)
	}
	// A property that the service omits is absent, not wrong.
	bare := readPoint(t, `{"id":"`+id+`","properties":{"objectType":"IaasVMRecoveryPoint","recoveryPointTime":"2024-05-15T07:52:53Z"}}`)
	if bare.Unreadable != "" || bare.Tiers != nil || bare.Disks != nil || !bare.Expires.IsZero() || bare.Unmanaged {
		t.Errorf("%+v", bare)
	}
	if none := readPoint(t, edited(t, azuretest.RecoveryPoint, `[{"type":"InstantRP","status":"Valid"},`, `[],"x":[`)); none.Tiers == nil || len(none.Tiers) != 0 {
		t.Errorf("no tier is not a tier that was not told: %+v", none.Tiers)
	}
	for said, want := range map[string]bool{"true": false, "false": true} {
		if p := readPoint(t, edited(t, azuretest.RecoveryPoint, `"isManagedVirtualMachine":true`, `"isManagedVirtualMachine":`+said)); p.Unmanaged != want || p.Unreadable != "" {
			t.Errorf("a managed machine, %s: %+v", said, p)
		}
	}
}

// Each deciding field is read, absent, or not understood: never the zero value.
func TestARecoveryPointThatIsNotUnderstoodIsUnreadable(t *testing.T) {
	for old, replacement := range map[string]string{
		`"recoveryPointTime":"2024-05-15T07:52:53.7326735Z"`:                  `"recoveryPointTime":"yesterday"`,
		`"recoveryPointTime":"2024-05-15T07:52:53.7326735Z",`:                 ``,
		`2024-05-15T07:52:53.7326735Z`:                                        `9024-05-15T07:52:53Z`,
		`"objectType":"IaasVMRecoveryPoint"`:                                  `"objectType":"GenericRecoveryPoint"`,
		`{"type":"InstantRP","status":"Valid"}`:                               `{"type":"InstantRP"}`,
		`{"type":"InstantRP","status":"Valid"},`:                              `{"type":1,"status":"Valid"},`,
		`"extendedInfo":{"rehydratedRPExpiryTime":"2024-05-20T00:00:00Z"}`:    `"extendedInfo":{"rehydratedRPExpiryTime":"soon"}`,
		`"isManagedVirtualMachine":true`:                                      `"isManagedVirtualMachine":"yes"`,
		`"isPrivateAccessEnabledOnAnyDisk":false`:                             `"isPrivateAccessEnabledOnAnyDisk":0`,
		`"isSoftDeleted":false`:                                               `"isSoftDeleted":"no"`,
		`"expiryTime":"2024-06-15T07:52:53Z"`:                                 `"expiryTime":7`,
		`{"lun":-1,"name":"os"}`:                                              `{"lun":"os","name":"os"}`,
		`{"lun":0,"name":"data"}`:                                             `{"lun":-2,"name":"data"}`,
		`{"lun":1,"name":"scratch"}`:                                          `{"lun":64,"name":"scratch"}`,
		`"numberOfDisksAttachedToVm":3`:                                       `"numberOfDisksAttachedToVm":66`,
		`"includedDiskList":[{"lun":-1,"name":"os"},{"lun":0,"name":"data"}]`: `"includedDiskList":{"lun":-1}`,
		`"recoveryPointTierDetails":[{"type":"InstantRP","status":"Valid"},`:  `"recoveryPointTierDetails":"Valid","x":[`,
		azuretest.ItemID + `/recoveryPoints/362588450327416`:                  strings.ReplaceAll(azuretest.ItemID, "vm1", "vm2") + `/recoveryPoints/362588450327416`,
	} {
		p := readPoint(t, edited(t, azuretest.RecoveryPoint, old, replacement))
		if _, why := p.RestorableTier(time.Date(2024, 5, 16, 0, 0, 0, 0, time.UTC)); p.Unreadable == "" || !strings.Contains(why, p.Unreadable) {
			t.Errorf("%s: read as %+v", replacement, p)
		}
	}
}

func TestATimeOfAPointThatIsNotUnderstoodIsNotMissing(t *testing.T) {
	for time, want := range map[string]string{`"yesterday"`: `recoveryPointTime is "yesterday"`, `null`: "recoveryPointTime is missing"} {
		if p := readPoint(t, edited(t, azuretest.RecoveryPoint, `"2024-05-15T07:52:53.7326735Z"`, time)); p.Unreadable != want {
			t.Errorf("%s: %s, want %s", time, p.Unreadable, want)
		}
	}
}

// The recorded restore is understood, and its job proves its point.
func TestRecordedRestoreIsUnderstood(t *testing.T) {
	raw, err := os.ReadFile("../../../../shared/recordings/parts/restore_disks.json")
	if err != nil {
		t.Skipf("no recording of a restore: %v", err)
	}
	var exchanges []struct {
		URL  string          `json:"url"`
		Body json.RawMessage `json:"response_body"`
	}
	if err := json.Unmarshal(raw, &exchanges); err != nil {
		t.Fatal(err)
	}
	at := time.Date(2024, 5, 15, 9, 0, 0, 0, time.UTC)
	var point plan.RecoveryPoint
	var job plan.RestoreJob
	for _, x := range exchanges {
		path, _, _ := strings.Cut(x.URL, "?")
		id := strings.ReplaceAll(path[strings.Index(path, "/subscriptions"):], "%3B", ";")
		owner, _ := armid.CutName(id)
		switch {
		case strings.Contains(path, "/recoveryPoints/") && !strings.HasSuffix(path, "/restore"):
			item, _ := armid.CutName(owner)
			point = read[RecoveryPoint](t, string(x.Body)).ToPlan(item, at)
		case strings.Contains(path, "/backupJobs/"):
			vault, _ := armid.CutName(owner)
			job = read[Job](t, string(x.Body)).ToRestoreJob(vault, at)
			if job.Unreadable != "" {
				t.Errorf("job: %s", job.Unreadable)
			}
		}
	}
	if tier, why := point.RestorableTier(at); tier != plan.TierInstant || why != "" || len(point.Disks.Included) != 3 || len(point.Disks.Excluded) != 1 {
		t.Errorf("%+v: %q %q", point, tier, why)
	}
	it := plan.Item{Vault: job.Vault, Container: job.Container}
	if proof, ok := point.ProvenBy(it, []plan.RestoreJob{job}); !ok || proof.Template == "" || len(proof.Restored) != 1 || len(proof.Held) != 3 {
		t.Errorf("%v %+v", ok, job)
	}
}
