package plan_test

import (
	"testing"

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
