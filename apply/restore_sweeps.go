package apply

import (
	"time"

	"github.com/azbackup/azbackup/plan"
)

// A run of restores has fewer slots than restores: an end that is noticed late keeps the slot from the next restore, and the
// delays of all rounds add up, while in other runs only the last delay matters. A sweep of the jobs alone is cheap, so the
// vault is swept at even intervals, as short as the budget allows for the rest of the run.

// restoreSweepsPerDuration is how many sweeps at most fall into the time that a restore takes: each end is then noticed
// 3 % of it too late on average.
const restoreSweepsPerDuration = 16

// restoreSweepInterval returns the interval between two sweeps of a vault for a restore of that age.
func (r *executor) restoreSweepInterval(a plan.Action, p *vaultPoller, age time.Duration) time.Duration {
	mean := r.durations.mean(a)
	interval := max(mean, age) / restoreSweepsPerDuration
	_, _, sweeps := p.budgetShare()
	work := p.unfinished()
	rounds := 1 + (work.changes-1)/max(1, min(r.restoreSlots(a), work.changes))
	rest := max(mean, age) * time.Duration(rounds)
	if resets := p.until(p.budget(ReadJobs).Resets); resets > 0 {
		rest = min(rest, resets)
	}
	return max(interval, time.Duration(float64(rest)*float64(work.vaults)/max(sweeps, 1)))
}

// restoreSlots returns how many restores may run at once.
func (r *executor) restoreSlots(a plan.Action) int {
	if a == plan.RestoreTest {
		return r.opt.Limits.Restores
	}
	return r.opt.Limits.Operations
}

// noLaterThan returns the schedule, due at `at` where that is earlier.
func (s pollSchedule) noLaterThan(at time.Time) pollSchedule {
	if s.due.After(at) {
		s.due, s.shareableFrom, s.isLikely = at, at, false
	}
	return s
}
