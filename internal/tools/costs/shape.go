package costs

import (
	"bufio"
	"fmt"
	"os"
	"strings"
)

// Shape describes a small, uniform estate and the file that protects it: a cost that grows with one of its numbers
// grows with no other. Numbers that are 0 are 1; machine n is in vault n modulo their number, so that vaults have to
// be a multiple of subscriptions.
type Shape struct {
	VMs, Vaults, Rules, Policies, Subscriptions int
	// Protected is how many of ten machines are already protected as the file requires.
	Protected int
	Refresh   string // settings.refresh; "" = never
}

// Tenant is that of every estate.
const Tenant = "22222222-2222-2222-2222-222222222222"

func (s Shape) filled() Shape {
	for _, n := range []*int{&s.Vaults, &s.Rules, &s.Policies, &s.Subscriptions} {
		*n = max(*n, 1)
	}
	if s.Refresh == "" {
		s.Refresh = "never"
	}
	return s
}

func subscription(n int) string { return fmt.Sprintf("11111111-1111-1111-1111-%012d", n) }

func (s Shape) vault(v int) string {
	return fmt.Sprintf("/subscriptions/%s/resourceGroups/rg-backup/providers/Microsoft.RecoveryServices/vaults/vault%04d", subscription(v%s.Subscriptions), v)
}

func (s Shape) vm(n int) (id, name, group string) {
	name, group = fmt.Sprintf("vm%06d", n), fmt.Sprintf("rg-app-%04d", n/50)
	return fmt.Sprintf("/subscriptions/%s/resourceGroups/%s/providers/Microsoft.Compute/virtualMachines/%s", subscription(n%s.Subscriptions), group, name), name, group
}

// The bodies as the service returns them (docs/azure.md §3, §7.2, §8.2).
const (
	vaultBody = `{"location":"westeurope","name":"vault%04[1]d","id":"%[2]s","type":"Microsoft.RecoveryServices/vaults","sku":{"name":"Standard"},"tags":{},` +
		`"properties":{"provisioningState":"Succeeded","publicNetworkAccess":"Enabled","securitySettings":{"immutabilitySettings":null,` +
		`"softDeleteSettings":{"softDeleteRetentionPeriodInDays":14,"softDeleteState":"AlwaysON","enhancedSecurityState":"Enabled"}},` +
		`"redundancySettings":{"standardTierStorageRedundancy":"GeoRedundant","crossRegionRestore":"Disabled"}}}`
	policyBody = `{"id":"%[2]s/backupPolicies/daily%02[1]d","name":"daily%02[1]d","type":"Microsoft.RecoveryServices/vaults/backupPolicies",` +
		`"properties":{"backupManagementType":"AzureIaasVM","instantRPDetails":{},"schedulePolicy":{"schedulePolicyType":"SimpleSchedulePolicy",` +
		`"scheduleRunFrequency":"Daily","scheduleRunTimes":["2024-04-28T22:00:00Z"],"scheduleWeeklyFrequency":0},"retentionPolicy":{` +
		`"retentionPolicyType":"LongTermRetentionPolicy","dailySchedule":{"retentionTimes":["2024-04-28T22:00:00Z"],` +
		`"retentionDuration":{"count":30,"durationType":"Days"}}},"instantRpRetentionRangeInDays":2,"timeZone":"UTC","protectedItemsCount":0}}`
	vmBody = `{"name":"%[2]s","id":"%[1]s","type":"Microsoft.Compute/virtualMachines","location":"westeurope","tags":{"team":"t%04[3]d"},` +
		`"properties":{"vmId":"x","hardwareProfile":{"vmSize":"Standard_D2s_v5"},"provisioningState":"Succeeded","timeCreated":"2024-01-01T00:00:00Z",` +
		`"storageProfile":{"osDisk":{"osType":"Linux","managedDisk":{"storageAccountType":"Premium_LRS"}},"dataDisks":[]}}}`
	itemBody = `{"id":"%[1]s/backupFabrics/Azure/protectionContainers/IaasVMContainer;iaasvmcontainerv2;%[4]s;%[3]s/protectedItems/VM;iaasvmcontainerv2;%[4]s;%[3]s",` +
		`"name":"VM;iaasvmcontainerv2;%[4]s;%[3]s","type":"Microsoft.RecoveryServices/vaults/backupFabrics/protectionContainers/protectedItems","properties":{` +
		`"friendlyName":"%[3]s","virtualMachineId":"%[2]s","sourceResourceId":"%[2]s","protectionStatus":"Healthy","protectionState":"Protected","healthStatus":"Passed",` +
		`"protectedItemType":"Microsoft.Compute/virtualMachines","backupManagementType":"AzureIaasVM","workloadType":"VM","containerName":"iaasvmcontainerv2;%[4]s;%[3]s",` +
		`"policyId":"%[1]s/backupPolicies/daily%02[5]d","policyName":"daily%02[5]d","lastBackupStatus":"Completed","lastBackupTime":"2026-11-19T22:00:00Z","lastRecoveryPoint":"2026-11-19T22:00:00Z"}}`
)

