package cli

import (
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/azbackup/azbackup/apply"
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

// newProgress returns bars for a terminal, and lines elsewhere.
func (a *app) newProgress(p plan.Plan) progress {
	lines := &lineProgress{log: a.log, total: len(p.Changes), wanted: map[string]plan.Action{}}
	for _, c := range p.Changes {
		lines.wanted[c.ID] = c.Wanted
	}
	if !a.ErrTerminal || a.logFormat != "text" {
		return lines
	}
	return newBars(a, p, lines)
}

// lineProgress writes a line per change that ended, and one at intervals when none ends.
type lineProgress struct {
	log           *slog.Logger
	wanted        map[string]plan.Action // of blocked changes
	total         int
	finishedCount int
	throttled     time.Time
	// isQuiet omits what bars show.
	isQuiet bool
}

// throttleReportInterval is the shortest interval between lines about waiting for a quota.
const throttleReportInterval = 30 * time.Second

func (l *lineProgress) observe(e apply.Event) {
	level, text := slog.LevelDebug, ""
	switch e.Kind {
	case apply.EventFinished:
		level, text = l.describeFinished(e)
	case apply.EventHeartbeat:
		if !l.isQuiet {
			level = slog.LevelInfo
		}
		text = fmt.Sprintf("still at it: %d of %d done, %d running", e.Done, e.Total, e.Running)
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
		text = strings.TrimSpace(fmt.Sprintf("%s %s %s %s", e.Kind, report.ActionText(e.Action), describePlace(e), oneLine(e.Message)))
	}
	l.log.Log(nil, level, text, l.attrs(e)...) //nolint:staticcheck // the handlers ask nothing of a context
}

// describeFinished returns the line of a change that ended.
func (l *lineProgress) describeFinished(e apply.Event) (slog.Level, string) {
	l.finishedCount++
	width := len(fmt.Sprint(l.total))
	text := fmt.Sprintf("[%*d/%d] %-11s %s %s", width, l.finishedCount, l.total, describeOutcome(e.Outcome), l.verb(e), describePlace(e))
	if e.Outcome == apply.Done || e.Outcome == apply.AlreadyDone {
		if l.isQuiet {
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

func (l *lineProgress) attrs(e apply.Event) []any {
	return []any{
		"event", string(e.Kind), "change", e.Change, "action", string(e.Action), "target", e.Target, "vault", e.Vault,
		"outcome", string(e.Outcome), "code", e.Code, "request_id", e.RequestID, "operation", e.Operation, "job", e.Job,
		"done", e.Done, "running", e.Running, "total", e.Total,
	}
}

func describePlace(e apply.Event) string {
	if e.Target != "" {
		return report.DisplayName(e.Target)
	}
	return report.DisplayName(e.Vault)
}

func describeOutcome(o apply.Outcome) string { return strings.ReplaceAll(string(o), "-", " ") }

func describeFor(d time.Duration) string {
	if d <= 0 {
		return ""
	}
	return " for " + report.FormatDuration(d)
}
