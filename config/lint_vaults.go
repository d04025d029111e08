package config

import (
	"maps"
	"slices"
	"strings"
)

func (l *linter) checkVaults() {
	unique := l.newNameChecker("the vault")
	for i := range l.c.Vaults {
		v := &l.c.Vaults[i]
		if l.nodeOf(v).isInvalid {
			continue
		}
		if v.Match != nil {
			l.checkVaultMatch(v)
			continue
		}
		l.checkVaultSubscription(v)
		l.checkManagedVault(v)
		l.checkRedundancy(v)
		if l.isSetAndValid(&v.Name) && l.isSetAndValid(&v.ResourceGroup) {
			unique.add(l.nodeOf(&v.Name), v.ID())
		}
	}
}

func (l *linter) checkVaultSubscription(v *Vault) {
	switch {
	case l.isSetAndValid(&v.Subscription):
		l.checkSubscription(l.nodeOf(&v.Subscription), v.Subscription)
	case !l.isSet(&v.Subscription) && (len(l.c.Subscriptions) > 1 || l.c.SubscriptionQuery != nil):
		l.out.fail(l.nodeOf(&v.Name, v), "missing-key", "it may be left out only where the file lists one subscription",
			"the vault lacks the key \"subscription\"")
	}
}

// checkVaultMatch checks an entry for every vault that matches.
func (l *linter) checkVaultMatch(v *Vault) {
	for _, field := range []any{&v.Name, &v.Subscription, &v.ResourceGroup, &v.Location} {
		if l.isSet(field) {
			l.out.fail(l.nodeOf(field), "vault-match", "write two entries: one by name, one with match", "this names one vault, and match stands beside it")
		}
	}
	if n := l.nodeOf(v).get("match"); n != nil && n.kind == mapping && len(n.pairs) == 0 {
		l.out.fail(n, "empty-selector", `to select every vault write: {names: ["*"]}`, "match is empty")
	}
	l.checkKeepsMatch(v)
	l.checkManagedVault(v)
	l.checkRedundancy(v)
}

// checkKeepsMatch warns of a tag that takes the vaults of an entry out of its own match: once it is written, the file has
// them no more, unless another entry takes them.
func (l *linter) checkKeepsMatch(v *Vault) {
	if !v.Manage || !l.isSetAndValid(&v.Tags) || !l.isSetAndValid(&v.Match) {
		return
	}
	for _, name := range slices.Sorted(maps.Keys(v.Tags)) {
		for _, wanted := range slices.Sorted(maps.Keys(v.Match.Tags)) {
			values := v.Match.Tags[wanted]
			if strings.EqualFold(name, wanted) && (len(values) == 0 || !anyGlob(globs(values, false), v.Tags[name])) {
				l.out.warn(l.nodeOf(&v.Tags), "vault-match", "match the tag that they will have as well, or leave it as it is",
					"the tag %s takes the vaults out of this match, which wants %s", quote(name), describeAlternatives(values, "no such tag"))
			}
		}
	}
}

// checkManagedVault checks the entry of a vault that is not managed: it warns of settings that are never written, and
// refuses unmatched: stop.
func (l *linter) checkManagedVault(v *Vault) {
	if v.Manage {
		return
	}
	if v.Unmatched == "stop" {
		l.out.fail(l.nodeOf(&v.Unmatched), "unmatched", "add manage: true if no one else protects VMs in this vault",
			"unmatched: stop needs manage: true")
	}
	settings := []any{&v.Redundancy, &v.CrossRegionRestore, &v.SoftDeleteDays, &v.Immutability, &v.PublicNetworkAccess, &v.Tags}
	for _, field := range settings {
		if l.isSetAndValid(field) && !l.isSet(&v.Manage) {
			l.out.warn(l.nodeOf(field), "unmanaged", "add manage: true, or remove it", "this is never written: the vault is not managed")
		}
	}
}

