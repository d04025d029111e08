package apply

import (
	"strings"
	"time"
)

// errorClass is how the engine reacts to an error code.
type errorClass int

const (
	permanent    errorClass = iota // the same request will be refused again
	transient                      // the failure passes by itself
	conflict                       // another operation is running there; wait for its end
	needsRefresh                   // the service lacks something that a refresh provides
)

// errorPolicy is a row of the table of error codes.
type errorPolicy struct {
	class errorClass
	tries int           // how often the write is repeated; 0 = until the deadline
	wait  time.Duration // before the first repeat; later ones wait longer
	hint  string
}

// policyOf returns the policy for an error. No code of a resource guard's refusal was recorded; its text names the
// guard (docs/azure.md §26).
func policyOf(e *Error) errorPolicy {
	refused := e.Status == statusForbidden || e.Status == statusBadRequest
	if refused && strings.Contains(strings.ToLower(e.Code+" "+e.Message), "resourceguard") {
		return errorPolicy{hint: GuardHint}
	}
	return policyFor(e.Code, e.Status)
}

// GuardHint is the advice after a resource guard's refusal.
const GuardHint = "a resource guard protects this operation: its owner grants Backup MUA Operator or Contributor on the guard, usually for a time; then run again where the file says resourceGuard: use, or make the step by hand"

// policyFor is the table of error codes (docs/azure.md §14), one row for each known code; for any other code the HTTP
// status decides.
func policyFor(code string, status int) errorPolicy {
	switch code {
	// Throttling. The only remedy is to wait; the deadline bounds it.
	case "ResourceRequestsThrottled", "TooManyRequests", "SubscriptionRequestsThrottled", "OperationNotAllowed":
		return errorPolicy{
			class: transient, wait: 5 * time.Second,
			hint: "the quota is shared by everybody in the subscription; run again later or lower settings.limits",
		}

	// Failures inside the service.
	case "InternalServerError", "GatewayTimeout", "InvalidGatewayHost", "CloudStorageUnexpectedError",
		"CloudTimeoutError", "CloudServiceEndpointNotFound":
		return errorPolicy{class: transient, tries: 5, wait: 5 * time.Second, hint: "the service had trouble of its own; run again later"}
	case "CloudInternalError": // also the answer to some requests that make no sense (docs/azure.md §14)
		return errorPolicy{
			class: transient, tries: 2, wait: 10 * time.Second,
			hint: "the service had trouble of its own, or could not make sense of the request; run again later, then ask support with the request id",
		}

	// Another operation is running there.
	case "BMSUserErrorObjectLocked", "BMSUserErrorConflictingProtectionOperation",
		"UserErrorBackupOperationInProgress", "SystemBackupOperationInProgress":
		return errorPolicy{class: conflict, wait: 10 * time.Second, hint: "another operation held the item all the time; see the vault's jobs"}
	case "RSVaultUpdateErrorConflictingOperationInProgress":
		return errorPolicy{class: conflict, wait: 10 * time.Second, hint: "another update held the vault all the time"}
	case "DiscoveryInProgress", "410002":
		return errorPolicy{class: conflict, wait: 10 * time.Second, hint: "another refresh was running in the vault"}

	// The service does not know the container, or the request is wrong: one refresh finds out.
	case "BMSUserErrorInvalidConfigureProtectionRequest":
		return errorPolicy{
			class: needsRefresh,
			hint:  "the service does not know this VM under this name, or the policy does not exist; check that both exist, and settings.refresh",
		}

	// Rights. A role that was just assigned takes a while.
	case "AuthorizationFailed":
		return errorPolicy{
			class: transient, tries: 1, wait: 15 * time.Second,
			hint: "the identity lacks the right; see azbackup help permissions. A role assigned a moment ago needs some minutes",
		}
	case "InvalidAuthenticationToken", "ExpiredAuthenticationToken", "AuthenticationFailed":
		return errorPolicy{hint: "sign in again"}
	case "RequestDisallowedByPolicy":
		return errorPolicy{hint: "an Azure Policy assignment forbids this; its name is in the message"}
	case "MissingSubscriptionRegistration", "SubscriptionNotRegistered", "NoRegisteredProviderFound":
		return errorPolicy{hint: "register the provider that the message names, once: az provider register --namespace Microsoft.RecoveryServices"}
	case "ReadOnlyDisabledSubscription", "DisabledSubscription", "SubscriptionDisabled":
		return errorPolicy{hint: "the subscription is disabled and takes no writes: its owner enables it again, after what it owes is paid"}
	case "ResourceGroupBeingMoved", "ResourceBeingMoved", "ResourceMoveInProgress", "SubscriptionBeingMoved":
		return errorPolicy{hint: "it is being moved, which may take hours and forbids writes: run again when the move is over"}
	case "ResourceGroupBeingDeleted", "ResourceBeingDeleted", "SubscriptionBeingDeleted":
		return errorPolicy{hint: "it is being deleted: take it out of the file, or run again when it is there anew"}
	case "ScopeLocked":
		return errorPolicy{hint: "a resource lock forbids this; remove it or leave the resource out"}

	// Nothing was sent: the present state is not the approved one.
	case CodeChangedMeanwhile:
		return errorPolicy{hint: "somebody changed it after the plan was made; plan again, and look at what they did"}

	// Limits and states that the operator has to change. The daily limits of an item, and of a vault, are not tried again
	// in a run, whatever the code's name says (docs/azure.md §19).
	case "CloudDosAbsoluteLimitReached", "CloudDosAbsoluteLimitReachedWithRetry":
		return errorPolicy{hint: "not today: the service takes ten restores of an item in 24 hours; use the disks that the earlier ones made"}
	case "UserErrorProtectionQuotaExceeded":
		return errorPolicy{hint: "the vault is full; route the VM to another one"}
	case "UserErrorVmVaultLocationMismatch":
		return errorPolicy{hint: "a VM is protected in a vault of its own region"}
	case "BMSUserErrorInvalidPolicyInput", "BMSUserErrorPolicyRetentionInvalid":
		return errorPolicy{hint: "the service does not say what it dislikes; compare the policy with the rules that `azbackup validate` knows"}
	case "BMSUserErrorInvalidPolicyForGivenProvider":
		return errorPolicy{hint: "the policy is made for another kind of workload"}
	case "UserErrorOperationDeniedOnImmutableItem":
		return errorPolicy{hint: "the vault is immutable"}
	case "UserErrorUnsupportedVaultImmutabilityStateChange":
		return errorPolicy{hint: "immutability goes from Disabled to Unlocked to Locked, and never back from Locked"}
	case "BMSUserErrorSoftDeleteUseVaultApi", "BMSUserErrorRedundancySettingsUseVaultApi":
		return errorPolicy{hint: "this setting belongs to the vault itself; please report this"}
	case "UserErrorMigrationFromTrustedLaunchVMToNonTrustedVMNotAllowed":
		return errorPolicy{hint: "the VM needs an Enhanced policy"}
	case "ResourceNotFound", "ResourceGroupNotFound", "SubscriptionNotFound":
		return errorPolicy{hint: "it was there when the plan was made; plan again"}
	}
	return policyForStatus(status)
}

