package cli

import (
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/azbackup/azbackup/internal/azure"
	"github.com/azbackup/azbackup/internal/azure/arm"
	"github.com/azbackup/azbackup/internal/crash"
	"github.com/azbackup/azbackup/internal/report"
)

// Waits for a quota are always reported: a foreseen wait before it begins, each wait of [minSaidWait] or more when it
// begins, and a long one again at intervals.

const (
	// minSaidWait is the shortest wait that is reported without -v.
	minSaidWait = 5 * time.Second
	// A wait is reported again after a sixth of its expected duration, but not before minWaitInterval nor later than
	// maxWaitInterval.
	minWaitInterval = time.Minute
	maxWaitInterval = 15 * time.Minute
)

// waits reports the requests that quotas hold back. It is safe for concurrent use.
type waits struct {
	app     *app
	command azure.Command
	client  *azure.Client
	stop    chan struct{}
	stopped chan struct{}

	mu     sync.Mutex
	said   map[string]time.Time // when a wait was last reported, by quota and subscription
	advice string               // set by [waits.advise]; "" = none
}

func newWaits(a *app, command azure.Command) *waits {
	return &waits{app: a, command: command, said: map[string]time.Time{}}
}

// watch reports, at intervals, what holds the client's requests back, until end is called.
func (w *waits) watch(c *azure.Client) {
	w.client, w.stop, w.stopped = c, make(chan struct{}), make(chan struct{})
	go func() {
		defer crash.ExitOnPanic()
		defer close(w.stopped)
		ticker := time.NewTicker(minWaitInterval)
		defer ticker.Stop()
		for {
			select {
			case <-w.stop:
				return
			case <-ticker.C:
				for _, t := range c.Holds() {
					if w.isDue(t) {
						w.say(t)
					}
				}
			}
		}
	}()
}

func (w *waits) end() {
	if w.stop != nil {
		close(w.stop)
		<-w.stopped
		w.stop = nil
	}
}

// observe is arm.Options.OnThrottle.
func (w *waits) observe(t arm.Throttle) {
	switch {
	case t.IsForeseen():
		text := fmt.Sprintf("%s: %s, and %d in %s are allowed%s: that takes about %s", quotaName(t.Kind), report.FormatCount(t.Left, "request"),
			t.Limit, report.FormatDuration(t.Interval), inSubscription(t), report.FormatDuration(t.Lasts))
		args := throttleArgs(t)
		if advice := w.narrower(t); advice != "" {
			args = append(args, hintKey, advice)
		}
		w.app.log.Info(text, args...)
	case t.Wait < minSaidWait:
		w.app.log.Debug("held back by a quota for "+report.FormatDuration(t.Wait), "kind", t.Kind, "wait", t.Wait)
	case w.isDue(t):
		w.say(t)
	}
}

// isDue reports whether the last report of a quota is long enough ago, and if so records one now.
func (w *waits) isDue(t arm.Throttle) bool {
	interval := min(max(t.Lasts/6, minWaitInterval), maxWaitInterval)
	w.mu.Lock()
	defer w.mu.Unlock()
	now, key := w.app.Now(), t.Subscription+" "+t.Kind
	if last := w.said[key]; !last.IsZero() && now.Sub(last) < interval {
		return false
	}
	w.said[key] = now
	return true
}

func (w *waits) say(t arm.Throttle) {
	text := "held back by a quota: " + quotaName(t.Kind) + inSubscription(t)
	if t.Wait < 24*time.Hour { // else only an answer ends it
		text += ", the next in " + report.FormatDuration(t.Wait)
	}
	if t.Expected > 0 {
		text += fmt.Sprintf("; %d of %d requests sent", t.Expected-t.Left, t.Expected)
		if t.Lasts > 0 {
			text += ", the rest takes about " + report.FormatDuration(t.Lasts)
		}
	}
	w.app.log.Info(text, throttleArgs(t)...)
}

// advise sets the advice for waits that are foreseen from now on, where no other flags would need fewer requests.
func (w *waits) advise(text string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.advice = text
}

// narrower returns advice on how to need fewer requests, or "".
func (w *waits) narrower(t arm.Throttle) string {
	_, ofPoints := strings.CutSuffix(t.Kind, "/recoveryPoints/read")
	switch w.command {
	case azure.CommandRestore:
		if !ofPoints { // the restores are chosen
			w.mu.Lock()
			defer w.mu.Unlock()
			return w.advice
		}
		return "fewer machines need fewer requests: --only with one more key (rule=, vault=, group=, vm=), the most urgent first; what waits can be cut with Ctrl-C, nothing is started yet"
	case azure.CommandPoints, azure.CommandRestoreTest:
		return "fewer machines need fewer requests: name the most urgent ones first"
	case azure.CommandPlan, azure.CommandApply, azure.CommandAudit:
		return "--skip restore-tests leaves the reads of restore tests out; a smaller sample in restoreTests needs fewer"
	default:
		return ""
	}
}

func throttleArgs(t arm.Throttle) []any {
	return []any{
		"quota", t.Kind, "subscription", t.Subscription, "wait_seconds", int64(t.Wait.Seconds()), "limit", t.Limit,
		"interval_seconds", int64(t.Interval.Seconds()), "expected", t.Expected, "left", t.Left, "lasts_seconds", int64(t.Lasts.Seconds()),
	}
}

// quotaName returns a quota in words.
func quotaName(kind string) string {
	_, action, _ := strings.Cut(strings.ToLower(kind), "/")
	switch strings.TrimPrefix(action, "vaults/") {
	case "backupfabrics/protectioncontainers/protecteditems/recoverypoints/read":
		return "reads of recovery points"
	case "backupjobs/read":
		return "reads of backup jobs"
	case "backupprotecteditems/read":
		return "reads of protected items"
	case "backupprotectableitems/read":
		return "reads of machines to protect"
	case "backuppolicies/read":
		return "reads of policies"
	case "backupfabrics/protectioncontainers/protecteditems/operationsstatus/read":
		return "reads of operations"
	case "reads":
		return "reads of Resource Manager"
	case "writes":
		return "writes of Resource Manager"
	case "deletes":
		return "deletes of Resource Manager"
	}
	return report.Line(kind)
}

func inSubscription(t arm.Throttle) string {
	if t.Subscription == "" {
		return ""
	}
	return " in subscription " + report.Line(t.Subscription)
}
