package plan

import (
	"fmt"
	"slices"
	"strings"

	"github.com/azbackup/azbackup/config"
)

// SubscriptionSearch is what a search for subscriptions has to read. It is plain data made from the config alone.
type SubscriptionSearch struct {
	// ManagementGroups are the ids of management groups; none = all subscriptions that the identity sees.
	ManagementGroups []string
	// Named are the ids of subscriptions in which the file names a resource: each that no list shows is read by its id.
	Named []string
}

// SearchOf returns the search for the subscriptions of c, or nil where the file lists them.
func SearchOf(c *config.Config) *SubscriptionSearch {
	if c.SubscriptionQuery == nil {
		return nil
	}
	return &SubscriptionSearch{ManagementGroups: c.SubscriptionQuery.ManagementGroups, Named: c.NamedSubscriptions()}
}

// FoundSubscriptions is the result of a search.
type FoundSubscriptions struct {
	// Visible are all subscriptions that the identity sees, wanted or not.
	Visible []Subscription
	// Below are the ids of the subscriptions below the management groups; nil where the search names no group.
	Below []string
	// Home is the tenant of the identity, or "" where it is not known.
	Home string
	Gaps []Gap
}

// ChosenSubscriptions are the subscriptions that a run works in, and those that it leaves out.
type ChosenSubscriptions struct {
	Chosen  []Subscription
	LeftOut []LeftOutSubscription
	// Gaps are those of the search, and those of the choice.
	Gaps []Gap
	// OtherShards is the number of subscriptions that were chosen but are in other shards.
	OtherShards int
}

// LeftOutSubscription is a subscription in which nothing is read, with the reason.
type LeftOutSubscription struct {
	Subscription
	Why string
}

// The states in which a subscription is read and written (docs/azure.md §27).
const (
	subscriptionEnabled = "Enabled"
	subscriptionWarned  = "Warned"
)

// ChooseSubscriptions returns the subscriptions that the query of c wants, sorted by id. A subscription that the file
// names a resource in and that is left out is a gap, and so are fewer subscriptions than guards.minSubscriptions: ARM
// lists what the identity may read, so a lost role looks like a smaller estate. These are counted in all shards together,
// since each searches alike; what concerns one subscription of another shard is that shard's.
func ChooseSubscriptions(c *config.Config, found FoundSubscriptions) ChosenSubscriptions {
	out := ChosenSubscriptions{}
	why := leaveOut(c.SubscriptionQuery, found)
	named := map[string]bool{}
	for _, id := range c.NamedSubscriptions() {
		named[id] = true
	}
	except := c.SubscriptionQuery.Excepts()
	for _, g := range found.Gaps {
		if id := strings.ToLower(g.Subscription); id == "" || named[id] || except(id, "") == "" {
			out.Gaps = append(out.Gaps, g) // of the others nothing would be read
		}
	}
	visible := slices.Clone(found.Visible)
	slices.SortFunc(visible, func(a, b Subscription) int { return strings.Compare(strings.ToLower(a.ID), strings.ToLower(b.ID)) })
	// A list that changes between its pages has a subscription twice.
	visible = slices.CompactFunc(visible, func(a, b Subscription) bool { return strings.EqualFold(a.ID, b.ID) })
	for _, s := range visible {
		reason := why(s)
		if reason == "" {
			out.Chosen = append(out.Chosen, s)
			continue
		}
		out.LeftOut = append(out.LeftOut, LeftOutSubscription{s, reason})
		if named[strings.ToLower(s.ID)] {
			out.Gaps = append(out.Gaps, Gap{
				Kind: GapSubscription, Subscription: strings.ToLower(s.ID), Code: "SubscriptionLeftOut",
				Message: "the file names a resource in it, and it is left out: " + reason,
			})
		}
	}
	if least := c.Settings.Guards.MinSubscriptions; len(out.Chosen) < least {
		out.Gaps = append(out.Gaps, Gap{
			Kind: GapSubscription, Code: "FewerSubscriptionsThanExpected",
			Message: fmt.Sprintf("%d subscriptions were found, at least %d were expected", len(out.Chosen), least),
		})
	}
	out.keepTo(c)
	return out
}

// keepTo removes the chosen subscriptions and the gaps of other shards. LeftOut stays whole: every shard leaves the same
// subscriptions out.
func (s *ChosenSubscriptions) keepTo(c *config.Config) {
	all := len(s.Chosen)
	s.Chosen = slices.DeleteFunc(s.Chosen, func(s Subscription) bool { return !c.Owns(s.ID) })
	s.OtherShards = all - len(s.Chosen)
	s.Gaps = slices.DeleteFunc(s.Gaps, func(g Gap) bool { return g.Subscription != "" && !c.Owns(g.Subscription) })
}

// leaveOut returns a function that returns why a subscription is left out, or "".
func leaveOut(q *config.SubscriptionQuery, found FoundSubscriptions) func(Subscription) string {
	below := map[string]bool{}
	for _, id := range found.Below {
		below[strings.ToLower(id)] = true
	}
	outside := "below none of the management groups"
	if slices.ContainsFunc(found.Gaps, func(g Gap) bool { return g.Kind == GapManagementGroup }) {
		outside = "below no management group that was read"
	}
	except := q.Excepts()
	return func(s Subscription) string {
		switch entry := except(s.ID, s.Name); {
		case len(q.ManagementGroups) > 0 && !below[strings.ToLower(s.ID)]:
			return outside
		case entry != "":
			return "except " + entry
		case !q.Managed && s.isManaged(found.Home):
			return "managed for another tenant"
		case !strings.EqualFold(s.State, subscriptionEnabled) && !strings.EqualFold(s.State, subscriptionWarned):
			return "state " + s.stateOrUnknown()
		}
		return ""
	}
}

// isManaged reports whether the subscription belongs to another tenant than home. Where home or its own tenant is unknown
// it reports whether any tenant manages the subscription: one's own subscription seldom has such a tenant.
func (s Subscription) isManaged(home string) bool {
	if home == "" || s.Tenant == "" {
		return len(s.ManagedBy) > 0
	}
	return !strings.EqualFold(s.Tenant, home)
}

func (s Subscription) stateOrUnknown() string {
	if s.State == "" {
		return "unknown"
	}
	return s.State
}