// checkRedundancy checks the two fields that Azure wants together (docs/azure.md §7.3).
func (l *linter) checkRedundancy(v *Vault) {
	if !l.isSetAndValid(&v.CrossRegionRestore) {
		return
	}
	n := l.nodeOf(&v.CrossRegionRestore)
	switch {
	case !l.isSet(&v.Redundancy):
		l.out.fail(n, "redundancy", "add redundancy: GeoRedundant", "crossRegionRestore needs \"redundancy\" beside it: Azure takes both together")
	case l.isSetAndValid(&v.Redundancy) && *v.CrossRegionRestore && v.Redundancy != "GeoRedundant":
		l.out.fail(n, "redundancy", "", "cross-region restore needs redundancy: GeoRedundant, not %s", clip(v.Redundancy))
	}
}

// checkSubscription reports an id that the file does not list.
func (l *linter) checkSubscription(n *node, id string) {
	if !l.isListValid(&l.c.Subscriptions) || l.c.SubscriptionQuery != nil || l.subscriptions[strings.ToLower(id)] {
		return
	}
	l.out.fail(n, "unknown-subscription", "list it under subscriptions, or remove what lies in it",
		"subscription %s is not among the subscriptions of the file", clip(id))
}

// resolve checks references to vaults and returns the vaults they mean: one for each reference, any number for a pattern.
// Only policies may use patterns: a rule says where each VM goes.
func (l *linter) resolve(refs []string, at func(i int) *node, patterns bool) (vaults []int) {
	named := map[int]bool{}
	for i, ref := range refs {
		n := at(i)
		if n == nil || n.isInvalid {
			continue
		}
		found := l.c.compiled().index.findVaults(l.c.Vaults, ref)
		if isPattern(ref) && patterns {
			vaults = append(vaults, found...)
			continue
		}
		if isPattern(ref) {
			found = nil
		}
		switch len(found) {
		case 0:
			if l.hasTypo("vaults") || l.mayJoin(ref) {
				continue
			}
			l.out.fail(n, "unknown-vault", hintFor(ref, l.vaultNames()), "vault %s is not among the vaults of the file", quote(ref))
		case 1:
			if named[found[0]] {
				l.out.fail(n, "duplicate-value", "", "vault %s is named twice", quote(ref))
			}
			named[found[0]] = true
			vaults = append(vaults, found[0])
		default:
			l.out.fail(n, "ambiguous-vault", "write "+quoteAll(l.uniqueReferences(l.c.vaultsAt(found))), "vault %s may be any of %d vaults of the file", quote(ref), len(found))
		}
	}
	return vaults
}

// mayJoin reports whether a vault that is found later may be what a reference means.
func (l *linter) mayJoin(ref string) bool {
	name := ref[strings.LastIndexByte(ref, '/')+1:]
	return !isPattern(ref) && l.hasMatches() && slices.ContainsFunc(l.c.Vaults, func(v Vault) bool {
		return v.Match != nil && (v.Match.Names == nil || anyGlob(globs(v.Match.Names, true), strings.ToLower(name)))
	})
}

// hasMatches reports whether vaults may join the file that it does not name.
func (l *linter) hasMatches() bool {
	return l.once("matches", func() bool {
		return slices.ContainsFunc(l.c.Vaults, func(v Vault) bool { return v.Match != nil })
	})
}

func (l *linter) vaultNames() []string {
	var names []string
	seen := map[string]bool{"": true}
	for _, v := range l.c.Vaults {
		if !seen[v.Name] {
			seen[v.Name] = true
			names = append(names, v.Name)
		}
	}
	return names
}

// uniqueReferences returns the shortest references that mean one vault each.
func (l *linter) uniqueReferences(vaults []Vault) []string {
	refs := make([]string, len(vaults))
	for i, v := range vaults {
		refs[i] = v.ResourceGroup + "/" + v.Name
		if len(l.c.FindVaults(refs[i])) > 1 {
			refs[i] = v.ID()
		}
	}
	return refs
}
