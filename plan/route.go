package plan

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	"github.com/azbackup/azbackup/internal/armid"
)

// routeKey is all that the candidates of a VM depend on.
type routeKey struct {
	rule int
	region
}

// candidates lists the vaults that a VM of a rule may go to, by name.
func (m *maker) candidates(s *subject) []*vaultPlan {
	k := routeKey{s.ruleNo, regionOf(s.target.Subscription, s.target.Location)}
	if found, ok := m.routes[k]; ok {
		return found
	}
	found := []*vaultPlan{}
	for _, v := range m.config.Candidates(s.rule, s.target.Subscription, s.target.Location) {
		if p := m.vaults[armid.Of(v.ID())]; p != nil && !slices.Contains(found, p) {
			found = append(found, p)
		}
	}
	slices.SortFunc(found, func(a, b *vaultPlan) int {
		return cmp.Or(strings.Compare(strings.ToLower(a.name), strings.ToLower(b.name)), strings.Compare(string(a.key), string(b.key)))
	})
	m.routes[k] = found
	return found
}

// route picks the vault for a VM that has no item: of the candidates that can take it the one with the fewest
// VMs, this plan's included; of equals the first by name (design.md §3). Or it says why there is none, with
// the vault where only one was possible.
//
// A candidate that cannot take the VM is passed over, however empty: would it block the VM, then what else
// goes where would decide about the block, and a second plan could find more to do.
func (m *maker) route(s *subject) (v *vaultPlan, r Reason, detail string) {
	all := m.candidates(s)
	sub := strings.ToLower(s.target.Subscription)
	mine := filter(all, func(v *vaultPlan) bool { return strings.ToLower(v.subscription) == sub })
	near := filter(mine, func(v *vaultPlan) bool { return armid.Location(v.location) == armid.Location(s.target.Location) })
	switch {
	case len(all) == 0:
		return nil, ReasonNoVault, "region " + s.target.Location
	case len(mine) == 0:
		return nil, ReasonOtherSubscription, names(all) + " in subscription " + all[0].subscription
	case len(near) == 0:
		return nil, ReasonOtherRegion, names(mine) + " in " + mine[0].location + ", the VM in " + s.target.Location
	case len(near) > 1 && len(s.rule.Vault) == 0 && !s.rule.Spread:
		return nil, ReasonAmbiguousVault, names(near)
	}
	return m.choose(s, near)
}

// choose picks one of the vaults in the VM's place.
func (m *maker) choose(s *subject, near []*vaultPlan) (v *vaultPlan, r Reason, detail string) {
	var fit []*vaultPlan
	for _, v := range near {
		reason, what := m.takes(s, v)
		switch {
		case reason == ReasonGap:
			return single(near), reason, what // it might be the one
		case reason == "":
			fit = append(fit, v)
		case r == "":
			r, detail = reason, what
		}
	}
	if len(fit) == 0 {
		return single(near), r, detail
	}
	v = slices.MinFunc(fit, func(a, b *vaultPlan) int { return cmp.Compare(a.load, b.load) })
	if v.load >= MaxVMsPerVault {
		return single(near), ReasonVaultFull, names(fit) + " with " + strconv.Itoa(v.load)
	}
	return v, "", ""
}

// takes says why a vault cannot take the VM, or "". How full it is, is another question.
func (m *maker) takes(s *subject, v *vaultPlan) (Reason, string) {
	switch {
	case v.unread != nil:
		return ReasonGap, v.unread.words()
	case !v.usable():
		return ReasonNoSuchVault, v.name
	}
	return m.policyFits(s, m.policyAt(v, s.rule.Policy), "")
}

// single is the vault where there is no other.
func single(vaults []*vaultPlan) *vaultPlan {
	if len(vaults) == 1 {
		return vaults[0]
	}
	return nil
}

func filter[T any](all []T, keep func(T) bool) []T {
	var out []T
	for _, v := range all {
		if keep(v) {
			out = append(out, v)
		}
	}
	return out
}

// names lists vaults for people.
func names(vaults []*vaultPlan) string {
	out := make([]string, len(vaults))
	for i, v := range vaults {
		out[i] = v.name
	}
	return strings.Join(out, ", ")
}
