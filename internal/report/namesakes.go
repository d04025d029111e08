package report

import (
	"strings"

	"github.com/azbackup/azbackup/internal/armid"
	"github.com/azbackup/azbackup/plan"
)

// namesakes tells resources of one name in several subscriptions apart, by the subscriptions' display names.
type namesakes struct {
	subscriptions map[string]string // display names, by folded id
	shared        map[string]bool   // names that resources of several subscriptions have, folded
}

// namesakesOf finds the names that targets of several subscriptions share. Where no display names are known there are none.
func namesakesOf(subscriptions map[string]string, changes ...[]plan.Change) namesakes {
	n := namesakes{subscriptions: subscriptions, shared: map[string]bool{}}
	if len(subscriptions) < 2 {
		return n
	}
	first := map[string]string{}
	for _, list := range changes {
		for _, c := range list {
			name, subscription := strings.ToLower(displayName(c.Target)), strings.ToLower(armid.SubscriptionOf(c.Target))
			if other, seen := first[name]; seen && other != subscription {
				n.shared[name] = true
			}
			first[name] = subscription
		}
	}
	return n
}

// name is a resource for people: with its subscription where others share its name.
func (n namesakes) name(id string) string {
	name := displayName(id)
	if subscription := n.subscriptions[strings.ToLower(armid.SubscriptionOf(id))]; subscription != "" && n.shared[strings.ToLower(name)] {
		return subscription + "/" + name
	}
	return name
}

// describe names a subscription: its name and its id, or what there is.
func (n namesakes) describe(subscription string) string {
	if name := n.subscriptions[strings.ToLower(subscription)]; name != "" {
		return name + " (" + subscription + ")"
	}
	return subscription
}
