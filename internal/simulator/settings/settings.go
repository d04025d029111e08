package settings

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/azbackup/azbackup/internal/simulator/rawjson"
)

// Settings configure the simulated service where Azure's behaviour varies or is unknown (UNVERIFIED in docs/azure.md).
// They are set in Options and under "settings" in an estate file; the zero value of a field means its default.
type Settings struct {
	// Seed makes durations and seeded faults repeat between runs.
	Seed uint64 `json:"seed,omitempty"`
	// Durations are the durations of operations; keys are those of DefaultDurations. "" sets all of them but
	// vaultLinger, vaultSettle and diskLag.
	Durations map[string]Range `json:"durations,omitempty"`
	// Distributions replace the durations of kinds whose operations cluster around a few of them.
	Distributions map[string]Distribution `json:"mixtures,omitempty"`
	// RetryAfter is the header's value in seconds on every reply that the client has to poll again. nil: 60
	// (docs/azure.md §1, §4); -1: no header.
	RetryAfter *int `json:"retryAfter,omitempty"`
	// Latency is added to every request.
	Latency Range `json:"latency,omitzero"`
	// Pages are the page sizes of lists by kind ("vms", "items", …); "" sets all of them. Page sizes are UNVERIFIED
	// but for protectable items (200, docs/azure.md §2); the default is DefaultPages.
	Pages map[string]int `json:"pages,omitempty"`
	// Quota names the limits that are enforced; see Quotas. Empty: none.
	Quota string `json:"quota,omitempty"`
	// Limits override a profile's budgets by action ("Microsoft.RecoveryServices/vaults/backupJobs/read"); "" is every
	// read action, "arm-reads", "arm-writes" and "arm-deletes" are the sizes of ARM's buckets, and the same names with
	// "-refill" their refill rates per second, at least 1.
	Limits map[string]int `json:"limits,omitempty"`
	// OtherClients is the number of requests an hour that other clients of the subscription send for each action.
	OtherClients int `json:"otherClients,omitempty"`
	// NoRetryAfterWhenThrottled omits Retry-After from Recovery Services' 429. Whether Azure sends it is UNVERIFIED
	// (docs/azure.md §12); the default sends it.
	NoRetryAfterWhenThrottled bool `json:"noRetryAfterWhenThrottled,omitempty"`
	// DailyLimits enforces 50 policy writes and 1000 protection changes a vault and day (docs/azure.md §13), which a
	// Quota does too.
	DailyLimits bool `json:"dailyLimits,omitempty"`
	// PolicyLimitPerSubscription counts the policy writes of a day by subscription. The scope is UNVERIFIED; the
	// default is a vault.
	PolicyLimitPerSubscription bool `json:"policyLimitPerSubscription,omitempty"`
	// UnsignedURLs omits the 3 KB of signature from the URLs of operations (docs/azure.md §4), for readable logs.
	UnsignedURLs bool `json:"unsignedUrls,omitempty"`
	// ScheduledBackups runs the policies' backups as the clock passes their times and expires recovery points. Off,
	// only clients change an estate.
	ScheduledBackups bool `json:"scheduledBackups,omitempty"`
	// Era "2024" is the service of the recordings: soft delete may be switched off, legacy config endpoints may be
	// written. Default is the service since 2025-11 (docs/azure.md §6, §7.4).
	Era string `json:"era,omitempty"`
	// RequireToken refuses requests without a bearer token that is still good.
	RequireToken bool `json:"requireToken,omitempty"`
	// ClientSecret is the only secret the token endpoint accepts; empty: any.
	ClientSecret string `json:"clientSecret,omitempty"`
	// SignIn restricts who can sign in.
	SignIn SignIn `json:"signIn,omitzero"`
	// UnregisteredProviders are namespaces that subscriptions are not registered for until a client registers them.
	UnregisteredProviders []string `json:"unregisteredProviders,omitempty"`
	// TokenLifetime is how long the tokens that the simulator issues are valid; default one hour.
	TokenLifetime Duration `json:"tokenLifetime,omitzero"`
	// ProtectNeedsRefresh refuses to protect a VM that no refresh has discovered. According to the sources a refresh
	// is not needed (docs/azure.md §1), so it is off.
	ProtectNeedsRefresh bool `json:"protectNeedsRefresh,omitempty"`
	// PolicyChangeDropsDiskFilter makes a PUT without extendedProperties reset the disk filter. UNVERIFIED
	// (docs/azure.md §6); the default keeps it.
	PolicyChangeDropsDiskFilter bool `json:"policyChangeDropsDiskFilter,omitempty"`
	// PointAtSnapshot makes the recovery point appear and the item become Protected when the snapshot exists.
	// UNVERIFIED (docs/azure.md §17.6); the default is the end of the job.
	PointAtSnapshot bool `json:"pointAtSnapshot,omitempty"`
	// DiskQuota is the maximum number of disks in a subscription; 0: unlimited.
	DiskQuota int `json:"diskQuota,omitempty"`
	// ValidateRestore is the behaviour of the restore check: "" as documented, "absent" or "forbidden" (docs/azure.md
	// §19: never recorded live). RestoreFindings are its findings besides those that would refuse the restore.
	ValidateRestore string    `json:"validateRestore,omitempty"`
	RestoreFindings []Finding `json:"restoreFindings,omitempty"`
	// Guards are the resource guards that refuse this caller, or that are in another tenant, by their lower-cased ids.
	Guards map[string]GuardSetting `json:"guards,omitempty"`
	// Unverified overrides the codes, statuses and words whose value is UNVERIFIED; keys are those of
	// DefaultUnverified.
	Unverified map[string]string `json:"unverified,omitempty"`
	// Faults are injected in order; see Fault.
	Faults []Fault `json:"faults,omitempty"`
}

