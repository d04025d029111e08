package cli

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/azbackup/azbackup/apply"
	"github.com/azbackup/azbackup/internal/armid"
	"github.com/azbackup/azbackup/plan"
)

// manyChanges returns the changes of machines in three subscriptions.
func manyChanges(n int) plan.Plan {
	p := plan.Plan{Subscriptions: map[string]string{"s0": "Shop"}}
	for i := range n {
		p.Changes = append(p.Changes, plan.Change{
			ID: fmt.Sprint(i), Action: plan.Protect, Target: armid.VM(fmt.Sprintf("S%d", i%3), "rg", fmt.Sprintf("vm%d", i)),
			Vault: armid.Vault(fmt.Sprintf("S%d", i%3), "rg", "rsv"),
		})
	}
	return p
}

// progressOf returns the lines of a run in which every second change fails and one ends each second.
func progressOf(t *testing.T, p plan.Plan, format string) []string {
	t.Helper()
	var b bytes.Buffer
	log, err := newLogger(&b, format, false, false)
	if err != nil {
		t.Fatal(err)
	}
	l := newLineProgress(log, p, format == logText)
	at := time.Date(2026, 11, 24, 1, 0, 0, 0, time.UTC)
	for i, c := range p.Changes {
		e := apply.Event{Kind: apply.EventFinished, Time: at.Add(time.Duration(i) * time.Second), Change: c.ID, Action: c.Action, Target: c.Target, Vault: c.Vault, Outcome: apply.Done, Done: i + 1, Total: len(p.Changes)}
		if i%2 == 1 {
			e.Outcome, e.Code = apply.Failed, "X"
		}
		l.observe(e)
	}
	return strings.Split(strings.TrimSpace(b.String()), "\n")
}

func TestManyChangesHaveALinePerSubscriptionAndOneEachHalfMinute(t *testing.T) {
	lines := progressOf(t, manyChanges(900), logText)
	count := map[string]int{}
	for _, line := range lines {
		kind := strings.Fields(line)[0]
		if strings.HasPrefix(line, "[") {
			kind = "change"
		}
		count[kind]++
	}
	for kind, want := range map[string]int{"change": maxTroubleLines, "more": 1, "subscription": 3, "still": 29} {
		if count[kind] != want {
			t.Errorf("%d lines of %q, want %d:\n%s", count[kind], kind, want, strings.Join(lines, "\n"))
		}
	}
	if all := strings.Join(lines, "\n"); !strings.Contains(all, "\nsubscription Shop s0: 150 done, 150 failed\n") || !strings.Contains(all, "\nsubscription s1: ") {
		t.Errorf("no totals of the subscriptions:\n%s", all)
	}
}

func TestFewChangesHaveALineEach(t *testing.T) {
	if lines := progressOf(t, manyChanges(maxChangeLines), logText); len(lines) != maxChangeLines {
		t.Errorf("%d lines of %d changes", len(lines), maxChangeLines)
	}
}

func TestProgramsGetARecordOfEachChange(t *testing.T) {
	if lines := progressOf(t, manyChanges(900), logJSON); len(lines) != 900+3 {
		t.Errorf("%d records of 900 changes in three subscriptions", len(lines))
	}
}

func TestOnATerminalTenSubscriptionsHaveALineThoseWithGapsFirst(t *testing.T) {
	o := plan.Observed{Gaps: []plan.Gap{{Kind: plan.GapVMs, Subscription: "s7"}}}
	var scope plan.Scope
	for i := range 30 {
		id := fmt.Sprintf("s%d", i)
		scope.Subscriptions = append(scope.Subscriptions, id)
		o.VMs = append(o.VMs, plan.VM{ID: armid.VM(id, "rg", "vm"), Subscription: strings.ToUpper(id)})
	}
	for _, tt := range []struct {
		isTerminal bool
		want       int
	}{{true, maxSubscriptionLines}, {false, 30}} {
		var b bytes.Buffer
		a := &app{Streams: Streams{ErrTerminal: tt.isTerminal}, logFormat: logText}
		a.log, _ = newLogger(&b, logText, false, false)
		a.reportRead(o, scope)
		lines := strings.Split(strings.TrimSpace(b.String()), "\n")
		if len(lines) != tt.want || lines[0] != "subscription s7: 1 VM, 0 vaults, 0 protected items, 1 gap" {
			t.Errorf("terminal %v: %d lines, want %d:\n%s", tt.isTerminal, len(lines), tt.want, b.String())
		}
		if last := lines[len(lines)-1]; tt.isTerminal && last != "and 21 more subscriptions: -v lists them" {
			t.Errorf("the last line is %q", last)
		}
	}
}
