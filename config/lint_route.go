package config

import (
	"slices"
	"strings"

	"github.com/azbackup/azbackup/internal/armid"
)

// checkRoute checks where the VMs of a rule go: that its policy and vaults exist, and fit each other and the VMs.
func (l *linter) checkRoute(r *Rule) {
	named := l.resolve(r.Vault, func(i int) *node { return l.decoder.positions[&r.Vault[i]] }, false)
	if !l.wantsBackup(r) {
		return
	}
	policy := l.checkPolicyName(r)
	switch {
	case l.isSet(&r.Vault) && len(named) == len(r.Vault):
		l.checkPlace(r, named)
		l.checkPolicyVaults(r, policy, named, l.out.fail)
	case !l.isSet(&r.Vault) && l.checkPlaced(r):
		l.checkCandidates(r, policy)
	}
	if r.Spread && l.isSet(&r.Vault) && len(r.Vault) < 2 {
		l.out.warn(l.nodeOf(&r.Spread), "no-effect", "remove it", "with one vault there is nothing to spread over")
	}
}

// checkPlaced says whether the rule's own account of where its VMs are, and the vaults of the file, can be relied on.
func (l *linter) checkPlaced(r *Rule) bool {
	n := l.decoder.positions[&r.Match]
	if r.ID != "" {
		n = l.decoder.positions[&r.ID]
	}
	vaults := l.decoder.positions[&l.c.Vaults]
	return n != nil && n.isValid() && !l.hasTypo("vaults") && (vaults == nil || vaults.isValid()) &&
		!slices.ContainsFunc(l.c.Vaults, func(v Vault) bool { return v.Match == nil && v.Subscription == "" })
}

func (l *linter) checkPolicyName(r *Rule) *Policy {
	if !l.isSetAndValid(&r.Policy) {
		return nil
	}
	policy := l.c.Policy(r.Policy)
	if policy == nil && !l.hasTypo("policies") {
		var names []string
		for _, p := range l.c.Policies {
			names = append(names, p.Name)
		}
		l.out.fail(l.nodeOf(&r.Policy), "unknown-policy", hintFor(r.Policy, names),
			"policy %s is not among the policies of the file", quote(r.Policy))
	}
	return policy
}

// checkPlace checks that some VM of the rule may live where the vaults are: a vault takes VMs of its own
// subscription and region only (docs/azure.md §13).
func (l *linter) checkPlace(r *Rule, vaults []Vault) {
	for i, v := range vaults {
		if v.Subscription != "" && v.Location != "" && !r.admits(v.regionKey()) {
			l.out.fail(l.nodeOf(&r.Vault[i], &r.Vault), "vault-place", "a vault takes VMs of its own subscription and region only",
				"no VM of this rule can be in the subscription and region of vault %s (%s)", quote(v.Name), clip(v.Location))
		}
	}
}

// checkCandidates checks a rule that leaves the vault to the VM's subscription and region.
func (l *linter) checkCandidates(r *Rule, policy *Policy) {
	vaults := l.c.reachableVaults(r)
	if len(vaults) == 0 && l.hasMatches() {
		return // the vaults that will join are not known yet
	}
	if len(vaults) == 0 {
		l.out.fail(l.nodeOf(&r.Name, r), "no-vault", "add a vault to vaults, or protect: false to the rule",
			"no vault of the file is in a subscription and region that this rule selects")
		return
	}
	l.checkPolicyVaults(r, policy, vaults, l.out.warn)
	if r.Spread {
		return
	}
	type place struct{ subscription, location string }
	first := map[place]Vault{}
	for _, v := range vaults {
		at := place{strings.ToLower(v.Subscription), armid.Location(v.Location)}
		other, taken := first[at]
		if taken {
			l.out.warn(l.nodeOf(&r.Name, r), "spread", "write vault: …, or spread: true to fill them evenly",
				"a new VM may go to vault %s or %s, both in %s: it is blocked until the rule says which", quote(other.Name), quote(v.Name), clip(v.Location))
			return
		}
		first[at] = v
	}
}

// reporter is the collector's fail or warn.
type reporter func(n *node, r code, hint, format string, args ...any)

// checkPolicyVaults checks that the policy is kept in each vault that the rule names (an error), or that its VMs
// may be routed to (a warning: there may be no such VM).
func (l *linter) checkPolicyVaults(r *Rule, policy *Policy, vaults []Vault, report reporter) {
	if policy == nil || len(policy.Vaults) == 0 || !l.isSetAndValid(&policy.Vaults) {
		return
	}
	kept := l.keptIn[policy]
	if kept == nil {
		kept = map[armid.Key]bool{}
		for _, v := range l.c.VaultsOf(policy) {
			kept[armid.Of(v.ID())] = true
		}
		l.keptIn[policy] = kept
	}
	for _, v := range vaults {
		if !kept[armid.Of(v.ID())] {
			report(l.nodeOf(&r.Policy), "policy-vault", "add the vault to the policy, or narrow the rule by vault, locations or subscriptions",
				"the rule may send a VM to vault %s, where policy %s is not kept", quote(v.Name), quote(policy.Name))
		}
	}
}
