package azure

import (
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/azbackup/azbackup/internal/azure/azuretest"
	"github.com/azbackup/azbackup/plan"
)

func TestAnItemIsReadRightBeforeAWriteThatNeedsIt(t *testing.T) {
	for name, tt := range map[string]struct {
		change plan.Change
		held   time.Duration
		reads  int
	}{
		"a change without a risk":     {plan.Change{Action: plan.Modify}, 0, 0},
		"with no risk, in words":      {plan.Change{Action: plan.Modify, Risk: plan.RiskNone}, 0, 0},
		"with a risk":                 {plan.Change{Action: plan.Modify, Risk: plan.RiskReducesCoverage}, 0, 1},
		"an undelete":                 {plan.Change{Action: plan.Undelete}, 0, 1},
		"a resume":                    {plan.Change{Action: plan.Resume}, 0, 1},
		"as long as quotas may delay": {plan.Change{Action: plan.Modify}, maxQuotaDelay, 0},
		"delayed for longer":          {plan.Change{Action: plan.Modify}, maxQuotaDelay + 1, 1},
	} {
		synctest.Test(t, func(t *testing.T) {
			f := newFake().on("GET", itemID, fails(http.StatusNotFound, "ResourceNotFound"))
			tt.change.Vault, tt.change.Target, tt.change.Item, tt.change.After = vaultID, vm1, itemID, &plan.State{}
			_, _ = f.client(t, CommandApply).prepareItem(t.Context(), "testing", itemID, tt.change, tt.held) // what it finds is compared elsewhere
			if n := f.count("GET", itemID[len(vaultID):]); n != tt.reads {
				t.Errorf("%s: the item was read %d times, want %d", name, n, tt.reads)
			}
		})
	}
}

// The service replaces an item's extended properties by those of a write.
func TestUnknownPropertiesThatWereReadRightBeforeAWriteGoBack(t *testing.T) {
	stopped := azuretest.Item(vaultID, "VM1", `"protectionState":"ProtectionStopped","policyId":"","extendedProperties":{"linuxVmApplicationName":"hana"}`)
	f := newFake().on("GET", itemID, says(http.StatusOK, stopped)).on("PUT", itemID, says(http.StatusAccepted, ""))
	_, err := f.client(t, CommandApply).Start(t.Context(), plan.Change{
		Action: plan.Resume, Risk: plan.RiskReducesRetention, Target: vm1, Vault: vaultID, Item: itemID,
		Before: &plan.State{State: plan.StateProtectionStopped}, After: &plan.State{State: plan.StateProtected, Policy: policyID},
	})
	if err != nil || !strings.Contains(f.last().body, `"extendedProperties":{"linuxVmApplicationName":"hana"}`) {
		t.Errorf("%v, sent %s", err, f.last().body)
	}
}

// Whether what a write leaves out survives is not known (docs/azure.md §6), so a stop sends it again as a modify does.
func TestUnknownPropertiesGoBackWhereBackupEnds(t *testing.T) {
	const hana = `,"extendedProperties":{"linuxVmApplicationName":"hana"}`
	for action, is := range map[plan.Action]struct {
		properties string
		before     plan.State
	}{
		plan.Stop:     {`"policyId":"` + policyID + `"`, plan.State{State: plan.StateProtected, Policy: policyID}},
		plan.Undelete: {`"protectionState":"ProtectionStopped","policyId":"","isScheduledForDeferredDelete":true`, plan.State{State: plan.StateSoftDeleted}},
	} {
		f := newFake().on("GET", itemID, says(http.StatusOK, azuretest.Item(vaultID, "VM1", is.properties+hana))).on("PUT", itemID, says(http.StatusAccepted, ""))
		_, err := f.client(t, CommandApply).Start(t.Context(), plan.Change{
			Action: action, Risk: plan.RiskStopsBackup, Target: vm1, Vault: vaultID, Item: itemID,
			Before: &is.before, After: &plan.State{State: plan.StateProtectionStopped},
		})
		if err != nil || !strings.Contains(f.last().body, hana) {
			t.Errorf("%s: %v, sent %s", action, err, f.last().body)
		}
	}
}

