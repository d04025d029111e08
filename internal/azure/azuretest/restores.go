package azuretest

// ItemID is the id of the item of [Item] for VM1 in the vault; GroupID a group for restores, and DisksPath the list of
// its disks.
const (
	ItemID    = VaultID + "/backupFabrics/Azure/protectionContainers/IaasVMContainer;iaasvmcontainerv2;rg-app;vm1/protectedItems/VM;iaasvmcontainerv2;rg-app;vm1"
	GroupID   = "/subscriptions/" + Subscription + "/resourceGroups/rg-tests"
	DisksPath = GroupID + "/providers/Microsoft.Compute/disks"
)

// RecoveryPoint is a recovery point of [ItemID] with all that is read of one (docs/azure.md §11, §33.45).
const RecoveryPoint = `{"id":"` + ItemID + `/recoveryPoints/362588450327416","name":"362588450327416","properties":{"objectType":"IaasVMRecoveryPoint",
	"recoveryPointType":"AppConsistent","recoveryPointTime":"2024-05-15T07:52:53.7326735Z","isSourceVMEncrypted":false,
	"recoveryPointTierDetails":[{"type":"InstantRP","status":"Valid"},{"type":"ArchivedRP","status":"Rehydrated","extendedInfo":{"rehydratedRPExpiryTime":"2024-05-20T00:00:00Z"}}],
	"isManagedVirtualMachine":true,"osType":"Windows","recoveryPointDiskConfiguration":{"numberOfDisksIncludedInBackup":2,"numberOfDisksAttachedToVm":3,
	"includedDiskList":[{"lun":-1,"name":"os"},{"lun":0,"name":"data"}],"excludedDiskList":[{"lun":1,"name":"scratch"}]},
	"recoveryPointProperties":{"expiryTime":"2024-06-15T07:52:53Z","isSoftDeleted":false},"isPrivateAccessEnabledOnAnyDisk":false,"threatStatus":0}}`

// RestoreJob returns a completed Restore job of the vault, with its property bag.
func RestoreJob(name, container, bag string) string {
	return `{"id":"` + VaultID + `/backupJobs/` + name + `","name":"` + name + `","properties":{"containerName":"` + container + `","operation":"Restore",
		"status":"Completed","startTime":"2024-05-15T08:35:43.5807221Z","endTime":"2024-05-15T08:37:13.4745842Z","extendedInfo":{"propertyBag":` + bag + `}}}`
}

// RestoreBag is the property bag of a Restore job that proves its point (docs/azure.md §33.48).
const RestoreBag = `{"Job Type":"Recover disks","Target Storage Account Name":"st1","Recovery point time ":"5/15/2024 7:52:53 AM","Target resource group":"rg-tests",
	"Template Blob Uri":"https://st1.blob.core.windows.net/c/azuredeploy1.json","Config Blob Container Name":"c","Restored disk(s)":"os; data","Backed-up disk(s)":"os; data; more"}`

// Disk is a disk of [GroupID] that the job j1 restored (docs/azure.md §19).
const Disk = `{"id":"` + DisksPath + `/vm1-osdisk-20240515-083713","location":"westeurope","tags":{"rsvaultbackup":"j1","Creator":"policy"},
	"properties":{"timeCreated":"2024-05-15T08:37:00.1234567+00:00","osType":"Linux","hyperVGeneration":"V2","diskSizeGB":64,"diskState":"Unattached",
	"creationData":{"createOption":"Restore","sourceResourceId":"/x"}}}`
