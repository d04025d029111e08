package report

import (
	"iter"
	"strings"

	"github.com/azbackup/azbackup/internal/armid"
	"github.com/azbackup/azbackup/internal/audit"
	"github.com/azbackup/azbackup/plan"
)

// namesakes adds the subscription to the names that resources of several subscriptions share: its display name, or its id
// where no display name is known or several subscriptions share it.
type namesakes struct {
	subscriptions map[string]string // display names, by folded id
	ambiguous     map[string]bool   // display names of several subscriptions, folded
	shared        map[string]bool   // names that resources of several subscriptions have, folded
	policies      map[string]bool   // names that policies of several vaults have, folded
}

// namesakesOf finds the names that targets of several subscriptions share.
func namesakesOf(subscriptions map[string]string, changes ...[]plan.Change) namesakes {
	return namesakesOfIDs(subscriptions, func(yield func(string) bool) {
		for _, list := range changes {
			for i := range list {
				if !yield(list[i].Target) {
					return
				}
			}
		}
	})
}

// namesakesOfIDs is namesakesOf for any ids. It iterates a second time where they are of several subscriptions.
func namesakesOfIDs(subscriptions map[string]string, ids iter.Seq[string]) namesakes {
	n := namesakes{subscriptions: subscriptions, ambiguous: map[string]bool{}, shared: map[string]bool{}, policies: map[string]bool{}}
	seen := map[string]bool{}
	for _, name := range subscriptions {
		name = plan.FoldName(name)
		n.ambiguous[name] = seen[name]
		seen[name] = true
	}
	vaults := map[string]string{}
	for id := range ids {
		vault, name, ok := cutPolicy(id)
		if name = strings.ToLower(name); !ok {
			continue
		}
		if other, seen := vaults[name]; seen && !armid.Same(other, vault) {
			n.policies[name] = true
		}
		vaults[name] = vault
	}
	if !areOfSeveralSubscriptions(ids) {
		return n
	}
	first := map[string]string{}
	for id := range ids {
		name, subscription := strings.ToLower(displayName(id)), armid.SubscriptionOf(id)
		if other, seen := first[name]; seen && !strings.EqualFold(other, subscription) {
			n.shared[name] = true
		}
		first[name] = subscription
	}
	return n
}

func areOfSeveralSubscriptions(ids iter.Seq[string]) bool {
	first := ""
	for id := range ids {
		switch subscription := armid.SubscriptionOf(id); {
		case first == "":
			first = subscription
		case subscription != "" && !strings.EqualFold(first, subscription):
			return true
		}
	}
	return false
}

// Namer returns a function that names resources for people: with the subscription where others among the ids share its
// name. The display names of the subscriptions are by folded id; what it returns is safe to print.
func Namer(subscriptions map[string]string, ids iter.Seq[string]) func(id string) string {
	n := namesakesOfIDs(subscriptions, ids)
	return func(id string) string { return Line(n.placedName(id)) }
}

// cutPolicy returns the vault and the name of a policy; false for the ids of anything else.
func cutPolicy(id string) (vault, name string, ok bool) {
	parent, name := armid.CutName(id)
	vault, kind := armid.CutName(parent)
	return vault, name, strings.EqualFold(kind, "backupPolicies")
}

// namesakesOfAudit finds the names that the ids share among the subscriptions of an audit.
func namesakesOfAudit(r audit.Result, ids iter.Seq[string]) namesakes {
	if len(r.Scope.Subscriptions) < 2 {
		return namesakes{}
	}
	return namesakesOfIDs(displayNames(r), ids)
}

// displayNames returns the display names of the subscriptions of an audit, by folded id, as far as they were read.
func displayNames(r audit.Result) map[string]string {
	names := map[string]string{}
	for _, s := range r.Scope.Subscriptions {
		if s.Name != "" {
			names[strings.ToLower(s.ID)] = s.Name
		}
	}
	return names
}

// idsOfVMs and idsOfComparison are what the names of an audit are compared among.
func idsOfVMs(r audit.Result) iter.Seq[string] {
	return func(yield func(string) bool) {
		for i := range r.VMs {
			if !yield(r.VMs[i].ID) {
				return
			}
		}
	}
}

func idsOfComparison(c *audit.Comparison) iter.Seq[string] {
	return func(yield func(string) bool) {
		if c == nil {
			return
		}
		for _, list := range [][]audit.Change{c.Unprotected, c.Protected, c.BecameUnknown, c.Added, c.Removed} {
			for i := range list {
				if !yield(list[i].ID) {
					return
				}
			}
		}
	}
}

// name returns the name of a resource for people, with its subscription where others share it.
func (n namesakes) name(id string) string {
	name := displayName(id)
	if subscription := armid.SubscriptionOf(id); subscription != "" && n.shared[strings.ToLower(name)] {
		return n.label(subscription) + "/" + name
	}
	return name
}

// placedName is name for lists above which no vault stands: there a policy whose name several vaults have carries its vault.
func (n namesakes) placedName(id string) string {
	vault, name, ok := cutPolicy(id)
	if !ok || !n.policies[strings.ToLower(name)] {
		return n.name(id)
	}
	name = displayName(vault) + "/" + name
	if subscription := armid.SubscriptionOf(id); n.shared[strings.ToLower(displayName(id))] {
		return n.label(subscription) + "/" + name
	}
	return name
}

// label returns the shortest text that tells a subscription from the others.
func (n namesakes) label(subscription string) string {
	switch name := n.subscriptions[strings.ToLower(subscription)]; {
	case name == "":
		return subscription
	case n.ambiguous[plan.FoldName(name)]:
		return name + " " + subscription
	default:
		return name
	}
}

// describe names a subscription: its name and its id, or what there is.
func (n namesakes) describe(subscription string) string {
	return plan.DescribeSubscription(n.subscriptions[strings.ToLower(subscription)], subscription)
}

// gapPlace returns what a gap concerns, with the subscription where its display name is known.
func (n namesakes) gapPlace(g plan.Gap) string {
	place := describeGapPlace(g)
	subscription := g.Subscription
	for _, id := range []string{g.Vault, g.Target} {
		if s := armid.SubscriptionOf(id); s != "" {
			subscription = s
		}
	}
	if n.subscriptions[strings.ToLower(subscription)] == "" || g.SubscriptionName != "" {
		return place
	}
	if strings.Contains(strings.ToLower(place), strings.ToLower(subscription)) {
		return n.describe(subscription) + strings.TrimPrefix(place, subscription)
	}
	return place + " (" + n.label(subscription) + ")"
}
