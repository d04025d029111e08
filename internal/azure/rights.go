package azure

import (
	"net/http"
	"slices"
	"strings"
)

// RoleScope is a kind of resource at which a role is assigned.
type RoleScope string

// The scopes of roles, the wider ones first. A role at a wider scope makes one at a narrower scope unnecessary.
const (
	AtManagementGroup RoleScope = "management-group"
	AtSubscription    RoleScope = "subscription"
	AtVaultGroup      RoleScope = "vault-group" // the resource group of a vault, which the vault may not be in yet
	AtVault           RoleScope = "vault"
	AtMachine         RoleScope = "machine"
	AtStagingAccount  RoleScope = "staging-account"
	AtTargetGroup     RoleScope = "target-group" // the resource group that disks are restored to
)

// RoleScopes returns all scopes, the wider ones first.
func RoleScopes() []RoleScope {
	return []RoleScope{AtManagementGroup, AtSubscription, AtVaultGroup, AtVault, AtMachine, AtStagingAccount, AtTargetGroup}
}

// Right is an action that a role allows, and the scope at which the role is assigned (docs/azure.md §29).
type Right struct {
	Action string
	At     RoleScope
}

// linkedRight is a right on another resource than the one that a request names in its path (docs/azure.md §29).
type linkedRight = Right

func protectRights() []linkedRight {
	return []linkedRight{{"Microsoft.Compute/virtualMachines/write", AtMachine}}
}

func restoreRights() []linkedRight {
	return []linkedRight{
		{"Microsoft.Compute/virtualMachines/write", AtMachine},
		{"Microsoft.Storage/storageAccounts/write", AtStagingAccount},
		{"Microsoft.Resources/subscriptions/resourceGroups/write", AtTargetGroup},
	}
}

// cleanUpRights are for the DELETE of a disk, which is in no table: see [Client.PermitCleanUp].
func cleanUpRights() []linkedRight {
	return []linkedRight{{"Microsoft.Compute/disks/delete", AtTargetGroup}}
}

// Organisation is not a command. In [Rights] it stands for the reads by which any command finds its subscriptions.
const Organisation Command = "organisation"

// TestReads is not a command. In [Rights] it stands for the reads that reading commands need where the file has restore
// tests.
const TestReads Command = "restore-test-reads"

// Commands returns the commands that send requests to Azure, except [CommandRestoreTest].
func Commands() []Command {
	return []Command{
		CommandPlan, CommandApply, CommandAudit, CommandExplain, CommandExport, CommandSnapshot, CommandBackup, CommandPoints, CommandRestore,
	}
}

// Rights returns the rights that commands need, each action once, at the widest scope at which one of them needs it,
// ordered by scope and action. They follow from the table that decides which requests the commands may send.
func Rights(commands ...Command) []Right {
	widest := map[string]RoleScope{}
	add := func(r Right) {
		if at, there := widest[r.Action]; !there || rankOf(r.At) < rankOf(at) {
			widest[r.Action] = r.At
		}
	}
	for _, r := range allowedRoutes() {
		if !slices.ContainsFunc(commands, r.isSentBy) {
			continue
		}
		add(Right{r.action(), r.at()})
		for _, linked := range r.linked {
			add(linked)
		}
	}
	rights := make([]Right, 0, len(widest))
	for action, at := range widest {
		rights = append(rights, Right{action, at})
	}
	slices.SortFunc(rights, func(a, b Right) int {
		if byScope := rankOf(a.At) - rankOf(b.At); byScope != 0 {
			return byScope
		}
		return strings.Compare(a.Action, b.Action)
	})
	return rights
}

func rankOf(at RoleScope) int { return slices.Index(RoleScopes(), at) }

// isSentBy reports whether a command sends such requests.
func (r route) isSentBy(c Command) bool {
	if r.senders == nil {
		return r.isRead() && c != Organisation && c != TestReads || slices.Contains(r.writers, c)
	}
	return slices.Contains(r.senders, c)
}

// action returns the name of the right to a request, by Azure's rule: the types in its path without the names between
// them, and what the method does with them.
func (r route) action() string {
	provider, path := "Microsoft.Resources", strings.TrimPrefix(r.path, "/")
	if _, after, found := strings.Cut(r.path, "/providers/"); found {
		provider, path, _ = strings.Cut(after, "/")
	}
	verb := map[string]string{http.MethodGet: "read", http.MethodPut: "write", http.MethodPatch: "write", http.MethodPost: "action"}[r.method]
	if path == "resources" {
		verb = "read" // a query of Resource Graph
	}
	path = strings.TrimSuffix(path, "/descendants") // a part of the group's own answer
	types := slices.DeleteFunc(strings.Split(path, "/"), func(s string) bool { return s == "*" || s == "Azure" })
	if provider == "Microsoft.RecoveryServices" && types[0] == "vaults" {
		types[0] = "Vaults" // as Azure's list of actions spells it
	}
	return provider + "/" + strings.Join(types, "/") + "/" + verb
}

// at returns the scope of the right to a request.
func (r route) at() RoleScope {
	switch {
	case strings.HasPrefix(r.path, "/providers/Microsoft.Management/"):
		return AtManagementGroup
	case r.path == vaultPath && !r.isRead():
		return AtVaultGroup
	case r.path != vaultPath && strings.HasPrefix(r.path, vaultPath):
		return AtVault
	case strings.HasPrefix(r.path, groupPath+"/providers/Microsoft.Compute/disks"), r.path == groupPath:
		return AtTargetGroup
	}
	return AtSubscription
}
