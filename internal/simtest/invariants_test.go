package simtest

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/azbackup/azbackup/apply"
	"github.com/azbackup/azbackup/internal/armid"
	"github.com/azbackup/azbackup/plan"
)

// state is the part of the simulated estate that the rules check.
type state struct {
	Items []struct {
		ID         string `json:"id"`
		Properties struct {
			VM       string `json:"sourceResourceId"`
			State    string `json:"protectionState"`
			Policy   string `json:"policyId"`
			Deleted  bool   `json:"isScheduledForDeferredDelete"`
			Extended *struct {
				Disks *disks `json:"diskExclusionProperties"`
			} `json:"extendedProperties"`
		} `json:"properties"`
	} `json:"protectedItems"`
	Jobs []job `json:"jobs"`
}

type job struct {
	ID         string `json:"id"`
	Properties struct {
		Container string    `json:"containerName"`
		Operation string    `json:"operation"`
		Status    string    `json:"status"`
		Start     time.Time `json:"startTime"`
		End       time.Time `json:"endTime"`
		Extended  struct {
			Bag struct {
				Policy string `json:"Policy Name"`
			} `json:"propertyBag"`
		} `json:"extendedInfo"`
	} `json:"properties"`
}

// isOf reports whether a write of an item may have started the job. The write of a policy starts one for each of its items,
// at that instant where another client made it.
func (j job) isOf(write sent) bool {
	p := j.Properties
	if p.Start.Before(write.at) || p.Start.After(write.answered) || p.End.Equal(p.Start) {
		return false
	}
	return p.Operation != "ConfigureBackup" || strings.Contains(strings.ToLower(write.body), "/backuppolicies/"+strings.ToLower(p.Extended.Bag.Policy)+`"`)
}

type disks struct {
	LUNs    []int `json:"diskLunList"`
	Include bool  `json:"isInclusionList"`
}

// violations collects the violations found.
type violations struct{ list []string }

func (v *violations) add(format string, args ...any) {
	v.list = append(v.list, fmt.Sprintf(format, args...))
}

// checkWalk checks the invariants of one run of the program. next is the plan of the following run.
func (s *scenario) checkWalk(v *violations, w *run, events []apply.Event, requests []sent) {
	limits := 40*time.Minute + time.Minute
	results := map[string]apply.Result{}
	for _, res := range w.report.Results {
		results[res.ID] = res
		if res.Started != nil && res.Finished.Sub(*res.Started) > limits {
			v.add("%s took %v", res.ID, res.Finished.Sub(*res.Started))
		}
		if res.Code == apply.CodeChangedMeanwhile && strings.Contains(res.Message, "not written: state ") && !s.isTwoAtOnce && s.isUntouchedAndShown(res.Target) {
			v.add("%s was changed meanwhile by nobody: %s", res.ID, res.Message)
		}
		if res.Message == "" && res.Outcome != apply.Done && res.Outcome != apply.AlreadyDone {
			v.add("%s is %s without a cause", res.ID, res.Outcome)
		}
		s.checkDoubt(v, res, requests)
	}
	if len(results) != len(w.plan.Changes) {
		v.add("%d results for %d changes", len(results), len(w.plan.Changes))
	}
	if took := w.report.Finished.Sub(w.report.Started); took > 5*time.Hour+time.Minute {
		v.add("the run took %v", took)
	}
	finished, interrupted := map[string]int{}, false
	for _, e := range events {
		switch e.Kind {
		case apply.EventFinished:
			finished[e.Change]++
		case apply.EventInterrupt:
			interrupted = true
		case apply.EventStarted:
			if interrupted {
				v.add("%s was started after the interrupt", e.Change)
			}
		default:
		}
	}
	for _, c := range w.plan.Changes {
		if finished[c.ID] != 1 {
			v.add("%s finished %d times", c.ID, finished[c.ID])
		}
		wrong, unfinished := false, false
		for _, id := range c.Needs {
			switch results[id].Outcome {
			case apply.Done, apply.AlreadyDone:
			case apply.NotStarted, apply.Interrupted:
				unfinished = true
			default:
				wrong = true
			}
		}
		got := results[c.ID].Outcome
		blocked := got == apply.Blocked || (unfinished && got == apply.NotStarted) // the first that ended decides
		if blocked != (wrong || unfinished || c.Action == plan.Blocked) || (got == apply.Blocked && !wrong && c.Action != plan.Blocked) {
			v.add("%s is %s; of what it needs, something went wrong: %v, something is unfinished: %v", c.ID, got, wrong, unfinished)
		}
	}
	s.checkRequests(v, w, requests)
}

