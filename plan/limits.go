package plan

import "time"

// The request limits of Azure Resource Manager and Recovery Services (docs/azure.md §12).
const (
	// ARM keeps a token bucket per subscription and principal: a burst, refilled every second.
	ARMReadsBurst       = 250
	ARMReadsPerSecond   = 25
	ARMWritesBurst      = 200
	ARMWritesPerSecond  = 10
	ARMDeletesBurst     = 200
	ARMDeletesPerSecond = 10

	// BackupRequestsPerHour is the smallest limit of one Recovery Services action that was recorded. The
	// service raised it over the years (150, 300, 800, 1100) and says per answer what is left.
	BackupRequestsPerHour = 150
	BackupRequestsWindow  = time.Hour

	// Resource Graph counts queries per user.
	GraphQueries       = 15
	GraphQueriesWindow = 5 * time.Second
)

// The daily limits of the backup service (docs/azure.md §13).
const (
	// PolicyWritesPerDay is per vault here; the documentation does not say per what.
	PolicyWritesPerDay = 50
	// ProtectionChangesPerDay counts configuring and modifying protection, per vault.
	ProtectionChangesPerDay = 1000
)

// RestoresPerDay is how often an item is restored in 24 hours (docs/azure.md §19).
const RestoresPerDay = 10

// RestoreJobsReach is how far back Restore jobs are looked for. What the service keeps is not documented; the portal
// says six months (docs/azure.md §19).
const RestoreJobsReach = 180 * 24 * time.Hour

// The sizes that the backup service allows (docs/azure.md §13). A plan blocks what would exceed them.
const (
	MaxVMsPerVault      = 1000
	MaxPoliciesPerVault = 200
	MaxVaultsPerRegion  = 500 // per subscription
	MaxDiskGiB          = 32767
)

// How long snapshots are kept for instant restore (docs/azure.md §8.3): what a weekly Standard policy must say,
// and what every other policy gets that says nothing.
const (
	StandardWeeklyInstantDays = 5
	DefaultInstantDays        = 2
)

// DefaultSoftDeleteDays is how long a vault keeps what is deleted when nobody set it (docs/azure.md §6).
const DefaultSoftDeleteDays = 14
