package cli

import (
	"cmp"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/azbackup/azbackup/apply"
	"github.com/azbackup/azbackup/internal/armid"
	"github.com/azbackup/azbackup/internal/report"
	"github.com/azbackup/azbackup/plan"
)

// progress shows an apply while it runs.
type progress interface {
	// observe receives every event, one at a time.
	observe(apply.Event)
	// end removes the bars, if there are any.
	end()
}

// newProgress returns bars for a terminal, and lines elsewhere: also for a terminal that cannot move its cursor, and for one
// without a width, as a serial console or an automated session has it, where bars of no columns would show nothing.
func (a *app) newProgress(p plan.Plan) progress {
	lines := newLineProgress(a.log, p, a.logFormat == logText)
	if !a.ErrTerminal || a.logFormat != logText || a.isDumb() || a.Width < 1 {
		return lines
	}
	return newBars(a, p, lines)
}

// In a run of more than maxChangeLines changes people see no line for each change that is done, but one for each
// subscription, and maxTroubleLines lines at most for changes that are not done. Programs get a record of each change.
const (
	maxChangeLines  = 200
	maxTroubleLines = 50
)

// lineProgress writes a line for each change that has ended, or in a run of many changes for each subscription, and a
// line at intervals while none ends.
type lineProgress struct {
	log           *slog.Logger
	wanted        map[string]plan.Action // of blocked changes
	total         int
	finishedCount int
	troubleCount  int
	throttled     time.Time
	spoken        time.Time                          // when the last line about the whole run was written
	bySub         map[string]*progressOfSubscription // by folded id
	names         map[string]string                  // of subscriptions
	name          func(id string) string             // of resources, for people
	isForPeople   bool
	// isQuiet omits the lines that bars make unnecessary.
	isQuiet bool
}

// progressOfSubscription counts the changes of one subscription.
type progressOfSubscription struct {
	left     int
	outcomes map[apply.Outcome]int
}

func newLineProgress(log *slog.Logger, p plan.Plan, isForPeople bool) *lineProgress {
	l := &lineProgress{
		log: log, total: len(p.Changes), wanted: map[string]plan.Action{}, names: p.Subscriptions, isForPeople: isForPeople,
		bySub: map[string]*progressOfSubscription{}, name: namerOf(p),
	}
	for _, c := range p.Changes {
		l.wanted[c.ID] = c.Wanted
		key := subscriptionOf(c.Target, c.Vault)
		if l.bySub[key] == nil {
			l.bySub[key] = &progressOfSubscription{outcomes: map[apply.Outcome]int{}}
		}
		l.bySub[key].left++
	}
	return l
}

// subscriptionOf returns the folded id of the subscription that a change is in.
func subscriptionOf(target, vault string) string {
	if s := armid.SubscriptionOf(target); s != "" {
		return strings.ToLower(s)
	}
	return strings.ToLower(armid.SubscriptionOf(vault))
}

// isMany reports whether the run has too many changes for a line each.
func (l *lineProgress) isMany() bool { return l.isForPeople && l.total > maxChangeLines }

// throttleReportInterval is the shortest interval between two lines about a wait for a quota, and between two lines
// about a whole run of many changes.
const throttleReportInterval = 30 * time.Second

func (l *lineProgress) observe(e apply.Event) {
	level, text := slog.LevelDebug, ""
	switch e.Kind {
	case apply.EventFinished:
		level, text = l.describeFinished(e)
	case apply.EventHeartbeat:
		if !l.isQuiet {
			level, l.spoken = slog.LevelInfo, e.Time
		}
		text = describeRunning(e)
	case apply.EventThrottled:
		if e.Time.Sub(l.throttled) >= throttleReportInterval {
			level, l.throttled = slog.LevelInfo, e.Time
		}
		text = "held back by a quota" + describeFor(time.Duration(e.Wait))
		if e.Message != "" {
			text += ": " + oneLine(e.Message)
		}
	case apply.EventInterrupt:
		return // the signal handler has reported it
	default:
		text = strings.TrimSpace(fmt.Sprintf("%s %s %s %s", e.Kind, report.ActionText(e.Action), l.describePlace(e), oneLine(e.Message)))
	}
	l.log.Log(nil, level, text, eventArgs(e)...) //nolint:staticcheck // the handlers ask nothing of a context
	if e.Kind == apply.EventFinished {
		l.tellSubscription(e)
		l.tellWhole(e)
	}
}

