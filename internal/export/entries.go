package export

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/azbackup/azbackup/config"
	"github.com/azbackup/azbackup/internal/armid"
	"github.com/azbackup/azbackup/plan"
)

func (e *exporter) vaultEntries() []config.Vault {
	var out []config.Vault
	for _, key := range slices.Sorted(maps.Keys(e.vaults)) {
		v := e.vaults[key]
		entry, ok := e.vaultEntry(v)
		if !ok {
			e.addComment("no entry: vault %s has an id of an unknown form", v.ID)
			continue
		}
		if e.options.Manage {
			managed := entry
			e.manageVault(&managed, v)
			if _, why := e.reread([]config.Vault{managed}, nil); why != "" {
				e.addComment("not managed: vault %s: %s", v.ID, why)
			} else {
				entry = managed
			}
		}
		out = append(out, entry)
	}
	return out
}

// vaultEntry returns the entry of a vault that is not managed; false where its id has no known form.
func (e *exporter) vaultEntry(v *plan.Vault) (config.Vault, bool) {
	id, err := armid.ParseVault(v.ID)
	if err != nil {
		return config.Vault{}, false
	}
	entry := config.Vault{Name: v.Name, ResourceGroup: id.ResourceGroup, Location: armid.Location(v.Location), Subscription: id.Subscription}
	if len(e.config.Subscriptions) == 1 {
		entry.Subscription = "" // the only one that the file lists
	}
	return entry, true
}

// manageVault adds the settings that were read; a setting that was not read is not managed.
func (e *exporter) manageVault(entry *config.Vault, v *plan.Vault) {
	s := v.Settings
	entry.Manage = true
	entry.Redundancy = s.Redundancy
	if s.Redundancy != "" {
		entry.CrossRegionRestore = s.CrossRegionRestore
	}
	entry.SoftDeleteDays = s.SoftDeleteDays
	entry.Immutability = s.Immutability
	entry.PublicNetworkAccess = s.PublicNetworkAccess
	if len(s.Tags) > 0 {
		entry.Tags = maps.Clone(s.Tags)
	}
}

// policyEntries returns the policies that rules use; with Manage, all that exist.
func (e *exporter) policyEntries() []config.Policy {
	byName := map[string][]*plan.Policy{}
	for key, p := range e.policies {
		if e.usedPolicies[key] {
			byName[strings.ToLower(p.Name)] = append(byName[strings.ToLower(p.Name)], p)
		}
	}
	var out []config.Policy
	for _, name := range slices.Sorted(maps.Keys(byName)) {
		copies := byName[name]
		slices.SortFunc(copies, func(a, b *plan.Policy) int { return cmp.Compare(armid.Of(a.ID), armid.Of(b.ID)) })
		entry := config.Policy{Name: e.refs.policy(copies[0].Name)}
		for _, p := range copies {
			entry.Vaults = append(entry.Vaults, e.refs.vault(p.Vault))
		}
		if e.options.Manage {
			e.managePolicy(&entry, copies)
		}
		out = append(out, entry)
	}
	return out
}

func (e *exporter) managePolicy(entry *config.Policy, copies []*plan.Policy) {
	for _, p := range copies[1:] {
		if len(plan.DiffSpec(copies[0].Spec, p.Spec)) > 0 {
			e.addComment("not managed: policy %s differs between %s and %s", p.Name, e.vaults[armid.Of(copies[0].Vault)].Name, e.vaults[armid.Of(p.Vault)].Name)
			return
		}
	}
	for _, p := range copies {
		if p.Unreadable != "" {
			e.addComment("not managed: policy %s: %s", p.Name, p.Unreadable)
			return
		}
	}
	definition, why := policyDefinition(copies[0].Spec)
	if why != "" {
		e.addComment("not managed: policy %s: %s", entry.Name, why)
		return
	}
	definition.Name, definition.Vaults = entry.Name, entry.Vaults
	if why := e.whyUnmanageable(definition, copies); why != "" {
		e.addComment("not managed: policy %s: %s", entry.Name, why)
		return
	}
	*entry = definition
}

// whyUnmanageable returns why a plan over the definition would not be empty, or "": config would reject the file, or a copy
// of the policy differs from the definition.
func (e *exporter) whyUnmanageable(definition config.Policy, copies []*plan.Policy) string {
	var vaults []config.Vault
	for _, p := range copies {
		if entry, ok := e.vaultEntry(e.vaults[armid.Of(p.Vault)]); ok {
			vaults = append(vaults, entry)
		}
	}
	c, why := e.reread(vaults, []config.Policy{definition})
	if why != "" {
		return why
	}
	for _, p := range copies {
		for _, f := range plan.DiffPolicy(&c.Policies[0], p.Spec) {
			return fmt.Sprintf("a plan would set %s to %q, which is %q", f.Path, f.After, f.Before)
		}
	}
	return ""
}

// reread returns a config of these entries alone as it loads from a file, or why config rejects it: so an export never
// writes what a plan does not accept.
func (e *exporter) reread(vaults []config.Vault, policies []config.Policy) (*config.Config, string) {
	c := config.Config{Version: e.config.Version, Cloud: e.config.Cloud, Subscriptions: e.config.Subscriptions, Vaults: vaults, Policies: policies}
	again, err := c.Reread()
	if problems, ok := errors.AsType[*config.LoadError](err); ok {
		return nil, problems.Problems[0].Message
	}
	if err != nil {
		return nil, err.Error()
	}
	return again, ""
}
