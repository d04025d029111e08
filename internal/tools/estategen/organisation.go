package main

import (
	"fmt"
	"iter"
	"strings"
)

// An organisation has its subscriptions below management groups. Of the last three one is disabled, and in two the
// identity may list neither machines nor vaults.
const (
	disabledFromEnd   = 3
	unreadableFromEnd = 2
)

func managementGroups() []string { return []string{"mg-platform", "mg-landing-zones", "mg-acquired"} }

// isUnreadable reports whether the identity sees nothing of what is in the i-th subscription.
func (f *fleet) isUnreadable(i int) bool {
	return f.organisation && i >= len(f.subscriptions)-unreadableFromEnd
}

func (f *fleet) stateOf(i int) string {
	if f.organisation && i == len(f.subscriptions)-disabledFromEnd {
		return "Disabled"
	}
	return "Enabled"
}

func displayName(i int) string { return fmt.Sprintf("Fleet %d", i+1) }

func (f *fleet) managementGroupBodies() iter.Seq[body] {
	return func(yield func(body) bool) {
		if !f.organisation {
			return
		}
		groups := managementGroups()
		for g, name := range groups {
			var below []body
			for i, s := range f.subscriptions {
				if i%len(groups) == g {
					below = append(below, body{
						"id": "/subscriptions/" + s, "name": s, "type": "Microsoft.Management/managementGroups/subscriptions",
						"properties": body{"displayName": displayName(i), "parent": body{"id": "/providers/Microsoft.Management/managementGroups/" + name}},
					})
				}
			}
			if !yield(body{"id": "/providers/Microsoft.Management/managementGroups/" + name, "name": name, "descendants": below}) {
				return
			}
		}
	}
}

// scope returns the subscriptions and vaults of the config of an organisation: found, not listed.
func (f *fleet) scope() string {
	return "subscriptions: {managementGroups: [" + strings.Join(managementGroups(), ", ") + "]}\n\nvaults:\n" +
		"  - match: {names: [rsv-weu-*, rsv-neu-*, rsv-frc-*]}\n    manage: true\n    softDeleteDays: 14\n"
}

// refusedBodies returns the answers to lists of what is in a subscription that is unreadable.
func (f *fleet) refusedBodies() iter.Seq[body] {
	return func(yield func(body) bool) {
		for i, s := range f.subscriptions {
			if !f.isUnreadable(i) {
				continue
			}
			for _, kind := range []string{"Microsoft.Compute/virtualMachines", "Microsoft.RecoveryServices/vaults"} {
				if !yield(body{
					"method": "GET", "path": "/subscriptions/" + s + "/providers/" + kind, "status": 403,
					"body": body{"error": body{"code": "AuthorizationFailed", "message": "The client does not have authorization to perform the action over the scope."}},
				}) {
					return
				}
			}
		}
	}
}
