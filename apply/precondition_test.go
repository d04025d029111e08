package apply_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/azbackup/azbackup/apply"
	"github.com/azbackup/azbackup/internal/armid"
	"github.com/azbackup/azbackup/plan"
)

// others is a backend where another client is at work, or which answers some writes differently.
type others struct {
	*fake
	start func(n int, c plan.Change) (apply.Operation, error, bool) // of the n-th write, from 0; false = like the fake
	n     int
}

func (o *others) Start(ctx context.Context, c plan.Change) (apply.Operation, error) {
	n := o.n
	o.n++
	if op, err, mine := o.start(n, c); mine {
		return op, err
	}
	return o.fake.Start(ctx, c)
}

// move assigns another policy to an item, as another client would, with the job that shows it.
func (f *fake) move(vm, policy string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	it := f.items[armid.Of(vmID(vm))]
	it.PolicyID = armid.Policy(vaultID("v1"), policy)
	f.jobs = append(f.jobs, &plan.Job{
		ID: vaultID("v1") + "/backupJobs/colleague", Vault: vaultID("v1"), Container: it.Container,
		Operation: "ConfigureBackup", Status: "Completed", Start: time.Now(), End: time.Now(),
	})
}

func TestAnApprovalThatIsYoungerThanThePlanCostsOneListAVault(t *testing.T) {
	for name, c := range map[string]struct{ asked, listed bool }{
		"somebody was asked": {true, true}, "nobody was asked": {false, false},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, az *fake) {
				var changes []plan.Change
				for i := range 40 {
					changes = append(changes, itemChange(plan.Protect, fmt.Sprint("vm", i)))
				}
				o := apply.Options{Observed: time.Now()}
				time.Sleep(2 * time.Minute)
				if c.asked {
					o.Approved = time.Now()
				}
				_, rec := carryOut(t, az, planOf(changes...), o)
				lists := 0
				first := rec.at(apply.EventStarted, "")[0]
				for _, at := range rec.at(apply.EventSwept, "") {
					if !at.After(first) {
						lists++
					}
				}
				if want := map[bool]int{true: 1}[c.listed]; lists != want {
					t.Errorf("%d lists before the first write, want %d", lists, want)
				}
			})
		})
	}
}

func TestAnItemThatOthersMovedAfterThePlanIsNotWritten(t *testing.T) {
	inBubble(t, func(t *testing.T, az *fake) {
		p := planOf(itemChange(plan.Modify, "vm1"), itemChange(plan.Backup, "vm1", "modify:vm1"), itemChange(plan.Modify, "vm2"))
		az.seed(p)
		o := apply.Options{Observed: time.Now()}
		time.Sleep(time.Minute)
		az.move("vm1", "gold")
		time.Sleep(time.Minute)
		o.Approved = time.Now()
		rep, _ := carryOut(t, az, p, o)
		wantOutcome(t, rep, "modify:vm1", apply.Failed)
		wantOutcome(t, rep, "backup:vm1", apply.Blocked)
		wantOutcome(t, rep, "modify:vm2", apply.Done)
		res := rep.Results[0]
		if res.Code != apply.CodeChangedMeanwhile || res.Hint == "" ||
			!strings.HasSuffix(res.Message, "policy was old, is now gold (wanted daily); by job colleague (ConfigureBackup, started 2000-01-01T00:01:00Z)") {
			t.Errorf("%s: %s (%s)", res.Code, res.Message, res.Hint)
		}
		wantWrites(t, az, "modify:vm1", 0)
	})
}

// A list that was young enough when the change began is too old when a repeat is due.
func TestARepeatComparesAgain(t *testing.T) {
	inBubble(t, func(t *testing.T, az *fake) {
		p := planOf(itemChange(plan.Modify, "vm1"))
		az.seed(p)
		b := &others{fake: az, start: func(int, plan.Change) (apply.Operation, error, bool) {
			time.AfterFunc(time.Minute, func() { az.move("vm1", "gold") })
			return apply.Operation{}, &apply.Error{Status: 429, Code: "TooManyRequests", RetryAfter: 6 * time.Minute}, true
		}}
		rep, err := apply.Run(t.Context(), p, b, apply.Options{Observed: time.Now()})
		checkReport(t, p, rep, err)
		wantOutcome(t, rep, "modify:vm1", apply.Failed)
		if b.n != 1 || rep.Results[0].Code != apply.CodeChangedMeanwhile {
			t.Errorf("%d writes, %s", b.n, rep.Results[0].Code)
		}
	})
}

