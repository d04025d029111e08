package plan_test

import (
	"testing"
	"time"

	"github.com/azbackup/azbackup/plan"
)

// A point that the service does not name may be there all the same: only an item that nothing ever backed up is resumed
// without a risk for its points.
func TestAResumeIsFreeOfRiskOnlyForAnItemThatWasNeverBackedUp(t *testing.T) {
	for _, tt := range []struct {
		status string
		named  bool
		risk   plan.Risk
	}{
		{"", false, plan.RiskNone},
		{"Failed", false, plan.RiskNone},
		{"cancelled", false, plan.RiskNone},
		{"Completed", false, plan.RiskReducesRetention},
		{"completedwithwarnings", false, plan.RiskReducesRetention},
		{"SomethingNew", false, plan.RiskReducesRetention},
		{"", true, plan.RiskReducesRetention},
		{"Failed", true, plan.RiskReducesRetention},
	} {
		c, o := bigVault(1, 0)
		it := &o.Items[0]
		it.State, it.PolicyID, it.PolicyName, it.LastBackupStatus = plan.StateProtectionStopped, "", "", tt.status
		if tt.named {
			it.LastRecoveryPoint = now.AddDate(0, 0, -1)
		}
		changes := plan.Make(c, o, plan.Options{Now: now}).Changes
		if len(changes) != 1 || changes[0].Action != plan.Resume || changes[0].Risk != tt.risk {
			t.Errorf("last backup %q, a point is named is %t: %v, want the risk %s", tt.status, tt.named, changes, tt.risk)
		}
	}
}

// Its first backup may end after the plan was made: a resume that was approved without a risk prunes no point of it.
func TestAResumeThatWasApprovedWithoutARiskPrunesNoPoint(t *testing.T) {
	for name, tt := range map[string]struct {
		state  string
		days   int // of the policy that it is under; 0 = that policy was not read
		prunes bool
	}{
		"stopped": {plan.StateProtectionStopped, 90, true},
		"suspended, under a policy that keeps more": {plan.StateBackupsSuspended, 90, true},
		"suspended, under one that was not read":    {plan.StateBackupsSuspended, 0, true},
		"suspended, under one that keeps less":      {plan.StateBackupsSuspended, 7, false},
	} {
		c, o := bigVault(1, 0)
		o.Policies[0].Spec.Retention.Days = 30
		spec := o.Policies[0].Spec
		spec.Retention.Days = tt.days
		it := &o.Items[0]
		it.State, it.PolicyID, it.PolicyName, it.LastRecoveryPoint, it.LastBackupStatus = tt.state, policyID("here", "was"), "was", time.Time{}, ""
		if tt.days > 0 {
			o.Policies = append(o.Policies, plan.Policy{ID: it.PolicyID, Name: "was", Vault: it.Vault, Spec: spec})
		}
		changes := plan.Make(c, o, plan.Options{Now: now}).Changes
		if len(changes) != 1 || changes[0].Action != plan.Resume {
			t.Fatalf("%s: %+v", name, changes)
		}
		it.LastRecoveryPoint, it.LastBackupStatus = now, "Completed"
		isWritten, isApproved := len(plan.CheckItem(changes[0], it).Drifts) == 0, changes[0].HasRisk(plan.RiskReducesRetention)
		if tt.prunes && isWritten && !isApproved || !tt.prunes && (!isWritten || isApproved) {
			t.Errorf("%s: written %t, the risk was approved %t", name, isWritten, isApproved)
		}
	}
}
