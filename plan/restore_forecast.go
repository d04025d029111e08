package plan

import "time"

// testSteps is how long the steps of a restore test take together besides the restore: the service's check, the comparison
// and the removal.
const testSteps = time.Minute

// restoreForecast returns the forecast of the restores among changes, of which inFlight run at once; 0 = all.
func restoreForecast(changes []Change, inFlight int) Forecast {
	f := Forecast{Requests: map[string]int{}}
	var longest, sum time.Duration
	for _, c := range changes {
		if c.RestoreOrder == nil || c.isAdopted() {
			continue
		}
		takes := restoreFromVault
		if c.Point.Tier == TierInstant {
			takes = restoreFromSnapshot
		}
		f.Requests["writes"]++
		f.Requests["confirm"] += 2 // its operation, and its job
		if c.Action == RestoreTest {
			takes += testSteps
			disks := max(1, len(c.Disks))
			// The check and each DELETE; of the reads: the check, the point, the job, the group and its disks twice each, and of
			// each disk that which it comes from, itself right before its DELETE, and that it is gone.
			f.Requests["writes"] += 1 + disks
			f.Requests["confirm"] += 7 + 3*disks
		}
		longest, sum = max(longest, takes), sum+takes
	}
	if inFlight > 0 {
		longest = max(longest, sum/time.Duration(inFlight))
	}
	f.Duration = Duration(longest)
	return f
}

// addTests adds the restore tests, which come after all else.
func (f *Forecast) addTests(changes []Change, inFlight int) {
	cost := restoreForecast(filter(changes, func(c Change) bool { return c.Action == RestoreTest }), inFlight)
	for kind, n := range cost.Requests {
		f.Requests[kind] += n
	}
	f.Duration += cost.Duration
}
