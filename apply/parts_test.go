package apply

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/azbackup/azbackup/plan"
)

// The recorded ages (docs/azure.md §1, §4, §6, §7.1; §33.10).
func TestOperationsAreExpectedToTakeWhatTheyWereRecordedToTake(t *testing.T) {
	u := newDurationEstimator(Options{})
	for a, want := range map[plan.Action][]int{
		plan.Protect: {36, 71, 324}, plan.Modify: {12, 31}, plan.Resume: {12, 31}, plan.Stop: {12, 14}, plan.Undelete: {12, 14},
		plan.Backup: {2, 13}, plan.Refresh: {12, 75}, plan.CreatePolicy: {1, 12}, plan.UpdatePolicy: {12, 31}, plan.CreateVault: {10, 60}, plan.UpdateVault: {10, 60},
	} {
		marks, learned := u.checkpoints(a)
		for i, m := range marks {
			if len(marks) != len(want) || m != time.Duration(want[i])*time.Second || learned {
				t.Errorf("%s: %v", a, marks)
				break
			}
		}
		if u.expected(a) != marks[0] || u.mean(a) != marks[0] {
			t.Errorf("%s is expected to take %v, %v on average", a, u.expected(a), u.mean(a))
		}
	}
}

// Operations that the lists do not decide are polled early only so often that lists stay the rule.
func TestAFewOperationsArePolledBeforeTheyAreExpectedToEnd(t *testing.T) {
	for accepted, want := range map[int]int{0: 5, 49: 5, 50: 6, 1000: 25} {
		r := &executor{mu: newMutex(Options{}), acceptedCount: accepted}
		n := 0
		for range 100 {
			if r.takeDirectPoll() {
				n++
			}
		}
		if n != want {
			t.Errorf("of %d operations %d, want %d", accepted, n, want)
		}
	}
}

func TestAnOperationWithAURLOrARestoreCanBePolled(t *testing.T) {
	for name, tt := range map[string]struct {
		action plan.Action
		op     Operation
		want   bool
	}{
		"nothing":           {plan.Backup, Operation{}, false},
		"its status":        {plan.Backup, Operation{Status: "u"}, true},
		"its result":        {plan.Backup, Operation{Result: "u"}, true},
		"a backup's job":    {plan.Backup, Operation{JobID: "j"}, false},
		"a restore's job":   {plan.Restore, Operation{JobID: "j"}, true},
		"a restore without": {plan.Restore, Operation{}, true},
	} {
		ex := &execution{task: &task{Change: plan.Change{Action: tt.action}}, op: tt.op}
		if got := ex.hasURL(); got != tt.want {
			t.Errorf("%s: %t", name, got)
		}
	}
}

func TestTheContainerOfAChangeIsThatOfItsItemElseOfItsVM(t *testing.T) {
	const vm = "/subscriptions/s/resourceGroups/RG/providers/Microsoft.Compute/virtualMachines/VM1"
	const item = "/subscriptions/s/resourceGroups/b/providers/Microsoft.RecoveryServices/vaults/v/backupFabrics/Azure/protectionContainers/IaasVMContainer;iaasvmcontainerv2;other;vm2/protectedItems/VM;x"
	for name, tt := range map[string]struct {
		change plan.Change
		want   string
	}{
		"of its item":          {plan.Change{Target: vm, Item: item}, "iaasvmcontainerv2;other;vm2"},
		"of its VM":            {plan.Change{Target: vm}, "iaasvmcontainerv2;rg;vm1"},
		"of no VM":             {plan.Change{Target: "/x"}, ""},
		"of an item elsewhere": {plan.Change{Target: vm, Item: "/x"}, ""},
	} {
		if got := containerOf(tt.change); string(got) != tt.want {
			t.Errorf("%s: %q", name, got)
		}
	}
}

func TestNothingIsStuckThatMayStillEndOrStart(t *testing.T) {
	q := newWorkQueue(chain(1), newDurationEstimator(Options{}), 20)
	if !q.isStuck() {
		t.Error("what is not open and not running is not stuck")
	}
	q.open()
	if q.isStuck() {
		t.Error("one that is ready is stuck")
	}
	first := q.start(nil)
	if q.isStuck() {
		t.Error("one that runs is stuck")
	}
	q.complete(first, Result{Outcome: Done})
	if q.isStuck() {
		t.Error("nothing is left, and it is stuck")
	}
}

