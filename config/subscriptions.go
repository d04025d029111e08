package config

import (
	"slices"
	"strings"

	"github.com/azbackup/azbackup/internal/armid"
)

// WithSubscriptions returns c with the ids of the subscriptions that its query found, compiled.
func (c *Config) WithSubscriptions(ids []string) *Config {
	found := *c
	found.Subscriptions = ids
	found.Compile()
	return &found
}

// NamedSubscriptions returns the ids of the subscriptions that the file names besides the list of them: those of its
// vaults and of the VMs of its rules, those of other shards excepted; folded, sorted, each once.
func (c *Config) NamedSubscriptions() []string {
	var ids []string
	for _, v := range c.Vaults {
		ids = append(ids, strings.ToLower(v.Subscription))
	}
	for i := range c.Rules {
		if id := c.Rules[i].ID; id != "" {
			ids = append(ids, strings.ToLower(armid.SubscriptionOf(id)))
		}
	}
	slices.Sort(ids)
	return slices.DeleteFunc(slices.Compact(ids), func(id string) bool { return id == "" || !c.Owns(id) })
}

// Excepts returns a function that returns the entry of `except` that leaves a subscription out, or "".
func (q *SubscriptionQuery) Excepts() func(id, displayName string) string {
	compiled := globs(q.Except, true)
	return func(id, displayName string) string {
		for i, g := range compiled {
			if g.match(strings.ToLower(displayName)) || strings.EqualFold(q.Except[i], id) {
				return q.Except[i]
			}
		}
		return ""
	}
}
