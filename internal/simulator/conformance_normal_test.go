package simulator

// This file lists everything that the comparison with the recordings does not compare literally.

// normalised returns the fields whose values differ by run: only their format is compared. Paths are as in the report:
// keys joined by dots, [] for the elements of an array, "*" for any text.
func normalised() map[string]string {
	return map[string]string{
		// Operations.
		"*operation: id":                 "operation id",
		"*operation: name":               "operation id",
		"*operation: startTime":          "time",
		"*operation: endTime":            "time",
		"*operation: properties.jobId":   "guid",
		"vault operation: id":            "vault operation id",
		"vault operation: name":          "base64",
		"*: header azure-asyncoperation": "poll url",
		"*: header location":             "poll url",
		"*: header x-ms-ratelimit*":      "number",
		// Vaults.
		"vault: etag": "etag",
		// Jobs.
		"job*: id":                    "job id",
		"job*: name":                  "guid",
		"job*: properties.activityId": "guid",
		"job*: properties.startTime":  "time",
		"job*: properties.endTime":    "time",
		"job*: properties.duration":   "duration",
		"job*: properties.extendedInfo.tasksList[].startTime":                  "time",
		"job*: properties.extendedInfo.tasksList[].endTime":                    "time",
		"job*: properties.extendedInfo.tasksList[].duration":                   "duration",
		"job*: properties.extendedInfo.propertyBag.Backup Size":                "megabytes",
		"job*: properties.extendedInfo.propertyBag.Recovery point time ":       "us date",
		"job*: properties.extendedInfo.progressPercentage":                     "number",
		"job*: properties.extendedInfo.estimatedRemainingDuration":             "duration",
		"job*: properties.extendedInfo.tasksList[].taskExecutionDetails":       "transferred",
		"job*: properties.extendedInfo.propertyBag.Config Blob Name":           "blob",
		"job*: properties.extendedInfo.propertyBag.Config Blob Container Name": "blob",
		"job*: properties.extendedInfo.propertyBag.*Blob Uri":                  "blob uri",
		// Items and recovery points.
		"item: properties.protectedItemDataId":         "digits",
		"item: properties.lastBackupTime":              "time",
		"item: properties.lastRecoveryPoint":           "time",
		"item: properties.deferredDeleteTimeInUTC":     "time",
		"item: properties.deferredDeleteTimeRemaining": "time span",
		"recovery point: id":                           "point id",
		"recovery point: name":                         "digits",
		"recovery point: properties.recoveryPointTime": "time",
		// Default policies run at another half hour in each vault.
		"policy: properties.schedulePolicy.scheduleRunTimes[]":                                    "time",
		"policy: properties.retentionPolicy.dailySchedule.retentionTimes[]":                       "time",
		"policy: properties.retentionPolicy.monthlySchedule.retentionTimes[]":                     "time",
		"policy: properties.schedulePolicy.hourlySchedule.scheduleWindowStartTime":                "time",
		"policy: properties.subProtectionPolicy[].schedulePolicy.scheduleRunTimes[]":              "time",
		"policy: properties.subProtectionPolicy[].retentionPolicy.dailySchedule.retentionTimes[]": "time",
	}
}

// ignored returns fields that are not compared at all, with the reason.
func ignored() map[string]string {
	return map[string]string{
		"*: header date":             "compared as the clock of the replay",
		"*: header content-length":   "follows from the body; zero is compared as an empty body",
		"*: header *reads":           "the recorder drops it (docs/azure.md §33.0)",
		"*: header retry-after":      "the recorder drops it (docs/azure.md §33.0)",
		"*: header x-ms-*request-id": "the recorder drops it (docs/azure.md §33.0)",
		"*: header cache-control":    "the recorder drops it",
		"*: header x-ms-ratelimit-remaining-subscription-global*": "ARM's buckets of 2025; the recordings are of the hourly era (docs/azure.md §12)",
	}
}

// accepted returns the differences that remain, with the reason. They count as differences in the share.
func accepted() map[string]string {
	return map[string]string{
		"container: properties.registrationStatus": "the container of an item undeleted 15 s before was still called SoftDeleted; once seen, taken for the delay of a cache",
	}
}
