package cli

import (
	"strings"

	"github.com/azbackup/azbackup/apply"
)

// hint is the advice for an ARM error code (docs/azure.md §14). Codes are matched by prefix, longest first in the
// table.
type hint struct{ code, advice string }

func hints() []hint {
	return []hint{
		{"AuthorizationFailed", "the identity lacks this right here; a role assignment takes minutes to reach everywhere"},
		{"LinkedAuthorizationFailed", "the identity lacks a right on the machine or on another resource the request names"},
		{"AuthenticationFailed", "sign in again"},
		{"ExpiredAuthenticationToken", "the sign-in expired: sign in again and run the same command, it goes on where it ended"},
		{"InvalidAuthenticationToken", "the token is for another tenant or audience: check cloud and tenant in the config"},
		{"SubscriptionNotFound", "check the id, and that the identity may see the subscription"},
		{"ResourceGroupNotFound", "create the resource group: azbackup makes vaults, not resource groups"},
		{"ResourceNotFound", "check name, resource group and subscription; a managed vault is created by apply"},
		{"ResourceRequestsThrottled", "Recovery Services' hourly budget is spent, which everybody in the subscription shares: run again later"},
		{"TooManyRequests", "Azure wants fewer requests: run again later"},
		{"SubscriptionRequestsThrottled", "Azure wants fewer requests in this subscription: run again later"},
		{"RequestDisallowedByPolicy", "an Azure Policy forbids this: see its assignment on the vault or the machine"},
		{"ScopeLocked", "a lock on the resource forbids writes"},
		{"MissingSubscriptionRegistration", "register the provider: az provider register --namespace Microsoft.RecoveryServices"},
		{"ReadOnlyDisabledSubscription", "the subscription is disabled and takes no writes: its owner enables it again"},
		{"ResourceGroupBeingMoved", "the group is being moved, which forbids writes: run again when the move is over"},
		{"BMSUserErrorInvalidPolicyInput", "the service does not say what it dislikes; azbackup validate checks the policy's rules"},
		{"BMSUserErrorPolicyRetentionInvalid", "a retention is out of the range the service allows; azbackup validate checks it"},
		{"BMSUserErrorInvalidConfigureProtectionRequest", "the service does not know the machine under this id: was it moved or renamed?"},
		{"BMSUserErrorConflictingProtectionOperation", "another operation runs on the item: run again when it has ended"},
		{"BMSUserErrorObjectLocked", "another operation runs on the item: run again when it has ended"},
		{"RSVaultUpdateErrorConflictingOperationInProgress", "another update of the vault runs: run again when it has ended"},
		{"UserErrorBackupOperationInProgress", "a backup of the item runs: run again when it has ended"},
		{"SystemBackupOperationInProgress", "a backup of the item runs: run again when it has ended"},
		{"UserErrorVmVaultLocationMismatch", "a vault protects machines of its own region: use a vault there"},
		{"UserErrorProtectionQuotaExceeded", "the vault is full: use another vault, or spread: true over several"},
		{"UserErrorOperationDeniedOnImmutableItem", "the vault is immutable: what shortens the life of a recovery point is refused"},
		{"UserErrorUnsupportedVaultImmutabilityStateChange", "immutability goes from Disabled to Unlocked to Locked, and Locked is final"},
		{"UserErrorGuestAgentStatusUnavailable", "the machine's agent does not answer: start the machine, update the agent"},
		{"UserErrorVmNotInDesirableState", "the machine must be running, stopped or deallocated"},
		{"UserErrorVmProvisioningStateFailed", "repair the machine first: its provisioning state is Failed"},
		{"UserErrorVmNotFound", "the machine does not exist any more"},
		{"UserErrorKeyvaultPermissionsNotConfigured", "give the backup service access to the key vault of the encrypted disks"},
		{"UserErrorRpCollectionLimitReached", "18 instant recovery points are there already; look for a lock on the AzureBackupRG group"},
		{"UserErrorUnsupportedDiskSize", "a disk is larger than 32 TB: leave it out with disks: {exclude: [LUN]}"},
		{apply.CodeChangedMeanwhile, "somebody changed it after the plan was made: plan again, and look at what they did"},
		{"CloudInternalError", "an error inside Azure Backup: run again; if it stays, open a ticket with the request id"},
	}
}

// hintFor returns the advice for code, or "".
func hintFor(code string) string {
	best := hint{}
	for _, h := range hints() {
		if strings.HasPrefix(code, h.code) && len(h.code) > len(best.code) {
			best = h
		}
	}
	return best.advice
}
