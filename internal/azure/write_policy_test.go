package azure

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	backup "github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/recoveryservices/armrecoveryservicesbackup/v5"
	"github.com/google/go-cmp/cmp"

	"github.com/azbackup/azbackup/internal/azure/azuretest"
	"github.com/azbackup/azbackup/internal/azure/wire"
	"github.com/azbackup/azbackup/plan"
)

// policyOf returns the spec that the service would read from a sent body.
func policyOf(t *testing.T, body string) plan.PolicySpec {
	t.Helper()
	var w wire.Policy
	if err := json.Unmarshal([]byte(body), &w); err != nil {
		t.Fatal(err)
	}
	p, err := w.ToPlan(vaultID)
	if err != nil || p.Unreadable != "" {
		t.Fatalf("we cannot read our own policy: %v%s\n%s", err, p.Unreadable, body)
	}
	return p.Spec
}

func TestNewPoliciesMeanWhatTheySay(t *testing.T) {
	for name, spec := range azuretest.PolicySpecs() {
		t.Run(name, func(t *testing.T) {
			got, _ := start(t, newFake(), plan.Change{Action: plan.CreatePolicy, Target: policyID, Vault: vaultID, After: &plan.State{Spec: &spec}},
				http.MethodPut, policyID)
			acceptedBy(t, got.body, &backup.ProtectionPolicyResource{})
			if d := cmp.Diff(spec, policyOf(t, got.body)); d != "" {
				t.Error(d)
			}
			if strings.Contains(got.body, `"date":0`) != strings.Contains(got.body, `{"date":0,"isLast":true}`) {
				t.Errorf("the last day is not said to be the last: %s", got.body)
			}
			// Every retention time equals the schedule's (docs/azure.md §8.3).
			at := spec.Schedule.At + ":00Z"
			if n, all := strings.Count(got.body, at), strings.Count(got.body, "T"+at[:5]); n != all || n < 2 {
				t.Errorf("%d times of %d are %s: %s", n, all, at, got.body)
			}
		})
	}
}

// Each spec is merged with a document of each other one of its tier.
func TestPolicyUpdatesKeepWhatTheyDoNotChange(t *testing.T) {
	for from, before := range azuretest.PolicySpecs() {
		for to, after := range azuretest.PolicySpecs() {
			if before.Tier != after.Tier || from == to {
				continue
			}
			t.Run(from+" to "+to, func(t *testing.T) {
				made, _ := start(t, newFake(), plan.Change{Action: plan.CreatePolicy, Target: policyID, Vault: vaultID, After: &plan.State{Spec: &before}},
					http.MethodPut, policyID)
				doc := strings.Replace(made.body, `{"properties":{`, `{"id":"`+policyID+`","name":"p","properties":{"aNewKey":{"x":[1]},"protectedItemsCount":2,`, 1)
				got, _ := start(t, newFake().on("GET", policyID, says(200, doc)),
					plan.Change{
						Action: plan.UpdatePolicy, Target: policyID, Vault: vaultID, Risk: plan.RiskReducesRetention,
						Before: &plan.State{Spec: &before}, After: &plan.State{Spec: &after},
					}, http.MethodPut, policyID)
				want := wire.FillUnset(before, after)
				if d := cmp.Diff(want, policyOf(t, got.body)); d != "" {
					t.Error(d)
				}
				if !strings.Contains(got.body, `"aNewKey":{"x":[1]}`) || !strings.Contains(got.body, `"protectedItemsCount":2`) {
					t.Errorf("a property was lost: %s", got.body)
				}
				acceptedBy(t, strings.Replace(got.body, `"aNewKey":{"x":[1]},`, "", 1), &backup.ProtectionPolicyResource{})
			})
		}
	}
}

func TestAPolicyOfAnotherKindIsNotWritten(t *testing.T) {
	spec := azuretest.PolicySpecs()["Standard daily"]
	enhanced := azuretest.PolicySpecs()["Enhanced hourly"]
	for name, c := range map[string]struct {
		doc  string
		want plan.PolicySpec
	}{
		"unknown schedule": {azuretest.Policy(strings.Replace(azuretest.DailySchedule, "SimpleSchedulePolicy", "LogSchedulePolicy", 1) + "," + azuretest.Keep30Days), spec},
		"a workload":       {strings.Replace(azuretest.Policy(azuretest.DailySchedule+","+azuretest.Keep30Days), "AzureIaasVM", "AzureWorkload", 1), spec},
		"another tier":     {azuretest.Policy(azuretest.DailySchedule + "," + azuretest.Keep30Days), enhanced},
	} {
		f := newFake().on("GET", policyID, says(200, c.doc))
		_, err := f.client(t, CommandApply).Start(t.Context(), plan.Change{
			Action: plan.UpdatePolicy, Target: policyID, Vault: vaultID, Before: &plan.State{Spec: &spec}, After: &plan.State{Spec: &c.want},
		})
		if err == nil || f.count("PUT", "") != 0 {
			t.Errorf("%s: %v, %d PUTs", name, err, f.count("PUT", ""))
		}
	}
}

// The plan saw nothing under the policy, so shorter retention cost nothing: a document that does not count its items does
// not say that this is still so.
func TestAPolicyThatDoesNotCountItsItemsIsNotCut(t *testing.T) {
	is := azuretest.PolicySpecs()["Enhanced daily"]
	shorter, longer := is, is
	shorter.Retention.Days--
	longer.Retention.Days++
	made, _ := start(t, newFake(), plan.Change{Action: plan.CreatePolicy, Target: policyID, Vault: vaultID, After: &plan.State{Spec: &is}}, http.MethodPut, policyID)
	for name, tt := range map[string]struct {
		count string
		want  plan.PolicySpec
		risk  plan.Risk
		sent  int
	}{
		"it counts none":             {`"protectedItemsCount":0,`, shorter, plan.RiskNone, 1},
		"it counts one":              {`"protectedItemsCount":1,`, shorter, plan.RiskNone, 0},
		"it does not count":          {``, shorter, plan.RiskNone, 0},
		"it counts null":             {`"protectedItemsCount":null,`, shorter, plan.RiskNone, 0},
		"the risk was approved":      {``, shorter, plan.RiskReducesRetention, 1},
		"its retention gets no less": {``, longer, plan.RiskNone, 1},
	} {
		f := newFake().on("PUT", policyID, says(200, made.body))
		f.on("GET", policyID, says(200, strings.Replace(made.body, `{"properties":{`, `{"id":"`+policyID+`","name":"p","properties":{`+tt.count, 1)))
		_, err := f.client(t, CommandApply).Start(t.Context(), plan.Change{
			Action: plan.UpdatePolicy, Target: policyID, Vault: vaultID, Risk: tt.risk, Before: &plan.State{Spec: &is}, After: &plan.State{Spec: &tt.want},
		})
		if n := f.count("PUT", ""); n != tt.sent || (err == nil) != (n == 1) {
			t.Errorf("%s: %d PUTs, %v", name, n, err)
		}
	}
}