// Finding is a row of the result of a restore check ([Settings.ValidateRestore]).
type Finding struct {
	Code            string   `json:"code"`
	Message         string   `json:"message"`
	Recommendations []string `json:"recommendations"`
}

// SignIn restricts who can sign in, besides Settings.ClientSecret. The zero value accepts every client.
type SignIn struct {
	// Tenants are the existing tenants, by id or name; empty: all.
	Tenants []string `json:"tenants,omitempty"`
	// Applications are the client ids registered in the tenants; empty: all.
	Applications []string `json:"applications,omitempty"`
	// ExpiredSecret is a client secret that has expired.
	ExpiredSecret string `json:"expiredSecret,omitempty"`
	// Certificate is the PEM of the only certificate whose key may sign assertions; empty: any, unchecked.
	Certificate string `json:"certificate,omitempty"`
	// Subject is the subject of the applications' federated credential; empty: any.
	Subject string `json:"subject,omitempty"`
	// ConditionalAccess refuses every sign-in.
	ConditionalAccess bool `json:"conditionalAccess,omitempty"`
	// IdentityHeader is the secret that managed identities must send; empty: any.
	IdentityHeader string `json:"identityHeader,omitempty"`
}

// GuardSetting is what a resource guard's owner lets this caller do.
type GuardSetting struct {
	// Tenant is the guard's tenant; empty: the estate's. Another one wants a token of its own.
	Tenant string `json:"tenant,omitempty"`
	// Denied refuses the guard's requests: the caller has no role on it.
	Denied bool `json:"denied,omitempty"`
}

// DefaultDurations returns the recorded durations of operations (docs/azure.md §1, §4, §5, §6, §7.1; the median lies
// near Min).
func DefaultDurations() map[string]Range {
	return map[string]Range{
		"refresh":    rangeOf(10*time.Second, 75*time.Second),
		"protect":    rangeOf(31*time.Second, 324*time.Second),
		"modify":     rangeOf(6*time.Second, 31*time.Second),
		"stop":       rangeOf(2*time.Second, 14*time.Second),
		"suspend":    rangeOf(2*time.Second, 14*time.Second), // UNVERIFIED: as stop
		"resume":     rangeOf(6*time.Second, 31*time.Second),
		"undelete":   rangeOf(11*time.Second, 15*time.Second),
		"softDelete": rangeOf(11*time.Second, 14*time.Second),
		"hardDelete": rangeOf(111*time.Second, 425*time.Second),
		"trigger":    rangeOf(0, 13*time.Second),
		"snapshot":   rangeOf(7*time.Minute, 8*time.Minute),
		// The second task shows up three minutes after the first has ended (recorded twice).
		"handover": Fixed(3 * time.Minute),
		"transfer": rangeOf(13*time.Minute, 143*time.Minute),
		// A restore that copies data, and one from snapshots, whose task ends 20 s before its job does (docs/azure.md §33.47, §33.48).
		"restore":             rangeOf(20*time.Minute, 60*time.Minute),
		"restoreFromSnapshot": rangeOf(72*time.Second, 5*time.Minute),
		"restoreFinish":       Fixed(20 * time.Second),
		"restoreTrigger":      rangeOf(0, 2*time.Second),
		// How long after its job a restore's disks are listed. UNVERIFIED.
		"diskLag":    Fixed(0),
		"diskDelete": rangeOf(2*time.Second, 20*time.Second), // UNVERIFIED
		"validate":   rangeOf(5*time.Second, 30*time.Second), // UNVERIFIED
		"cancel":     rangeOf(1*time.Second, 10*time.Second),
		"vault":      rangeOf(10*time.Second, 60*time.Second),
		// A deleted vault can still be read for a while, a new one lacks its security settings (both recorded after
		// operations that took no time; docs/azure.md §12 on eventual consistency).
		"vaultLinger": Fixed(0),
		"vaultSettle": Fixed(0),
		// A scheduled backup starts within two hours (docs/azure.md §13).
		"scheduleDelay": rangeOf(0, 2*time.Hour),
		"policy":        rangeOf(10*time.Second, 30*time.Second), // UNVERIFIED: as modify
	}
}

