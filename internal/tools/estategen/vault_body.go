package main

import "fmt"

// body returns the vault (docs/azure.md §7.2).
func (v vault) body() body {
	var immutability any
	if v.immutability != "" {
		immutability = body{"state": v.immutability}
	}
	return body{
		"id": v.id(), "name": v.name, "type": "Microsoft.RecoveryServices/vaults", "location": v.region.name,
		"etag": "W/\"datetime'2026-03-01T08%3A35%3A02.0124392Z'\"", "tags": body{"owner": "platform"}, "sku": body{"name": "Standard"},
		"properties": body{
			"provisioningState": "Succeeded", "publicNetworkAccess": "Enabled", "privateEndpointStateForBackup": "None",
			"privateEndpointStateForSiteRecovery": "None", "secureScore": "Adequate", "bcdrSecurityLevel": "Fair",
			"monitoringSettings": body{
				"azureMonitorAlertSettings": body{
					"alertsForAllJobFailures": "Enabled", "alertsForAllReplicationIssues": "Enabled", "alertsForAllFailoverIssues": "Enabled",
				},
				"classicAlertSettings": body{"alertsForCriticalOperations": "Enabled", "emailNotificationsForSiteRecovery": "Enabled"},
			},
			"restoreSettings":    body{"crossSubscriptionRestoreSettings": body{"crossSubscriptionRestoreState": "Enabled"}},
			"redundancySettings": body{"standardTierStorageRedundancy": "GeoRedundant", "crossRegionRestore": "Disabled"},
			"securitySettings": body{
				"immutabilitySettings": immutability, "multiUserAuthorization": "Disabled",
				"softDeleteSettings": body{
					"softDeleteState": "AlwaysON", "softDeleteRetentionPeriodInDays": 14, "enhancedSecurityState": "AlwaysON",
				},
			},
		},
	}
}

// policies returns the bodies of a vault's policies, the one for workloads among them (docs/azure.md §8).
func (v vault) policies(items map[string]int) []body {
	all := []body{
		v.policyBody(policyDefault, standardDaily(), items),
		v.policyBody("EnhancedPolicy", enhancedHourly("08:00", 7), items),
		v.policyBody("HourlyLogBackup", body{
			"backupManagementType": "AzureWorkload", "workLoadType": "SQLDataBase",
			"settings":            body{"timeZone": "UTC", "issqlcompression": false, "isCompression": false},
			"subProtectionPolicy": []body{},
		}, items),
		v.policyBody(policyHourly, enhancedHourly("08:00", 5), items),
	}
	switch v.policy {
	case "missing":
	case "drifted":
		all = append(all, v.policyBody(policyDaily, enhancedDaily("23:00"), items))
	default:
		all = append(all, v.policyBody(policyDaily, enhancedDaily("22:00"), items))
	}
	return all
}

func (v vault) policyBody(name string, properties body, items map[string]int) body {
	id := v.policyID(name)
	properties["protectedItemsCount"] = items[id]
	return body{
		"id": id, "name": name, "type": "Microsoft.RecoveryServices/vaults/backupPolicies", "properties": properties,
	}
}

func standardDaily() body {
	return policyProperties(body{
		"schedulePolicyType": "SimpleSchedulePolicy", "scheduleRunFrequency": "Daily",
		"scheduleRunTimes": []string{timeOfDay("19:30")}, "scheduleWeeklyFrequency": 0,
	}, "19:30", 30, 2)
}

func enhancedDaily(when string) body {
	return withEnhancedTier(policyProperties(body{
		"schedulePolicyType": "SimpleSchedulePolicyV2", "scheduleRunFrequency": "Daily",
		"dailySchedule": body{"scheduleRunTimes": []string{timeOfDay(when)}},
	}, when, 30, 5))
}

func enhancedHourly(from string, instantDays int) body {
	return withEnhancedTier(policyProperties(body{
		"schedulePolicyType": "SimpleSchedulePolicyV2", "scheduleRunFrequency": "Hourly",
		"hourlySchedule": body{"interval": 4, "scheduleWindowStartTime": timeOfDay(from), "scheduleWindowDuration": 12},
	}, from, 30, instantDays))
}

func policyProperties(schedule body, when string, days, instantDays int) body {
	return body{
		"backupManagementType": "AzureIaasVM", "instantRPDetails": body{}, "schedulePolicy": schedule,
		"retentionPolicy": body{
			"retentionPolicyType": "LongTermRetentionPolicy",
			"dailySchedule": body{
				"retentionTimes":    []string{timeOfDay(when)},
				"retentionDuration": body{"count": days, "durationType": "Days"},
			},
		},
		"tieringPolicy":                 body{"ArchivedRP": body{"tieringMode": "DoNotTier", "duration": 0, "durationType": "Invalid"}},
		"instantRpRetentionRangeInDays": instantDays, "timeZone": "UTC",
	}
}

func withEnhancedTier(p body) body {
	p["policyType"] = "V2"
	return p
}

// timeOfDay returns a time of day as policies spell it: with the date of their creation.
func timeOfDay(clock string) string { return fmt.Sprintf("2026-03-01T%s:00Z", clock) }
