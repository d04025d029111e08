package cli

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/azbackup/azbackup/config"
	"github.com/azbackup/azbackup/internal/armid"
	"github.com/azbackup/azbackup/internal/azure"
	"github.com/azbackup/azbackup/plan"
)

// connectForVMs is connectScope for a command about VMs that the command line names: the scope has every vault, because
// a VM may be backed up in one that the config does not name.
func (a *app) connectForVMs(ctx context.Context, command azure.Command, f scopeFlags, at azureFlags) (*config.Config, plan.Scope, *session, error) {
	c, scope, s, err := a.connectScope(ctx, command, f, at)
	scope.AllVaults, scope.Protectable, scope.Guards = true, false, false
	return c, scope, s, err
}

// findVMs returns the VMs that the names on a command line mean, in their order, each once. An error begins with doing.
func findVMs(o plan.Observed, doing string, names []string) ([]string, error) {
	var vms []string
	for _, name := range names {
		vm, err := findVM(o, doing, name)
		if err != nil {
			return nil, withCandidates(err)
		}
		if !slices.ContainsFunc(vms, func(known string) bool { return armid.Same(known, vm) }) {
			vms = append(vms, vm)
		}
	}
	return vms, nil
}

// findVM returns the VM that one name means, also where only its backup is left.
func findVM(o plan.Observed, doing, name string) (string, error) {
	ids := map[armid.Key]string{}
	add := func(id string) {
		if _, known := ids[armid.Of(id)]; !known && isCalled(id, name) {
			ids[armid.Of(id)] = id
		}
	}
	for _, vm := range o.VMs {
		add(vm.ID)
	}
	for _, it := range o.Items {
		add(it.VM)
	}
	found := make([]string, 0, len(ids))
	for _, id := range ids {
		found = append(found, id)
	}
	slices.Sort(found)
	switch len(found) {
	case 0:
		return "", fmt.Errorf("%s %q: %w", doing, name, plan.ErrNoVM)
	case 1:
		return found[0], nil
	default:
		return "", &plan.AmbiguousError{Name: name, VMs: found}
	}
}

func isCalled(id, name string) bool {
	vm, err := armid.ParseVM(id)
	if err != nil && !strings.HasPrefix(name, "/") {
		return false // what is no VM has an id only
	}
	return armid.IsCalled(name, id, vm.ResourceGroup, vm.Name())
}

// itemsOf returns the items of a VM, in any vault and any state.
func itemsOf(o plan.Observed, vm string) []plan.Item {
	var items []plan.Item
	for _, it := range o.Items {
		if armid.Same(it.VM, vm) {
			items = append(items, it)
		}
	}
	return items
}
