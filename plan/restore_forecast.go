package plan

import "time"

func restoreForecast(changes []Change, inFlight int) Forecast {
	f := Forecast{Requests: map[string]int{}}
	var longest, sum time.Duration
	n := 0
	for _, c := range changes {
		if c.RestoreOrder == nil || c.isAdopted() {
			continue
		}
		takes := restoreFromVault
		if c.Point.Tier == TierInstant {
			takes = restoreFromSnapshot
		}
		longest, sum = max(longest, takes), sum+takes
		n++
	}
	if n == 0 {
		return f
	}
	f.Requests["writes"], f.Requests["confirm"] = n, 2*n // its operation, and its job
	if inFlight == 0 {
		inFlight = n
	}
	f.Duration = Duration(max(longest, sum/time.Duration(inFlight)))
	return f
}

// addTests adds the restore tests, which come after all else: besides the restore each asks for a check, and removes its
// disks.
func (f *Forecast) addTests(changes []Change, inFlight int) {
	tests := filter(changes, func(c Change) bool { return c.Action == RestoreTest })
	if len(tests) == 0 {
		return
	}
	cost := restoreForecast(tests, inFlight)
	for _, c := range tests {
		cost.Requests["writes"] += 1 + max(1, len(c.Disks))
		cost.Requests["confirm"] += 2
	}
	for kind, n := range cost.Requests {
		f.Requests[kind] += n
	}
	f.Duration += cost.Duration
}