// DefaultPages returns the page sizes used where Settings.Pages sets none.
func DefaultPages() map[string]int {
	return map[string]int{
		"protectable": 200, // docs/azure.md §2
		"vaults":      340, // docs/azure.md §33.25: 335 to 610, not a constant
		"vms":         500, // UNVERIFIED
		"items":       500, // UNVERIFIED: one page up to 14 items was recorded
		"jobs":        500, // UNVERIFIED
		"points":      500, // UNVERIFIED
		"containers":  500, // UNVERIFIED
		"graph":       100, // docs/azure.md §10: default 100, at most 1000
		"groups":      500, // UNVERIFIED
		"descendants": 500, // UNVERIFIED
		"disks":       500, // UNVERIFIED
		"accounts":    500, // UNVERIFIED
	}
}

// DefaultUnverified returns the choices made where docs/azure.md states UNVERIFIED and the service needs a value.
func DefaultUnverified() map[string]string {
	return map[string]string{
		"stop-absent":            "404 BMSUserErrorDataSourceObjectNotFound",
		"suspend-absent":         "404 BMSUserErrorDataSourceObjectNotFound",
		"undelete-absent":        "404 BMSUserErrorDataSourceObjectNotFound",
		"protected-elsewhere":    "400 BMSUserErrorVMAlreadyRegisteredWithAnotherVault",
		"protect-soft-deleted":   "400 BMSUserErrorSoftDeletedItemCannotBeReconfigured",
		"delete-soft-deleted":    "400 BMSUserErrorSoftDeletedItemCannotBeReconfigured",
		"conflicting-operation":  "409 BMSUserErrorConflictingProtectionOperation",
		"undelete-not-deleted":   "400 BMSUserErrorItemNotSoftDeleted",
		"suspend-stopped":        "400 UserErrorOperationDeniedOnImmutableItem",
		"enhanced-to-standard":   "400 BMSUserErrorInvalidPolicyForGivenProvider",
		"vm-location-mismatch":   "400 UserErrorVmVaultLocationMismatch",
		"other-subscription":     "400 BMSUserErrorInvalidConfigureProtectionRequest",
		"policy-not-found":       "400 BMSUserErrorInvalidConfigureProtectionRequest",
		"protection-quota":       "400 UserErrorProtectionQuotaExceeded",
		"protection-changes":     "429 BMSUserErrorProtectionChangesPerDayExceeded",
		"policy-writes":          "429 BMSUserErrorPolicyWritesPerDayExceeded",
		"policy-count":           "400 BMSUserErrorPolicyCountExceeded",
		"backup-running":         "409 UserErrorBackupOperationInProgress",
		"backup-stopped":         "400 BMSUserErrorProtectionStopped",
		"refresh-running":        "409 DiscoveryInProgress",
		"vault-count":            "400 VaultQuotaExceeded",
		"vault-conflict":         "409 RSVaultUpdateErrorConflictingOperationInProgress",
		"policy-in-use":          "400 BMSUserErrorPolicyObjectInUse",
		"vault-not-empty":        "400 ServiceResourceNotEmptyWithBackendMessage",
		"vault-soft-deleted":     "400 BMSUserErrorVaultDeletionForbidden",
		"redundancy-in-use":      "400 CloudInvalidInputError",
		"immutability-direction": "400 UserErrorUnsupportedVaultImmutabilityStateChange",
		"vault-input":            "400 InvalidRestApiParameter",
		"immutable-denied":       "400 UserErrorOperationDeniedOnImmutableItem",
		"filter-input":           "400 BMSUserErrorInvalidInput",
		"arm-throttled":          "429 SubscriptionRequestsThrottled",
		"management-group":       "404 NotFound",
		"guard-denied":           "403 LinkedAuthorizationFailed",
		"guard-tenant":           "403 LinkedInvalidPropertyId",
		"guard-required":         "403 UserErrorResourceGuardOperationRequired",
		// Refusals of restores: the codes of the first four are documented, their statuses are not (docs/azure.md §19).
		"restore-snapshot-gone":   "400 UserErrorInstantRpNotFound",
		"restores":                "400 CloudDosAbsoluteLimitReached",
		"disk-quota":              "400 UserErrorDiskCountSubscriptionQuotaReached",
		"restore-input":           "400 BMSUserErrorInvalidInput",
		"restore-archived":        "400 UserErrorRecoveryPointNotRehydrated",
		"restore-region":          "400 UserErrorRestoreRegionMismatch",
		"restore-soft-deleted":    "400 UserErrorRestoreOfSoftDeletedItem",
		"restore-staging-missing": "400 UserErrorStorageAccountNotFound",
		"restore-staging-region":  "400 UserErrorStorageAccountLocationMismatch",
		"restore-staging-kind":    "400 UserErrorStorageAccountNotSupported",
		"restore-group-missing":   "400 UserErrorTargetResourceGroupNotFound",
		"restore-network":         "400 UserErrorDiskNetworkAccessSettingsInvalid",
		// From this api-version on a point contains its expiry time (docs/azure.md §19: not in the recordings of
		// 2024).
		"point-expiry-is-told-since": "2025-08-01",
		// From this api-version on threatStatus is the string that the SDK expects; at 2024-04-01 the number 0 was
		// recorded (docs/azure.md §11, §17.7).
		"threat-status-is-a-word-since": "2025-08-01",
		// What backupStatus returns for these items (docs/azure.md §17.5).
		"status-of-stopped":      "Protected",
		"status-of-soft-deleted": "NotProtected",
		"status-of-protecting":   "Protecting",
	}
}

