package plan

import "time"

// How long a restore takes.
const (
	restoreFromSnapshot = 90 * time.Second // recorded (docs/azure.md §33.48)
	restoreFromVault    = 40 * time.Minute // assumed: the data is copied from the vault
)

// RecordedDuration is how long the operations of an action take, as recorded of the service (docs/azure.md §1, §4, §6, §7,
// §33.10, §33.48).
type RecordedDuration struct {
	// Median is what a forecast counts with; of a policy in use, the time of the items' own jobs.
	Median time.Duration
	// Ends are the ages at which many operations end, ascending: most of them at the first, nearly all of the rest up to
	// the last. A poll between two of them costs a request and rarely finds an end.
	Ends []time.Duration
}

// RecordedDurationOf returns the durations of an action. An action that starts no operation has a median of zero. There is
// always at least one entry in Ends.
func RecordedDurationOf(a Action) RecordedDuration {
	const s = time.Second
	of := func(median time.Duration, ends ...time.Duration) RecordedDuration {
		return RecordedDuration{Median: median, Ends: ends}
	}
	switch a {
	case Protect:
		return of(36*s, 36*s, 71*s, 324*s)
	case Modify, Resume:
		return of(12*s, 12*s, 31*s)
	case Stop:
		return of(11*s, 12*s, 14*s)
	case Undelete:
		return of(13*s, 12*s, 14*s)
	case Backup:
		return of(2*s, 2*s, 13*s)
	case Restore, RestoreTest: // of snapshots; where data is copied only time shows (docs/azure.md §33.48)
		return of(restoreFromSnapshot, 72*s, 90*s)
	case Refresh:
		return of(12*s, 12*s, 75*s)
	case CreatePolicy:
		return of(s, s, 12*s)
	case UpdatePolicy:
		return of(12*s, 12*s, 31*s)
	case CreateVault, UpdateVault:
		return of(60*s, 10*s, 60*s)
	case Blocked, Unchanged, Excluded:
	}
	return of(0, 10*s, 60*s)
}
