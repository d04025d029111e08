package apply_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/azbackup/azbackup/apply"
	"github.com/azbackup/azbackup/plan"
)

// heldBackend refuses the first write, and holds back all others until their context ends, as a quota does that others used
// up.
type heldBackend struct {
	*fake
	starts int
}

func (b *heldBackend) Start(ctx context.Context, _ plan.Change) (apply.Operation, error) {
	if b.starts++; b.starts == 1 {
		return apply.Operation{}, &apply.Error{Op: "updating a policy", Status: 429, Code: "TooManyRequests", Message: "try again later"}
	}
	<-ctx.Done()
	return apply.Operation{}, &apply.UnsentError{Err: context.Cause(ctx)}
}

// A write that was never sent has had no effect: it is not among those somebody must look after.
func TestAWriteThatQuotasHeldBackToTheEndIsNotUnconfirmed(t *testing.T) {
	inBubble(t, func(t *testing.T, az *fake) {
		c := policyChange(plan.UpdatePolicy, "daily")
		p := planOf(c)
		rep, runErr := apply.Run(t.Context(), p, &heldBackend{fake: az}, apply.Options{Observed: time.Now()})
		checkReport(t, p, rep, runErr)
		res := wantOutcome(t, rep, c.ID, apply.TimedOut)
		wantContains(t, "the message", res.Message, "TooManyRequests")
		if res.Hint != "" && strings.Contains(res.Hint, "az backup job") {
			t.Errorf("hint %q", res.Hint)
		}
	})
	inBubble(t, func(t *testing.T, az *fake) {
		c := policyChange(plan.UpdatePolicy, "daily")
		p := planOf(c)
		asked := make(chan struct{})
		time.AfterFunc(time.Minute, func() { close(asked) })
		rep, runErr := apply.Run(t.Context(), p, &heldBackend{fake: az}, apply.Options{Observed: time.Now(), Interrupt: asked, Grace: time.Minute})
		checkReport(t, p, rep, runErr)
		wantOutcome(t, rep, c.ID, apply.NotStarted)
	})
}
