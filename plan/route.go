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

// route picks the vault for a VM that has no item: the candidate with the fewest VMs, this plan's included;
// of equals the first by name (design.md §3). Or it says why there is none.
func (m *maker) route(s *subject) (v *vaultPlan, r Reason, detail string) {
	all := m.candidates(s)
	sub := strings.ToLower(s.target.Subscription)
	mine := filter(all, func(v *vaultPlan) bool { return strings.ToLower(v.subscription) == sub })
	near := filter(mine, func(v *vaultPlan) bool { return armid.Location(v.location) == armid.Location(s.target.Location) })
	usable := filter(near, (*vaultPlan).usable)
	switch {
	case len(all) == 0:
		return nil, ReasonNoVault, "region " + s.target.Location
	case len(mine) == 0:
		return nil, ReasonOtherSubscription, names(all) + " in subscription " + all[0].subscription
	case len(near) == 0:
		return nil, ReasonOtherRegion, names(mine) + " in " + mine[0].location + ", the VM in " + s.target.Location
	case len(near) > 1 && len(s.rule.Vault) == 0 && !s.rule.Spread:
		return nil, ReasonAmbiguousVault, names(near)
	case len(usable) == 0:
		return nil, unusable(near[0]), names(near)
	}
	v = slices.MinFunc(usable, func(a, b *vaultPlan) int { return cmp.Compare(a.load, b.load) })
	if v.load >= MaxVMsPerVault {
		return nil, ReasonVaultFull, names(usable) + " with " + strconv.Itoa(v.load)
	}
	return v, "", ""
}

// unusable says why nothing can go into a vault.
func unusable(v *vaultPlan) Reason {
	if v.unread != nil {
		return ReasonGap
	}
	return ReasonNoSuchVault
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
