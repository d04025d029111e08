package plan

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"slices"

	"github.com/azbackup/azbackup/config"
)

// ConfigHash returns "sha256:…" over the content of the config, without file names, positions, the shard, and what a query
// or a match found: a plan made from a copy of the file is still from the same config.
func ConfigHash(c *config.Config) string {
	said := struct {
		Cloud         config.Cloud
		Tenant        string
		Subscriptions []string
		Query         *config.SubscriptionQuery `json:",omitempty"`
		Vaults        []config.Vault
		VaultMatches  []config.Vault `json:",omitempty"`
		Policies      []config.Policy
		Rules         []config.Rule
		Settings      config.Settings
		RestoreTests  []config.RestoreTest `json:",omitempty"`
	}{
		c.Cloud, c.Tenant, c.Subscriptions, c.SubscriptionQuery,
		withoutJoined(c.Vaults), slices.Clone(c.VaultMatches), slices.Clone(c.Policies), slices.Clone(c.Rules), c.Settings,
		slices.Clone(c.RestoreTests),
	}
	if c.SubscriptionQuery != nil {
		said.Subscriptions = nil // what is found differs from day to day, what the file says does not
	}
	for i := range said.Vaults {
		said.Vaults[i].Pos = config.Position{}
	}
	for i := range said.VaultMatches {
		said.VaultMatches[i].Pos = config.Position{}
	}
	for i := range said.Policies {
		said.Policies[i].Pos = config.Position{}
	}
	for i := range said.Rules {
		r := &said.Rules[i]
		r.Pos = config.Position{}
		r.Match, r.Except = withoutPositions(r.Match), withoutPositions(r.Except)
	}
	for i := range said.RestoreTests {
		t := &said.RestoreTests[i]
		t.Pos = config.Position{}
		t.Match, t.Except = withoutPositions(t.Match), withoutPositions(t.Except)
	}
	b, err := json.Marshal(said)
	if err != nil {
		return "" // plain data always marshals
	}
	sum := sha256.Sum256(b)
	return "sha256:" + hex.EncodeToString(sum[:])
}

// ShardOf returns the shard of c; nil where a run works in all subscriptions.
func ShardOf(c *config.Config) *config.Shard {
	if c.Shard.IsAll() {
		return nil
	}
	s := c.Shard
	return &s
}

// withoutJoined leaves out the vaults that a match of the file found: the file does not name them.
func withoutJoined(vaults []config.Vault) []config.Vault {
	said := slices.DeleteFunc(slices.Clone(vaults), func(v config.Vault) bool { return v.Joined })
	if len(said) == 0 {
		return nil
	}
	return said
}

func withoutPositions(selectors []config.Selector) []config.Selector {
	out := slices.Clone(selectors)
	for i := range out {
		out[i].Pos = config.Position{}
	}
	return out
}

// ForCloud returns a plan of restores with the cloud that it is for. Such a plan has no [Plan.Config]: it depends on
// nothing else of the file.
func (p Plan) ForCloud(c config.Cloud) Plan {
	p.Cloud = cloudName(c)
	return p
}

// Unmade returns a plan without content for a run that ended before it made one: only the shard, the config and the cloud
// that it would have been made for.
func Unmade(c *config.Config) Plan {
	return Plan{Shard: ShardOf(c), Config: ConfigHash(c), Cloud: cloudName(c.Cloud)}
}

// cloudName returns the name of the cloud that a plan is for.
func cloudName(c config.Cloud) string { return cmp.Or(c.Name, c.Endpoint, "AzurePublic") }