func TestWhatTheBackendFindsRightBeforeTheWriteDecides(t *testing.T) {
	drifts := []plan.Drift{{Path: "policy", Approved: "old", Now: "gold", Wanted: "daily"}}
	kept := &plan.State{State: plan.StateProtected, Policy: armid.Policy(vaultID("v1"), dailyPolicy), Disks: &plan.Disks{Include: true, LUNs: []int{1}}}
	for name, c := range map[string]struct {
		op      apply.Operation
		err     error
		before  func(az *fake)
		outcome apply.Outcome
		message string
	}{
		"as wanted": {apply.Operation{Already: true}, nil, nil, apply.AlreadyDone, "it is as wanted"},
		"otherwise": {apply.Operation{}, apply.ChangedMeanwhile("modifying", drifts), nil, apply.Failed, "policy was old, is now gold (wanted daily)"},
		"otherwise, and a job shows who": {
			apply.Operation{},
			apply.ChangedMeanwhile("modifying", drifts), func(az *fake) { az.move("vm1", "gold") }, apply.Failed,
			"(wanted daily); by job colleague (ConfigureBackup, started 2000-01-01T00:00:00Z)",
		},
		"as wanted, its disks are kept": {apply.Operation{Already: true, After: kept}, nil, nil, apply.AlreadyDone, "it is as wanted; its disks were set to include 1 meanwhile (the plan saw all), and stay so"},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, az *fake) {
				change := itemChange(plan.Modify, "vm1")
				change.KeepDisks = true
				p := planOf(change)
				az.seed(p)
				b := &others{fake: az, start: func(int, plan.Change) (apply.Operation, error, bool) {
					if c.before != nil {
						c.before(az)
					}
					return c.op, c.err, true
				}}
				rep, err := apply.Run(t.Context(), p, b, apply.Options{Observed: time.Now()})
				checkReport(t, p, rep, err)
				wantOutcome(t, rep, "modify:vm1", c.outcome)
				if b.n != 1 || !strings.HasSuffix(rep.Results[0].Message, c.message) {
					t.Errorf("%d writes, %q", b.n, rep.Results[0].Message)
				}
				if az.lists > 1 {
					t.Errorf("%d lists", az.lists)
				}
			})
		})
	}
}

// The change waits until the item is listed with the kept filter.
func TestAKeptDiskFilterIsSentAgainAndWaitedFor(t *testing.T) {
	inBubble(t, func(t *testing.T, az *fake) {
		change := itemChange(plan.Modify, "vm1")
		change.KeepDisks = true
		p := planOf(change)
		az.seed(p)
		o := apply.Options{Observed: time.Now()}
		time.Sleep(time.Minute)
		az.items[armid.Of(vmID("vm1"))].Disks = &plan.Disks{Include: true, LUNs: []int{1}}
		o.Approved = time.Now()
		rep, _ := carryOut(t, az, p, o)
		wantOutcome(t, rep, "modify:vm1", apply.Done)
		if m := rep.Results[0].Message; !strings.Contains(m, "its disks were set to include 1 meanwhile") {
			t.Errorf("message %q", m)
		}
		if sent := az.ops[0].change.After.Disks; !sent.Equal(&plan.Disks{Include: true, LUNs: []int{1}}) {
			t.Errorf("sent %+v", sent)
		}
	})
}

// Another client made the desired change, except for the disks, which the file does not set.
func TestAnItemThatIsAsWantedWithOtherDisksIsLeftAndThatIsSaid(t *testing.T) {
	inBubble(t, func(t *testing.T, az *fake) {
		change := itemChange(plan.Modify, "vm1")
		change.KeepDisks = true
		p := planOf(change)
		az.seed(p)
		o := apply.Options{Observed: time.Now()}
		time.Sleep(time.Minute)
		az.move("vm1", dailyPolicy)
		az.items[armid.Of(vmID("vm1"))].Disks = &plan.Disks{Include: true, LUNs: []int{1}}
		time.Sleep(time.Minute)
		o.Approved = time.Now()
		rep, _ := carryOut(t, az, p, o)
		wantOutcome(t, rep, "modify:vm1", apply.AlreadyDone)
		if m := rep.Results[0].Message; m != "it is listed as desired; its disks were set to include 1 meanwhile (the plan saw all), and stay so" {
			t.Errorf("message %q", m)
		}
		wantWrites(t, az, "modify:vm1", 0)
	})
}

// Another client is at work on the item: the state after its operation decides.
func TestAnItemThatIsBeingChangedIsComparedWhenThatIsOver(t *testing.T) {
	inBubble(t, func(t *testing.T, az *fake) {
		p := planOf(itemChange(plan.Modify, "vm1"))
		az.seed(p)
		o := apply.Options{Observed: time.Now()}
		az.duration = func(plan.Change, int) time.Duration { return 3 * time.Minute }
		az.mu.Lock()
		az.accept(itemChange(plan.Modify, "vm1"), "ok") // another client does the same
		az.items[armid.Of(vmID("vm1"))].PolicyID = armid.Policy(vaultID("v1"), "between")
		az.mu.Unlock()
		time.Sleep(time.Minute)
		o.Approved = time.Now()
		rep, _ := carryOut(t, az, p, o)
		wantOutcome(t, rep, "modify:vm1", apply.AlreadyDone)
		wantWrites(t, az, "modify:vm1", 0)
	})
}
