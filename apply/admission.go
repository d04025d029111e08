package apply

import (
	"math"
	"time"

	"github.com/azbackup/azbackup/internal/armid"
)

// admit says how long a change has to wait before it may start beside those in flight, as far as is known; 0 = not at all.
type admit func(t *task, inFlight map[armid.Key]*vaultInFlight) time.Duration

const forever = time.Duration(math.MaxInt64)

// slotsOf is how many operation slots there are. Without a limit of the user's own there are enough for all, and
// [executor.admit] holds back what could not be confirmed.
func slotsOf(l Limits) int64 {
	if l.Operations > 0 {
		return int64(l.Operations)
	}
	return math.MaxInt64
}

// confirmedSingly is how many operations of a vault are so few that asking for each is no worse than listing it.
const confirmedSingly = 10

// admit is the default limit on operations in flight: as many as reads can confirm in time. A vault is confirmed by its
// lists, so what is in flight costs by the vaults, not by the operations: a change of a vault that is being filled is always
// welcome, and one of another vault as long as the quotas have a list of each for it and for all that are being filled. What
// they have not now they may have in time: when the window ends before half of the change's own time is over.
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
	for _, kind := range []ReadKind{ReadItems, ReadJobs} {
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

// recheck is when to ask again whether a wait is over: it may be sooner than was known, because others leave a quota
// alone or it turns out to be larger.
func recheck(wait time.Duration) time.Duration { return max(wait/4, min(wait, time.Second)) }
