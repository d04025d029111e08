package azure

import (
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/azbackup/azbackup/internal/azure/azuretest"
	"github.com/azbackup/azbackup/plan"
)

const (
	item1 = azuretest.ItemID
	item2 = vaultID + "/backupFabrics/Azure/protectionContainers/IaasVMContainer;iaasvmcontainerv2;rg-app;vm2/protectedItems/VM;iaasvmcontainerv2;rg-app;vm2"
)

func rawPoint(item, taken string) string {
	return `{"id":"` + item + `/recoveryPoints/` + taken + `","properties":{"objectType":"IaasVMRecoveryPoint",
		"recoveryPointTime":"` + taken + `","threatStatus":0,"recoveryPointTierDetails":[{"type":"InstantRP","status":"Valid"}]}}`
}

func observed() plan.Observed {
	return plan.Observed{
		Vaults: []plan.Vault{{ID: vaultID, Location: "westeurope", InFile: true}},
		Items:  []plan.Item{{ID: item1, Vault: vaultID, VM: vm1}, {ID: item2, Vault: vaultID, VM: strings.Replace(vm1, "VM1", "VM2", 1)}},
	}
}

func supplement(t *testing.T, c *Client, w plan.Questions) plan.Observed {
	t.Helper()
	o := observed()
	got, err := c.ReadDetails(t.Context(), o, w)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(observed(), o); d != "" {
		t.Error("what was read before changed:", d)
	}
	return got
}

func TestWantedGuardsAreRead(t *testing.T) {
	for _, tt := range []struct {
		answer http.HandlerFunc
		want   []string
		gaps   []string
	}{
		{lists(), []string{}, nil},
		{lists(`{"id":"` + vaultID + `/p","properties":{"resourceGuardResourceId":"/x/guards/mua"}}`), []string{"/x/guards/mua"}, nil},
		{fails(403, "AuthorizationFailed"), nil, []string{"resource-guards AuthorizationFailed"}}, // every read failed, yet signed in
	} {
		f := newFake().on("GET", vaultID+"/backupResourceGuardProxies", tt.answer)
		c := f.client(t, CommandPlan)
		o := supplement(t, c, plan.Questions{Guards: []string{vaultID}})
		if d := cmp.Diff(tt.want, o.Vaults[0].ResourceGuards); d != "" {
			t.Error(d)
		}
		if d := cmp.Diff(tt.gaps, gapKinds(o)); d != "" {
			t.Error(d)
		}
		if d := cmp.Diff(map[string]int{"resource guards": 1}, c.Requests()); d != "" {
			t.Error(d)
		}
	}
}

func TestWantedRecoveryPointsAreReadToTheLastPage(t *testing.T) {
	f := newFake().on("GET", item1+"/recoveryPoints",
		says(200, `{"value":[`+rawPoint(item1, "2024-11-20T06:00:00.761067Z")+`],"nextLink":"https://arm.test`+item1+`/recoveryPoints?page=2"}`),
		lists(rawPoint(item1, "2024-11-01T06:00:00Z"), rawPoint(item1, "2024-11-10T06:00:00Z")))
	c := f.client(t, CommandPlan)
	o := supplement(t, c, plan.Questions{Points: []string{item1}})
	want := []plan.Points{{Item: item1, Times: []time.Time{
		time.Date(2024, 11, 1, 6, 0, 0, 0, time.UTC), time.Date(2024, 11, 10, 6, 0, 0, 0, time.UTC),
		time.Date(2024, 11, 20, 6, 0, 0, 761067000, time.UTC),
	}}}
	if d := cmp.Diff(want, o.Points); d != "" || len(o.Gaps) != 0 {
		t.Error(d, o.Gaps)
	}
	if d := cmp.Diff(map[string]int{"recovery points": 2}, c.Requests()); d != "" {
		t.Error(d)
	}
}

