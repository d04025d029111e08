package plan

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/azbackup/azbackup/internal/armid"
)

// index is the observed state by key, without duplicates and sorted, so that the order in which it was read has no effect.
type index struct {
	*machineIndex
	vaults        map[armid.Key]*Vault
	policies      map[armid.Key]*Policy
	jobs          map[jobKey][]*Job
	missing       map[armid.Key]bool
	takenPolicies map[armid.Key]bool        // policies for other workloads than VMs
	points        map[armid.Key][]time.Time // by item
}

// machineIndex is the part of an index that depends on VMs, missing VMs and items alone. It is most of the index, and all
// rounds of one plan share it.
type machineIndex struct {
	vms           []VM
	items         []Item
	missingVMs    []string     // known not to exist
	machineIDs    *armid.Table // the numbers of machines
	machines      []machine
	vmsPerVault   map[armid.Key]int     // VMs in a vault; soft-deleted items do not count
	itemsPerVault map[armid.Key]int     // items in a vault, soft-deleted ones too
	itemsByPolicy map[armid.Key][]*Item // by policy
	foldedIDs     map[string]armid.Key  // vault and policy ids are repeated in every item
	states        []vmState             // nil before the first round ([planner.vmStates])
}

// machine is the observed state of one VM. A large estate has many VMs, so they are numbered and stored without keys.
type machine struct {
	vm     *VM // nil = not read, or unreadable
	unread *VM // unreadable: only its id is known
	items  []*Item
}

// jobKey joins a job to an item: both carry the container's name (docs/azure.md §0.4).
type jobKey struct {
	vault     armid.Key
	container string
}

// newIndex returns the index of o. It takes over last where that is of the same VMs and items; last may be nil.
func newIndex(o *Observed, last *machineIndex) *index {
	if !last.isOf(o) {
		last = newMachineIndex(o)
	}
	x := &index{
		machineIndex:  last,
		vaults:        make(map[armid.Key]*Vault, len(o.Vaults)),
		policies:      make(map[armid.Key]*Policy, len(o.Policies)),
		jobs:          make(map[jobKey][]*Job),
		missing:       make(map[armid.Key]bool),
		takenPolicies: make(map[armid.Key]bool),
		points:        make(map[armid.Key][]time.Time, len(o.Points)),
	}
	for i := range o.Vaults {
		dedupeByID(x.vaults, armid.Of(o.Vaults[i].ID), &o.Vaults[i], func(v *Vault) string { return v.ID })
	}
	for i := range o.Policies {
		dedupeByID(x.policies, armid.Of(o.Policies[i].ID), &o.Policies[i], func(p *Policy) string { return p.ID })
	}
	for _, id := range o.Missing {
		x.missing[armid.Of(id)] = true
	}
	for _, id := range o.Taken {
		x.takenPolicies[armid.Of(id)] = true
	}
	for _, p := range o.Points {
		x.points[armid.Of(p.Item)] = p.Times
	}
	for i := range o.Jobs {
		j := &o.Jobs[i]
		k := jobKey{x.key(j.Vault), containerKey(j.Container)}
		x.jobs[k] = append(x.jobs[k], j)
	}
	for _, jobs := range x.jobs {
		slices.SortFunc(jobs, func(a, b *Job) int { return cmp.Or(b.Start.Compare(a.Start), compareIDs(a.ID, b.ID)) })
	}
	return x
}

func newMachineIndex(o *Observed) *machineIndex {
	x := &machineIndex{
		vms: o.VMs, items: o.Items, missingVMs: o.Missing,
		machineIDs:    armid.NewTable(len(o.VMs)),
		machines:      make([]machine, 0, len(o.VMs)),
		vmsPerVault:   make(map[armid.Key]int),
		itemsPerVault: make(map[armid.Key]int),
		itemsByPolicy: make(map[armid.Key][]*Item),
		foldedIDs:     make(map[string]armid.Key),
	}
	for i := range o.VMs {
		x.addVM(&o.VMs[i])
	}
	x.addItems(o.Items)
	return x
}

// isOf reports whether x was made of the VMs, items and missing VMs of o. These lists are not changed after they were
// read, so it compares where they lie in memory.
func (x *machineIndex) isOf(o *Observed) bool {
	return x != nil && isSame(x.vms, o.VMs) && isSame(x.items, o.Items) && isSame(x.missingVMs, o.Missing)
}

