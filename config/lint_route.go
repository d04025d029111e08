package config

import (
	"slices"

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
		l.checkPolicyVaults(r, policy, &reached{vaults: named, without: map[*Policy][]int{}}, l.out.fail)
	case !l.isSet(&r.Vault) && l.checkPlaced(r):
		l.checkCandidates(r, policy)
	}
	if r.Spread && l.isSet(&r.Vault) && len(r.Vault) < 2 && !slices.ContainsFunc(r.Vault, l.mayJoin) { // several of a name may join
		l.out.warn(l.nodeOf(&r.Spread), "no-effect", "remove it", "with one vault there is nothing to spread over")
	}
}

// checkPlaced reports whether the places of the rule's VMs and of the file's vaults were read without a fault.
func (l *linter) checkPlaced(r *Rule) bool {
	n := l.decoder.positions[&r.Match]
	if r.ID != "" {
		n = l.decoder.positions[&r.ID]
	}
	return n != nil && n.isValid() && !l.hasTypo("vaults") && l.arePlacesKnown()
}

// arePlacesKnown reports whether the subscription and the region of every vault of the file are known.
func (l *linter) arePlacesKnown() bool {
	if !l.isSet(&l.c.Vaults) || l.isListValid(&l.c.Vaults) {
		return l.once("places", func() bool {
			return !slices.ContainsFunc(l.c.Vaults, func(v Vault) bool { return v.Match == nil && v.Subscription == "" })
		})
	}
	return false
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

// checkPlace checks that some VM of the rule may be where the vaults are: a vault takes VMs of its own
// subscription and region only (docs/azure.md §13).
func (l *linter) checkPlace(r *Rule, vaults []int) {
	for i, number := range vaults {
		v := &l.c.Vaults[number]
		if v.Subscription != "" && v.Location != "" && !r.admits(v.region()) {
			l.out.fail(l.nodeOf(&r.Vault[i], &r.Vault), "vault-place", "a vault takes VMs of its own subscription and region only",
				"no VM of this rule can be in the subscription and region of vault %s (%s)", quote(v.Name), clip(v.Location))
		}
	}
}

// checkCandidates checks a rule that leaves the vault to the VM's subscription and region.
func (l *linter) checkCandidates(r *Rule, policy *Policy) {
	to := l.reachedBy(r)
	if len(to.vaults) == 0 && l.hasMatches() {
		return // the vaults that will join are not known yet
	}
	if len(to.vaults) == 0 {
		l.out.fail(l.nodeOf(&r.Name, r), "no-vault", "add a vault to vaults, or protect: false to the rule",
			"no vault of the file is in a subscription and region that this rule selects")
		return
	}
	if !l.out.isFullOfWarnings() {
		l.checkPolicyVaults(r, policy, to, l.out.warn)
	}
	if !r.Spread && to.areTwoInOnePlace {
		one, other := l.c.Vaults[to.clash[0]], l.c.Vaults[to.clash[1]]
		l.out.warn(l.nodeOf(&r.Name, r), "spread", "write vault: …, or spread: true to fill them evenly",
			"a new VM may go to vault %s or %s, both in %s: it is blocked until the rule says which", quote(one.Name), quote(other.Name), clip(other.Location))
	}
}

// reached is what is known about the vaults that rules of one reach may route to. Numbers are positions in the file.
type reached struct {
	vaults           []int
	areTwoInOnePlace bool
	clash            [2]int            // the first two in one place
	without          map[*Policy][]int // by policy, those where it is not kept
}

// reachedBy returns the vaults that a rule without "vault" may route to. They are found once for all rules of one reach:
// a file may have 100,000 rules, and 20,000 vaults.
func (l *linter) reachedBy(r *Rule) *reached {
	reach := r.reach()
	if to := l.reached[reach]; to != nil {
		return to
	}
	to := &reached{vaults: l.c.compiled().index.reachableVaults(l.c.Vaults, r), without: map[*Policy][]int{}}
	l.reached[reach] = to
	first := map[armid.Region]int{}
	for _, n := range to.vaults {
		at := l.c.Vaults[n].region()
		if other, taken := first[at]; taken {
			to.areTwoInOnePlace, to.clash = true, [2]int{other, n}
			break
		}
		first[at] = n
	}
	return to
}

// reporter is [diagnostics.fail] or [diagnostics.warn].
type reporter func(n *node, r code, hint, format string, args ...any)

// checkPolicyVaults checks that the policy is kept in each vault that the rule names (an error), or that its VMs
// may be routed to (a warning: there may be no such VM).
func (l *linter) checkPolicyVaults(r *Rule, policy *Policy, to *reached, report reporter) {
	if policy == nil || len(policy.Vaults) == 0 || !l.isListValid(&policy.Vaults) {
		return
	}
	without, known := to.without[policy]
	if !known {
		kept := l.vaultsOf(policy)
		for _, n := range to.vaults {
			if !kept[n] {
				without = append(without, n)
			}
		}
		to.without[policy] = without
	}
	for _, n := range without {
		report(l.nodeOf(&r.Policy), "policy-vault", "add the vault to the policy, or narrow the rule by vault, locations or subscriptions",
			"the rule may send a VM to vault %s, where policy %s is not kept", quote(l.c.Vaults[n].Name), quote(policy.Name))
	}
}

// vaultsOf returns the vaults that a policy names.
func (l *linter) vaultsOf(policy *Policy) map[int]bool {
	kept := l.keptIn[policy]
	if kept == nil {
		kept = map[int]bool{}
		for _, n := range l.c.compiled().index.findAllVaults(l.c.Vaults, policy.Vaults) {
			kept[n] = true
		}
		l.keptIn[policy] = kept
	}
	return kept
}