func TestRecoveryPointsStandInTheOrderOfTheirItems(t *testing.T) {
	f := newFake().on("GET", item1+"/recoveryPoints", lists(rawPoint(item1, "2024-11-20T06:00:00Z"))).
		on("GET", item2+"/recoveryPoints", lists(rawPoint(item2, "2024-11-20T06:00:00Z")))
	for _, asked := range [][]string{{item1, item2}, {item2, item1}} {
		before := observed()
		before.Points = []plan.Points{{Item: item2 + "-known"}, {Item: item1 + "-known"}}
		o, err := f.client(t, CommandPlan).ReadDetails(t.Context(), before, plan.Questions{Points: asked})
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, p := range o.Points {
			got = append(got, p.Item)
		}
		if d := cmp.Diff([]string{item1, item1 + "-known", item2, item2 + "-known"}, got); d != "" {
			t.Error(d)
		}
	}
}

func TestRecoveryPointsThatCannotBeReadAreAGapOfTheirVM(t *testing.T) {
	for code, answer := range map[string]http.HandlerFunc{
		"AuthorizationFailed":  fails(403, "AuthorizationFailed"),
		"FabricObjectNotFound": fails(404, "FabricObjectNotFound"),
		"NotUnderstood":        lists(rawPoint(item1, "2024-11-20T06:00:00Z"), `{"id":"`+item1+`/recoveryPoints/2","properties":{}}`),
	} {
		f := newFake().on("GET", item1+"/recoveryPoints", answer).
			on("GET", item2+"/recoveryPoints", lists(rawPoint(item2, "2024-11-20T06:00:00Z")))
		o := supplement(t, f.client(t, CommandApply), plan.Questions{Points: []string{item1, item2}})
		if len(o.Gaps) != 1 || len(o.Points) != 1 || o.Points[0].Item != item2 {
			t.Fatalf("%s: %+v, %+v", code, o.Gaps, o.Points)
		}
		g := o.Gaps[0]
		if code == plan.CodeNotUnderstood && !strings.Contains(g.Message, `the time of a recovery point is ""`) {
			t.Errorf("the text that was not understood is not quoted: %s", g.Message)
		}
		if g.Kind != plan.GapPoints || g.Code != code || g.Target != vm1 || g.Vault != vaultID || g.Subscription != sub {
			t.Errorf("%+v", g)
		}
	}
}

// An hourly budget used up by other clients does not delay a plan: points that cannot be read in time are not read.
func TestAUsedUpBudgetLeavesRecoveryPointsUnread(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		last := says(200, `{"value":[`+rawPoint(item1, "1999-11-20T06:00:00Z")+`]}`, "x-ms-ratelimit-remaining-subscription-resource-requests", "0")
		f := newFake().on("GET", item1+"/recoveryPoints", last).on("GET", item2+"/recoveryPoints", last)
		began := time.Now()
		o := supplement(t, f.client(t, CommandPlan), plan.Questions{Points: []string{item1, item2}})
		if took := time.Since(began); took > pointsTimeout {
			t.Errorf("took %s", took)
		}
		if len(o.Points) != 1 || len(o.Gaps) != 0 || len(f.sent) != 1 {
			t.Errorf("%d requests, %+v, %+v", len(f.sent), o.Points, o.Gaps)
		}
	})
}

func TestASnapshotHoldsWhatAPlanWouldAskForBesides(t *testing.T) {
	f := snapshotEstate()
	var asked string
	wants := func(o plan.Observed) plan.Questions {
		asked = o.Items[0].ID
		f.on("GET", asked+"/recoveryPoints", lists(rawPoint(asked, "2024-11-20T06:00:00Z")))
		return plan.Questions{Points: []string{asked}}
	}
	e, _ := snapshotWith(t, f, scope(), wants)
	if len(e.RecoveryPoints) != 1 || !sameJSON(t, string(e.RecoveryPoints[0]), rawPoint(asked, "2024-11-20T06:00:00Z")) {
		t.Errorf("recovery points %s", e.RecoveryPoints)
	}
}