// looksAtLong returns the number of polls of an operation of this age after the first came too early: one each time a
// quarter of its age has passed, and at least every two minutes (apply/doc.go, "When to poll").
func looksAtLong(age time.Duration) int {
	n := 0
	for at := 12 * time.Second; at < age; at += min(at/4, 2*time.Minute) {
		n++
	}
	return n
}

// checkDoubt checks that the effect of a change is in doubt only where its write was sent, and no answer refused it.
func (s *scenario) checkDoubt(v *violations, res apply.Result, requests []sent) {
	if res.Outcome != apply.Unconfirmed && res.Outcome != apply.Interrupted {
		return
	}
	isOfTarget := func(q sent) bool { return strings.HasPrefix(q.path, strings.ToLower(res.Target)) }
	for _, m := range s.machines {
		if armid.Same(m.id, res.Target) {
			isOfTarget = func(q sent) bool { return q.item() == m.container() }
		}
	}
	if !slices.ContainsFunc(requests, func(q sent) bool {
		isRefused := q.status/100 == 4 && q.status != http.StatusRequestTimeout
		return q.method != http.MethodGet && !isRefused && isOfTarget(q)
	}) {
		v.add("%s is %s (%s), and no write of it was sent that the service did not refuse", res.ID, res.Outcome, res.Message)
	}
}

// checkRequests checks the limits on a run's requests.
func (s *scenario) checkRequests(v *violations, w *run, requests []sent) {
	polls, accepted := 0, 0
	begun, asked := map[string]time.Time{}, map[string]time.Duration{} // by item: when its write was accepted, its age at the last poll
	pauses := map[string]time.Time{}
	for _, q := range slices.SortedStableFunc(slices.Values(requests), func(a, b sent) int { return a.at.Compare(b.at) }) {
		switch {
		case q.method == http.MethodDelete:
			v.add("DELETE %s", q.path)
		case q.pollsItem():
			polls++
			if at, known := begun[q.item()]; known {
				asked[q.item()] = q.at.Sub(at)
			}
		case q.putsItem() && q.status == http.StatusAccepted:
			accepted++
			begun[q.item()] = q.at
		}
		if isStop(q) {
			s.checkStop(v, w, q)
		}
	}
	odd := 0
	for _, m := range s.machines {
		if m.hasFaultyOperation || m.isTouched {
			odd++
		}
	}
	long := 0
	for _, age := range asked {
		long += looksAtLong(age)
	}
	if most := 12 + 5*accepted/2 + long + 25*odd + 10*len(s.settings.Faults); polls > most {
		v.add("%d single status requests for %d operations", polls, accepted)
	}
	// Every request of a bucket obeys the Retry-After of its 429.
	for _, q := range slices.SortedStableFunc(slices.Values(requests), func(a, b sent) int { return a.answered.Compare(b.answered) }) {
		if q.status == http.StatusTooManyRequests && q.retry > 0 {
			pauses[bucketOf(q)] = q.answered
		}
	}
	for _, q := range requests {
		if q.status != http.StatusTooManyRequests || q.retry == 0 {
			continue
		}
		for _, later := range requests {
			if bucketOf(later) == bucketOf(q) && later.at.After(q.answered) && later.at.Before(q.answered.Add(q.retry)) {
				v.add("%s %s was sent %v after a 429 that said %v", later.method, later.path, later.at.Sub(q.answered), q.retry)
				return
			}
		}
	}
}

// bucketOf returns a quota that a request certainly consumes: its action in its subscription.
func bucketOf(q sent) string {
	parts := strings.Split(q.path, "/")
	if len(parts) < 3 {
		return q.method
	}
	if q.method != http.MethodGet {
		return parts[2] + " writes"
	}
	kind := []string{parts[2]}
	for i := 5; i < len(parts); i += 2 {
		kind = append(kind, parts[i])
	}
	return strings.Join(kind, " ")
}

