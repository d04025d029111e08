package cli

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/azbackup/azbackup/config"
	"github.com/azbackup/azbackup/internal/azure"
	"github.com/azbackup/azbackup/internal/report"
)

type roleFlags struct {
	commands []string
	at       string
}

func (f *roleFlags) addFlags(cmd *cobra.Command) {
	cmd.Flags().StringSliceVar(&f.commands, "role", nil, "print the role that each `COMMAND` needs; several with commas: "+strings.Join(commandNames(), ", "))
	cmd.Flags().StringVar(&f.at, "at", "", "of the role, print the part that is assigned at `SCOPE`: "+strings.Join(scopeNames(), ", "))
}

// commandNames returns the words of --role: the commands, and what some of them need besides.
func commandNames() []string {
	var names []string
	for _, c := range append(azure.Commands(), azure.CommandRestoreTest, azure.Organisation) {
		names = append(names, string(c))
	}
	return names
}

func scopeNames() []string {
	var names []string
	for _, s := range azure.RoleScopes() {
		names = append(names, string(s))
	}
	return names
}

// roleDefinition is the JSON that `az role definition create` takes.
type roleDefinition struct {
	Name             string
	IsCustom         bool
	Description      string
	Actions          []string
	NotActions       []string
	DataActions      []string
	NotDataActions   []string
	AssignableScopes []string
}

// printRole writes the role of the commands, or its part at a scope, to stdout, and to stderr where each part is
// assigned.
func (a *app) printRole(f initFlags) error {
	var commands []azure.Command
	for _, name := range f.commands {
		if !slices.Contains(commandNames(), name) {
			return usageError("--role %q is not one of %s", name, strings.Join(commandNames(), ", "))
		}
		commands = append(commands, azure.Command(name))
	}
	if f.at != "" && !slices.Contains(scopeNames(), f.at) {
		return usageError("--at %q is not one of %s", f.at, strings.Join(scopeNames(), ", "))
	}
	c, err := f.load(a)
	if err != nil {
		return err
	}
	subscriptions := slices.Concat(c.Subscriptions, f.subscriptions)
	if len(subscriptions) == 0 {
		return withHint(errors.New("the config does not list the subscriptions in which the role may be assigned"), "--subscription ID names them")
	}
	parts := map[azure.RoleScope][]string{}
	role := roleDefinition{
		Name: "azbackup " + strings.Join(f.commands, ", "), IsCustom: true, Description: "What azbackup " + strings.Join(f.commands, ", ") + " needs",
		Actions: []string{}, NotActions: []string{}, DataActions: []string{}, NotDataActions: []string{},
	}
	if f.at != "" {
		role.Name += " (" + f.at + ")"
		role.Description += ", the part that is assigned at: " + describeRoleScope(azure.RoleScope(f.at))
	}
	for _, right := range azure.Rights(withTests(c, commands)...) {
		parts[right.At] = append(parts[right.At], right.Action)
		if f.at == "" || f.at == string(right.At) {
			role.Actions = append(role.Actions, right.Action)
		}
	}
	if len(role.Actions) == 0 {
		return usageError("azbackup %s needs no right at the scope %s", strings.Join(f.commands, ", "), f.at)
	}
	for _, id := range subscriptions {
		role.AssignableScopes = append(role.AssignableScopes, "/subscriptions/"+id)
	}
	for _, at := range azure.RoleScopes() {
		if n := len(parts[at]); n > 0 && (f.at == "" || f.at == string(at)) {
			a.log.Info(fmt.Sprintf("--at %s: %s, assigned at %s", at, report.FormatCount(n, "action"), describeRoleScope(at)), "scope", at, "actions", parts[at])
		}
	}
	return report.WriteJSON(a.Out, role)
}

// withTests adds the rights that the commands need for the restore tests of the file.
func withTests(c *config.Config, commands []azure.Command) []azure.Command {
	if len(c.RestoreTests) == 0 {
		return commands
	}
	all := slices.Clone(commands)
	for _, command := range commands {
		switch command {
		case azure.CommandPlan, azure.CommandAudit, azure.CommandExplain, azure.CommandSnapshot:
			all = append(all, azure.TestReads)
		case azure.CommandApply:
			all = append(all, azure.CommandRestoreTest)
		default: // what it does is the same with restore tests
		}
	}
	return all
}

// describeRoleScope returns the resources at which a part of a role is assigned, in words.
func describeRoleScope(at azure.RoleScope) string {
	return map[azure.RoleScope]string{
		azure.AtManagementGroup: "each management group of the config", azure.AtSubscription: "each subscription of the config",
		azure.AtVaultGroup: "the resource group of each managed vault",
		azure.AtVault:      "each vault", azure.AtMachine: "the machines, or their resource groups",
		azure.AtStagingAccount: "each staging account", azure.AtTargetGroup: "the resource group that disks are restored to",
	}[at]
}
