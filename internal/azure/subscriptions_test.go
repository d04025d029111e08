package azure

import (
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/azbackup/azbackup/plan"
)

const (
	groupBelow = "/providers/Microsoft.Management/managementGroups/mg/descendants"
	sub2       = "aaaaaaaa-0000-0000-0000-000000000002"
	sub3       = "aaaaaaaa-0000-0000-0000-000000000003"
)

func find(t *testing.T, f *fake, s plan.SubscriptionSearch) plan.FoundSubscriptions {
	t.Helper()
	found, err := f.client(t, CommandPlan).FindSubscriptions(t.Context(), s)
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func TestSubscriptionsAreReadPageByPageAndThoseThatNoListShowsOneByOne(t *testing.T) {
	f := newFake()
	f.on("GET", "/subscriptions",
		says(200, `{"value":[{"subscriptionId":"`+sub+`","displayName":"One","state":"Enabled","tenantId":"t","managedByTenants":[{"tenantId":"m"}]}],"nextLink":"/subscriptions?page=2"}`),
		says(200, `{"value":[{"subscriptionId":"`+sub2+`","displayName":"Two","state":"Disabled","tenantId":"t"}]}`))
	f.on("GET", groupBelow, says(200, `{"value":[
		{"id":"/providers/Microsoft.Management/managementGroups/below","type":"Microsoft.Management/managementGroups"},
		{"id":"/subscriptions/`+sub+`","type":"Microsoft.Management/managementGroups/subscriptions"},
		{"id":"/subscriptions/`+sub3+`","type":"/subscriptions","properties":{"displayName":"Three"}}]}`))
	f.on("GET", "/subscriptions/"+sub3, says(403, `{"error":{"code":"AuthorizationFailed","message":"no"}}`))
	got := find(t, f, plan.SubscriptionSearch{ManagementGroups: []string{"mg"}, Named: []string{sub2}})
	if diff := cmp.Diff([]plan.Subscription{
		{ID: sub, Name: "One", Tenant: "t", State: "Enabled", ManagedBy: []string{"m"}}, {ID: sub2, Name: "Two", Tenant: "t", State: "Disabled"},
	}, got.Visible); diff != "" {
		t.Errorf("visible (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{sub, sub3}, got.Below); diff != "" {
		t.Errorf("below (-want +got):\n%s", diff)
	}
	if len(got.Gaps) != 1 || got.Gaps[0].Subscription != sub3 || got.Gaps[0].Status != http.StatusForbidden || got.Gaps[0].SubscriptionName != "Three" {
		t.Errorf("gaps: %+v", got.Gaps)
	}
	if n := len(f.sent); n != 4 { // two pages, the group, and the one that no list shows
		t.Errorf("%d requests", n)
	}
}

func TestAListOfSubscriptionsOrGroupsThatFailsIsAGapOfItsOwn(t *testing.T) {
	denied := says(403, `{"error":{"code":"AuthorizationFailed","message":"no"}}`)
	f := newFake().on("GET", "/subscriptions", denied).on("GET", groupBelow, denied)
	got := find(t, f, plan.SubscriptionSearch{ManagementGroups: []string{"mg"}, Named: []string{sub2}})
	if len(got.Visible) != 0 || len(got.Gaps) != 2 || got.Gaps[0].Kind != plan.GapManagementGroup || got.Gaps[1].Kind != plan.GapSubscription {
		t.Errorf("found: %+v", got)
	}
}

func TestAnEntryBelowAManagementGroupThatIsNotUnderstoodIsAGap(t *testing.T) {
	f := newFake().on("GET", "/subscriptions", says(200, `{"value":[]}`)).on("GET", groupBelow, says(200, `{"value":[{"id":7,"type":"x"}]}`))
	odd := newFake().on("GET", "/subscriptions", says(200, `{"value":[]}`)).on("GET", "/subscriptions/"+sub2, says(404, `{}`)).on("GET", groupBelow,
		says(200, `{"value":[{"id":"/subscriptions/`+sub2+`","type":"/subscriptions","properties":{"displayName":7}}]}`))
	if got := find(t, odd, plan.SubscriptionSearch{ManagementGroups: []string{"mg"}}); len(got.Gaps) != 1 || got.Gaps[0].Subscription != sub2 || got.Gaps[0].SubscriptionName != "" {
		t.Errorf("a name that is no text: %+v", got.Gaps)
	}
	got := find(t, f, plan.SubscriptionSearch{ManagementGroups: []string{"mg"}})
	if len(got.Gaps) != 1 || got.Gaps[0].Code != plan.CodeNotUnderstood || got.Gaps[0].Kind != plan.GapManagementGroup {
		t.Errorf("gaps: %+v", got.Gaps)
	}
}

// No decision depends on the names of subscriptions, so those that cannot be read are no gap.
func TestTheNamesOfTheSubscriptionsInTheScopeAreReadAndTheirAbsenceIsANote(t *testing.T) {
	named := lists(`{"subscriptionId":"`+sub+`","displayName":"One"}`, `{"subscriptionId":"`+sub2+`","displayName":"Two"}`, `{"subscriptionId":"`+sub3+`","displayName":"Three"}`)
	for name, c := range map[string]struct {
		answer http.HandlerFunc
		names  map[string]string
		notes  int
	}{
		"they are read":     {named, map[string]string{sub: "One", sub2: "Two"}, 0},
		"they are not read": {fails(403, "AuthorizationFailed"), map[string]string{}, 1},
	} {
		list := strings.Replace(vmList, sub, sub2, 1)
		f := newFake().on("GET", vmList, lists()).on("GET", list, lists()).on("GET", "/subscriptions", c.answer)
		o := discover(t, f.client(t, CommandPlan), plan.Scope{Subscriptions: []string{sub, sub2}, Names: true})
		if d := cmp.Diff(c.names, o.DisplayNames()); d != "" || len(o.Notes) != c.notes || len(o.Gaps) != 0 {
			t.Errorf("%s: notes %q, gaps %+v %s", name, o.Notes, o.Gaps, d)
		}
	}
}
