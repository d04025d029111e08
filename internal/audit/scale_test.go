package audit

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/azbackup/azbackup/internal/azure"
	"github.com/azbackup/azbackup/internal/azure/arm"
	"github.com/azbackup/azbackup/internal/simulator"
)

// TestRequestsOfAnAuditGrowWithVaultsAndPages audits 10,000 VMs in 20 vaults over HTTP. A tool that asks for each VM
// sends 10,000 requests for the same answer, against an hourly budget of 150 to 800 (docs/azure.md §12).
func TestRequestsOfAnAuditGrowWithVaultsAndPages(t *testing.T) {
	const machines, vaults = 10_000, 20
	now := time.Date(2026, 11, 24, 6, 0, 0, 0, time.UTC)
	e, err := simulator.Read(strings.NewReader(largeEstate(machines, vaults, now)))
	if err != nil {
		t.Fatal(err)
	}
	server, err := simulator.New(e, simulator.Options{})
	if err != nil {
		t.Fatal(err)
	}
	client, err := azure.New(azure.CommandAudit, arm.Options{
		Endpoint: "https://simulator.invalid", AccessToken: "token", Transport: server.Transport(), Now: time.Now,
	})
	if err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	o, err := client.Discover(t.Context(), scopeOf(nil))
	if err != nil {
		t.Fatal(err)
	}
	read := time.Since(began)
	r := Assess(nil, o, Options{Now: now})
	if r.Summary.VMs != machines || r.Summary.States[Protected] != machines-machines/100 || r.Summary.States[Unprotected] != machines/100 || !r.Summary.Complete {
		t.Errorf("got %+v", r.Summary)
	}
	requests := 0
	for _, n := range client.Requests() {
		requests += n
	}
	t.Logf("%d VMs in %d vaults: %d requests %v, read in %v, judged in %v", machines, vaults, requests, client.Requests(), read, time.Since(began)-read)
	// Subscriptions and vaults one each, items and policies of 20 vaults, 20 pages of 500 VMs; the rest is for VMs
	// that seem to have no backup.
	if requests > 2+2*vaults+machines/500+40 {
		t.Errorf("%d requests: %v", requests, client.Requests())
	}
}

// largeEstate spreads VMs evenly over vaults; each hundredth has no item.
func largeEstate(machines, vaults int, now time.Time) string {
	var v, p, m, items []string
	for i := range vaults {
		name := fmt.Sprintf("rsv%02d", i)
		v = append(v, mustJSON(vaultBody(name, "westeurope")))
		p = append(p, mustJSON(policyBody(name, "daily", `"scheduleRunFrequency":"Daily","scheduleRunTimes":["2024-04-28T22:00:00Z"]`,
			`"dailySchedule":{"retentionTimes":["2024-04-28T22:00:00Z"],"retentionDuration":{"count":30,"durationType":"Days"}}`, "")))
	}
	for i := range machines {
		group, name := fmt.Sprintf("rg-%03d", i/50), fmt.Sprintf("vm%05d", i)
		vm := vmBody(group, name, "westeurope", "2024-03-01T08:00:00Z", map[string]string{"env": "prod"})
		m = append(m, mustJSON(vm))
		if i%100 == 99 {
			continue
		}
		vault := fmt.Sprintf("rsv%02d", i%vaults)
		items = append(items, mustJSON(itemBody(vault, group, name, body{
			"protectedItemType": "Microsoft.Compute/virtualMachines", "backupManagementType": "AzureIaasVM", "workloadType": "VM",
			"sourceResourceId": vm["id"], "virtualMachineId": vm["id"], "containerName": strings.ToLower("iaasvmcontainerv2;" + group + ";" + name),
			"policyId": vaultID + "/" + vault + "/backupPolicies/daily", "policyName": "daily", "protectionState": "Protected",
			"lastBackupStatus": "Completed", "lastRecoveryPoint": now.Add(-8 * time.Hour).Format(time.RFC3339),
		})))
	}
	return fmt.Sprintf(`{"format_version":"1","taken":%q,"cloud":"AzurePublic","tenant":"22222222-2222-2222-2222-222222222222",
"subscriptions":[{"id":"/subscriptions/%s","subscriptionId":%q,"displayName":"Large"}],
"resourceGroups":[{"id":"/subscriptions/%s/resourceGroups/rg-backup","name":"rg-backup","location":"westeurope"}],
"virtualMachines":[%s],"vaults":[%s],"policies":[%s],"protectedItems":[%s]}`, now.Format(time.RFC3339), sub, sub, sub,
		strings.Join(m, ",\n"), strings.Join(v, ",\n"), strings.Join(p, ",\n"), strings.Join(items, ",\n"))
}
