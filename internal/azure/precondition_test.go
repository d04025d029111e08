package azure

import (
	"net/http"
	"testing"
	"time"

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
		f := newFake().on("GET", itemID, fails(http.StatusNotFound, "ResourceNotFound"))
		tt.change.Vault, tt.change.Target, tt.change.Item, tt.change.After = vaultID, vm1, itemID, &plan.State{}
		_, _ = f.client(t, CommandApply).prepareItem(t.Context(), "testing", itemID, tt.change, tt.held) // what it finds is compared elsewhere
		if n := f.count("GET", itemID[len(vaultID):]); n != tt.reads {
			t.Errorf("%s: the item was read %d times, want %d", name, n, tt.reads)
		}
	}
}