func isStop(q sent) bool {
	return q.putsItem() && strings.Contains(q.body, `"ProtectionStopped"`) && !strings.Contains(q.body, `"isRehydrate":true`)
}

// checkStop checks that only items that the file stops are stopped, and none when a read failed.
func (s *scenario) checkStop(v *violations, w *run, q sent) {
	if !w.plan.Complete {
		v.add("%s is stopped by a plan over gaps", q.item())
	}
	for _, m := range s.machines {
		if m.container() == q.item() && m.wantedState() != "stopped" {
			v.add("%s is stopped, and the file wants %q", q.item(), m.wantedState())
		}
	}
}

// checkAfter compares a run's report with the plan right after it: a done change leaves nothing to do, and every
// remaining change was reported.
func (s *scenario) checkAfter(v *violations, before, after *run) {
	known := map[string]apply.Result{}
	targets := map[armid.Key]bool{}
	for _, res := range before.report.Results {
		known[res.ID] = res
		targets[armid.Of(res.Target)] = true
	}
	for _, c := range after.plan.Actionable() {
		if s.isTouched(c.Target) || c.Action == plan.Backup || c.Action == plan.Refresh || s.isTwoAtOnce {
			continue
		}
		res, reported := known[c.ID]
		switch {
		case reported && (res.Outcome == apply.Done || res.Outcome == apply.AlreadyDone):
			v.add("%s was reported %s, and is planned again: %s", c.ID, res.Outcome, c.Because)
		case !reported && !targets[armid.Of(c.Target)] && before.plan.Complete && !s.needsRefresh:
			v.add("%s is new: %s", c.ID, c.Because)
		}
	}
}

func (s *scenario) isTouched(target string) bool {
	return slices.ContainsFunc(s.machines, func(m *machine) bool { return m.isTouched && armid.Same(m.id, target) })
}

// isUntouchedAndShown reports whether a target is a machine that no other client has changed, and whose item every read
// shows: a plan that did not see an item finds it right before the write.
func (s *scenario) isUntouchedAndShown(target string) bool {
	return slices.ContainsFunc(s.machines, func(m *machine) bool { return !m.isTouched && !m.isHidden && armid.Same(m.id, target) })
}

// checkHistory checks, over all walks, that no write was repeated while the service showed its effect.
func (s *scenario) checkHistory(v *violations, st *state, all []sent) {
	if s.isTwoAtOnce {
		return // the other program's concurrent write is refused or has no effect
	}
	for _, m := range s.machines {
		if m.isTouched || (m.hasFaultyOperation && s.hasHiddenLists) {
			continue
		}
		var puts, backups []sent
		container := m.container()
		for _, q := range all {
			switch {
			case q.item() != container:
			case q.putsItem():
				puts = append(puts, q)
			case q.startsBackup():
				backups = append(backups, q)
			}
		}
		s.checkNotTwice(v, st, m, puts, func(a, b sent) bool { return a.body == b.body }, "ConfigureBackup", "DisableBackup", "Undelete")
		checkLooked(v, all, puts)
		checkLooked(v, all, backups)
		s.checkNotTwice(v, st, m, backups, func(sent, sent) bool { return true }, "Backup")
	}
}

// checkWaited checks that no item was written to while the job ran for which its change waits by the plan.
func (s *scenario) checkWaited(v *violations, st *state, w *run, requests []sent) {
	for _, c := range w.plan.Changes {
		i := slices.IndexFunc(s.machines, func(m *machine) bool { return armid.Same(m.id, c.Target) })
		j := slices.IndexFunc(st.Jobs, func(j job) bool { return armid.Same(j.ID, c.WaitsFor) })
		if c.WaitsFor == "" || i < 0 || j < 0 || s.hasHiddenLists && s.machines[i].hasFaultyOperation {
			continue
		}
		for _, q := range requests {
			if (q.putsItem() || q.startsBackup()) && q.item() == s.machines[i].container() && q.at.Before(st.Jobs[j].Properties.End) {
				v.add("%s was sent at %v, and the job that it waits for ran until %v", c.ID, q.at, st.Jobs[j].Properties.End)
			}
		}
	}
}