// The HTTP statuses used by policyFor. They are defined here because the engine uses nothing else of HTTP.
const (
	statusBadRequest      = 400
	statusUnauthorized    = 401
	statusForbidden       = 403
	statusNotFound        = 404
	statusRequestTimeout  = 408
	statusConflict        = 409
	statusLocked          = 423
	statusTooManyRequests = 429
	statusServerError     = 500
)

// policyForStatus returns the policy for an error without a known code.
func policyForStatus(status int) errorPolicy {
	switch {
	case status == statusTooManyRequests:
		return errorPolicy{class: transient, wait: 5 * time.Second, hint: "run again later or lower settings.limits"}
	case status == statusRequestTimeout, status >= statusServerError, status == 0:
		return errorPolicy{class: transient, tries: 3, wait: 5 * time.Second, hint: "run again later"}
	case status == statusConflict, status == statusLocked:
		// Some conflicts pass and many do not (docs/azure.md §14): one without a row is retried for a minute or two.
		return errorPolicy{
			class: conflict, tries: 4, wait: 10 * time.Second,
			hint: "the same answer came again and again; the message says what stands in the way",
		}
	case status == statusUnauthorized:
		return errorPolicy{hint: "sign in again"}
	case status == statusForbidden:
		return errorPolicy{hint: "the identity lacks the right; see azbackup help permissions"}
	}
	return errorPolicy{}
}
