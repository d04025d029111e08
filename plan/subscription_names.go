package plan

import (
	"cmp"
	"strings"

	"github.com/azbackup/azbackup/internal/armid"
)

// DescribeSubscription returns what a subscription is called for people: its display name and its id, or the id alone where
// no name is known.
func DescribeSubscription(name, id string) string {
	if name == "" {
		return id
	}
	return name + " (" + id + ")"
}

// DisplayNames returns the display names of the subscriptions, by folded id, as far as they were read.
func (o Observed) DisplayNames() map[string]string {
	names := make(map[string]string, len(o.Subscriptions))
	for _, s := range o.Subscriptions {
		if s.Name != "" {
			names[strings.ToLower(s.ID)] = s.Name
		}
	}
	return names
}

// FoldName returns what display names have in common that people take for one: neither case nor white space tells them apart.
func FoldName(name string) string { return strings.ToLower(strings.Join(strings.Fields(name), " ")) }

// subscriptionText describes a subscription, with its name where the file has several.
func (pl *planner) subscriptionText(id string) string {
	return DescribeSubscription(pl.names[strings.ToLower(id)], id)
}

// vaultText names a vault, with its subscription where the file has several: vaults of one name are the rule there.
func (pl *planner) vaultText(id string) string {
	subscription := armid.SubscriptionOf(id)
	if pl.names[strings.ToLower(subscription)] == "" {
		return lastName(id)
	}
	return lastName(id) + " in subscription " + pl.subscriptionText(subscription)
}

// SubscriptionNames returns the display names of the subscriptions of changes and gaps, by folded id, as far as they were
// read; nil where no name is known.
func SubscriptionNames(o Observed, changes []Change, gaps []Gap) map[string]string {
	if len(o.Subscriptions) == 0 {
		return nil
	}
	all, names := o.DisplayNames(), map[string]string{}
	add := func(id string) {
		if id = strings.ToLower(id); all[id] != "" {
			names[id] = all[id]
		}
	}
	for i := range changes {
		add(armid.SubscriptionOf(changes[i].Target))
	}
	for _, g := range gaps {
		add(cmp.Or(g.Subscription, armid.SubscriptionOf(cmp.Or(g.Vault, g.Target))))
	}
	if len(names) == 0 {
		return nil // as after a round trip through JSON
	}
	return names
}