func describeRunning(e apply.Event) string {
	return fmt.Sprintf("still at it: %d of %d done, %d running", e.Done, e.Total, e.Running)
}

// tellSubscription writes a line when the last change of a subscription has ended: for people where there are many
// changes, for programs where there are several subscriptions.
func (l *lineProgress) tellSubscription(e apply.Event) {
	key := subscriptionOf(e.Target, e.Vault)
	s := l.bySub[key]
	if s == nil {
		return
	}
	s.outcomes[e.Outcome]++
	s.left--
	isWorthALine := l.isMany() || !l.isForPeople && len(l.bySub) > 1
	if s.left > 0 || key == "" || l.isQuiet || !isWorthALine {
		return
	}
	args := []any{"event", "subscription-finished", subscriptionKey, key}
	var words []string
	for _, o := range slices.Sorted(maps.Keys(s.outcomes)) {
		words = append(words, fmt.Sprintf("%d %s", s.outcomes[o], describeOutcome(o)))
		args = append(args, strings.ReplaceAll(string(o), "-", "_"), s.outcomes[o])
	}
	l.log.Info(oneLine("subscription "+describeSubscription(plan.Subscription{ID: key, Name: l.names[key]})+": "+strings.Join(words, ", ")), args...)
}

// tellWhole writes a line about the whole of a run of many changes, at most one in [throttleReportInterval].
func (l *lineProgress) tellWhole(e apply.Event) {
	switch {
	case !l.isMany() || l.isQuiet:
	case l.spoken.IsZero():
		l.spoken = e.Time
	case e.Time.Sub(l.spoken) >= throttleReportInterval:
		l.spoken = e.Time
		l.log.Info(describeRunning(e))
	}
}

// describeFinished returns the line of a change that ended.
func (l *lineProgress) describeFinished(e apply.Event) (slog.Level, string) {
	l.finishedCount++
	width := len(fmt.Sprint(l.total))
	text := fmt.Sprintf("[%*d/%d] %-11s %s %s", width, l.finishedCount, l.total, describeOutcome(e.Outcome), l.verb(e), l.describePlace(e))
	if e.Outcome == apply.Done || e.Outcome == apply.AlreadyDone {
		if l.isQuiet || l.isMany() {
			return slog.LevelDebug, text
		}
		return slog.LevelInfo, text
	}
	if e.Code != "" {
		text += ": " + report.Line(e.Code)
	}
	if e.Message != "" {
		text += ": " + oneLine(e.Message)
	}
	if e.RequestID != "" {
		text += " (request " + report.Line(e.RequestID) + ")"
	}
	switch l.troubleCount++; {
	case l.isMany() && l.troubleCount == maxTroubleLines+1:
		return slog.LevelInfo, "more are not done: each is in the result"
	case l.isMany() && l.troubleCount > maxTroubleLines:
		return slog.LevelDebug, text
	}
	return slog.LevelInfo, text
}

// verb returns the action of a change or, where it is blocked, the intended one.
func (l *lineProgress) verb(e apply.Event) string {
	if e.Action == plan.Blocked {
		return report.ActionText(l.wanted[e.Change])
	}
	return report.ActionText(e.Action)
}

func (l *lineProgress) end() {}

func (l *lineProgress) describePlace(e apply.Event) string {
	return l.name(cmp.Or(e.Target, e.Vault))
}

// namerOf returns a function that names the resources of a plan.
func namerOf(p plan.Plan) func(id string) string {
	return report.Namer(p.Subscriptions, func(yield func(string) bool) {
		for i := range p.Changes {
			if !yield(p.Changes[i].Target) || !yield(p.Changes[i].Vault) {
				return
			}
		}
	})
}

// namesOf returns the display names of the subscriptions that were read, by folded id; none where there is one
// subscription.
func namesOf(o plan.Observed) map[string]string {
	if len(o.Subscriptions) < 2 {
		return nil
	}
	return o.DisplayNames()
}

func describeOutcome(o apply.Outcome) string { return strings.ReplaceAll(string(o), "-", " ") }

func describeFor(d time.Duration) string {
	if d <= 0 {
		return ""
	}
	return " for " + report.FormatDuration(d)
}
