package cli

import (
	"fmt"
	"strings"

	"github.com/jedib0t/go-pretty/v6/text"
)

// permission is a group of actions that a command needs.
type permission struct {
	purpose string
	actions []string
	roles   string // the built-in roles that have them, and where
}

// permissions returns the groups of actions by purpose (docs/azure.md §29). A command needs the group of its reads as
// well as that of its writes.
func permissions() []permission {
	const vault, item = "Microsoft.RecoveryServices/Vaults/", "Microsoft.RecoveryServices/Vaults/backupFabrics/protectionContainers/protectedItems/"
	return []permission{
		{
			"plan, audit, explain, points, export, snapshot",
			[]string{
				"Microsoft.Resources/subscriptions/read", "Microsoft.Compute/virtualMachines/read", vault + "read", vault + "backupPolicies/read", vault + "backupProtectedItems/read",
				vault + "backupProtectableItems/read", vault + "backupJobs/read", vault + "backupResourceGuardProxies/read",
				item + "recoveryPoints/read", "Microsoft.RecoveryServices/locations/backupStatus/action",
			},
			"Reader and Backup Reader have them but for backupStatus/action, which is needed at the subscription: Backup Operator, or a custom role. " +
				"Recovery points are read for points, and for plan only to tell what a shorter retention costs.",
		},
		{
			"plan, audit, explain, snapshot: restore tests in the file",
			[]string{
				"Microsoft.Resources/subscriptions/resourceGroups/read", "Microsoft.Compute/disks/read", "Microsoft.Storage/storageAccounts/read",
				item + "recoveryPoints/read",
			},
			"Reader on the tests' group and at the subscription, for the staging accounts, has them. An audit reads the disks only.",
		},
		{
			"audit --source resource-graph",
			[]string{"Microsoft.ResourceGraph/resources/read"},
			"Reader has it.",
		},
		{
			"subscriptions: all, or below management groups",
			[]string{"Microsoft.Resources/subscriptions/read", "Microsoft.Management/managementGroups/read"},
			"Reader on the subscriptions has the first, Management Group Reader on each group the second.",
		},
		{
			"backup",
			[]string{
				item + "backup/action", item + "operationsStatus/read", item + "operationResults/read", vault + "backupOperations/read",
				vault + "backupOperationResults/read",
			},
			"Backup Operator has them.",
		},
		{
			"restore",
			[]string{
				item + "recoveryPoints/restore/action", item + "operationsStatus/read", "Microsoft.Resources/subscriptions/resourceGroups/read",
				"Microsoft.Resources/subscriptions/resourceGroups/write", "Microsoft.Storage/storageAccounts/read",
				"Microsoft.Storage/storageAccounts/write", "Microsoft.Compute/disks/read", "Microsoft.Compute/virtualMachines/write",
			},
			"Backup Operator on the vault, Storage Account Contributor on the staging account, Virtual Machine Contributor on the machine that is " +
				"restored; the target group needs a role that may write it, such as Contributor there.",
		},
		{
			"apply: restore tests",
			[]string{vault + "backupTriggerValidateOperation/action", vault + "backupValidateOperationsStatuses/read", "Microsoft.Compute/disks/delete"},
			"Those of restore, and these: the disks of a test are deleted, in the tests' own group alone.",
		},
		{
			"apply: items",
			[]string{
				item + "write", item + "read", item + "operationsStatus/read", item + "operationResults/read",
				vault + "backupFabrics/refreshContainers/action", item + "backup/action", "Microsoft.Compute/virtualMachines/write",
				vault + "backupFabrics/operationResults/read", vault + "backupFabrics/operationsStatus/read",
			},
			"Backup Contributor on the vault and Virtual Machine Contributor on the machines have them.",
		},
		{
			"apply: managed policies",
			[]string{vault + "backupPolicies/write", vault + "backupPolicies/operations/read", vault + "backupPolicies/operationResults/read"},
			"Backup Contributor has them.",
		},
		{"apply: managed vaults", []string{vault + "write", vault + "operationStatus/read", vault + "operationResults/read"}, "Backup Contributor has them."},
	}
}

func permissionsTopic() string {
	var b strings.Builder
	b.WriteString("What the identity has to be allowed. azbackup init --role prints a custom role. A role that was assigned a moment ago needs some minutes.\n")
	for _, p := range permissions() {
		fmt.Fprintf(&b, "\n%s\n", p.purpose)
		for _, action := range p.actions {
			fmt.Fprintf(&b, "  %s\n", action)
		}
		for line := range strings.SplitSeq(text.WrapSoft(p.roles, topicWidth), "\n") {
			fmt.Fprintf(&b, "  %s\n", strings.TrimSpace(line))
		}
	}
	return strings.TrimRight(b.String(), "\n")
}
