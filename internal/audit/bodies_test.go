package audit

import (
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"time"
)

// Response bodies as Azure sends them (docs/azure.md §3, §7.2, §8.2, §10), for fixtures that need many.

type body = map[string]any

func mustJSON(v any) string {
	out, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return string(out)
}

func vaultBody(name, location string) body {
	return body{
		"id": vaultID + "/" + name, "name": name, "location": location, "type": "Microsoft.RecoveryServices/vaults",
		"sku": body{"name": "Standard"}, "properties": body{
			"provisioningState": "Succeeded", "publicNetworkAccess": "Enabled",
			"securitySettings": body{
				"immutabilitySettings": body{"state": "Locked"},
				"softDeleteSettings":   body{"softDeleteState": "AlwaysON", "softDeleteRetentionPeriodInDays": 14, "enhancedSecurityState": "Enabled"},
			},
			"redundancySettings": body{"standardTierStorageRedundancy": "GeoRedundant", "crossRegionRestore": "Disabled"},
		},
	}
}

func policyBody(vault, name, schedule, retention, class string) json.RawMessage {
	scheduleKind := "SimpleSchedulePolicy"
	if class == "V2" {
		scheduleKind = "SimpleSchedulePolicyV2"
	}
	return json.RawMessage(fmt.Sprintf(`{"id":%q,"name":%q,"type":"Microsoft.RecoveryServices/vaults/backupPolicies","properties":{"backupManagementType":"AzureIaasVM",
"policyType":%q,"instantRPDetails":{},"schedulePolicy":{"schedulePolicyType":%q,%s},"retentionPolicy":{"retentionPolicyType":"LongTermRetentionPolicy",%s},
"instantRpRetentionRangeInDays":2,"timeZone":"UTC","protectedItemsCount":0}}`, vaultID+"/"+vault+"/backupPolicies/"+name, name, class, scheduleKind, schedule, retention))
}

func vmBody(group, name, location, created string, tags map[string]string) body {
	t := body{}
	for c, v := range tags {
		t[c] = v
	}
	return body{
		"id":   "/subscriptions/" + sub + "/resourceGroups/" + group + "/providers/Microsoft.Compute/virtualMachines/" + name,
		"name": name, "location": location, "tags": t, "properties": body{"timeCreated": created, "provisioningState": "Succeeded"},
	}
}

func itemBody(vault, group, name string, properties body) body {
	tail := strings.ToLower("iaasvmcontainerv2;" + group + ";" + name)
	return body{
		"id":         vaultID + "/" + vault + "/backupFabrics/Azure/protectionContainers/IaasVMContainer;" + tail + "/protectedItems/VM;" + tail,
		"name":       "VM;" + tail,
		"properties": properties,
	}
}

// randomEstate returns VMs and items in every state, with repeated names and varying case, and vaults whose items
// cannot be read.
func randomEstate(rng *rand.Rand, now time.Time) (vms, items []body, unread map[string]bool) {
	pick := func(words ...string) string { return words[rng.IntN(len(words))] }
	ago := func(hours int) string {
		return now.Add(-time.Duration(rng.IntN(hours*60)+1) * time.Minute).Format("2006-01-02T15:04:05.0000000Z")
	}
	unread = map[string]bool{}
	for _, v := range []string{"rsv1", "rsv2", "rsv3"} {
		if rng.IntN(10) == 0 {
			unread[v] = true
		}
	}
	for range rng.IntN(25) {
		group := pick("rg-a", "RG-A2", "rg-b", "databricks-rg-x", "rg-c")
		name := fmt.Sprintf("vm%02d", rng.IntN(12))
		location := pick("westeurope", "West Europe", "northeurope")
		vm := vmBody(group, name, location, ago(24*pickInt(rng, 1, 400)), map[string]string{"env": pick("prod", "prod", "prod", "test", "dev")})
		if slices.ContainsFunc(vms, func(b body) bool { return strings.EqualFold(b["id"].(string), vm["id"].(string)) }) {
			continue
		}
		vms = append(vms, vm)
		activeAlready := false
		for _, vault := range []string{"rsv1", "rsv2", "rsv3"} {
			if rng.IntN(10) < 6 {
				continue
			}
			it := randomItem(rng, vault, group, name, vm["id"].(string), ago)
			p := it["properties"].(body)
			if state := p["protectionState"]; p["isScheduledForDeferredDelete"] == nil && (state == "Protected" || state == "IRPending" || state == "ProtectionError") {
				if activeAlready { // a VM is protected in one vault only
					continue
				}
				activeAlready = true
			}
			items = append(items, it)
		}
	}
	return vms, items, unread
}

func pickInt(rng *rand.Rand, numbers ...int) int { return numbers[rng.IntN(len(numbers))] }

func randomItem(rng *rand.Rand, vault, group, name, id string, ago func(int) string) body {
	if rng.IntN(2) == 0 {
		id = strings.ToUpper(id)
	}
	policy := []string{"daily", "daily", "weekly"}[rng.IntN(3)]
	p := body{
		"sourceResourceId": id, "policyId": vaultID + "/" + vault + "/backupPolicies/" + policy, "policyName": policy,
		"protectionState": "Protected", "lastBackupStatus": "Completed", "lastRecoveryPoint": ago(pickInt(rng, 20, 20, 20, 60, 300)),
	}
	switch rng.IntN(14) {
	case 0:
		p["protectionState"], p["policyId"], p["policyName"] = "ProtectionStopped", "", ""
	case 1:
		p["protectionState"], p["policyId"], p["policyName"], p["isScheduledForDeferredDelete"] = "ProtectionStopped", "", "", true
	case 2:
		p["protectionState"] = "BackupsSuspended"
	case 3:
		p["protectionState"] = "IRPending"
		delete(p, "lastRecoveryPoint")
	case 4:
		p["lastBackupStatus"] = "Failed"
	case 5:
		p["protectionState"] = "ProtectionError"
	case 6:
		p["protectionState"] = "ProtectionPaused"
	}
	return itemBody(vault, group, name, p)
}

// serve returns an Azure with the given estate.
func serve(vms, items []body, unread map[string]bool) armPages {
	a := defaults()
	where := map[string]string{"rsv1": "westeurope", "rsv2": "westeurope", "rsv3": "northeurope"}
	var vaults []any
	for _, v := range slices.Sorted(maps.Keys(where)) {
		vaults = append(vaults, vaultBody(v, where[v]))
		a[strings.ToLower(vaultID+"/"+v)] = mustJSON(vaultBody(v, where[v]))
		a[strings.ToLower(vaultID+"/"+v+"/backupPolicies")] = strings.ReplaceAll(a[strings.ToLower(vaultID+"/rsv1/backupPolicies")], "/rsv1/", "/"+v+"/")
		var here []any
		for _, it := range items {
			if strings.Contains(it["id"].(string), "/vaults/"+v+"/") {
				here = append(here, it)
			}
		}
		a[strings.ToLower(vaultID+"/"+v+"/backupProtectedItems")] = list(here...)
		if unread[v] {
			a[strings.ToLower(vaultID+"/"+v+"/backupProtectedItems")] = `403 {"error":{"code":"AuthorizationFailed","message":"no"}}`
		}
	}
	var all []any
	for _, vm := range vms {
		all = append(all, vm)
	}
	a[strings.ToLower("/subscriptions/"+sub+"/providers/Microsoft.RecoveryServices/vaults")] = list(vaults...)
	a[strings.ToLower(vmList)] = list(all...)
	return a
}