// estate returns the estate's file.
func (s Shape) estate() string {
	s = s.filled()
	var subscriptions, vms, vaults, policies, items []string
	for n := range s.Subscriptions {
		subscriptions = append(subscriptions, fmt.Sprintf("%q", subscription(n)))
	}
	for v := range s.Vaults {
		vaults = append(vaults, fmt.Sprintf(vaultBody, v, s.vault(v)))
		for p := range s.Policies {
			policies = append(policies, fmt.Sprintf(policyBody, p, s.vault(v)))
		}
	}
	for n := range s.VMs {
		id, name, group := s.vm(n)
		vms = append(vms, fmt.Sprintf(vmBody, id, name, n%s.Rules))
		if n/s.Subscriptions%10 < s.Protected {
			items = append(items, fmt.Sprintf(itemBody, s.vault(n%s.Vaults), id, name, group, n%s.Rules%s.Policies))
		}
	}
	list := func(name string, bodies []string) string {
		return fmt.Sprintf("%q:[\n%s]", name, strings.Join(bodies, ",\n"))
	}
	return "{" + strings.Join([]string{
		`"format_version":"1"`, `"taken":"2026-11-20T06:00:00Z"`, `"cloud":"AzurePublic"`, fmt.Sprintf(`"tenant":%q`, Tenant), list("subscriptions", subscriptions),
		list("virtualMachines", vms), list("vaults", vaults), list("policies", policies), list("protectedItems", items),
	}, ",\n") + "}"
}

// config returns the file: a rule for each team, which may use every vault.
func (s Shape) config() string {
	s = s.filled()
	var b strings.Builder
	b.WriteString("version: 1\nsubscriptions:\n")
	for n := range s.Subscriptions {
		fmt.Fprintf(&b, "  - %s\n", subscription(n))
	}
	b.WriteString("vaults:\n")
	for v := range s.Vaults {
		fmt.Fprintf(&b, "  - {name: vault%04d, subscription: %s, resourceGroup: rg-backup, location: westeurope}\n", v, subscription(v%s.Subscriptions))
	}
	b.WriteString("policies:\n")
	for p := range s.Policies {
		fmt.Fprintf(&b, "  - {name: daily%02d}\n", p)
	}
	b.WriteString("vms:\n")
	for r := range s.Rules {
		fmt.Fprintf(&b, "  - {name: team%04[1]d, match: {tags: {team: t%04[1]d}}, policy: daily%02[2]d, spread: true}\n", r, r%s.Policies)
	}
	fmt.Fprintf(&b, "settings: {refresh: %s, guards: {maxChanges: 1000000}}\n", s.Refresh)
	return b.String()
}

// Write writes both files.
func (s Shape) Write(estate, config string) error {
	if err := os.WriteFile(estate, []byte(s.estate()), 0o600); err != nil {
		return err
	}
	return os.WriteFile(config, []byte(s.config()), 0o600)
}

// WriteFileOfIDs writes a config of the given size in bytes, or a rule more, that names each machine.
func WriteFileOfIDs(name string, size int) error {
	file, err := os.Create(name)
	if err != nil {
		return err
	}
	defer file.Close()
	w := bufio.NewWriter(file)
	n, _ := fmt.Fprintf(w, "version: 1\nsubscriptions: [%s]\nvaults:\n  - {name: rsv, resourceGroup: rg-backup, location: westeurope}\npolicies:\n  - {name: daily}\nvms:\n", subscription(1))
	for i := 0; n < size; i++ {
		more, _ := fmt.Fprintf(w, "  - name: vm%06[1]d\n    id: /subscriptions/%[2]s/resourceGroups/rg-app-%03[3]d/providers/Microsoft.Compute/virtualMachines/vm%06[1]d\n"+
			"    policy: daily\n    vault: rsv\n", i, subscription(1), i/400)
		n += more
	}
	return w.Flush()
}