// Check returns an error for an unknown key of a map.
func (s Settings) Check() error {
	for name, keys := range map[string][2][]string{
		"durations":  {slices.Sorted(maps.Keys(s.Durations)), slices.Sorted(maps.Keys(DefaultDurations()))},
		"pages":      {slices.Sorted(maps.Keys(s.Pages)), slices.Sorted(maps.Keys(DefaultPages()))},
		"unverified": {slices.Sorted(maps.Keys(s.Unverified)), slices.Sorted(maps.Keys(DefaultUnverified()))},
	} {
		for _, k := range keys[0] {
			if k != "" && !slices.Contains(keys[1], k) {
				return fmt.Errorf("settings: %s: there is no %q, expected one of %s", name, k, strings.Join(keys[1], ", "))
			}
		}
	}
	switch s.ValidateRestore {
	case "", "absent", "forbidden":
	default:
		return fmt.Errorf("settings: validateRestore %q, expected \"\", \"absent\" or \"forbidden\"", s.ValidateRestore)
	}
	if s.Era != "" && s.Era != "2024" {
		return fmt.Errorf("settings: era %q, expected \"\" or \"2024\"", s.Era)
	}
	return nil
}

// With returns s overridden by the fields that o sets.
func (s Settings) With(o Settings) Settings {
	durations, pages, unverified := DefaultDurations(), DefaultPages(), DefaultUnverified()
	for _, from := range []Settings{s, o} {
		if all, ok := from.Durations[""]; ok {
			for k := range durations {
				if k != "vaultLinger" && k != "vaultSettle" && k != "diskLag" {
					durations[k] = all
				}
			}
		}
		if all, ok := from.Pages[""]; ok {
			for k := range pages {
				pages[k] = all
			}
		}
		maps.Copy(durations, from.Durations)
		maps.Copy(pages, from.Pages)
		maps.Copy(unverified, from.Unverified)
	}
	// Fields that o does not set are absent from its JSON, so decoding it over s merges both.
	merged := s
	merged.Durations, merged.Pages, merged.Unverified, merged.Faults = nil, nil, nil, nil // s keeps its own
	merged.Distributions = maps.Clone(s.Distributions)
	if o.RetryAfter != nil {
		merged.RetryAfter = nil
	}
	if err := json.Unmarshal(rawjson.Encode(o), &merged); err != nil {
		panic(err) // encoded Settings always decode
	}
	merged.Durations, merged.Pages, merged.Unverified = durations, pages, unverified
	merged.Faults = slices.Concat(s.Faults, o.Faults)
	return merged
}
