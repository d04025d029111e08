package apply

import (
	"slices"
	"time"

	"github.com/azbackup/azbackup/plan"
)

// durationEstimator estimates how long operations take: at first from recordings of the service, then from this run's
// observations. Safe for concurrent use.
type durationEstimator struct {
	mu   mutex
	seen map[plan.Action][]time.Duration // sorted
}

func newDurationEstimator(o Options) *durationEstimator {
	return &durationEstimator{mu: newMutex(o), seen: map[plan.Action][]time.Duration{}}
}

// expected returns how long an operation of this kind most likely takes, as recorded of the service.
func (u *durationEstimator) expected(a plan.Action) time.Duration {
	return plan.RecordedDurationOf(a).Ends[0]
}

// mean returns the mean of the durations observed in this run; the expected duration as long as none was observed.
func (u *durationEstimator) mean(a plan.Action) time.Duration {
	u.mu.Lock()
	defer u.mu.Unlock()
	seen := u.seen[a]
	if len(seen) == 0 {
		return u.expected(a)
	}
	var sum time.Duration
	for _, d := range seen {
		sum += d
	}
	return sum / time.Duration(len(seen))
}

// observe adds an observed duration.
func (u *durationEstimator) observe(a plan.Action, d time.Duration) {
	u.mu.Lock()
	defer u.mu.Unlock()
	i, _ := slices.BinarySearch(u.seen[a], d)
	u.seen[a] = slices.Insert(u.seen[a], i, d)
}

// Tunable: minSampleCount is how many observed durations are enough to estimate from them alone.
const minSampleCount = 8

// checkpoints returns the ages at which a poll is worth its cost, ascending: the quantiles of the observed durations, then
// the recorded ages beyond. As long as few durations were observed, the shortest of them and the recorded ages before them
// are checkpoints as well. learned reports whether any duration was observed.
func (u *durationEstimator) checkpoints(a plan.Action) (marks []time.Duration, learned bool) {
	u.mu.Lock()
	defer u.mu.Unlock()
	seen := u.seen[a]
	n := len(seen)
	if n == 0 {
		return plan.RecordedDurationOf(a).Ends, false
	}
	marks = append(marks, seen[(n-1)*3/4], seen[(n-1)*19/20], seen[n-1])
	few := n < minSampleCount
	for _, m := range plan.RecordedDurationOf(a).Ends {
		if few && m < seen[(n-1)*3/4]*8/9 || m > seen[n-1]*9/8 {
			marks = append(marks, m)
		}
	}
	if few {
		marks = append(marks, seen[0])
	}
	slices.Sort(marks)
	return marks, true
}

// pollSchedule is when to poll again.
type pollSchedule struct {
	due           time.Time // when the poll is worth its cost
	shareableFrom time.Time // from when on a sweep for other operations counts for this one as well; not later than due
	deferUntil    time.Time // until when the poll may wait for others to share its requests; zero = without limit
	isLikely      bool      // the poll will probably succeed
}

// nextPoll returns when to poll again an operation that was accepted at accepted and had not ended at age. It does not
// depend on the present time, so the caller can compute it again after each observation. hint is the service's Retry-After,
// 0 without one: it is followed where it is shorter than usual, as long as nothing was observed. looked is true where a due
// poll did not find the end: from then on the gap to the next poll is bounded by [pollIntervalAfter], whatever is observed
// meanwhile. sparing is true where reads are scarce: it lifts the bound, and leaves out the polls between the checkpoints
// and those for a hint.
func (u *durationEstimator) nextPoll(a plan.Action, accepted time.Time, age, hint time.Duration, looked, sparing bool) pollSchedule {
	marks, learned := u.checkpoints(a)
	bound := age + pollIntervalAfter(age)
	at := func(due, soon time.Duration, likely bool) pollSchedule {
		o := pollSchedule{due: accepted.Add(due), shareableFrom: accepted.Add(soon), isLikely: likely}
		if looked && !sparing {
			o.deferUntil = accepted.Add(bound)
		}
		return o
	}
	if hint > 0 && !learned && !sparing && age+hint < marks[0] {
		due := age + max(hint, age/10)
		if looked {
			due = min(due, bound)
		}
		return at(due, due, true)
	}
	for _, m := range marks {
		if m > age && (sparing || m <= bound || age < marks[0] && !looked) {
			return at(m, m, true)
		}
	}
	return at(bound, age+pollIntervalAfter(age)/2, false)
}

// pollIntervalAfter returns the longest gap between a poll of an operation of that age and the next one, where reads
// are not scarce: a quarter of the age, so that its end is noticed at most that much too late.
func pollIntervalAfter(age time.Duration) time.Duration {
	return min(max(age/4, time.Second), 2*time.Minute)
}
