package export

import (
	"strings"

	"github.com/azbackup/azbackup/internal/armid"
)

// inventory records which VMs were read, and where others may exist: a rule without names would match those as well.
type inventory struct {
	machines map[region]int         // number of VMs that were read
	hidden   map[resourceGroup]bool // groups with a VM that was not read, or is unreadable
	partly   map[string]bool        // subscriptions with a gap; "" = all of them
	homes    map[[2]string]string   // group and name → the subscription that has such a VM, or several
	spelt    map[resourceGroup]spelling
}

// spelling counts the spellings of a group's name, to use the most frequent.
type spelling map[string]int

func (s spelling) mostFrequent() string {
	best := ""
	for name, n := range s {
		if n > s[best] || n == s[best] && name < best {
			best = name
		}
	}
	return best
}

// resourceGroup is a resource group; its parts are folded.
type resourceGroup struct{ subscription, name string }

// region is the part of a resource group that lies in one region.
type region struct {
	resourceGroup
	location string
}

const several = "several"

func groupOf(subscription, name string) resourceGroup {
	return resourceGroup{strings.ToLower(subscription), strings.ToLower(name)}
}

func (e *exporter) inventory() inventory {
	f := inventory{
		machines: map[region]int{}, hidden: map[resourceGroup]bool{}, partly: map[string]bool{},
		homes: make(map[[2]string]string, len(e.vms)), spelt: map[resourceGroup]spelling{},
	}
	for _, vm := range e.vms {
		group := groupOf(vm.Subscription, vm.ResourceGroup)
		if vm.Unreadable != "" {
			f.addHidden(vm.ID)
			continue
		}
		f.machines[region{group, armid.Location(vm.Location)}]++
		f.addHome(group, vm.Name)
		if f.spelt[group] == nil {
			f.spelt[group] = spelling{}
		}
		f.spelt[group][vm.ResourceGroup]++
	}
	for i := range e.observed.Items {
		if id := e.observed.Items[i].VM; e.vms[armid.Of(id)] == nil {
			f.addHidden(id)
		}
	}
	for _, g := range e.observed.Gaps {
		sub := g.Subscription
		for _, id := range []string{g.Vault, g.Target} {
			if sub == "" {
				sub = armid.SubscriptionOf(id)
			}
		}
		f.partly[strings.ToLower(sub)] = true
	}
	return f
}

// addHidden adds a VM of which only the id is known.
func (f *inventory) addHidden(vmID string) {
	id, err := armid.ParseVM(vmID)
	if err != nil {
		return // no rule can match an id that is not a Compute VM
	}
	group := groupOf(id.Subscription, id.ResourceGroup)
	f.hidden[group] = true
	f.addHome(group, id.Name())
}

func (f *inventory) addHome(group resourceGroup, name string) {
	key := [2]string{group.name, strings.ToLower(name)}
	if home, there := f.homes[key]; there && home != group.subscription {
		f.homes[key] = several
		return
	}
	f.homes[key] = group.subscription
}

// hasNamesake reports whether another subscription has a VM of this name in a group of this name.
func (f *inventory) hasNamesake(group, name string) bool {
	return f.homes[[2]string{strings.ToLower(group), strings.ToLower(name)}] == several
}

// isWhole reports whether all of a subscription was read: only then are the VMs that were read all that exist.
func (f *inventory) isWhole(subscription string) bool {
	return !f.partly[""] && !f.partly[strings.ToLower(subscription)]
}
