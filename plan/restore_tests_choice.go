package plan

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/azbackup/azbackup/config"
	"github.com/azbackup/azbackup/internal/armid"
)

// pointsAhead is the number of VMs whose points are read in one round beyond those that the sample still needs: some VMs
// may have no point that can be restored.
const pointsAhead = 5

// chooseTests plans the restore tests of one entry of the file: of the VMs that are due it takes those that were unproven
// the longest, as many as the sample allows. Blocked tests are not counted in the sample, or they would keep all other VMs
// from being tested; as many of them at most are listed. It returns the questions whose answers the choice still needs.
func (pl *planner) chooseTests(t *testPlan, asked askedQuestions, last map[armid.Key]string) []TestQuestion {
	sample := t.conf.Sample.Of(len(t.vms))
	chosen, blocked := 0, 0
	var open []TestQuestion
	for _, v := range t.inOrder() {
		if chosen == sample {
			break
		}
		if v.state == TestDue {
			if missing := t.questions(v, asked); len(missing) > 0 {
				if len(open) >= sample-chosen+pointsAhead {
					break
				}
				open = append(open, missing...)
				continue
			}
		}
		c := pl.testChange(v, last)
		count, total := &chosen, &t.summary.Tested
		c.ResourceGuard = pl.guardRequests(&c)
		if c.Action == Blocked {
			count, total = &blocked, &t.summary.Blocked
		}
		if *count == sample {
			continue
		}
		*count++
		if pl.selection.matches(v.vm) {
			*total++
			pl.changes = append(pl.changes, pendingChange{Change: c})
		}
	}
	return open
}

// inOrder returns the VMs that the plan may test, in the order in which it chooses them: first those that were never
// proven, then the longest unproven, then by name. VMs whose state is unknown come last, so that they displace no other.
func (t *testPlan) inOrder() []*testedVM {
	vms := filter(t.vms, func(v *testedVM) bool { return v.state == TestDue || v.state == TestUnknown })
	slices.SortFunc(vms, func(a, b *testedVM) int {
		return cmp.Or(
			boolToInt(a.state == TestUnknown)-boolToInt(b.state == TestUnknown),
			compareProofs(a.proof, b.proof),
			strings.Compare(strings.ToLower(lastName(a.vm.id)), strings.ToLower(lastName(b.vm.id))),
			armid.Compare(a.vm.id, b.vm.id),
		)
	})
	return vms
}

func compareProofs(a, b *RestoreProof) int {
	if a == nil || b == nil {
		return boolToInt(a != nil) - boolToInt(b != nil)
	}
	return a.Time.Compare(b.Time)
}

// questions returns the reads that the restore of a VM needs and that are still missing: of the group and the accounts,
// and of the VM's recovery points unless group or accounts already block the restore.
func (t *testPlan) questions(v *testedVM, asked askedQuestions) []TestQuestion {
	if !isOwnSubscription(v.group, v.at.item.Vault) {
		return nil // it is blocked, whatever the answers
	}
	target := asked.missing(t.targetQuestions(v))
	if _, reason, _ := t.restorer.target(v.at.item.Vault); len(target) == 0 && reason != "" {
		return nil
	}
	return append(target, asked.missing([]TestQuestion{{Kind: AskPoints, ID: v.at.item.ID, Item: *v.at.item, Oldest: t.conf.Point == config.PointOldest}})...)
}

func (t *testPlan) targetQuestions(v *testedVM) []TestQuestion {
	q := []TestQuestion{{Kind: AskGroup, ID: v.group}}
	var names []string
	for _, a := range t.conf.Into.StorageAccounts {
		if strings.HasPrefix(a, "/") {
			q = append(q, TestQuestion{Kind: AskAccount, ID: a})
		} else {
			names = append(names, a)
		}
	}
	if len(names) > 0 {
		q = append(q, TestQuestion{Kind: AskAccounts, ID: armid.SubscriptionOf(v.at.item.Vault), Names: names})
	}
	return q
}

