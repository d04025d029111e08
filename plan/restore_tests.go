package plan

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/azbackup/azbackup/config"
	"github.com/azbackup/azbackup/internal/armid"
)

// TestState is what is known of the restore test of a VM.
type TestState string

// The states of a VM that a restore test covers.
const (
	TestProven  TestState = "proven"  // a restore into the test's group completed within the test's interval
	TestDue     TestState = "due"     // no restore into it completed within the interval
	TestRunning TestState = "running" // a restore into it runs now
	TestWaiting TestState = "waiting" // the VM has no recovery point of its own yet
	TestUnknown TestState = "unknown" // something that was not read, or not understood, may be its proof
)

// TestSummary counts the VMs that a restore test of the file covers.
type TestSummary struct {
	Name string `json:"name"`
	VMs  int    `json:"vms"`
	// Due includes the VMs that this plan tests and those whose test is blocked; the rest is due for later runs.
	Proven  int `json:"proven"`
	Due     int `json:"due"`
	Tested  int `json:"tested"` // by this plan
	Blocked int `json:"blocked"`
	Running int `json:"running"`
	Waiting int `json:"waiting"`
	Unknown int `json:"unknown"`
	// NextDue is when the first of the proven VMs is due again; nil = none is proven.
	NextDue *time.Time `json:"next_due,omitempty"`
}

// testPlan is a restore test of the file with the VMs that it covers.
type testPlan struct {
	conf     *config.RestoreTest
	restorer *restorer
	vms      []*testedVM
	summary  TestSummary
}

// testedVM is a VM that a restore test covers.
type testedVM struct {
	test  *testPlan
	vm    *vmState
	at    itemLocation
	group string // the id of the resource group to restore into
	state TestState
	why   string // of an unknown state
	proof *RestoreProof
	// failed is the latest restore into the group that failed after the proof, as far as such jobs were read.
	failed *RestoreFailure
}

// dueAt returns when the VM's proof gets too old, or got; false where there is no proof, so that the VM is due at once.
func (t *testedVM) dueAt() (time.Time, bool) {
	if t.proof == nil {
		return time.Time{}, false
	}
	return t.proof.Time.Add(t.test.conf.Every), true
}

// planTests plans the restore tests that are due, at most a sample of each. It is called after all else is decided.
func (pl *planner) planTests(all []*vmState) {
	if len(pl.config.RestoreTests) == 0 || pl.opt.SkipTests {
		return
	}
	asked := newAsked(pl.observed.Tests.Asked)
	if !pl.assessTests(all, asked) {
		return
	}
	last := pl.lastChanges()
	for _, t := range pl.tests {
		pl.questionsOfTests = append(pl.questionsOfTests, pl.chooseTests(t, asked, last)...)
	}
	pl.leftBehind = pl.observed.Tests.leftBehind()
}

// assessTests finds the state of each VM that a restore test covers. It returns false where the Restore jobs were not read
// yet: questionsOfTests requests them.
func (pl *planner) assessTests(all []*vmState, asked askedQuestions) bool {
	for i := range pl.config.RestoreTests {
		conf := &pl.config.RestoreTests[i]
		pl.tests = append(pl.tests, &testPlan{
			conf: conf, summary: TestSummary{Name: conf.Name},
			restorer: newRestorer(pl.index.vaults, &pl.observed.Tests.RestoreFacts, requestOf(conf), pl.opt.Now),
		})
	}
	pl.coverVMs(all)
	pl.questionsOfTests = asked.missing(pl.jobQuestions())
	if len(pl.questionsOfTests) == 0 {
		pl.proveVMs()
		return true
	}
	for _, t := range pl.tests {
		for _, v := range t.vms {
			v.state, v.why = TestUnknown, "the Restore jobs"
			t.count(v)
		}
	}
	return false
}

func requestOf(t *config.RestoreTest) RestoreRequest {
	return RestoreRequest{
		Disks: DiskSelection(t.Disks), Into: t.Into.ResourceGroup, Staging: t.Into.StorageAccounts,
		Oldest: t.Point == config.PointOldest, IsTest: true, Again: true,
	}
}

// coverVMs finds the VMs that each test covers: those that a rule backs up.
func (pl *planner) coverVMs(all []*vmState) {
	pl.testedVMs = map[armid.Key]*testedVM{}
	for _, s := range all {
		if s.vm == nil || s.rule == nil || s.rule.Protect == config.ProtectOff || s.rule.Protect == config.ProtectStopped {
			continue
		}
		i, ok := pl.config.MatchRestoreTest(s.target())
		if !ok || s.vm.WhyUnprotectable(s.rule, slices.Values(s.items)) != "" {
			continue
		}
		t := &testedVM{test: pl.tests[i], vm: s, at: pl.selectItem(s, pl.candidates(s).has)}
		if it := t.at.item; it != nil {
			t.group = pl.tests[i].restorer.into(&Vault{ID: it.Vault})
		}
		pl.tests[i].vms = append(pl.tests[i].vms, t)
		pl.testedVMs[s.key()] = t
	}
}