// An id may be spelled otherwise in the answer, and a list that began before may end after the read.
func TestTheReadRightBeforeAWriteDecidesWhatGoesBack(t *testing.T) {
	const hana = `"protectionState":"ProtectionStopped","policyId":"","extendedProperties":{"linuxVmApplicationName":"hana"}`
	spelled := strings.Replace(itemID, "VM;iaasvmcontainerv2;rg-app;vm1", "vm1", 1)
	f := newFake().on("GET", spelled, says(http.StatusOK, azuretest.Item(vaultID, "VM1", hana))).on("PUT", spelled, says(http.StatusAccepted, ""))
	_, err := f.client(t, CommandApply).Start(t.Context(), plan.Change{
		Action: plan.Resume, Risk: plan.RiskReducesRetention, Target: vm1, Vault: vaultID, Item: spelled,
		Before: &plan.State{State: plan.StateProtectionStopped}, After: &plan.State{State: plan.StateProtected, Policy: policyID},
	})
	if err != nil || !strings.Contains(f.last().body, `"extendedProperties":{"linuxVmApplicationName":"hana"}`) {
		t.Errorf("%v, sent %s", err, f.last().body)
	}
}

// What another client removed meanwhile does not come back with a write.
func TestUnknownPropertiesThatAreGoneAreNotSent(t *testing.T) {
	const hana = `,"extendedProperties":{"linuxVmApplicationName":"hana"}`
	const stopped = `"protectionState":"ProtectionStopped","policyId":""`
	for name, isListed := range map[string]bool{"by a list": true, "by the read right before": false} {
		f := newFake().on("PUT", itemID, says(http.StatusAccepted, ""))
		f.on("GET", vaultID+"/backupProtectedItems", lists(azuretest.Item(vaultID, "VM1", stopped+hana)), lists(azuretest.Item(vaultID, "VM1", stopped)))
		f.on("GET", vaultID+"/backupJobs", lists())
		f.on("GET", itemID, says(http.StatusOK, azuretest.Item(vaultID, "VM1", stopped)))
		c := f.client(t, CommandApply)
		ch := plan.Change{
			Action: plan.Resume, Risk: plan.RiskReducesRetention, Target: vm1, Vault: vaultID, Item: itemID,
			Before: &plan.State{State: plan.StateProtectionStopped}, After: &plan.State{State: plan.StateProtected, Policy: policyID},
		}
		if isListed { // of a modify without a risk the list alone is compared
			ch.Action, ch.Risk = plan.Modify, plan.RiskNone
		}
		for range map[bool]int{true: 2, false: 1}[isListed] {
			if _, err := c.List(t.Context(), vaultID); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := c.Start(t.Context(), ch); err != nil || !strings.Contains(f.last().body, `"extendedProperties":{}`) {
			t.Errorf("%s: %v, sent %s", name, err, f.last().body)
		}
	}
}

func TestAPolicyOfAnItemIsComparedByAReadThatIsFreshEnough(t *testing.T) {
	document := azuretest.Policy(azuretest.DailySchedule + "," + azuretest.Keep30Days + "," + azuretest.PolicySettings)
	spec := policyOf(t, document)
	other := spec
	other.Retention.Days++
	for name, tt := range map[string]struct {
		known  *cachedPolicy
		age    time.Duration
		change plan.Change
		reads  int
		drifts int
	}{
		"never read":                           {nil, 0, plan.Change{}, 1, 0},
		"listed for the plan":                  {&cachedPolicy{policy: &plan.Policy{Spec: spec}}, 0, plan.Change{}, 0, 0},
		"listed, and the change has a risk":    {&cachedPolicy{policy: &plan.Policy{Spec: spec}}, 0, plan.Change{Risk: plan.RiskReducesRetention}, 1, 0},
		"read for a write, and it has a risk":  {&cachedPolicy{policy: &plan.Policy{Spec: spec}, single: true}, 0, plan.Change{Risk: plan.RiskReducesRetention}, 0, 0},
		"as old as it may be":                  {&cachedPolicy{policy: &plan.Policy{Spec: spec}, single: true}, policyCacheTTL, plan.Change{}, 0, 0},
		"older":                                {&cachedPolicy{policy: &plan.Policy{Spec: spec}, single: true}, policyCacheTTL + 1, plan.Change{}, 1, 0},
		"another, which may have changed":      {&cachedPolicy{policy: &plan.Policy{Spec: other}, single: true}, 0, plan.Change{}, 1, 0},
		"not there, which may have changed":    {&cachedPolicy{single: true}, 0, plan.Change{}, 1, 0},
		"judged by what it is not":             {nil, 0, plan.Change{After: &plan.State{Keeps: []string{plan.DescribeRetention(other)}}}, 1, 1},
		"judged by what it is not, and cached": {&cachedPolicy{policy: &plan.Policy{Spec: spec}, single: true}, 0, plan.Change{After: &plan.State{Keeps: []string{plan.DescribeRetention(other)}}}, 1, 1},
	} {
		synctest.Test(t, func(t *testing.T) {
			f := newFake().on("GET", policyID, says(http.StatusOK, document))
			c := f.client(t, CommandApply)
			if tt.known != nil {
				tt.known.at = c.Now()
				c.policies.put(policyID, *tt.known)
			}
			time.Sleep(tt.age)
			if tt.change.After == nil {
				tt.change.After = &plan.State{Keeps: []string{plan.DescribeRetention(spec)}}
			}
			tt.change.After.Policy = policyID
			drifts, err := c.checkPolicyDrift(t.Context(), "testing", tt.change)
			if n := f.count("GET", "/p"); err != nil || n != tt.reads || len(drifts) != tt.drifts {
				t.Errorf("%s: %d reads, want %d; %v, %v", name, n, tt.reads, drifts, err)
			}
		})
	}
}

func TestAPolicyThatWasListedBeforeTheApprovalIsReadAgain(t *testing.T) {
	document := azuretest.Policy(azuretest.DailySchedule + "," + azuretest.Keep30Days + "," + azuretest.PolicySettings)
	spec := policyOf(t, document)
	listed := spec
	listed.Retention.Days++ // another client has cut it since
	for name, tt := range map[string]struct {
		thinks time.Duration // how much later than the list the approval is
		drifts int
	}{
		"approved before the list": {-time.Second, 0},
		"approved with the list":   {0, 0},
		"approved after the list":  {time.Nanosecond, 1},
	} {
		synctest.Test(t, func(t *testing.T) {
			f := newFake().on("GET", policyID, says(http.StatusOK, document))
			c := f.client(t, CommandApply)
			c.policies.put(policyID, cachedPolicy{policy: &plan.Policy{Spec: listed}, at: c.Now()})
			c.SetApprovalTime(c.Now().Add(tt.thinks))
			time.Sleep(time.Second)
			drifts, err := c.checkPolicyDrift(t.Context(), "testing", plan.Change{After: &plan.State{Policy: policyID, Keeps: []string{plan.DescribeRetention(listed)}}})
			if n := f.count("GET", "/p"); err != nil || n != tt.drifts || len(drifts) != tt.drifts {
				t.Errorf("%s: %d reads, %v, %v", name, n, drifts, err)
			}
		})
	}
}

// Requests of a run may not grow with the number of its changes where one read serves them all.
func TestChangesOfOnePolicyShareItsRead(t *testing.T) {
	document := azuretest.Policy(azuretest.DailySchedule + "," + azuretest.Keep30Days + "," + azuretest.PolicySettings)
	spec := policyOf(t, document)
	for name, tt := range map[string]struct {
		keeps string
		reads int // this run may write the policy while it is read: one read that began later says whether
		drift int
	}{
		"as approved": {plan.DescribeRetention(spec), 1, 0},
		"otherwise":   {"other", 2, 1},
	} {
		synctest.Test(t, func(t *testing.T) {
			f := newFake().on("GET", policyID, func(w http.ResponseWriter, r *http.Request) {
				time.Sleep(time.Second)
				says(http.StatusOK, document)(w, r)
			})
			c := f.client(t, CommandApply)
			drifts := make(chan int)
			for range 20 {
				go func() {
					found, err := c.checkPolicyDrift(t.Context(), "testing", plan.Change{Risk: plan.RiskReducesRetention, After: &plan.State{Policy: policyID, Keeps: []string{tt.keeps}}})
					if err != nil {
						t.Error(err)
					}
					drifts <- len(found)
				}()
			}
			for range 20 {
				if n := <-drifts; n != tt.drift {
					t.Errorf("%s: %d drifts, want %d", name, n, tt.drift)
				}
			}
			if n := f.count("GET", "/p"); n != tt.reads {
				t.Errorf("%s: %d reads, want %d", name, n, tt.reads)
			}
		})
	}
}

func TestAnItemUnderAPolicyThatIsGoneIsNotWritten(t *testing.T) {
	f := newFake().on("GET", policyID, fails(http.StatusNotFound, "ResourceNotFound"))
	drifts, err := f.client(t, CommandApply).checkPolicyDrift(t.Context(), "testing", plan.Change{After: &plan.State{Policy: policyID, Keeps: []string{"30 days"}}})
	if err != nil || len(drifts) != 1 {
		t.Errorf("%v, %v", drifts, err)
	}
}

// The policies of an item are read before the item itself, so that nobody's change of the item is missed while their
// reads take long.
func TestAnItemIsReadAfterItsPolicies(t *testing.T) {
	document := azuretest.Policy(azuretest.DailySchedule + "," + azuretest.Keep30Days + "," + azuretest.PolicySettings)
	keeps := []string{plan.DescribeRetention(policyOf(t, document))}
	for name, tt := range map[string]struct {
		risk  plan.Risk
		takes time.Duration
	}{
		"of a change with a risk":                     {plan.RiskReducesRetention, 0},
		"of one without, where the reads take longer": {plan.RiskNone, maxQuotaDelay + 1},
	} {
		synctest.Test(t, func(t *testing.T) {
			under := "old"
			f := newFake().on("GET", policyID, func(w http.ResponseWriter, r *http.Request) {
				time.Sleep(tt.takes)
				under = "theirs" // another client moves the item meanwhile
				says(http.StatusOK, document)(w, r)
			}).on("GET", itemID, func(w http.ResponseWriter, r *http.Request) {
				says(http.StatusOK, azuretest.Item(vaultID, "VM1", `"protectionState":"Protected","lastRecoveryPoint":null,"policyId":"`+vaultID+`/backupPolicies/`+under+`"`))(w, r)
			}).on("PUT", itemID, says(http.StatusAccepted, ""))
			_, err := f.client(t, CommandApply).Start(t.Context(), plan.Change{
				Action: plan.Modify, Target: vm1, Vault: vaultID, Item: itemID, Risk: tt.risk, KeepDisks: true,
				Before: &plan.State{State: plan.StateProtected, Policy: vaultID + "/backupPolicies/old"},
				After:  &plan.State{State: plan.StateProtected, Policy: policyID, Keeps: keeps},
			})
			if err == nil || !strings.Contains(err.Error(), "policy was old, is now theirs") || f.count("PUT", "") != 0 {
				t.Errorf("%s: %v, after %d writes", name, err, f.count("PUT", ""))
			}
		})
	}
}
