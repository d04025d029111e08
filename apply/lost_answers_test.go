package apply_test

import (
	"context"
	"testing"
	"time"

	"github.com/azbackup/azbackup/apply"
	"github.com/azbackup/azbackup/plan"
)

// held sends each write later than it was asked to, as one that waits for its quotas.
type held struct {
	*fake
	by time.Duration
}

func (h held) Start(ctx context.Context, c plan.Change) (apply.Operation, error) {
	if err := sleep(ctx, h.by); err != nil {
		return apply.Operation{}, err
	}
	return h.fake.Start(ctx, c)
}

// The search for a lost write's effect takes as long however long the write waited before it was sent: its job is listed up
// to 13 s after it.
func TestAWriteThatWaitedForItsQuotasIsNotSentTwice(t *testing.T) {
	for _, by := range []time.Duration{0, 125 * time.Second, 10 * time.Minute} {
		for _, c := range []plan.Change{itemChange(plan.Backup, "vm1"), restoreOf("vm1")} {
			inBubble(t, func(t *testing.T, az *fake) {
				az.script["vm1"] = []string{"reset-after"}
				job := c.Vault + "/backupJobs/job-op-0"
				az.unlisted = map[string]bool{job: true}
				time.AfterFunc(by+13*time.Second, func() {
					az.mu.Lock()
					defer az.mu.Unlock()
					delete(az.unlisted, job)
				})
				rep, _ := apply.Run(t.Context(), planOf(c), held{az, by}, apply.Options{})
				wantOutcome(t, rep, c.ID, apply.Done)
				wantWrites(t, az, c.ID, 1)
			})
		}
	}
}
