package audit

import (
	"slices"
	"testing"
)

func TestFindingsOfOneNameAreToldApartBySubscriptionAlsoTwice(t *testing.T) {
	const a, b = "11111111-1111-1111-1111-111111111111", "22222222-2222-2222-2222-222222222222"
	findings := func(of ...string) []Finding {
		var all []Finding
		for _, sub := range of {
			all = append(all, Finding{Target: "/subscriptions/" + sub + "/resourceGroups/rg/providers/Microsoft.Compute/virtualMachines/web", Message: "rg/web: no backup: none"})
		}
		return all
	}
	names := []Subscription{{ID: a, Name: "Shop"}, {ID: b, Name: "Landing zone"}}
	all := findings(a, b)
	for range 2 {
		tellApart(all, names)
		if all[0].Message != "rg/web (Shop): no backup: none" || all[1].Message != "rg/web (Landing zone): no backup: none" {
			t.Fatalf("messages: %+v", all)
		}
	}
	for name, left := range map[string][]Finding{"one of them": findings(a), "two of one subscription": findings(a, a), "once told apart": all[:1]} {
		left = slices.Clone(left)
		if tellApart(left, names); left[0].Message != "rg/web: no backup: none" {
			t.Errorf("%s: %s", name, left[0].Message)
		}
	}
	unnamed := findings(a, b)
	if tellApart(unnamed, []Subscription{{ID: a}, {ID: b}}); unnamed[0].Message != "rg/web ("+a+"): no backup: none" {
		t.Errorf("without names: %s", unnamed[0].Message)
	}
	same := findings(a, b)
	if tellApart(same, []Subscription{{ID: a, Name: "Shop"}, {ID: b, Name: "Shop"}}); same[1].Message != "rg/web (Shop "+b+"): no backup: none" {
		t.Errorf("of one display name: %s", same[1].Message)
	}
}
