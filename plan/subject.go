package plan

import (
	"cmp"
	"slices"
	"strings"

	"github.com/azbackup/azbackup/config"
	"github.com/azbackup/azbackup/internal/armid"
)

// subject is one VM that the plan has something to say about: it was read, a rule names its id, or an item
// backs it up.
type subject struct {
	key     armid.Key
	id      string
	vm      *VM // nil = not read
	missing bool
	rule    *config.Rule
	ruleNo  int
	items   []*Item

	involved []armid.Key // vaults that the decision is about, for [Only]
}

// subjects lists every VM, by key.
func (m *maker) subjects() []*subject {
	named := map[armid.Key]int{}
	for i := range m.config.Rules {
		if id := m.config.Rules[i].ID; id != "" {
			if k := armid.Of(id); k != "" && !has(named, k) {
				named[k] = i
			}
		}
	}
	keys := make([]armid.Key, 0, len(m.index.machines)+len(named))
	for k := range m.index.machines {
		if k != "" {
			keys = append(keys, k)
		}
	}
	for k := range named {
		if m.index.machines[k] == nil {
			keys = append(keys, k)
		}
	}
	slices.Sort(keys)
	all := make([]subject, len(keys)) // in one piece: there are many
	out := make([]*subject, len(keys))
	for i, k := range keys {
		rule, isNamed := named[k]
		if !isNamed {
			rule = -1
		}
		all[i] = m.subject(k, rule)
		out[i] = &all[i]
	}
	return out
}

func has[K comparable, V any](m map[K]V, k K) bool {
	_, there := m[k]
	return there
}

// subject is one VM; named is the rule that names its id, or -1.
func (m *maker) subject(k armid.Key, named int) subject {
	var at machine
	if known := m.index.machines[k]; known != nil {
		at = *known
	}
	s := subject{key: k, vm: at.vm, items: at.items}
	if s.vm != nil {
		s.id = s.vm.ID
		if i, ok := m.config.Match(s.vm.Target()); ok {
			s.setRule(m.config, i)
		}
		return s
	}
	s.missing = m.index.missing[k]
	if named >= 0 {
		s.setRule(m.config, named)
	}
	s.id = s.spelling(at.unread)
	return s
}

// target is the VM as rules see it; of one that was not read what its id says.
func (s *subject) target() config.Target {
	if s.vm != nil {
		return s.vm.Target()
	}
	return targetOf(s.id)
}

func (s *subject) setRule(c *config.Config, i int) { s.ruleNo, s.rule = i, &c.Rules[i] }

// spelling is the id of a VM that was not read, as its rule, the list or its first item spells it.
func (s *subject) spelling(unread *VM) string {
	switch {
	case s.rule != nil && s.rule.ID != "":
		return s.rule.ID
	case unread != nil:
		return unread.ID
	}
	return s.items[0].VM
}

// targetOf is what an id alone says about a VM.
func targetOf(id string) config.Target {
	t := config.Target{ID: id, Name: lastName(id), Subscription: armid.SubscriptionOf(id)}
	if vm, err := armid.ParseVM(id); err == nil {
		t.ResourceGroup = vm.ResourceGroup
	}
	return t
}

// activeVaults lists the vaults where the VM was seen active.
func (s *subject) activeVaults() []string {
	var out []string
	for _, it := range s.items {
		if it.Class() == ItemActive {
			out = append(out, it.Vault)
		}
	}
	return out
}

// place is the item that decides about a VM, and where it is.
type place struct {
	item   *Item
	class  ItemClass
	vault  *vaultPlan // of the file, nil elsewhere
	here   bool       // in a vault that the rule may use
	others []*Item
}

// locate picks the item that decides: the active one, else what is stopped here, else what is soft-deleted
// here, else what is left elsewhere. A state that is not known is never passed over for a lesser one.
func (m *maker) locate(s *subject, here func(*vaultPlan) bool) place {
	var best place
	for _, it := range s.items {
		p := place{item: it, class: it.Class(), vault: m.vaults[m.index.key(it.Vault)]}
		p.here = p.vault != nil && here(p.vault)
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

// compare orders places by how much they decide; among equals the newer data, then the id.
func (p place) compare(q place) int {
	return cmp.Or(
		cmp.Compare(p.rank(), q.rank()),
		q.item.LastRecoveryPoint.Compare(p.item.LastRecoveryPoint),
		q.item.DeletedAt.Compare(p.item.DeletedAt),
		compareIDs(p.item.Vault, q.item.Vault), compareIDs(p.item.ID, q.item.ID),
	)
}

func (p place) rank() int {
	switch {
	case p.class == ItemActive && p.here:
		return 0
	case p.class == ItemActive:
		return 1
	case p.class == ItemUnknown:
		return 2
	case (p.class == ItemStopped || p.class == ItemSuspended) && p.here:
		return 3
	case p.class == ItemSoftDeleted && p.here:
		return 4
	case p.class == ItemStopped || p.class == ItemSuspended:
		return 5
	}
	return 6
}

// noteOthers says what else is kept of the VM.
func (m *maker) noteOthers(others []*Item) []string {
	var notes []string
	for _, it := range others {
		notes = append(notes, "also "+m.describe(it))
	}
	slices.SortFunc(notes, strings.Compare)
	return notes
}

// describe says in words what an item is and where.
func (m *maker) describe(it *Item) string {
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
		return strings.TrimSuffix("soft-deleted"+in+", "+m.daysLeft(it), ", ")
	case ItemUnknown, NoItem:
	}
	return "in state " + cmp.Or(it.State, "unknown") + in
}

// daysLeft says how long a soft-deleted item can still be recovered.
func (m *maker) daysLeft(it *Item) string {
	if it.PurgeAt.IsZero() || m.opt.Now.IsZero() {
		return ""
	}
	days := int(it.PurgeAt.Sub(m.opt.Now).Hours() / 24)
	if days < 0 {
		return "past its time"
	}
	return count(days, "day") + " left"
}
