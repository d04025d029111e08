package cli

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/azbackup/azbackup/internal/armid"
)

const (
	fleetSubscription = "11111111-1111-1111-1111-111111111111"
	fleetAttack       = "2026-11-19T20:00:00Z"
)

// encryptedFleet writes an estate of n machines in one vault, each with a good point before an attack and one after it,
// and returns its path. more are further keys of the simulator's settings.
func encryptedFleet(t *testing.T, n int, more string) string {
	t.Helper()
	group := func(name string) string { return "/subscriptions/" + fleetSubscription + "/resourceGroups/" + name }
	vault := armid.Vault(fleetSubscription, "rg-backup", "rsv")
	var vms, items, points []string
	for i := range n {
		vm := armid.VM(fleetSubscription, "rg-app", fmt.Sprintf("vm%05d", i))
		parsed, err := armid.ParseVM(vm)
		if err != nil {
			t.Fatal(err)
		}
		item := armid.ProtectedItem(vault, parsed)
		vms = append(vms, fmt.Sprintf(`{"id":%q,"name":%q,"location":"westeurope","properties":{"storageProfile":{"osDisk":{"osType":"Linux"}}}}`, vm, parsed.Name()))
		items = append(items, fmt.Sprintf(`{"id":%q,"properties":{"friendlyName":%q,"protectionState":"Protected","backupManagementType":"AzureIaasVM","workloadType":"VM",`+
			`"sourceResourceId":%q,"virtualMachineId":%q,"policyId":%q,"policyName":"daily","lastBackupStatus":"Completed","lastRecoveryPoint":"2026-11-19T22:00:00Z"}}`,
			item, parsed.Name(), vm, vm, armid.Policy(vault, "daily")))
		for j, at := range []string{"2026-11-18T22:00:00Z", "2026-11-19T22:00:00Z"} {
			points = append(points, fmt.Sprintf(`{"id":"%s/recoveryPoints/%d","name":"%[2]d","properties":{"objectType":"IaasVMRecoveryPoint","recoveryPointType":"AppConsistent",`+
				`"recoveryPointTime":%q,"recoveryPointTierDetails":[{"type":"InstantRP","status":"Valid"}],"isManagedVirtualMachine":true,"osType":"Linux"}}`, item, 100+j, at))
		}
	}
	estate := fmt.Sprintf(`{"format_version":"1","taken":"2026-11-20T06:00:00Z","subscriptions":[{"id":%[1]q,"subscriptionId":%[2]q,"displayName":"Shop","state":"Enabled"}],
"resourceGroups":[{"id":%[3]q,"name":"rg-restored","location":"westeurope","tags":{"azbackup-restore-tests":"allowed"}}],
"storageAccounts":[{"id":"%[4]s/providers/Microsoft.Storage/storageAccounts/stweu","name":"stweu","location":"westeurope","kind":"StorageV2","sku":{"name":"Standard_LRS"}}],
"vaults":[{"id":%[5]q,"name":"rsv","location":"westeurope","sku":{"name":"Standard"},"properties":{"provisioningState":"Succeeded"}}],
"policies":[{"id":%[6]q,"name":"daily","properties":{"backupManagementType":"AzureIaasVM","schedulePolicy":{"schedulePolicyType":"SimpleSchedulePolicy","scheduleRunFrequency":"Daily","scheduleRunTimes":["2024-01-01T22:00:00Z"]},"retentionPolicy":{"retentionPolicyType":"LongTermRetentionPolicy","dailySchedule":{"retentionTimes":["2024-01-01T22:00:00Z"],"retentionDuration":{"count":30,"durationType":"Days"}}},"timeZone":"UTC"}}],
"settings":{%[7]s},
"virtualMachines":[
%[8]s
],"protectedItems":[
%[9]s
],"recoveryPoints":[
%[10]s
]}`, "/subscriptions/"+fleetSubscription, fleetSubscription, group("rg-restored"), group("rg-st"), vault, armid.Policy(vault, "daily"), more,
		strings.Join(vms, ",\n"), strings.Join(items, ",\n"), strings.Join(points, ",\n"))
	if !json.Valid([]byte(estate)) {
		t.Fatal("the estate is no JSON")
	}
	path := filepath.Join(t.TempDir(), "estate.json")
	if err := os.WriteFile(path, []byte(estate), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// restoreAll returns the command line that restores a whole fleet from before the attack.
func restoreAll(estate string, more ...string) []string {
	return append([]string{
		"restore", "--only", "vm=*", "--before", fleetAttack, "--subscription", fleetSubscription, "--into", "rg-restored", "--staging", "stweu",
		"--simulate", estate, "--real-time",
	}, more...)
}

// A run that has to wait for the hourly budget of a read says so before it waits: how much it reads, how long that will
// take, and how to ask for less. It says where it is while it waits, and takes no longer than the budget imposes.
func TestAWaitForAReadBudgetIsReportedBeforeItBegins(t *testing.T) {
	estate := encryptedFleet(t, 400, `"quota":"150"`) // 150 at once, 150 an hour later, and 100 after two hours
	for _, tt := range []struct {
		args   []string
		advice string
	}{
		{restoreAll(estate, "--out", filepath.Join(t.TempDir(), "plan.json"), "--dangerous-allow-many-restores"), "--only with one more key (rule=, vault=, group=, vm=)"},
		{append([]string{"points", "--subscription", fleetSubscription, "--simulate", estate, "--real-time"}, fleetNames(400)...), "name the most urgent ones first"},
	} {
		code, _, log, took := timedInVirtualTime(t, tt.args...)
		if code != exitOK || took < 2*time.Hour || took > 2*time.Hour+5*time.Minute {
			t.Errorf("%s: exit code %d after %s\n%s", tt.args[0], code, took, log)
		}
		told := strings.Index(log, "reads of recovery points: 399 requests, and 150 in 1h are allowed in subscription "+fleetSubscription+": that takes about 2h\n"+
			"hint: fewer machines need fewer requests: ")
		waits := regexp.MustCompile(`(?m)^held back by a quota: reads of recovery points in subscription \S+, the next in .*; (\d+) of 400 requests sent, the rest takes about `).FindAllStringSubmatchIndex(log, -1)
		if told < 0 || len(waits) < 8 || len(waits) > 40 || told > waits[0][0] || !strings.Contains(log, tt.advice) {
			t.Errorf("%s: told ahead at %d, %d waits\n%s", tt.args[0], told, len(waits), log)
		}
	}
}

// With JSON logs a wait is as visible, with its numbers as fields.
func TestAWaitForAReadBudgetIsReportedInJSON(t *testing.T) {
	estate := encryptedFleet(t, 310, `"quota":"150"`)
	_, _, log := inVirtualTime(t, restoreAll(estate, "--out", filepath.Join(t.TempDir(), "plan.json"), "--log-format", "json")...)
	foreseen, waits := 0, 0
	var last time.Time
	for line := range strings.Lines(log) {
		var e struct {
			Time                    time.Time
			Level, Msg, Hint, Quota string
			Expected, Left, Limit   int
			Lasts                   int `json:"lasts_seconds"`
			Wait                    int `json:"wait_seconds"`
		}
		if err := json.Unmarshal([]byte(line), &e); err != nil {
			t.Fatal(err)
		}
		switch {
		case !strings.HasSuffix(e.Quota, "/recoveryPoints/read") || e.Level != "INFO":
		case e.Wait == 0 && e.Expected == 310 && e.Left == 309 && e.Limit == 150 && e.Lasts >= 7200 && e.Hint != "":
			foreseen++
		case e.Wait > 0 && e.Left > 0 && e.Lasts > 0:
			waits++
			if waits > 1 && e.Time.Sub(last) > 20*time.Minute {
				t.Errorf("nothing is said from %s to %s", last, e.Time)
			}
			last = e.Time
		}
	}
	if foreseen != 1 || waits < 5 {
		t.Errorf("foreseen %d times, %d waits\n%s", foreseen, waits, log)
	}
}

func fleetNames(n int) (names []string) {
	for i := range n {
		names = append(names, fmt.Sprintf("vm%05d", i))
	}
	return names
}

// A plan of restore tests reads the points of the machines that are due, and the jobs that may prove the others.
func TestAPlanOfRestoreTestsShowsWhatItsReadsTake(t *testing.T) {
	estate := encryptedFleet(t, 160, `"quota":"1100"`)
	file := testsFile(t)
	plan := []string{"plan", "-f", file, "--simulate", estate, "--real-time"}
	setQuota(t, estate, "1100", "150")
	_, _, log := inVirtualTime(t, plan...)
	wantAll(t, log, "reads of recovery points: ", " requests, and 150 in 1h are allowed", "hint: --skip restore-tests leaves the reads of restore tests out")
	setQuota(t, estate, "150", "1100")
	code, _, log := inVirtualTime(t, restoreAll(estate, "--auto-approve", "--dangerous-allow-many-restores")...)
	if code != exitOK {
		t.Fatalf("exit code %d\n%s", code, log)
	}
	setQuota(t, estate, "1100", "150")
	_, _, log = inVirtualTime(t, plan...)
	wantAll(t, log, "reads of backup jobs: ", " requests, and 150 in 1h are allowed", "of 160 requests sent")
}

// setQuota changes the hourly budgets of an estate.
func setQuota(t *testing.T, estate, from, to string) {
	t.Helper()
	data, err := os.ReadFile(estate)
	if err != nil {
		t.Fatal(err)
	}
	changed := strings.Replace(string(data), `"quota":"`+from+`"`, `"quota":"`+to+`"`, 1)
	if changed == string(data) {
		t.Fatalf("the quota is not %s", from)
	}
	if err := os.WriteFile(estate, []byte(changed), 0o600); err != nil {
		t.Fatal(err)
	}
}

// testsFile writes a file that protects an encryptedFleet and tests all of it.
func testsFile(t *testing.T) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "azbackup.yaml")
	text := `version: 1
subscriptions: [` + fleetSubscription + `]
vaults: [{name: rsv, resourceGroup: rg-backup, location: westeurope}]
policies: [{name: daily, vaults: [rsv]}]
vms: [{name: all, match: {names: ["vm*"]}, policy: daily}]
restoreTests:
  - {name: monthly, match: {names: ["vm*"]}, every: 30d, sample: 100%, into: {resourceGroup: rg-restored, storageAccounts: [stweu]}}
`
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}
