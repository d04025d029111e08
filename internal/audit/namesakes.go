package audit

import (
	"strings"

	"github.com/azbackup/azbackup/internal/armid"
	"github.com/azbackup/azbackup/plan"
)

// tellApart adds the display name of the subscription to the name in front of a finding's message, where resources of
// several subscriptions share that name. It replaces what an earlier call added, so that it can be called again for the
// merged findings of several audits.
func tellApart(findings []Finding, subscriptions []Subscription) {
	if len(subscriptions) < 2 {
		return
	}
	count := map[string]int{}
	for _, s := range subscriptions {
		count[plan.FoldName(s.Name)]++
	}
	names := map[string]string{}
	for _, s := range subscriptions {
		switch {
		case s.Name == "":
			names[strings.ToLower(s.ID)] = " (" + s.ID + ")"
		case count[plan.FoldName(s.Name)] > 1:
			names[strings.ToLower(s.ID)] = " (" + s.Name + " " + s.ID + ")"
		default:
			names[strings.ToLower(s.ID)] = " (" + s.Name + ")"
		}
	}
	first, shared := map[string]string{}, map[string]bool{}
	for i := range findings {
		f := &findings[i]
		subscription := strings.ToLower(armid.SubscriptionOf(f.Target))
		who, what, ok := strings.Cut(f.Message, ": ")
		if !ok || names[subscription] == "" {
			continue
		}
		who = strings.TrimSuffix(who, names[subscription])
		f.Message = who + ": " + what
		if other, seen := first[who]; seen && other != subscription {
			shared[who] = true
		}
		first[who] = subscription
	}
	for i := range findings {
		f := &findings[i]
		who, what, ok := strings.Cut(f.Message, ": ")
		if ok && shared[who] {
			f.Message = who + names[strings.ToLower(armid.SubscriptionOf(f.Target))] + ": " + what
		}
	}
}
