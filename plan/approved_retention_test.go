package plan_test

import (
	"strings"
	"testing"

	"github.com/azbackup/azbackup/plan"
)

// Who approves that an item goes from one policy to another approves what both keep: a deeper cut than the approved one is
// another change, though it has the same policies and the same risk.
func TestAMoveIsApprovedForWhatItsPoliciesKeep(t *testing.T) {
	c := loadConfig(t, []byte(strings.NewReplacer("manage: true, softDeleteDays: 30", "manage: false", "manage: true, immutability: Locked", "manage: false",
		"    manage: true\n", "").Replace(savedConfig)))
	world := func(daily, long int) plan.Observed {
		o := savedWorld()
		o.Policies[0].Spec.Retention.Days, o.Policies[1].Spec.Retention.Days = daily, long
		item(&o, "undelete").LastRecoveryPoint = now.AddDate(0, 0, -1)
		return o
	}
	approved := plan.Make(c, world(60, 30), plan.Options{Now: now})
	for _, tt := range []struct {
		name        string
		daily, long int
		stale       string
	}{
		{name: "as it was", daily: 60, long: 30},
		{
			name: "the policy to go to keeps less", daily: 60, long: 7,
			stale: "modify modify: policy long was schedule daily at 22:00, instantRestoreDays 2, retention.days 30, " +
				"and is now schedule daily at 22:00, instantRestoreDays 2, retention.days 7\n" +
				"resume undelete: policy long was schedule daily at 22:00, instantRestoreDays 2, retention.days 30, " +
				"and is now schedule daily at 22:00, instantRestoreDays 2, retention.days 7",
		},
		{
			name: "the policy to leave keeps more", daily: 3650, long: 30,
			stale: "modify modify: policy daily was schedule daily at 22:00, instantRestoreDays 2, retention.days 60, " +
				"and is now schedule daily at 22:00, instantRestoreDays 2, retention.days 3650",
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			next := plan.Make(c, world(tt.daily, tt.long), plan.Options{Now: now})
			var stale []string
			for _, s := range plan.Subset(approved, next).Stale {
				stale = append(stale, string(s.Change.Action)+" "+lastPart(s.Change.Target)+": "+s.Why)
			}
			if got := strings.Join(stale, "\n"); got != tt.stale {
				t.Errorf("of a saved plan is stale:\n%s\nexpected:\n%s", got, tt.stale)
			}
			if isSame := next.Fingerprint == approved.Fingerprint; isSame != (tt.stale == "") {
				t.Errorf("the fingerprint is the approved one is %t", isSame)
			}
			var changed []string
			for _, pair := range plan.Compare(approved, next).Changed {
				changed = append(changed, string(pair.Now.Action)+" "+lastPart(pair.Now.Target)+": "+pair.Describe())
			}
			if got := strings.Join(changed, "\n"); got != tt.stale {
				t.Errorf("asked again for:\n%s\nexpected:\n%s", got, tt.stale)
			}
		})
	}
}
