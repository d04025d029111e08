package plan

import (
	"slices"
	"strings"

	"github.com/azbackup/azbackup/internal/armid"
)

// restoreTarget is where a vault restores to.
type restoreTarget struct{ group, staging, region string }

// target returns where a vault restores to, or why it cannot.
func (m *restorer) target(vault string) (restoreTarget, Reason, string) {
	v := m.vaults[armid.Of(vault)]
	if v == nil || v.Location == "" {
		return restoreTarget{}, ReasonGap, "the vault " + lastName(vault)
	}
	if reason, detail := m.checkGroup(v); reason != "" {
		return restoreTarget{}, reason, detail
	}
	staging, reason, detail := m.staging(v)
	return restoreTarget{m.into(v), staging, v.Location}, reason, detail
}

func (m *restorer) unread(id string) bool {
	return slices.ContainsFunc(m.facts.Unread, func(u string) bool { return armid.Same(u, id) })
}

// into returns the id of the resource group to restore into from a vault.
func (m *restorer) into(v *Vault) string {
	if strings.HasPrefix(m.request.Into, "/") {
		return m.request.Into
	}
	return "/subscriptions/" + armid.SubscriptionOf(v.ID) + "/resourceGroups/" + m.request.Into
}

// checkGroup checks that the group exists, in the vault's subscription (docs/azure.md §25.3).
func (m *restorer) checkGroup(v *Vault) (Reason, string) {
	into := m.into(v)
	i := slices.IndexFunc(m.facts.Groups, func(g ResourceGroup) bool { return armid.Same(g.ID, into) })
	switch {
	case !armid.Same(armid.SubscriptionOf(into), armid.SubscriptionOf(v.ID)):
		return ReasonRestoreGroup, lastName(into) + " is in another subscription than the vault"
	case i >= 0 && m.request.IsTest && m.facts.Groups[i].Unreadable != "":
		return ReasonGap, "the resource group " + lastName(into) + " was not understood: " + m.facts.Groups[i].Unreadable
	case i >= 0 && m.request.IsTest && !m.facts.Groups[i].AllowsRestoreTests():
		return ReasonRestoreGroup, lastName(into) + " lacks the tag " + TagTestsAllowed + ": " + TestsAllowed
	case i >= 0:
		return "", ""
	case m.unread(into):
		return ReasonGap, "the resource group " + lastName(into)
	}
	return ReasonRestoreGroup, lastName(into) + " does not exist"
}

// staging returns the staging account for a vault: the first of the request that can be used.
func (m *restorer) staging(v *Vault) (id string, reason Reason, detail string) {
	var whys []string
	for _, want := range m.request.Staging {
		named := !strings.HasPrefix(want, "/")
		i := slices.IndexFunc(m.facts.Accounts, func(a StorageAccount) bool {
			return armid.Same(a.ID, want) ||
				named && strings.EqualFold(lastName(a.ID), want) && armid.Same(armid.SubscriptionOf(a.ID), armid.SubscriptionOf(v.ID))
		})
		switch {
		case !named && !armid.Same(armid.SubscriptionOf(want), armid.SubscriptionOf(v.ID)):
			whys = append(whys, lastName(want)+" is in another subscription than the vault")
		case i >= 0:
			why := m.facts.Accounts[i].WhyCannotStage(v.Location)
			if why == "" {
				return m.facts.Accounts[i].ID, "", ""
			}
			whys = append(whys, "of "+lastName(want)+": "+why)
		case m.unread(want):
			reason, detail = ReasonGap, "the storage account "+lastName(want)
		default:
			whys = append(whys, lastName(want)+" does not exist")
		}
	}
	if reason != "" {
		return "", reason, detail
	}
	return "", ReasonNoStaging, strings.Join(whys, "; ")
}
