package wire

import "github.com/azbackup/azbackup/plan"

// Subscription is a subscription as its list and its document have it (docs/azure.md §21).
type Subscription struct {
	ID        Field `json:"subscriptionId"`
	Name      Field `json:"displayName"`
	Tenant    Field `json:"tenantId"`
	State     Field `json:"state"`
	ManagedBy []struct {
		Tenant Field `json:"tenantId"`
	} `json:"managedByTenants"`
}

// ToPlan returns the subscription, and what of it was not understood.
func (w Subscription) ToPlan() (plan.Subscription, string) {
	r := &fieldReader{}
	s := plan.Subscription{
		ID: r.required("subscriptionId", w.ID), Name: w.Name.Text(), Tenant: w.Tenant.Text(), State: w.State.Text(),
	}
	for _, m := range w.ManagedBy {
		s.ManagedBy = append(s.ManagedBy, m.Tenant.Text())
	}
	return s, r.describeProblems()
}

// Descendant is a subscription or a management group below a management group (docs/azure.md §21).
type Descendant struct {
	ID   Field `json:"id"`
	Name Field `json:"name"`
	Type Field `json:"type"`

	Properties struct {
		DisplayName Field `json:"displayName"`
	} `json:"properties"`
}
