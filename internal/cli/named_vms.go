package cli

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/azbackup/azbackup/config"
	"github.com/azbackup/azbackup/internal/armid"
	"github.com/azbackup/azbackup/internal/azure"
	"github.com/azbackup/azbackup/plan"
)

// connectForVMs is [app.connectScope] for a command about VMs that the command line names: the scope has every vault,
// because a vault that the config does not name may back up the VM.
func (a *app) connectForVMs(ctx context.Context, command azure.Command, f scopeFlags, at azureFlags) (*config.Config, plan.Scope, *session, error) {
	c, scope, s, err := a.connectScope(ctx, command, f, at)
	scope.AllVaults, scope.Protectable, scope.Guards = true, false, false
	return c, scope, s, err
}

// observeVMs reads what is in the scope, and returns it with the ids of the VMs that the command line names ([findVMs]).
func (a *app) observeVMs(ctx context.Context, s *session, scope plan.Scope, doing string, names []string) (plan.Observed, []string, error) {
	o, err := a.observe(ctx, s, scope)
	if err != nil {
		return o, nil, err
	}
	vms, err := findVMs(o, doing, names)
	return o, vms, err
}

// findVMs returns the ids of the VMs that the command line names, in the order of the names, each once. A VM of which
// only the backup is left is found as well. Names that fit no VM, or several, are an error that begins with doing and tells
// all of them: a list of hundreds is mended once.
func findVMs(o plan.Observed, doing string, names []string) ([]string, error) {
	known := newNamedVMs(o)
	seen := map[armid.Key]bool{}
	var vms, unknown, candidates []string
	var ambiguous []error
	for _, name := range names {
		found := known.called(name)
		switch {
		case len(found) == 0:
			unknown = append(unknown, strconv.Quote(name))
		case len(found) > 1:
			ambiguous = append(ambiguous, &plan.AmbiguousError{Name: name, VMs: found})
			candidates = append(candidates, found...)
		case !seen[armid.Of(found[0])]:
			seen[armid.Of(found[0])] = true
			vms = append(vms, found[0])
		}
	}
	var err error
	switch {
	case len(unknown) > maxNamesShown:
		err = fmt.Errorf("%s %s and %d more: %w", doing, strings.Join(unknown[:maxNamesShown], ", "), len(unknown)-maxNamesShown, plan.ErrNoVM)
	case len(unknown) > 0:
		err = fmt.Errorf("%s %s: %w", doing, strings.Join(unknown, ", "), plan.ErrNoVM)
	}
	for _, one := range ambiguous {
		if err == nil {
			err = one
		} else {
			err = fmt.Errorf("%w; %w", err, one)
		}
	}
	if err == nil {
		return vms, nil
	}
	return nil, withHint(err, describeCandidates(o, candidates)...)
}

// maxNamesShown is how many names that fit no VM an error tells: where thousands do not, the wrong estate was read.
const maxNamesShown = 100

// namedVMs holds the VMs of an estate, and those of which only the backup is left, by id and by short name, so that
// hundreds of names are found fast in an estate of any size.
type namedVMs struct {
	ids    map[armid.Key]string
	byName map[string][]namedVM // by the name in lower case
}

type namedVM struct{ id, group, name string }

func newNamedVMs(o plan.Observed) namedVMs {
	n := namedVMs{ids: map[armid.Key]string{}, byName: map[string][]namedVM{}}
	add := func(id string) {
		if _, known := n.ids[armid.Of(id)]; known {
			return
		}
		n.ids[armid.Of(id)] = id
		if vm, err := armid.ParseVM(id); err == nil { // another resource is found by its id alone
			short := strings.ToLower(vm.Name())
			n.byName[short] = append(n.byName[short], namedVM{id, vm.ResourceGroup, vm.Name()})
		}
	}
	for _, vm := range o.VMs {
		add(vm.ID)
	}
	for _, it := range o.Items {
		add(it.VM)
	}
	return n
}

// called returns the ids of the VMs that a name fits, sorted.
func (n namedVMs) called(name string) []string {
	if strings.HasPrefix(name, "/") {
		if id, known := n.ids[armid.Of(name)]; known {
			return []string{id}
		}
		return nil
	}
	var found []string
	for _, vm := range n.byName[strings.ToLower(name[strings.LastIndexByte(name, '/')+1:])] {
		if armid.IsCalled(name, vm.id, vm.group, vm.name) {
			found = append(found, vm.id)
		}
	}
	slices.Sort(found)
	return found
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
