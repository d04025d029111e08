package cli

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/azbackup/azbackup/config"
	"github.com/azbackup/azbackup/internal/report"
	"github.com/azbackup/azbackup/plan"
)

// findScope returns what a run for c has to read, and c with the subscriptions that its query found. Where c lists its
// subscriptions, it reads nothing. A shard of c narrows both results, and may have no subscription. known are
// subscriptions of an earlier run: each that the search does not find is read by its id, because Azure lists fewer
// where the identity has lost a role. No subscription in any shard is an error.
func (a *app) findScope(ctx context.Context, s *session, c *config.Config, known ...string) (*config.Config, plan.Scope, error) {
	search := plan.SearchOf(c)
	if search == nil {
		scope := plan.ScopeOf(c)
		a.reportShard(c.Shard, len(scope.Subscriptions))
		return c, scope, nil
	}
	search.Named = append(search.Named, known...)
	found, err := s.FindSubscriptions(ctx, *search)
	if err != nil {
		return nil, plan.Scope{}, err
	}
	choice := plan.ChooseSubscriptions(c, found)
	if len(choice.Chosen)+choice.OtherShards+len(choice.Gaps) == 0 {
		return nil, plan.Scope{}, withHint(errors.New("no subscription was found: "+describeLeftOut(choice.LeftOut)),
			"the identity sees the subscriptions in which it, or a group of it, has a role")
	}
	a.reportSubscriptions(c.SubscriptionQuery, choice)
	a.reportShard(c.Shard, len(choice.Chosen))
	ids := make([]string, len(choice.Chosen))
	for i, sub := range choice.Chosen {
		ids[i] = strings.ToLower(sub.ID)
	}
	c = c.WithSubscriptions(ids)
	scope := plan.ScopeOf(c)
	found.Gaps = choice.Gaps
	scope.Found, scope.IsEmptyShard = &found, len(choice.Chosen) == 0 && choice.OtherShards > 0
	return c, scope, nil
}

// reportSubscriptions prints how many subscriptions were found, and from where; with -v also which, and why others are
// left out.
func (a *app) reportSubscriptions(q *config.SubscriptionQuery, choice plan.ChosenSubscriptions) {
	from := "of all that the identity sees"
	if groups := q.ManagementGroups; len(groups) > 0 {
		from = "below " + strings.Join(groups, ", ")
	}
	a.log.Info(oneLine(report.FormatCount(len(choice.Chosen)+choice.OtherShards, "subscription")+" "+from+"; left out: "+describeLeftOut(choice.LeftOut)),
		"subscriptions", len(choice.Chosen), "left_out", len(choice.LeftOut))
	for _, sub := range choice.Chosen {
		a.log.Debug(oneLine("subscription "+describeSubscription(sub)), "subscription", sub.ID, "name", sub.Name)
	}
	for _, sub := range choice.LeftOut {
		a.log.Debug(oneLine("subscription "+describeSubscription(sub.Subscription)+" is left out: "+sub.Why), "subscription", sub.ID, "name", sub.Name, "why", sub.Why)
	}
}

// reportShard prints how many of the subscriptions are in the shard of the run.
func (a *app) reportShard(shard config.Shard, n int) {
	if !shard.IsAll() {
		a.log.Info("shard "+shard.String()+": "+report.FormatCount(n, "subscription"), "shard", shard, "subscriptions", n)
	}
}

func describeSubscription(s plan.Subscription) string { return strings.TrimSpace(s.Name + " " + s.ID) }

// describeLeftOut counts subscriptions by the reason why they are left out: "3 (2 except sandbox-*, 1 state Disabled)".
func describeLeftOut(all []plan.LeftOutSubscription) string {
	if len(all) == 0 {
		return "none"
	}
	counts := map[string]int{}
	var order []string
	for _, s := range all {
		if counts[s.Why]++; counts[s.Why] == 1 {
			order = append(order, s.Why)
		}
	}
	slices.Sort(order)
	words := make([]string, len(order))
	for i, why := range order {
		words[i] = fmt.Sprintf("%d %s", counts[why], why)
	}
	return fmt.Sprintf("%d (%s)", len(all), strings.Join(words, ", "))
}