// isSame reports whether two lists are the same list in memory.
func isSame[T any](a, b []T) bool { return len(a) == len(b) && (len(a) == 0 || &a[0] == &b[0]) }

// dedupeByID keeps, of two values with one key, the one whose id sorts first.
func dedupeByID[T any](m map[armid.Key]*T, k armid.Key, v *T, id func(*T) string) {
	if old, there := m[k]; !there || id(v) < id(old) {
		m[k] = v
	}
}

// machine returns the entry of an id, which it creates if necessary. It may be written until the next call.
func (x *machineIndex) machine(id string) *machine {
	i, isNew := x.machineIDs.Add(id)
	if isNew {
		x.machines = append(x.machines, machine{})
	}
	return &x.machines[i]
}

// findMachine returns the machine of an id, or nil.
func (x *machineIndex) findMachine(id string) *machine {
	i := x.machineIDs.Find(id)
	if i < 0 {
		return nil
	}
	return &x.machines[i]
}

func (x *machineIndex) addVM(vm *VM) {
	at := x.machine(vm.ID)
	slot := &at.vm
	if vm.Unreadable != "" {
		slot = &at.unread
	}
	if *slot == nil || vm.ID < (*slot).ID {
		*slot = vm
	}
}

func (x *machineIndex) addItems(items []Item) {
	for i := range items {
		at := x.machine(items[i].VM)
		at.items = append(at.items, &items[i])
	}
	for i := range x.machines {
		at := &x.machines[i]
		if len(at.items) > 1 {
			slices.SortFunc(at.items, compareItems)
			// A list that changed during paging contains an item twice.
			at.items = slices.CompactFunc(at.items, func(a, b *Item) bool {
				return x.key(a.Vault) == x.key(b.Vault) && armid.Same(a.ID, b.ID)
			})
		}
		for _, it := range at.items {
			v := x.key(it.Vault)
			x.itemsPerVault[v]++
			if !it.SoftDeleted {
				x.vmsPerVault[v]++
			}
			if it.PolicyID != "" {
				p := x.key(it.PolicyID)
				x.itemsByPolicy[p] = append(x.itemsByPolicy[p], it)
			}
		}
	}
}

// compareItems orders the items of one VM: by vault, then the more informative of two readings first.
func compareItems(a, b *Item) int {
	return cmp.Or(
		compareIDs(a.Vault, b.Vault), compareIDs(a.ID, b.ID),
		cmp.Compare(boolToInt(a.Unreadable != ""), boolToInt(b.Unreadable != "")), cmp.Compare(boolToInt(a.Partial), boolToInt(b.Partial)), b.LastRecoveryPoint.Compare(a.LastRecoveryPoint),
		strings.Compare(a.State, b.State), strings.Compare(a.PolicyID, b.PolicyID),
	)
}

func boolToInt(b bool) int {
	if b {
		return 1
	}
	return 0
}

// key returns the key of an id that is looked up often: each spelling is folded only once.
func (x *machineIndex) key(id string) armid.Key {
	if k, ok := x.foldedIDs[id]; ok {
		return k
	}
	k := armid.Of(id)
	x.foldedIDs[id] = k
	return k
}

// containerKey folds a container's name; ids and backupStatus put a prefix before it, items and jobs do not.
func containerKey(name string) string {
	return strings.TrimPrefix(string(armid.Of(name)), "iaasvmcontainer;")
}

// containerOf returns the container name of a VM, as the service builds it.
func containerOf(it *Item, vmID string) string {
	if it != nil && it.Container != "" {
		return containerKey(it.Container)
	}
	id, err := armid.ParseVM(vmID)
	if err != nil {
		return ""
	}
	return containerKey("iaasvmcontainerv2;" + id.ResourceGroup + ";" + id.Name())
}

// runningJob returns the job that runs on a VM's container in a vault, the one started last, or nil.
func (x *index) runningJob(vault armid.Key, container string) *Job {
	for _, j := range x.jobs[jobKey{vault, container}] {
		if j.IsRunning() {
			return j
		}
	}
	return nil
}
