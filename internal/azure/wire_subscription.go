package azure

import "github.com/azbackup/azbackup/plan"

// wireSubscription is a subscription as its list and its document have it (docs/azure.md §21).
type wireSubscription struct {
	ID        field `json:"subscriptionId"`
	Name      field `json:"displayName"`
	Tenant    field `json:"tenantId"`
	State     field `json:"state"`
	ManagedBy []struct {
		Tenant field `json:"tenantId"`
	} `json:"managedByTenants"`
}

// toSubscription returns the subscription, and what of it was not understood.
func (w wireSubscription) toSubscription() (plan.Subscription, string) {
	r := &fieldReader{}
	s := plan.Subscription{
		ID: r.required("subscriptionId", w.ID), Name: w.Name.textOrEmpty(), Tenant: w.Tenant.textOrEmpty(), State: w.State.textOrEmpty(),
	}
	for _, m := range w.ManagedBy {
		s.ManagedBy = append(s.ManagedBy, m.Tenant.textOrEmpty())
	}
	return s, r.describeProblems()
}

// wireDescendant is a subscription or a management group below a management group (docs/azure.md §21).
type wireDescendant struct {
	ID   field `json:"id"`
	Name field `json:"name"`
	Type field `json:"type"`
}
