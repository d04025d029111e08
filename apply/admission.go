package apply

import (
	"math"
	"time"

	"github.com/azbackup/azbackup/internal/armid"
)

// admit returns how long a change must wait before it may start in addition to those in flight, as far as is known; 0 = it
// may start now.
type admit func(t *task, inFlight map[armid.Key]*vaultInFlight) time.Duration

const forever = time.Duration(math.MaxInt64)

// slotsOf returns the number of operation slots. Without a configured limit there are enough for all changes, and
// [executor.admit] delays those that could not be confirmed in time.
func slotsOf(l Limits) int64 {
	if l.Operations > 0 {
		return int64(l.Operations)
	}
	return math.MaxInt64
}

// Tunable: confirmedSingly is the number of operations of one vault up to which it costs no more to poll each of them than
// to list the vault.
const confirmedSingly = 10

// admit limits the operations in flight where no limit is configured: to as many as reads can confirm in time. The lists of
// a vault confirm all its operations, so the cost of the changes in flight grows with their vaults, not with their
// number. A change of a vault that has others in flight is always admitted. A change of another vault is admitted if the
// quotas have a list of each kind for its vault and for every vault with more than [confirmedSingly] in flight, or if the
// quota window ends within half of the change's time limit.
func (r *executor) admit(t *task, inFlight map[armid.Key]*vaultInFlight) time.Duration {
	if r.opt.Limits.Operations > 0 {
		return 0
	}
	if v := inFlight[t.vault]; v != nil && v.changes > 0 {
		return 0
	}
	needed, now := r.pollers[t.vault].pages(), r.now()
	for vault, v := range inFlight {
		if v.subscription == t.subscription && v.changes > confirmedSingly {
			needed += r.pollers[vault].pages()
		}
	}
	wait := time.Duration(0)
	for _, kind := range r.pollers[t.vault].kinds {
		b := r.opt.budget(t.Vault, kind)
		if b.Remaining < 0 || b.Remaining >= needed {
			continue
		}
		if until := later(b.Resets, b.Next).Sub(now) - r.opt.Limits.ItemTimeout/2; until > 0 {
			wait = max(wait, recheck(until))
		}
	}
	return wait
}

// Tunable: recheckFraction is the part of a wait after which it is checked again.
const recheckFraction = 4

// recheck returns after how long to check again whether a wait has ended. A wait may end early: other clients leave a quota
// unused, or it is larger than assumed.
func recheck(wait time.Duration) time.Duration {
	return max(wait/recheckFraction, min(wait, time.Second))
}
