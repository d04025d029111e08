package plan

import (
	"cmp"
	"slices"
	"strings"

	"github.com/azbackup/azbackup/config"
	"github.com/azbackup/azbackup/internal/armid"
)

// vmState is one VM that the plan covers: it was read, a rule names its id, or an item backs it up.
type vmState struct {
	id        string
	vm        *VM // nil = not read
	isMissing bool
	rule      *config.Rule
	ruleIndex int
	items     []*Item

	vaults []armid.Key // vaults that the decision is about, for [TargetFilter]
}

// key returns the VM's key. It is computed when needed and not stored: few VMs need it, and the keys of all would take a
// good part of the memory of a large plan.
func (s *vmState) key() armid.Key { return armid.Of(s.id) }

// vmStates returns the states of all VMs, sorted by key. Rules are matched once for all rounds of a plan.
func (pl *planner) vmStates() []*vmState {
	all := pl.index.states
	if all == nil {
		all = pl.matchVMs()
		pl.index.states = all
	}
	out := make([]*vmState, len(all))
	for i := range all {
		all[i].vaults = nil
		out[i] = &all[i]
	}
	return out
}

// matchVMs returns the states of all VMs, sorted by key.
func (pl *planner) matchVMs() []vmState {
	named := map[armid.Key]int{}
	for i := range pl.config.Rules {
		if id := pl.config.Rules[i].ID; id != "" && pl.config.Owns(armid.SubscriptionOf(id)) {
			if k := armid.Of(id); k != "" && !has(named, k) {
				named[k] = i
			}
		}
	}
	ids := make([]string, 0, len(pl.index.machines)+len(named))
	for i := range pl.index.machines {
		if id := pl.index.machineIDs.ID(i); !armid.Same(id, "") {
			ids = append(ids, id)
		}
	}
	for _, rule := range named {
		if id := pl.config.Rules[rule].ID; pl.index.findMachine(id) == nil {
			ids = append(ids, id)
		}
	}
	slices.SortFunc(ids, armid.Compare)
	all := make([]vmState, len(ids)) // one allocation, because there are many
	for i, id := range ids {
		rule, isNamed := armid.Get(named, id)
		if !isNamed {
			rule = -1
		}
		all[i] = pl.subject(id, rule)
	}
	return all
}

func has[K comparable, V any](m map[K]V, k K) bool {
	_, there := m[k]
	return there
}

// subject returns the state of the VM with an id; named is the rule that names it, or -1.
func (pl *planner) subject(id string, named int) vmState {
	var at machine
	if known := pl.index.findMachine(id); known != nil {
		at = *known
	}
	s := vmState{vm: at.vm, items: at.items}
	if s.vm != nil {
		s.id = s.vm.ID
		if i, ok := pl.config.Match(s.vm.Target()); ok {
			s.setRule(pl.config, i)
		}
		return s
	}
	s.isMissing, _ = armid.Get(pl.index.missing, id)
	if named >= 0 {
		s.setRule(pl.config, named)
	}
	s.id = s.displayID(at.unread)
	return s
}

// target returns the VM as rules see it; for a VM that was not read, what its id contains.
func (s *vmState) target() config.Target {
	if s.vm != nil {
		return s.vm.Target()
	}
	return targetOf(s.id)
}

func (s *vmState) setRule(c *config.Config, i int) { s.ruleIndex, s.rule = i, &c.Rules[i] }

// displayID returns the id of a VM that was not read, as its rule, the list or its first item spells it.
func (s *vmState) displayID(unread *VM) string {
	switch {
	case s.rule != nil && s.rule.ID != "":
		return s.rule.ID
	case unread != nil:
		return unread.ID
	}
	return s.items[0].VM
}

// targetOf returns the properties that an id alone contains.
func targetOf(id string) config.Target {
	t := config.Target{ID: id, Name: lastName(id), Subscription: armid.SubscriptionOf(id)}
	if vm, err := armid.ParseVM(id); err == nil {
		t.ResourceGroup = vm.ResourceGroup
	}
	return t
}

// activeVaults lists the vaults where the VM was seen active.
func (s *vmState) activeVaults() []string {
	var out []string
	for _, it := range s.items {
		if it.Class() == ItemActive {
			out = append(out, it.Vault)
		}
	}
	return out
}

// itemLocation is the item that decides about a VM, and where it is.
type itemLocation struct {
	item        *Item
	class       ItemClass
	vault       *vaultPlan // vault of the file, nil for other vaults
	isCandidate bool       // in a vault that the rule may use
	others      []*Item
}

// selectItem picks the item that decides: the active one, else one stopped here, else one soft-deleted here, else one
// elsewhere. An item in an unknown state is never passed over for a lesser one.
func (pl *planner) selectItem(s *vmState, here func(*vaultPlan) bool) itemLocation {
	var best itemLocation
	for _, it := range s.items {
		p := itemLocation{item: it, class: it.Class(), vault: pl.vaults[pl.index.key(it.Vault)]}
		p.isCandidate = p.vault != nil && here(p.vault)
		if best.item == nil || p.compare(best) < 0 {
			best = p
		}
	}
	for _, it := range s.items {
		if it != best.item {
			best.others = append(best.others, it)
		}
	}
	return best
}

// compare orders locations by precedence; among equals the newer data comes first, then the id.
func (p itemLocation) compare(q itemLocation) int {
	return cmp.Or(
		cmp.Compare(p.rank(), q.rank()),
		q.item.LastRecoveryPoint.Compare(p.item.LastRecoveryPoint),
		q.item.DeletedAt.Compare(p.item.DeletedAt),
		compareIDs(p.item.Vault, q.item.Vault), compareIDs(p.item.ID, q.item.ID),
	)
}

func (p itemLocation) rank() int {
	isActive, isPaused := p.class == ItemActive, p.class == ItemStopped || p.class == ItemSuspended
	return slices.Index([]bool{
		isActive && p.isCandidate, isActive, p.class == ItemUnknown, isPaused && p.isCandidate,
		p.class == ItemSoftDeleted && p.isCandidate, isPaused, true,
	}, true)
}

// noteOthers describes the other items of the VM.
func (pl *planner) noteOthers(others []*Item) []string {
	var notes []string
	for _, it := range others {
		notes = append(notes, "also "+pl.describeItem(it))
	}
	slices.SortFunc(notes, strings.Compare)
	return notes
}

// describeItem returns the state of an item and the vault that it is in, in words.
func (pl *planner) describeItem(it *Item) string {
	in := " in vault " + lastName(it.Vault)
	if it.Unreadable != "" {
		return "not known" + in + ": " + it.Unreadable
	}
	switch it.Class() {
	case ItemActive:
		return "backed up" + in
	case ItemStopped:
		return "stopped" + in
	case ItemSuspended:
		return "suspended" + in
	case ItemSoftDeleted:
		return strings.TrimSuffix("soft-deleted"+in+", "+pl.daysLeft(it), ", ")
	case ItemUnknown, NoItem:
	}
	return "in state " + cmp.Or(it.State, "unknown") + in
}

// daysLeft describes how long a soft-deleted item can still be recovered.
func (pl *planner) daysLeft(it *Item) string {
	if it.PurgeAt.IsZero() || pl.opt.Now.IsZero() {
		return ""
	}
	days := int(it.PurgeAt.Sub(pl.opt.Now).Hours() / 24)
	if days < 0 {
		return "past its time"
	}
	return formatCount(days, "day") + " left"
}
