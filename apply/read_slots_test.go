package apply_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/azbackup/azbackup/apply"
	"github.com/azbackup/azbackup/internal/deadline"
	"github.com/azbackup/azbackup/plan"
)

// throttled is a fake in which a quota holds the lists of all vaults but v1 back for an hour.
type throttled struct{ *fake }

func (h throttled) List(ctx context.Context, vault string) (apply.Snapshot, error) {
	if name(vault) != "v1" {
		release := deadline.Hold(ctx)
		defer release()
		if err := sleep(ctx, time.Hour); err != nil {
			return apply.Snapshot{}, err
		}
	}
	return h.fake.List(ctx, vault)
}

// The vaults whose quota is used up hold no other vault back, however many they are.
func TestListsThatAQuotaHoldsBackTakeNoSlotFromOthers(t *testing.T) {
	inBubble(t, func(t *testing.T, az *fake) {
		az.duration = func(c plan.Change, _ int) time.Duration {
			if strings.HasSuffix(c.Vault, "/v1") {
				return 50 * time.Second // when all others are listed
			}
			return 36 * time.Second
		}
		changes := []plan.Change{itemChange(plan.Protect, "vm1")}
		for i := range 30 {
			changes = append(changes, itemChangeIn(fmt.Sprint("a", i), plan.Protect, fmt.Sprint("vm", i+2)))
		}
		rep, _ := apply.Run(t.Context(), planOf(changes...), throttled{az}, apply.Options{Observed: time.Now()})
		res := wantOutcome(t, rep, "protect:vm1", apply.Done)
		if took := res.Finished.Sub(*res.Started); took > 2*time.Minute {
			t.Errorf("it took %v", took)
		}
	})
}
