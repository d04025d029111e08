package apply

import "time"

// knownError is a row of the table of error codes: codes that mean the same and have the same policy.
type knownError struct {
	codes  []string
	means  string // what Azure says with them, for people
	policy errorPolicy
}

// knownErrors returns the table of error codes (docs/azure.md §14).
func knownErrors() []knownError {
	return []knownError{
		// Throttling. The only remedy is to wait; the deadline bounds it.
		{
			[]string{"ResourceRequestsThrottled"},
			"the hourly budget of Recovery Services is spent, which everybody in the subscription shares",
			errorPolicy{class: transient, wait: 5 * time.Second, hint: "the quota is shared by everybody in the subscription; run again later or lower settings.limits"},
		},
		{
			[]string{"TooManyRequests", "SubscriptionRequestsThrottled", "OperationNotAllowed"},
			"Azure wants fewer requests in this subscription, from everybody together",
			errorPolicy{class: transient, wait: 5 * time.Second, hint: "the quota is shared by everybody in the subscription; run again later or lower settings.limits"},
		},

		// Failures inside the service.
		{
			[]string{
				"InternalServerError", "GatewayTimeout", "InvalidGatewayHost", "CloudStorageUnexpectedError", "CloudTimeoutError",
				"CloudServiceEndpointNotFound",
			},
			"the service failed by itself, for a while",
			errorPolicy{class: transient, tries: 5, wait: 5 * time.Second, hint: "the service had trouble of its own; run again later"},
		},
		{
			[]string{"CloudInternalError"},
			"an error inside Azure Backup; also its answer to some requests that make no sense",
			errorPolicy{
				class: transient, tries: 2, wait: 10 * time.Second,
				hint: "the service had trouble of its own, or could not make sense of the request; run again later, then ask support with the request id",
			},
		},

		// Another operation is running there.
		{
			[]string{"BMSUserErrorObjectLocked", "BMSUserErrorConflictingProtectionOperation"},
			"another operation runs on the item",
			errorPolicy{class: conflict, wait: 10 * time.Second, hint: "another operation held the item all the time; see the vault's jobs"},
		},
		{
			[]string{"UserErrorBackupOperationInProgress", "SystemBackupOperationInProgress"},
			"a backup of the item runs",
			errorPolicy{class: conflict, wait: 10 * time.Second, hint: "another operation held the item all the time; see the vault's jobs"},
		},
		{
			[]string{"RSVaultUpdateErrorConflictingOperationInProgress"},
			"another update of the vault runs",
			errorPolicy{class: conflict, wait: 10 * time.Second, hint: "another update held the vault all the time"},
		},
		{
			[]string{"DiscoveryInProgress", "410002"},
			"another refresh of the vault's list of machines runs",
			errorPolicy{class: conflict, wait: 10 * time.Second, hint: "another refresh was running in the vault"},
		},

		// The service does not know the container, or the request is wrong: one refresh shows which of them.
		{
			[]string{"BMSUserErrorInvalidConfigureProtectionRequest"},
			"the service does not know the machine under this id, as when it was moved, or when it is new and no refresh has found it yet",
			errorPolicy{
				class: needsRefresh,
				hint:  "the service does not know this VM under this name, or the policy does not exist; check that both exist, and settings.refresh",
			},
		},

		// Rights. A role that was just assigned takes a while.
		{
			[]string{"AuthorizationFailed"},
			"the identity lacks this right here",
			errorPolicy{
				class: transient, tries: 1, wait: 15 * time.Second,
				hint: "the identity lacks the right; see azbackup help permissions. A role assigned a moment ago needs some minutes",
			},
		},
		{
			[]string{"LinkedAuthorizationFailed"},
			"the identity lacks a right on another resource that the request names, such as the machine",
			errorPolicy{hint: "the identity lacks a right on the machine or on another resource the request names; see azbackup help permissions"},
		},
		{[]string{"AuthenticationFailed"}, "the sign-in was not accepted", errorPolicy{hint: "sign in again"}},
		{
			[]string{"ExpiredAuthenticationToken"},
			"the sign-in has expired",
			errorPolicy{hint: "the sign-in expired: sign in again and run the same command, it goes on where it ended"},
		},
		{
			[]string{"InvalidAuthenticationToken"},
			"the token is for another tenant or another audience",
			errorPolicy{hint: "the token is for another tenant or audience: sign in again, and check cloud and tenant in the config"},
		},
		{
			[]string{"RequestDisallowedByPolicy", "UserErrorRequestDisallowedByPolicy"},
			"an Azure Policy forbids it",
			errorPolicy{hint: "an Azure Policy assignment forbids this; its name is in the message"},
		},
		{
			[]string{"ScopeLocked"},
			"a resource lock forbids writes",
			errorPolicy{hint: "a resource lock forbids this; remove it or leave the resource out"},
		},
		{
			[]string{"MissingSubscriptionRegistration", "SubscriptionNotRegistered", "NoRegisteredProviderFound"},
			"the subscription has not registered the provider",
			errorPolicy{hint: "register the provider that the message names, once: az provider register --namespace Microsoft.RecoveryServices"},
		},
		{
			[]string{"ReadOnlyDisabledSubscription", "DisabledSubscription", "SubscriptionDisabled"},
			"the subscription is disabled and takes no writes",
			errorPolicy{hint: "the subscription is disabled and takes no writes: its owner enables it again, after what it owes is paid"},
		},
		{
			[]string{"ResourceGroupBeingMoved", "ResourceBeingMoved", "ResourceMoveInProgress", "SubscriptionBeingMoved"},
			"it is being moved, which forbids writes",
			errorPolicy{hint: "it is being moved, which may take hours and forbids writes: run again when the move is over"},
		},
		{
			[]string{"ResourceGroupBeingDeleted", "ResourceBeingDeleted", "SubscriptionBeingDeleted"},
			"it is being deleted",
			errorPolicy{hint: "it is being deleted: take it out of the file, or run again when it is there anew"},
		},

		// Resources that do not exist.
		{
			[]string{"ResourceNotFound"},
			"the resource does not exist, or not any more",
			errorPolicy{hint: "check name, resource group and subscription, and plan again; a managed vault is created by apply"},
		},
		{
			[]string{"ResourceGroupNotFound"},
			"the resource group does not exist, or not any more",
			errorPolicy{hint: "create the resource group, and plan again: azbackup makes vaults, not resource groups"},
		},
		{
			[]string{"SubscriptionNotFound"},
			"the subscription does not exist, or the identity may not see it",
			errorPolicy{hint: "check the id, and that the identity may see the subscription"},
		},

		// Nothing was sent: the present state is not the approved one.
		{
			[]string{CodeChangedMeanwhile},
			"no code of Azure: what is there now is not what was there when the plan was made, so nothing was sent",
			errorPolicy{hint: "somebody changed it after the plan was made; plan again, and look at what they did"},
		},

		// Limits and states that the operator has to change. The daily limits of an item, and of a vault, are not tried again
		// in a run, whatever the code's name says (docs/azure.md §19).
		{
			[]string{"CloudDosAbsoluteLimitReached", "CloudDosAbsoluteLimitReachedWithRetry"},
			"a daily limit of the item or of the vault is reached, such as ten restores of an item",
			errorPolicy{hint: "not today: the service takes ten restores of an item in 24 hours; use the disks that the earlier ones made"},
		},
		{
			[]string{"UserErrorProtectionQuotaExceeded"},
			"the vault holds as many machines as it can",
			errorPolicy{hint: "the vault is full: route the VM to another one, or spread: true over several"},
		},
		{
			[]string{"UserErrorVmVaultLocationMismatch"},
			"machine and vault are in different regions",
			errorPolicy{hint: "a VM is protected in a vault of its own region"},
		},
		{
			[]string{"BMSUserErrorInvalidPolicyInput"},
			"one of about ten faults of a policy; the service does not say which",
			errorPolicy{hint: "the service does not say what it dislikes; compare the policy with the rules that `azbackup validate` knows"},
		},
		{
			[]string{"BMSUserErrorPolicyRetentionInvalid"},
			"a retention is out of the range that the service allows",
			errorPolicy{hint: "the service does not say what it dislikes; compare the policy with the rules that `azbackup validate` knows"},
		},
		{
			[]string{"BMSUserErrorInvalidPolicyForGivenProvider"},
			"the policy is of another kind of workload",
			errorPolicy{hint: "the policy is made for another kind of workload"},
		},
		{
			[]string{"UserErrorOperationDeniedOnImmutableItem"},
			"the vault is immutable: what shortens the life of a recovery point is refused",
			errorPolicy{hint: "the vault is immutable: leave out what shortens the life of a recovery point"},
		},
		{
			[]string{"UserErrorUnsupportedVaultImmutabilityStateChange"},
			"immutability cannot go this way",
			errorPolicy{hint: "immutability goes from Disabled to Unlocked to Locked, and never back from Locked"},
		},
		{
			[]string{"BMSUserErrorSoftDeleteUseVaultApi", "BMSUserErrorRedundancySettingsUseVaultApi"},
			"the setting belongs to the vault itself, and was sent to an old address",
			errorPolicy{hint: "this setting belongs to the vault itself; please report this"},
		},
		{
			[]string{"UserErrorMigrationFromTrustedLaunchVMToNonTrustedVMNotAllowed"},
			"a Trusted Launch machine does not go with a standard policy",
			errorPolicy{hint: "the VM needs an Enhanced policy"},
		},

		// Conditions of the machine or its guest. Jobs end with these codes as well.
		{
			[]string{"UserErrorGuestAgentStatusUnavailable"},
			"the machine's agent does not answer",
			errorPolicy{hint: "the machine's agent does not answer: start the machine, update the agent"},
		},
		{
			[]string{"UserErrorVmNotInDesirableState"},
			"the machine is in a state in which no backup can be made",
			errorPolicy{hint: "the machine must be running, stopped or deallocated"},
		},
		{
			[]string{"UserErrorVmProvisioningStateFailed"},
			"the machine's provisioning state is Failed",
			errorPolicy{hint: "repair the machine first: its provisioning state is Failed"},
		},
		{
			[]string{"UserErrorVmNotFound"},
			"the machine does not exist any more",
			errorPolicy{hint: "the machine does not exist any more: its recovery points stay, and can be restored"},
		},
		{
			[]string{"UserErrorKeyvaultPermissionsNotConfigured"},
			"the backup service may not read the keys of the encrypted disks",
			errorPolicy{hint: "give the backup service access to the key vault of the encrypted disks"},
		},
		{
			[]string{"UserErrorRpCollectionLimitReached"},
			"18 instant recovery points are there already, and none could be removed",
			errorPolicy{hint: "18 instant recovery points are there already; look for a lock on the AzureBackupRG group"},
		},
		{
			[]string{"UserErrorUnsupportedDiskSize"},
			"a disk is larger than 32 TB",
			errorPolicy{hint: "a disk is larger than 32 TB: leave it out with disks: {exclude: [LUN]}"},
		},
	}
}