// checkLooked reports a write whose answer was lost and that its run repeated before it had asked for a list or the item.
func checkLooked(v *violations, all, writes []sent) {
	slices.SortStableFunc(writes, func(a, b sent) int { return a.at.Compare(b.at) })
	for i := 1; i < len(writes); i++ {
		lost, again := writes[i-1], writes[i]
		if lost.status != 0 || lost.run != again.run || lost.body != again.body {
			continue
		}
		vault, _, _ := strings.Cut(lost.path, "/backupfabrics/")
		if !slices.ContainsFunc(all, func(q sent) bool {
			isLook := strings.HasPrefix(q.path, vault+"/backupprotecteditems") || strings.HasPrefix(q.path, vault+"/backupjobs") || q.item() == lost.item()
			return q.method == http.MethodGet && q.run == lost.run && isLook && q.at.After(lost.answered) && !q.at.After(again.at)
		}) {
			v.add("%s %s was sent at %v, its answer was lost, and it was sent again at %v without a look", lost.method, lost.item(), lost.at, again.at)
		}
	}
}

// checkNotTwice reports a write that was sent although an equal one before it had started a job that did not fail.
func (s *scenario) checkNotTwice(v *violations, st *state, m *machine, writes []sent, same func(a, b sent) bool, operations ...string) {
	slices.SortStableFunc(writes, func(a, b sent) int { return a.at.Compare(b.at) })
	for i, second := range writes {
		for _, first := range writes[:i] {
			if !same(first, second) {
				continue
			}
			for _, j := range st.Jobs {
				p := j.Properties
				mine := strings.EqualFold(p.Container, m.container()) && slices.Contains(operations, p.Operation) && j.isOf(first)
				if mine && p.Status != "Failed" && p.Start.Before(second.at) {
					v.add("%s %s was sent at %v and again at %v, while its job of %v is %s", second.method, m.container(), first.at, second.at, p.Start, p.Status)
				}
			}
		}
	}
}

// checkEnd checks that in the end everything matches the file, or was reported with a cause.
func (s *scenario) checkEnd(v *violations, st *state, last *run) {
	for _, m := range s.machines {
		if m.isTouched || s.isExcused(m, last) {
			continue
		}
		state, policy, filter := "none", "", (*disks)(nil)
		for _, it := range st.Items {
			if !armid.Same(it.Properties.VM, m.id) {
				continue
			}
			p := it.Properties
			if state, policy = p.State, p.Policy; p.Deleted {
				state = "deleted"
			}
			if p.Extended != nil {
				filter = p.Extended.Disks
			}
		}
		policy = policy[strings.LastIndex(policy, "/")+1:]
		active := plan.IsActive(state)
		was := "none"
		if m.vault != "" {
			if was = m.begin.state; m.begin.softDeleted {
				was = "deleted"
			}
		}
		switch want := m.wantedState(); {
		case want == "stopped":
			if wants := map[bool]string{true: "none", false: "ProtectionStopped"}[was == "none"]; state != wants {
				v.add("%s is %s, and the file wants it stopped (it was %s)", m.id, state, was)
			}
		case want != "":
			if !active || !strings.EqualFold(policy, want) {
				v.add("%s is %s under %q, and the file wants %q", m.id, state, policy, want)
			}
			// An item that no list shows is protected as if it were new: its filter cannot be known.
			hidden := m.hasFaultyOperation && s.hasHiddenLists
			if kept := filter != nil && filter.Include && slices.Equal(filter.LUNs, []int{0}); kept != (m.app == "c" || m.begin.disks != "") && !hidden {
				v.add("%s has the disk filter %+v; it had %q", m.id, filter, m.begin.disks)
			}
		case state != was || !strings.EqualFold(policy, m.begin.policy):
			v.add("%s is %s under %q, though the file leaves it alone; it was %s under %q", m.id, state, policy, was, m.begin.policy)
		}
	}
}

// isExcused reports whether the last run reported an unfinished change of the machine, or that the machines of its
// subscription could not be read.
func (s *scenario) isExcused(m *machine, last *run) bool {
	return slices.ContainsFunc(last.plan.Gaps, func(g plan.Gap) bool {
		return g.Kind == plan.GapVMs && strings.EqualFold(g.Subscription, armid.SubscriptionOf(m.id))
	}) || slices.ContainsFunc(last.report.Results, func(r apply.Result) bool {
		return armid.Same(r.Target, m.id) && r.Outcome != apply.Done && r.Outcome != apply.AlreadyDone
	})
}
