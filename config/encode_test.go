package config

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

func TestAnEncodedConfigLoadsBackToTheSameValue(t *testing.T) {
	yes, no, days, seven := true, false, 30, 7
	nasty := "${HOME} # \"x\"\n: - @team 2.0"
	want := &Config{
		Version: 1, Cloud: Cloud{Name: "AzureChina"}, Tenant: "22222222-2222-2222-2222-222222222222",
		Subscriptions: []string{"11111111-1111-1111-1111-111111111111"},
		Vaults: []Vault{{
			Name: "v1", ResourceGroup: "rg", Location: "chinanorth", Manage: true, Redundancy: "GeoRedundant",
			CrossRegionRestore: &no, SoftDeleteDays: &days, Immutability: "Unlocked", PublicNetworkAccess: &yes,
			Tags: map[string]string{"owner": nasty, "n": "007", "b": "true", "m": "<<"}, Unmatched: "stop",
		}},
		Policies: []Policy{
			{
				Name: "hourly", Vaults: []string{"v1"}, Manage: true, Tier: "Enhanced", TimeZone: "UTC",
				Schedule:           &Schedule{Hourly: &Hourly{Every: 4 * time.Hour, From: "08:00", Window: 12 * time.Hour}},
				InstantRestoreDays: &seven,
				Retention: &Retention{
					Days: &days, Weeks: &KeepWeeks{Keep: 12, Days: []string{"Sunday"}},
					Months: &KeepMonths{Keep: 36, Dates: []Date{1, LastDay}},
					Years:  &KeepYears{Keep: 7, Months: []string{"January"}, Weeks: []string{"First"}, Days: []string{"Sunday"}},
				},
				Archive: &Archive{Recommended: true}, Consistency: "crash",
				InstantRestoreGroup: &InstantRestoreGroup{Prefix: "rp-", Suffix: "x"},
			},
			{Name: "kept"},
		},
		Rules: []Rule{
			{
				Name: "one", ID: "/subscriptions/11111111-1111-1111-1111-111111111111/resourceGroups/rg/providers/Microsoft.Compute/virtualMachines/vm1",
				Policy: "kept", Vault: []string{"v1"}, Disks: &Disks{Kind: DisksInclude, LUNs: []int{0, 1}},
				Backup: &Backup{IfOlderThan: 36 * time.Hour, Retain: 30 * 24 * time.Hour},
			},
			{
				Name:   "two",
				Match:  []Selector{{Tags: map[string][]string{"env": {"prod"}, "tier": {"web", "app"}, "none": {}}}, {Names: []string{"a*", "<<"}, Locations: []string{"chinanorth"}}},
				Except: []Selector{{Names: []string{"b"}}}, Policy: "hourly", Vault: []string{"v1"},
				Disks: &Disks{Kind: DisksOSOnly}, Elsewhere: "accept", Resume: true,
			},
			{Name: "three", Match: []Selector{{ResourceGroups: []string{"rg-x"}}}, Protect: ProtectOff, Reason: "no: 1"},
			{Name: "four", Match: []Selector{{ResourceGroups: []string{"rg-y"}}}, Protect: ProtectStopped},
		},
		Settings: Settings{Refresh: "never", Guards: Guards{MaxStops: Share{Count: 5}, MaxChanges: 7, MaxRestores: 3}},
		RestoreTests: []RestoreTest{
			{
				Name: "by id", IDs: []string{"/subscriptions/11111111-1111-1111-1111-111111111111/resourceGroups/rg/providers/Microsoft.Compute/virtualMachines/vm1"},
				Every: 36 * time.Hour, Sample: Sample{Count: 3}, Point: "oldest", Disks: RestoreDisks{0, 1},
				Into: RestoreTarget{ResourceGroup: "rg", StorageAccounts: []string{"st1", "st2"}},
			},
			{
				Name: "all of it", Match: []Selector{{Names: []string{"a*"}}}, Except: []Selector{{Names: []string{"b"}}, {Tags: map[string][]string{"x": {}}}},
				Every: 90 * 24 * time.Hour, Sample: Sample{Count: 5, Percent: true}, Into: RestoreTarget{ResourceGroup: "rg", StorageAccounts: []string{"st1"}},
			},
		},
	}
	text, err := want.Encode([]string{"first", "a line\nthat would break: out"})
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "azbackup.yaml")
	if err := os.WriteFile(file, text, 0o600); err != nil {
		t.Fatal(err)
	}
	got, _, err := Load([]string{file}, os.LookupEnv)
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	want.applyDefaults(func(any) bool { return true })
	opts := cmp.Options{
		cmpopts.IgnoreTypes(Position{}), cmpopts.IgnoreFields(Config{}, "Files"), cmpopts.EquateEmpty(),
		cmpopts.IgnoreUnexported(Config{}),
	}
	if diff := cmp.Diff(want, got, opts); diff != "" {
		t.Errorf("want (-), read back (+):\n%s\n%s", diff, text)
	}
}

// All disks and the OS disk alone are an absent and an empty list: what compares lists loosely takes them for the same.
func TestEncodedRestoreDisksAreReadBack(t *testing.T) {
	for want, disks := range map[string]RestoreDisks{"": nil, "disks: os": {}, "disks: [2]": {2}} {
		c := &Config{RestoreTests: []RestoreTest{{Name: "x", Disks: disks}}}
		text, err := c.Encode(nil)
		if err != nil {
			t.Fatal(err)
		}
		if got := string(text); !strings.Contains(got, want) || want == "" && strings.Contains(got, "disks") {
			t.Errorf("%#v is written %s", disks, got)
		}
		if want != "" {
			want = ", " + want
		}
		read := load(t, "version: 1\nsubscriptions: ["+sub1+"]\nrestoreTests: [{name: x, match: {names: [a]}, every: 90d"+want+
			", into: {resourceGroup: rg, storageAccounts: [st]}}]\n")
		if d := read.RestoreTests[0].Disks; !reflect.DeepEqual(d, disks) {
			t.Errorf("%q is read as %#v", want, d)
		}
	}
}
