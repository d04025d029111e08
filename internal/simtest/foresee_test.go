package simtest

import (
	"cmp"
	"slices"
	"testing"
	"time"
)

// pace is the minimum interval between two replies from which a run can derive the consumption rate of other clients.
const pace = 5 * time.Minute

// unforeseen returns the requests that a quota refused although their run could not foresee it. All clients share a
// quota: a run gets the earlier consumption from the first reply of that quota, and the other clients' rate from
// replies some time apart.
func unforeseen(requests []sent) []sent {
	var all []sent
	of := map[[2]string][]sent{}
	for _, q := range slices.SortedStableFunc(slices.Values(requests), func(a, b sent) int { return cmp.Compare(a.number, b.number) }) {
		key := [2]string{q.run, bucketOf(q)}
		if q.quota && !foresaw(q, of[key]) {
			all = append(all, q)
		}
		of[key] = append(of[key], q)
	}
	return all
}

// foresaw reports whether a run that had sent these requests, in order, could foresee that the quota was exhausted.
func foresaw(q sent, before []sent) bool {
	var first, last sent // of the replies in one window: the remaining quota they report falls
	since, told := 0, false
	for _, b := range before {
		if since++; b.left < 0 || b.answered.After(q.at) {
			continue
		}
		if !told || b.left > last.left {
			first = b
		}
		last, since, told = b, 0, true
	}
	if !told {
		return len(before) > 0 // one request is enough to observe it
	}
	return since >= last.left || last.answered.Sub(first.answered) >= pace
}

func TestARefusalIsForeseenByWhatTheRunWasTold(t *testing.T) {
	const (
		jobs  = "/subscriptions/s1/resourcegroups/g/providers/microsoft.recoveryservices/vaults/v/backupjobs"
		items = "/subscriptions/s1/resourcegroups/g/providers/microsoft.recoveryservices/vaults/v/backupprotecteditems"
		other = "/subscriptions/s2/resourcegroups/g/providers/microsoft.recoveryservices/vaults/v/backupjobs"
	)
	answer := func(minute int, run, path string, left int) sent {
		at := time.Unix(0, 0).Add(time.Duration(minute) * time.Minute)
		return sent{run: run, method: "GET", path: path, at: at, answered: at.Add(time.Second), left: left}
	}
	refusal := func(minute int, run, path string) sent {
		q := answer(minute, run, path, 0)
		q.quota = true
		return q
	}
	for name, c := range map[string]struct {
		requests []sent
		foreseen bool // the last one, which is a refusal
	}{
		"the first of the run":                {[]sent{answer(0, "a", items, 9), refusal(1, "a", jobs)}, false},
		"the first in another subscription":   {[]sent{answer(0, "a", jobs, 9), refusal(1, "a", other)}, false},
		"the first of the next run":           {[]sent{answer(0, "a", jobs, 9), refusal(1, "b", jobs)}, false},
		"the second of two that nobody told":  {[]sent{answer(0, "a", jobs, -1), refusal(1, "a", jobs)}, true},
		"nothing was left":                    {[]sent{answer(0, "a", jobs, 0), refusal(1, "a", jobs)}, true},
		"the run used what was left":          {[]sent{answer(0, "a", jobs, 2), answer(1, "a", jobs, -1), answer(1, "a", jobs, -1), refusal(2, "a", jobs)}, true},
		"others used what was left":           {[]sent{answer(0, "a", jobs, 2), answer(1, "a", jobs, -1), refusal(2, "a", jobs)}, false},
		"others used it, and had been seen":   {[]sent{answer(0, "a", jobs, 40), answer(5, "a", jobs, 20), refusal(6, "a", jobs)}, true},
		"others were seen in a window before": {[]sent{answer(0, "a", jobs, 40), answer(5, "a", jobs, 20), answer(9, "a", jobs, 44), refusal(50, "a", jobs)}, false},
		"refused again":                       {[]sent{refusal(0, "a", jobs), refusal(1, "a", jobs)}, true},
		"a job by its id draws like the list": {[]sent{answer(0, "a", jobs, 0), refusal(1, "a", jobs+"/j1")}, true},
		"an answer that came too late to know": {[]sent{
			{run: "a", method: "GET", path: jobs, at: time.Unix(0, 0), answered: time.Unix(999, 0)},
			refusal(1, "a", jobs),
		}, true},
	} {
		for i := range c.requests {
			c.requests[i].number = i + 1
		}
		last := c.requests[len(c.requests)-1]
		found := slices.ContainsFunc(unforeseen(c.requests), func(q sent) bool { return q.number == last.number })
		if found == c.foreseen {
			t.Errorf("%s: foreseen %v, want %v", name, !found, c.foreseen)
		}
	}
}