// testChange returns the restore test of a VM, or a blocked change with the reason. last holds, by VM, the change that the
// test has to wait for.
func (pl *planner) testChange(v *testedVM, last map[armid.Key]string) Change {
	conf := v.test.conf
	c := Change{
		ID: changeID(RestoreTest, v.vm.key()), Action: RestoreTest, Target: v.vm.id, Risk: RiskNone, Rule: refOf(conf.Name, conf.Pos),
		Reason: ReasonNeverProven, Needs: withoutEmpty(last[v.vm.key()]),
		Test: &RestoreTestOrder{Name: conf.Name, Every: Duration(conf.Every), Point: conf.Point, Group: v.group, Proven: v.proof},
	}
	if it := v.at.item; it != nil {
		c.Vault, c.Item = it.Vault, it.ID
		if j := pl.jobOn(v.vm, it, pl.index.key(it.Vault)); j != nil && len(c.Needs) == 0 {
			c.WaitsFor = j.ID
		}
	}
	c.Because = pl.sentence(c.Reason, "")
	if due, ok := v.dueAt(); ok {
		c.Test.DueSince = &due
		c.Reason = ReasonProofTooOld
		c.Because = pl.sentence(c.Reason, "last "+v.proof.Time.Format("2006-01-02")+", wanted every "+describeAge(conf.Every))
	}
	switch {
	case v.state == TestUnknown:
		return blockRestore(c, ReasonGap, v.why)
	case !isOwnSubscription(v.group, c.Vault):
		return blockRestore(c, ReasonRestoreGroup, lastName(v.group)+" is in another subscription than the vault")
	}
	if _, reason, detail := v.test.restorer.target(c.Vault); reason != "" {
		return blockRestore(c, reason, detail)
	}
	if vault := pl.vaults[pl.index.key(c.Vault)]; vault != nil {
		if reason, detail := pl.whyGuardRefuses(vault, guardRestore); reason != "" {
			return blockRestore(c, reason, detail)
		}
	}
	v.test.restorer.created = v.vm.vm.TimeCreated
	return v.test.restorer.complete(c)
}

// lastChanges returns, by VM, the id of its last change in this plan, which a test of the VM needs.
func (pl *planner) lastChanges() map[armid.Key]string {
	last := map[armid.Key]*pendingChange{}
	if pl.selection.isTestsOnly() {
		return nil
	}
	for i := range pl.changes {
		d := &pl.changes[i]
		if k := armid.Of(d.Target); pl.testedVMs[k] != nil && d.Action != Blocked && (last[k] == nil || last[k].Action.order() < d.Action.order()) {
			last[k] = d
		}
	}
	ids := map[armid.Key]string{}
	for k, d := range last {
		ids[k] = d.ID
	}
	return ids
}

// askedQuestions are the questions about restore tests that were answered.
type askedQuestions map[string]bool

func newAsked(keys []string) askedQuestions {
	asked := askedQuestions{}
	for _, k := range keys {
		asked[k] = true
	}
	return asked
}

// missing returns the questions that were not answered, by key.
func (a askedQuestions) missing(wanted []TestQuestion) []TestQuestion {
	var out []TestQuestion
	for _, q := range wanted {
		if !a[q.Key()] {
			out = append(out, q)
		}
	}
	slices.SortFunc(out, compareQuestions)
	return out
}

func compareQuestions(a, b TestQuestion) int { return strings.Compare(a.Key(), b.Key()) }

// testExplanation returns the state of a VM's restore test, or nil where no test covers the VM.
func (pl *planner) testExplanation(s *vmState) *TestExplanation {
	v := pl.testedVMs[s.key()]
	if v == nil {
		return nil
	}
	e := &TestExplanation{
		Name: v.test.conf.Name, State: v.state, Why: v.why, Every: Duration(v.test.conf.Every), Proven: v.proof,
		Rule: refOf(v.test.conf.Name, v.test.conf.Pos),
	}
	if due, ok := v.dueAt(); ok {
		e.Due = &due
	}
	return e
}

// TestExplanation is the state of the restore test of one VM.
type TestExplanation struct {
	Name  string    `json:"name"`
	State TestState `json:"state"`
	Why   string    `json:"why,omitempty"` // of an unknown state
	Every Duration  `json:"every"`
	// Proven is the latest restore into the group of the test; nil = none is known. Due is when it gets too old, or did.
	Proven *RestoreProof `json:"proven"`
	Due    *time.Time    `json:"due,omitempty"`
	Rule   *RuleRef      `json:"rule"`
}
