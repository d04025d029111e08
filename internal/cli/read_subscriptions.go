package cli

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/azbackup/azbackup/internal/armid"
	"github.com/azbackup/azbackup/internal/report"
	"github.com/azbackup/azbackup/plan"
)

// maxSubscriptionLines is the highest number of lines about subscriptions on a terminal.
const maxSubscriptionLines = 10

// readSubscription counts what was read of a subscription.
type readSubscription struct {
	plan.Subscription
	vms, vaults, items, gaps int
}

// countSubscriptions counts what was read, by subscription. Subscriptions with a gap come first, then by name.
func countSubscriptions(o plan.Observed, scope plan.Scope) []readSubscription {
	all, at := []readSubscription{}, map[string]int{}
	of := func(id string) *readSubscription {
		id = strings.ToLower(id)
		i, ok := at[id]
		if !ok {
			i = len(all)
			at[id] = i
			all = append(all, readSubscription{Subscription: plan.Subscription{ID: id}})
		}
		return &all[i]
	}
	for _, id := range scope.Subscriptions {
		of(id)
	}
	for i := range o.VMs {
		of(o.VMs[i].Subscription).vms++
	}
	for i := range o.Vaults {
		of(armid.SubscriptionOf(o.Vaults[i].ID)).vaults++
	}
	for i := range o.Items {
		of(armid.SubscriptionOf(o.Items[i].ID)).items++
	}
	for _, g := range o.Gaps {
		if id := cmp.Or(g.Subscription, armid.SubscriptionOf(cmp.Or(g.Vault, g.Target))); id != "" {
			s := of(id)
			s.gaps++
			s.Name = cmp.Or(s.Name, g.SubscriptionName)
		}
	}
	for _, s := range o.Subscriptions {
		if i, ok := at[strings.ToLower(s.ID)]; ok {
			all[i].Name = s.Name
		}
	}
	slices.SortFunc(all, func(a, b readSubscription) int {
		return cmp.Or(-cmp.Compare(min(a.gaps, 1), min(b.gaps, 1)), strings.Compare(strings.ToLower(a.Name), strings.ToLower(b.Name)), strings.Compare(a.ID, b.ID))
	})
	return all
}

// reportRead prints a line for each subscription where there are several; on a terminal [maxSubscriptionLines] at most,
// unless -v is given.
func (a *app) reportRead(o plan.Observed, scope plan.Scope) {
	a.recordGaps(o.Gaps)
	all := countSubscriptions(o, scope)
	if len(all) < 2 {
		return
	}
	most := len(all)
	if a.ErrTerminal && a.logFormat == logText && !a.verbose && most > maxSubscriptionLines {
		most = maxSubscriptionLines - 1
	}
	for _, s := range all[:most] {
		text := fmt.Sprintf("subscription %s: %s, %s, %s", describeSubscription(s.Subscription), report.FormatCount(s.vms, "VM"), report.FormatCount(s.vaults, "vault"), report.FormatCount(s.items, "protected item"))
		if s.gaps > 0 {
			text += ", " + report.FormatCount(s.gaps, "gap")
		}
		a.log.Info(oneLine(text), "event", "subscription-read", subscriptionKey, s.ID, "name", s.Name, "vms", s.vms, "vaults", s.vaults, "items", s.items, "gaps", s.gaps)
	}
	if most < len(all) {
		a.log.Info("and " + report.FormatCount(len(all)-most, "more subscription") + ": -v lists them")
	}
}

// warnOfGaps warns people of each gap, and of what follows from it, where the result has no place for gaps. Programs
// have a record of each already.
func (a *app) warnOfGaps(gaps []plan.Gap, then string) {
	if a.logFormat == logJSON {
		return
	}
	for _, g := range gaps {
		a.log.Warn("could not read " + report.DescribeGap(g) + ": " + then)
	}
}

// recordGaps writes a record per gap for programs. People find them in the result.
func (a *app) recordGaps(gaps []plan.Gap) {
	if a.logFormat != logJSON {
		return
	}
	for _, g := range gaps {
		a.log.Warn("could not read "+report.DescribeGap(g), known("event", "gap", "kind", string(g.Kind),
			subscriptionKey, cmp.Or(g.Subscription, armid.SubscriptionOf(cmp.Or(g.Vault, g.Target))), vaultKey, g.Vault, "target", g.Target,
			"code", g.Code, requestIDKey, g.RequestID)...)
	}
}