// jobQuestions returns the reads that show which VMs are due, the Restore jobs of their vaults, and those that show disks
// which earlier tests left behind, the disks of the tests' groups.
func (pl *planner) jobQuestions() []TestQuestion {
	reach := RestoreJobsReach
	for _, t := range pl.tests {
		reach = max(reach, t.conf.Every)
	}
	vaults, groups := map[armid.Key]*TestQuestion{}, map[armid.Key]TestQuestion{}
	for _, t := range pl.tests {
		for _, v := range t.vms {
			if v.at.item == nil {
				continue
			}
			k := pl.index.key(v.at.item.Vault)
			if vaults[k] == nil {
				vaults[k] = &TestQuestion{Kind: AskJobs, ID: v.at.item.Vault, Since: pl.opt.Now.Add(-reach), Containers: map[string]string{}}
			}
			vaults[k].Containers[v.at.item.Container] = lastName(v.group)
			if isOwnSubscription(v.group, v.at.item.Vault) {
				groups[armid.Of(v.group)] = TestQuestion{Kind: AskDisks, ID: v.group}
			}
		}
	}
	var out []TestQuestion
	for _, q := range vaults {
		out = append(out, *q)
	}
	for _, q := range groups {
		out = append(out, q)
	}
	return out
}

func isOwnSubscription(group, vault string) bool {
	return strings.EqualFold(armid.SubscriptionOf(group), armid.SubscriptionOf(vault))
}

// proveVMs finds the latest proof of each VM, and the state of its test.
func (pl *planner) proveVMs() {
	jobs := map[jobKey][]*RestoreJob{}
	unclear := map[armid.Key]string{} // by vault: jobs that may be of any VM
	for i := range pl.observed.Tests.Jobs {
		j := &pl.observed.Tests.Jobs[i]
		if j.Unreadable != "" && j.Container == "" {
			unclear[pl.index.key(j.Vault)] = j.Unreadable
		}
		k := jobKey{pl.index.key(j.Vault), containerKey(j.Container)}
		jobs[k] = append(jobs[k], j)
	}
	for _, t := range pl.tests {
		for _, v := range t.vms {
			if v.at.item != nil {
				vault := pl.index.key(v.at.item.Vault)
				v.prove(jobs[jobKey{vault, containerKey(v.at.item.Container)}], unclear[vault], pl.opt.Now)
			}
			pl.correctState(v)
			t.count(v)
		}
	}
}

// prove finds the latest proof of the VM among the jobs of its item.
func (v *testedVM) prove(jobs []*RestoreJob, unclear string, now time.Time) {
	isRunning := false
	for _, j := range jobs {
		switch {
		case j.Unreadable != "":
			unclear = cmp.Or(unclear, j.Unreadable)
		case !j.isInto(v.group):
		case j.End.After(now.Add(testClockSlack)):
			unclear = cmp.Or(unclear, "its end is still to come")
		case j.IsRunning():
			isRunning = true
		case j.IsProof() && j.PointTime.Before(v.vm.vm.TimeCreated.Truncate(time.Second)):
			// It restored an earlier VM of the same id. Jobs give the times of points in whole seconds.
		case j.IsProof() && !j.End.IsZero() && (v.proof == nil || j.isLater(v.proof.Time, v.proof.Job)):
			v.proof = &RestoreProof{Time: j.End.UTC(), Job: j.ID, Point: j.PointTime.UTC()}
			if !j.Start.IsZero() {
				v.proof.Seconds = int64(j.End.Sub(j.Start).Seconds())
			}
		case j.Operation == JobRestore && j.HasFailed() && (v.failed == nil || j.isLater(v.failed.Time, v.failed.Job)):
			v.failed = newRestoreFailure(j)
		}
	}
	if v.failed != nil && v.proof != nil && !v.failed.Time.After(v.proof.Time) {
		v.failed = nil
	}
	switch {
	case v.proof != nil && now.Sub(v.proof.Time) < v.test.conf.Every:
		v.state = TestProven
	case isRunning:
		v.state = TestRunning
	case unclear != "":
		v.state, v.why = TestUnknown, "a Restore job was not understood: "+unclear
	default:
		v.state = TestDue
	}
}

// correctState corrects the state that the jobs of a VM suggest, where a gap or the state of its item contradicts it.
func (pl *planner) correctState(v *testedVM) {
	gap := pl.gaps.blockingGap(v.vm)
	switch it := v.at.item; {
	case v.state == TestProven:
	case gap != nil:
		v.state, v.why = TestUnknown, pl.describeGap(gap)
	case it == nil || v.at.class == NoItem || v.at.class == ItemSoftDeleted:
		v.state = TestWaiting
	case v.at.class == ItemUnknown:
		v.state, v.why = TestUnknown, pl.describeItem(it)
	case it.Partial:
		v.state, v.why = TestUnknown, "the item of the VM in vault "+lastName(it.Vault)
	case v.test.restorer.unread(it.Vault):
		v.state, v.why = TestUnknown, "the Restore jobs of vault "+lastName(it.Vault)
	case it.LastRecoveryPoint.IsZero() || it.LastRecoveryPoint.Before(v.vm.vm.TimeCreated): // of an earlier VM of the same id
		v.state = TestWaiting
	}
}

func (t *testPlan) count(v *testedVM) {
	s := &t.summary
	s.VMs++
	switch v.state {
	case TestProven:
		s.Proven++
		if due, ok := v.dueAt(); ok && (s.NextDue == nil || due.Before(*s.NextDue)) {
			s.NextDue = &due
		}
	case TestDue:
		s.Due++
	case TestRunning:
		s.Running++
	case TestWaiting:
		s.Waiting++
	case TestUnknown:
		s.Unknown++
	}
}
