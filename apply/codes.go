package apply

import "time"

// reaction is what the engine does about an error code.
type reaction int

const (
	never   reaction = iota // the same request will be refused again
	retry                   // the trouble passes by itself
	waitOut                 // something else is running there; it is waited for
	adapt                   // the service lacks something that can be brought about: a refresh
)

// rule is a row of the table of error codes.
type rule struct {
	reaction reaction
	tries    int           // how often a retry is made; 0 = until the deadline
	wait     time.Duration // before the first repeat; later ones wait longer
	hint     string
}

// ruleFor is the table of error codes (azure-api.md §14), one row for each code that is known; what is not in it
// is judged by its HTTP status.
func ruleFor(code string, status int) rule {
	switch code {
	// Throttling. Waiting is all there is to do; the deadline bounds it.
	case "ResourceRequestsThrottled", "TooManyRequests", "SubscriptionRequestsThrottled", "OperationNotAllowed":
		return rule{
			reaction: retry, wait: 5 * time.Second,
			hint: "the quota is shared by everybody in the subscription; run again later or lower settings.limits",
		}

	// Trouble inside the service.
	case "InternalServerError", "GatewayTimeout", "InvalidGatewayHost", "CloudStorageUnexpectedError",
		"CloudTimeoutError", "CloudServiceEndpointNotFound":
		return rule{reaction: retry, tries: 5, wait: 5 * time.Second, hint: "the service had trouble of its own; run again later"}
	case "CloudInternalError": // also the answer to some requests that make no sense (azure-api.md §14)
		return rule{
			reaction: retry, tries: 2, wait: 10 * time.Second,
			hint: "the service had trouble of its own, or could not make sense of the request; run again later, then ask support with the request id",
		}

	// Something else is running there.
	case "BMSUserErrorObjectLocked", "BMSUserErrorConflictingProtectionOperation",
		"UserErrorBackupOperationInProgress", "SystemBackupOperationInProgress":
		return rule{reaction: waitOut, wait: 10 * time.Second, hint: "another operation held the item all the time; see the vault's jobs"}
	case "RSVaultUpdateErrorConflictingOperationInProgress":
		return rule{reaction: waitOut, wait: 10 * time.Second, hint: "another update held the vault all the time"}
	case "DiscoveryInProgress", "410002":
		return rule{reaction: waitOut, wait: 10 * time.Second, hint: "another refresh was running in the vault"}

	// The container is not known to the service, or the request is wrong: one refresh finds out.
	case "BMSUserErrorInvalidConfigureProtectionRequest":
		return rule{
			reaction: adapt,
			hint:     "the service does not know this VM under this name, or the policy does not exist; check that both exist, and settings.refresh",
		}

	// Rights. A role that was just assigned takes a while.
	case "AuthorizationFailed":
		return rule{
			reaction: retry, tries: 1, wait: 15 * time.Second,
			hint: "the identity lacks the right; see the permissions in the README. A role assigned a moment ago needs some minutes",
		}
	case "InvalidAuthenticationToken", "ExpiredAuthenticationToken", "AuthenticationFailed":
		return rule{hint: "sign in again"}
	case "RequestDisallowedByPolicy":
		return rule{hint: "an Azure Policy assignment forbids this; its name is in the message"}
	case "ScopeLocked":
		return rule{hint: "a resource lock forbids this; remove it or leave the resource out"}

	// Limits and states that a person has to change.
	case "UserErrorProtectionQuotaExceeded":
		return rule{hint: "the vault is full; route the VM to another one"}
	case "UserErrorVmVaultLocationMismatch":
		return rule{hint: "a VM is protected in a vault of its own region"}
	case "BMSUserErrorInvalidPolicyInput", "BMSUserErrorPolicyRetentionInvalid":
		return rule{hint: "the service does not say what it dislikes; compare the policy with the rules that `azbackup validate` knows"}
	case "BMSUserErrorInvalidPolicyForGivenProvider":
		return rule{hint: "the policy is made for another kind of workload"}
	case "UserErrorOperationDeniedOnImmutableItem":
		return rule{hint: "the vault is immutable"}
	case "UserErrorUnsupportedVaultImmutabilityStateChange":
		return rule{hint: "immutability goes from Disabled to Unlocked to Locked, and never back from Locked"}
	case "BMSUserErrorSoftDeleteUseVaultApi", "BMSUserErrorRedundancySettingsUseVaultApi":
		return rule{hint: "this setting belongs to the vault itself; please report this"}
	case "UserErrorMigrationFromTrustedLaunchVMToNonTrustedVMNotAllowed":
		return rule{hint: "the VM needs an Enhanced policy"}
	case "ResourceNotFound", "ResourceGroupNotFound", "SubscriptionNotFound":
		return rule{hint: "it was there when the plan was made; plan again"}
	}
	return ruleForStatus(status)
}

// The HTTP statuses that are judged by. They are spelt here because the engine knows no HTTP beside them.
const (
	statusUnauthorized    = 401
	statusForbidden       = 403
	statusRequestTimeout  = 408
	statusConflict        = 409
	statusTooManyRequests = 429
	statusServerError     = 500
)

// ruleForStatus judges what has no known code.
func ruleForStatus(status int) rule {
	switch {
	case status == statusTooManyRequests:
		return rule{reaction: retry, wait: 5 * time.Second, hint: "run again later or lower settings.limits"}
	case status == statusRequestTimeout, status >= statusServerError, status == 0:
		return rule{reaction: retry, tries: 3, wait: 5 * time.Second, hint: "run again later"}
	case status == statusConflict:
		return rule{reaction: waitOut, wait: 10 * time.Second, hint: "something else was changing it all the time"}
	case status == statusUnauthorized:
		return rule{hint: "sign in again"}
	case status == statusForbidden:
		return rule{hint: "the identity lacks the right; see the permissions in the README"}
	}
	return rule{}
}
