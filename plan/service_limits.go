package plan

import "time"

// The request limits of Azure Resource Manager and Recovery Services (docs/azure.md §12).
const (
	// ARM keeps a token bucket per subscription and principal: so many requests at once, refilled by so many a second.
	ARMReadsBurst       = 250
	ARMReadsPerSecond   = 25
	ARMWritesBurst      = 200
	ARMWritesPerSecond  = 10
	ARMDeletesBurst     = 200
	ARMDeletesPerSecond = 10

	// BackupRequestsPerHour is the smallest recorded limit of one Recovery Services action. The service raised it over
	// the years (150, 300, 800, 1100) and returns the remaining number with each response.
	BackupRequestsPerHour = 150
	BackupRequestsWindow  = time.Hour

	// Resource Graph counts queries per user.
	GraphQueries       = 15
	GraphQueriesWindow = 5 * time.Second
)

// The daily limits of the backup service (docs/azure.md §13).
const (
	// PolicyWritesPerDay is how many policy writes the service takes in 24 hours. Whether per vault or per subscription is
	// unverified: a plan counts them per subscription.
	PolicyWritesPerDay = 50
	// ProtectionChangesPerDay is how often protection may be configured or modified in a vault in 24 hours.
	ProtectionChangesPerDay = 1000
)

// RestoresPerDay is how often an item can be restored in 24 hours (docs/azure.md §19).
const RestoresPerDay = 10

// RestoreJobsReach is how far back Restore jobs are searched. The service's own retention is not documented; the
// portal shows six months (docs/azure.md §19).
const RestoreJobsReach = 180 * 24 * time.Hour

// The sizes that the backup service allows (docs/azure.md §13). A plan blocks what would exceed them.
const (
	MaxVMsPerVault      = 1000
	MaxPoliciesPerVault = 200
	MaxVaultsPerRegion  = 500   // of one subscription
	MaxDiskGiB          = 32767 // of one data disk
)

// How many days snapshots are kept for instant restore (docs/azure.md §8.3): the required value of a weekly Standard
// policy, and the default of every other policy.
const (
	StandardWeeklyInstantDays = 5
	DefaultInstantDays        = 2
)

// DefaultSoftDeleteDays is how many days a vault keeps deleted items by default (docs/azure.md §6).
const DefaultSoftDeleteDays = 14
