package apply_test

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/azbackup/azbackup/apply"
	"github.com/azbackup/azbackup/internal/armid"
	"github.com/azbackup/azbackup/internal/azure"
	"github.com/azbackup/azbackup/internal/azure/arm"
	"github.com/azbackup/azbackup/internal/simulator"
	"github.com/azbackup/azbackup/plan"
)

// hundredVMs returns an estate with one vault, one policy and VMs without backup.
func hundredVMs(t *testing.T) *simulator.Estate {
	t.Helper()
	v := vaultID("v1")
	var vms []string
	for i := range 100 {
		name := fmt.Sprint("vm", i)
		vms = append(vms, fmt.Sprintf(`{"name":%q,"id":%q,"type":"Microsoft.Compute/virtualMachines","location":"westeurope",`+
			`"properties":{"provisioningState":"Succeeded","storageProfile":{"osDisk":{"osType":"Linux"},"dataDisks":[]}}}`, name, vmID(name)))
	}
	e, err := simulator.Read(strings.NewReader(fmt.Sprintf(`{"format_version":"1","taken":"1999-12-31T00:00:00Z","cloud":"AzurePublic","subscriptions":[%q],
"virtualMachines":[%s],
"vaults":[{"location":"westeurope","name":"v1","id":%q,"type":"Microsoft.RecoveryServices/vaults","sku":{"name":"Standard"},"properties":{"provisioningState":"Succeeded"}}],
"policies":[{"id":%q,"name":"daily","type":"Microsoft.RecoveryServices/vaults/backupPolicies","properties":{"backupManagementType":"AzureIaasVM",
"schedulePolicy":{"schedulePolicyType":"SimpleSchedulePolicy","scheduleRunFrequency":"Daily","scheduleRunTimes":["2024-04-28T16:30:00Z"]},
"retentionPolicy":{"retentionPolicyType":"LongTermRetentionPolicy","dailySchedule":{"retentionTimes":["2024-04-28T16:30:00Z"],"retentionDuration":{"count":30,"durationType":"Days"}}},
"instantRpRetentionRangeInDays":2,"timeZone":"UTC"}}]}`,
		subscription, strings.Join(vms, ",\n"), v, armid.Policy(v, dailyPolicy))))
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func TestAHundredVMsOverTheSimulatorTakeOneWriteEachAndAFewReads(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server, err := simulator.New(hundredVMs(t), simulator.Options{Settings: simulator.Settings{
			Latency: simulator.Fixed(50 * time.Millisecond), Quota: "150",
		}})
		if err != nil {
			t.Fatal(err)
		}
		client, err := azure.New(azure.CommandApply, arm.Options{
			Endpoint: "http://127.0.0.1", AccessToken: "token", Transport: server.Transport(), Now: time.Now,
		})
		if err != nil {
			t.Fatal(err)
		}
		var changes []plan.Change
		for i := range 100 {
			changes = append(changes, itemChange(plan.Protect, fmt.Sprint("vm", i)))
		}
		p := planOf(changes...)
		rep, err := apply.Run(t.Context(), p, client, apply.Options{Observed: time.Now(), Budget: client})
		checkReport(t, p, rep, err)
		if rep.Summary[apply.Done] != 100 {
			t.Errorf("summary %v: %v", rep.Summary, err)
		}
		stats := server.Stats()
		if stats.Writes != 100 || stats.Reads > 60 || stats.Throttled() > 0 {
			t.Errorf("%d writes, %d reads, %d times 429", stats.Writes, stats.Reads, stats.Throttled())
		}
		t.Logf("%d writes, %d reads", stats.Writes, stats.Reads)
	})
}