func TestALockYieldsBeforeAndAfterItIsHeld(t *testing.T) {
	n := 0
	m := newMutex(WithYield(Options{}, func() { n++ }))
	for want := 0; want < 4; want += 2 {
		if n != want {
			t.Fatalf("yielded %d times, want %d", n, want)
		}
		m.Lock()
		if n != want+1 {
			t.Fatalf("yielded %d times before it was held, want %d", n, want+1)
		}
		m.Unlock()
	}
}

func TestManyChangesThatWereLeftAreCounted(t *testing.T) {
	for n, want := range map[int]string{20: "left: c, c", 21: " and 1 more", 25: " and 5 more"} {
		text := (&InternalError{Changes: slices.Repeat([]string{"c"}, n)}).Error()
		if !strings.Contains(text, want) || strings.Contains(text, "more") != (n > 20) {
			t.Errorf("%d: %s", n, text)
		}
	}
}

// Where reads are scarce the first that is due waits for others in proportion.
func TestTheScarcerReadsAreTheLongerTheFirstWaitsForOthers(t *testing.T) {
	at := time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)
	due := func(seconds int) *pollRequest {
		return &pollRequest{pollSchedule: pollSchedule{due: at.Add(time.Duration(seconds) * time.Second)}}
	}
	for name, tt := range map[string]struct {
		remaining int
		due       []*pollRequest
		sparing   bool
		want      int
	}{
		"plenty, within ten seconds":   {-1, []*pollRequest{due(0), due(10), due(11)}, false, 2},
		"plenty, all at once":          {-1, []*pollRequest{due(0), due(1), due(2)}, false, 3},
		"scarce, within more":          {20, []*pollRequest{due(0), due(15), due(100)}, false, 2}, // 1.7 times more
		"sparing, half of them anyway": {-1, []*pollRequest{due(0), due(100), due(200), due(300)}, true, 2},
		"sparing, more than half":      {-1, []*pollRequest{due(0), due(100), due(105), due(300)}, true, 3},
	} {
		w := newVaultPoller("v", Options{}, ReadItems, ReadJobs)
		w.budget = func(ReadKind) Budget { return Budget{Remaining: tt.remaining} }
		w.unfinished = func() unfinishedWork { return unfinishedWork{changes: 400, vaults: 1} }
		if got := w.batchSize(tt.due, tt.sparing); got != tt.want {
			t.Errorf("%s: %d of %d, want %d", name, got, len(tt.due), tt.want)
		}
	}
}

// A sweep costs two requests here: where it serves fewer operations than that, each polls its own.
func TestASweepServesAsManyAsItCostsOrIsLeft(t *testing.T) {
	now := time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)
	single := func(time.Time) bool { return true }
	due, soon := pollSchedule{due: now}, pollSchedule{due: now.Add(time.Minute), shareableFrom: now}
	later := pollSchedule{due: now.Add(time.Minute), shareableFrom: now.Add(time.Second)}
	for name, tt := range map[string]struct {
		pending []pollRequest
		sweeps  bool
	}{
		"one, which can be polled":        {[]pollRequest{{pollSchedule: due, canPollSingly: single}}, false},
		"one, which cannot":               {[]pollRequest{{pollSchedule: due}}, true},
		"one, which is likely to be over": {[]pollRequest{{pollSchedule: pollSchedule{due: now, isLikely: true}, canPollSingly: single}}, true},
		"one, which needs it":             {[]pollRequest{{pollSchedule: due, isRequired: true, canPollSingly: single}}, true},
		"two":                             {[]pollRequest{{pollSchedule: due, canPollSingly: single}, {pollSchedule: due, canPollSingly: single}}, true},
		"one, and another may share":      {[]pollRequest{{pollSchedule: due, canPollSingly: single}, {pollSchedule: soon, canPollSingly: single}}, true},
		"one, and another later":          {[]pollRequest{{pollSchedule: due, canPollSingly: single}, {pollSchedule: later, canPollSingly: single}}, false},
	} {
		w := newVaultPoller("v", Options{Now: func() time.Time { return now }}, ReadItems, ReadJobs)
		w.budget = func(ReadKind) Budget { return Budget{Remaining: -1} }
		n := 0
		w.list = func(context.Context) (Snapshot, error) { n++; return Snapshot{}, nil }
		for _, req := range tt.pending {
			req.result = make(chan pollResult, 1)
			w.pending = append(w.pending, &req)
		}
		w.pollDue(t.Context())
		if (n == 1) != tt.sweeps {
			t.Errorf("%s: swept %d times", name, n)
		}
	}
}
