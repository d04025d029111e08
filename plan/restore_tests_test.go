package plan

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/azbackup/azbackup/config"
	"github.com/azbackup/azbackup/internal/armid"
)

// testWorld is an estate with restore tests, and what a plan may ask of it.
type testWorld struct {
	config  *config.Config
	o       Observed
	jobs    []RestoreJob
	points  map[armid.Key][]RecoveryPoint // by item
	groups  []ResourceGroup
	disks   map[armid.Key][]Disk
	refused map[string]bool // the keys of questions that fail
	asked   []TestQuestion
}

const testGroup = "/subscriptions/" + restoreSub + "/resourceGroups/rg-tests"

func testVM(name string) string { return armid.VM(restoreSub, "rg-app", name) }

// newTestWorld returns VMs that a rule backs up and a test covers, never proven.
func newTestWorld(sample config.Sample, names ...string) *testWorld {
	w := &testWorld{
		config: &config.Config{
			Subscriptions: []string{restoreSub},
			Vaults:        []config.Vault{{Name: "rsv", Subscription: restoreSub, ResourceGroup: "rg-backup", Location: "westeurope"}},
			Policies:      []config.Policy{{Name: "daily"}},
			Rules:         []config.Rule{{Name: "all", Match: []config.Selector{{Names: []string{"*"}}}, Policy: "daily", Protect: config.ProtectOn}},
			RestoreTests: []config.RestoreTest{{
				Name: "gold", Match: []config.Selector{{Names: []string{"*"}}}, Every: 90 * day, Sample: sample, Disks: config.RestoreDisks{},
				Into: config.RestoreTarget{ResourceGroup: "rg-tests", StorageAccounts: []string{"stweu"}},
			}},
			Settings: config.DefaultSettings(),
		},
		o: Observed{
			Vaults:   []Vault{{ID: restoreVault, Name: "rsv", Location: "westeurope", InFile: true}},
			Policies: []Policy{{ID: armid.Policy(restoreVault, "daily"), Name: "daily", Vault: restoreVault, Spec: PolicySpec{Tier: TierEnhanced}}},
		},
		points: map[armid.Key][]RecoveryPoint{}, disks: map[armid.Key][]Disk{}, refused: map[string]bool{},
		groups: []ResourceGroup{{ID: testGroup, Tags: map[string]string{"Azbackup-Restore-Tests": "allowed"}}},
	}
	for _, name := range names {
		w.o.VMs = append(w.o.VMs, VM{ID: testVM(name), Name: name, ResourceGroup: "rg-app", Subscription: restoreSub, Location: "westeurope"})
		it := Item{
			ID: armid.ProtectedItem(restoreVault, mustParse(testVM(name))), Vault: restoreVault, VM: testVM(name), Container: "iaasvmcontainerv2;rg-app;" + name,
			State: StateProtected, PolicyID: armid.Policy(restoreVault, "daily"), LastRecoveryPoint: restoreNow.Add(-8 * time.Hour),
		}
		w.o.Items = append(w.o.Items, it)
		p := pointAged(8*time.Hour, snapshotAndVault)
		p.ID = it.ID + "/recoveryPoints/1"
		w.points[armid.Of(it.ID)] = []RecoveryPoint{p}
	}
	return w
}

func mustParse(vm string) armid.ID {
	id, err := armid.ParseVM(vm)
	if err != nil {
		panic(err)
	}
	return id
}

// restored adds a completed restore of a VM into a group.
func (w *testWorld) restored(name string, age time.Duration, group string) *RestoreJob {
	end := restoreNow.Add(-age)
	w.jobs = append(w.jobs, RestoreJob{
		Job: Job{
			ID: fmt.Sprintf("%s/backupJobs/%s-%d", restoreVault, name, len(w.jobs)), Vault: restoreVault, Container: "iaasvmcontainerv2;rg-app;" + name,
			Operation: JobRestore, Status: "Completed", Start: end.Add(-90 * time.Second), End: end,
		},
		Group: group, PointTime: end.Add(-8 * time.Hour).Truncate(time.Second),
	})
	return &w.jobs[len(w.jobs)-1]
}

// answer answers the questions about restore tests, and no others.
func (w *testWorld) answer(o Observed, questions Questions) (Observed, error) {
	f := &o.Tests
	f.Disks = map[armid.Key][]Disk{}
	maps.Copy(f.Disks, w.disks)
	for _, q := range questions.Tests {
		w.asked = append(w.asked, q)
		f.Asked = append(f.Asked, q.Key())
		if w.refused[string(q.Kind)] {
			f.Unread = append(append(f.Unread, q.ID), q.Names...)
			o.Gaps = append(o.Gaps, Gap{Kind: GapRestoreJobs, Vault: restoreVault, Target: q.ID, Code: "AuthorizationFailed", Status: 403})
			if q.Kind == AskPoints {
				f.Items = append(f.Items, ItemPoints{Item: q.Item})
			}
			continue
		}
		switch q.Kind {
		case AskJobs:
			f.Jobs = append(f.Jobs, w.jobs...)
		case AskGroup:
			f.Groups = append(f.Groups, w.groups...)
		case AskAccounts:
			f.Accounts = append(f.Accounts, StorageAccount{ID: restoreStage, Location: "westeurope", Kind: "StorageV2", SKU: "Standard_LRS"})
		case AskPoints:
			f.Items = append(f.Items, ItemPoints{Item: q.Item, Points: w.points[armid.Of(q.ID)], Read: true})
		case AskDisks, AskAccount:
		}
	}
	return o, nil
}

func (w *testWorld) plan(t rapid.TB, opt Options) Plan {
	t.Helper()
	opt.Now = restoreNow
	p, _, err := MakeAsking(w.config, w.o, opt, w.answer)
	if err != nil {
		t.Fatal(err)
	}
	if err := Validate(p); err != nil {
		t.Fatal(err)
	}
	return p
}

// tested lists the VMs that a plan tests, and blocked those whose test it blocks.
func tested(p Plan) (tested, blocked []string) {
	for _, c := range p.Changes {
		switch {
		case c.Action == RestoreTest:
			tested = append(tested, lastName(c.Target))
		case c.Wanted == RestoreTest:
			blocked = append(blocked, lastName(c.Target))
		}
	}
	slices.Sort(tested)
	slices.Sort(blocked)
	return tested, blocked
}

func TestARestoreTestSaysWhatItRestoresAndWhyItIsDue(t *testing.T) {
	w := newTestWorld(config.Sample{}, "web1")
	w.restored("web1", 91*day, "RG-Tests")
	p := w.plan(t, Options{})
	if len(p.Changes) != 1 || p.Summary[RestoreTest] != 1 || len(p.Actionable()) != 0 {
		t.Fatalf("%+v", p)
	}
	c := p.Changes[0]
	since := restoreNow.Add(-day)
	want := &RestoreTestOrder{
		Name: "gold", Every: Duration(90 * day), Group: testGroup, DueSince: &since,
		Proven: &RestoreProof{Time: restoreNow.Add(-91 * day), Job: restoreVault + "/backupJobs/web1-0", Point: restoreNow.Add(-91*day - 8*time.Hour), Seconds: 90},
	}
	if d := cmp.Diff(want, c.Test); d != "" {
		t.Error(d)
	}
	if c.Reason != ReasonProofTooOld || !strings.HasSuffix(c.Because, "last 2026-08-21, wanted every 90d") || c.Rule.Name != "gold" {
		t.Errorf("%s: %s, of %+v", c.Reason, c.Because, c.Rule)
	}
	if c.Into != testGroup || c.Staging != restoreStage || c.Select.String() != "os" || c.Adopted != nil || c.Item != w.o.Items[0].ID {
		t.Errorf("%+v", c.RestoreOrder)
	}
	if p.Fingerprint != fingerprint(nil) {
		t.Error("restore tests are in the fingerprint")
	}
	if f := p.Forecast; f.Requests["writes"] != 3 || time.Duration(f.Duration) < restoreFromSnapshot {
		t.Errorf("%+v", f)
	}
	s := p.RestoreTests[0]
	if s.VMs != 1 || s.Due != 1 || s.Tested != 1 || s.Proven+s.Blocked+s.Running+s.Unknown+s.Waiting != 0 {
		t.Errorf("%+v", s)
	}
}

func TestWhatProvesARestore(t *testing.T) {
	for name, tt := range map[string]struct {
		change func(w *testWorld)
		state  TestState
	}{
		"nothing":                  {func(*testWorld) {}, TestDue},
		"a restore into the group": {func(w *testWorld) { w.restored("a", 89*day, "rg-tests") }, TestProven},
		"just now too old":         {func(w *testWorld) { w.restored("a", 90*day, "rg-tests") }, TestDue},
		"the newest counts":        {func(w *testWorld) { w.restored("a", 100*day, "rg-tests"); w.restored("a", day, "rg-tests") }, TestProven},
		"into another group":       {func(w *testWorld) { w.restored("a", day, "rg-other") }, TestDue},
		"of another VM":            {func(w *testWorld) { w.restored("b", day, "rg-tests") }, TestDue},
		"in another vault":         {func(w *testWorld) { w.restored("a", day, "rg-tests").Vault += "2" }, TestDue},
		"that failed":              {func(w *testWorld) { w.restored("a", day, "rg-tests").Status = "Failed" }, TestDue},
		"with warnings":            {func(w *testWorld) { w.restored("a", day, "rg-tests").Status = "CompletedWithWarnings" }, TestDue},
		"that runs":                {func(w *testWorld) { w.restored("a", 0, "rg-tests").Status = "InProgress" }, TestRunning},
		"that runs elsewhere":      {func(w *testWorld) { w.restored("a", 0, "rg-other").Status = "InProgress" }, TestDue},
		"of an unknown point":      {func(w *testWorld) { w.restored("a", day, "rg-tests").PointTime = time.Time{} }, TestDue},
		"without an end":           {func(w *testWorld) { w.restored("a", day, "rg-tests").End = time.Time{} }, TestDue},
		"not understood":           {func(w *testWorld) { w.restored("a", day, "rg-tests").Unreadable = "status: 7" }, TestUnknown},
		"not understood, unneeded": {func(w *testWorld) {
			w.restored("a", day, "rg-tests").Unreadable = "status: 7"
			w.restored("a", 2*day, "rg-tests")
		}, TestProven},
		"not understood, of whom": {func(w *testWorld) {
			j := w.restored("a", day, "rg-tests")
			j.Unreadable, j.Container = "containerName: 7", ""
		}, TestUnknown},
		"jobs not read":        {func(w *testWorld) { w.restored("a", day, "rg-tests"); w.refused["jobs"] = true }, TestUnknown},
		"no point yet":         {func(w *testWorld) { w.o.Items[0].LastRecoveryPoint = time.Time{} }, TestWaiting},
		"not backed up yet":    {func(w *testWorld) { w.o.Items = nil }, TestWaiting},
		"the item is a riddle": {func(w *testWorld) { w.o.Items[0].State = "Odd" }, TestUnknown},
		"only its vault known": {func(w *testWorld) { w.o.Items[0].Partial = true }, TestUnknown},
		"a gap touches it":     {func(w *testWorld) { w.o.Gaps = []Gap{{Kind: GapVMs, Subscription: restoreSub}} }, TestUnknown},
		"proven, whatever gaps": {func(w *testWorld) {
			w.restored("a", day, "rg-tests")
			w.o.Gaps = []Gap{{Kind: GapVMs, Subscription: restoreSub}}
		}, TestProven},
	} {
		w := newTestWorld(config.Sample{}, "a")
		tt.change(w)
		p := w.plan(t, Options{})
		s := p.RestoreTests[0]
		got := map[TestState]int{TestProven: s.Proven, TestDue: s.Due, TestRunning: s.Running, TestWaiting: s.Waiting, TestUnknown: s.Unknown}
		if got[tt.state] != 1 || s.VMs != 1 {
			t.Errorf("%s: %+v, want %s", name, s, tt.state)
		}
		is, blocked := tested(p)
		if (len(is) == 1) != (tt.state == TestDue) || (len(blocked) == 1) != (tt.state == TestUnknown) {
			t.Errorf("%s: tests %v, blocks %v", name, is, blocked)
		}
		e, err := Explain(w.config, observedFor(t, w), "a", Options{Now: restoreNow})
		if err != nil || e.RestoreTest == nil || e.RestoreTest.State != tt.state {
			t.Errorf("%s: explained as %+v, %v", name, e.RestoreTest, err)
		}
	}
}

// observedFor returns what the plan of a world was made from.
func observedFor(t *testing.T, w *testWorld) Observed {
	t.Helper()
	_, o, err := MakeAsking(w.config, w.o, Options{Now: restoreNow}, w.answer)
	if err != nil {
		t.Fatal(err)
	}
	return o
}

// The portal shows the jobs of six months (docs/azure.md §19); a test that is due less often needs those of a longer time.
func TestJobsAreAskedForAsFarBackAsATestMayBeOld(t *testing.T) {
	for every, reach := range map[time.Duration]time.Duration{30 * day: 180 * day, 180 * day: 180 * day, 365 * day: 365 * day} {
		w := newTestWorld(config.Sample{}, "web1")
		w.config.RestoreTests[0].Every = every
		w.plan(t, Options{})
		asked := 0
		for _, q := range w.asked {
			if q.Kind == AskJobs {
				asked++
				if !q.Since.Equal(restoreNow.Add(-reach)) {
					t.Errorf("every %v: jobs since %v, want %v back", every, q.Since, reach)
				}
			}
		}
		if asked == 0 {
			t.Errorf("every %v: no jobs are asked for", every)
		}
	}
}

func TestOfJobsThatEndedTogetherTheSameOneCountsInWhateverOrder(t *testing.T) {
	const vault, group = "/subscriptions/s/resourceGroups/rg/providers/Microsoft.RecoveryServices/vaults/rsv", "/subscriptions/s/resourceGroups/rg-tests"
	end := restoreNow.Add(-100 * day)
	job := func(id, status string) *RestoreJob {
		return &RestoreJob{
			Job:   Job{ID: vault + "/backupJobs/" + id, Vault: vault, Container: "c", Operation: JobRestore, Status: status, Start: end.Add(-time.Hour), End: end},
			Group: "rg-tests", PointTime: end.Add(-day),
		}
	}
	for _, status := range []string{jobCompleted, jobFailed} {
		jobs := []*RestoreJob{job("1", status), job("2", status)}
		for range 2 {
			slices.Reverse(jobs)
			v := &testedVM{vm: &vmState{vm: &VM{}}, test: &testPlan{conf: &config.RestoreTest{Every: day}}, group: group}
			v.prove(jobs, "", restoreNow)
			found := ""
			switch {
			case v.proof != nil:
				found = v.proof.Job
			case v.failed != nil:
				found = v.failed.Job
			}
			if lastName(found) != "1" {
				t.Errorf("%s, %s first: job %q counts", status, lastName(jobs[0].ID), found)
			}
		}
	}
	point := RecoveryPoint{Time: end.Add(-day)}
	for _, order := range [][]RestoreJob{{*job("1", jobCompleted), *job("2", jobCompleted)}, {*job("2", jobCompleted), *job("1", jobCompleted)}} {
		if proof, _ := point.ProvenBy(Item{Vault: vault, Container: "c"}, order); lastName(proof.ID) != "1" {
			t.Errorf("%s first: the point is proven by %q", order[0].ID, proof.ID)
		}
	}
}

func TestOnlyWhatARuleBacksUpIsTested(t *testing.T) {
	w := newTestWorld(config.Sample{}, "on", "off", "stopped", "other", "unsupported")
	rule := w.config.Rules[0]
	named := func(name string, protect config.Protect) config.Rule {
		r := rule
		r.Name, r.Protect, r.Match = name, protect, []config.Selector{{Names: []string{name}}}
		return r
	}
	w.config.Rules = []config.Rule{named("on", config.ProtectOn), named("off", config.ProtectOff), named("stopped", config.ProtectStopped), named("unsupported", config.ProtectOn)}
	w.o.VMs[4].Unsupported = "it is a scale set member"
	p := w.plan(t, Options{})
	if is, blocked := tested(p); !slices.Equal(is, []string{"on"}) || len(blocked) > 0 || p.RestoreTests[0].VMs != 1 {
		t.Errorf("tests %v, blocks %v: %+v", is, blocked, p.RestoreTests[0])
	}
}

func TestRestoreTestsThatCannotRunAreBlockedWithTheReason(t *testing.T) {
	for name, tt := range map[string]struct {
		change func(w *testWorld)
		reason Reason
		words  string
	}{
		"no group":     {func(w *testWorld) { w.groups = nil }, ReasonRestoreGroup, "rg-tests does not exist"},
		"no tag":       {func(w *testWorld) { w.groups[0].Tags = map[string]string{"azbackup-restore-tests": "Allowed"} }, ReasonRestoreGroup, "lacks the tag azbackup-restore-tests: allowed"},
		"odd group":    {func(w *testWorld) { w.groups[0].Unreadable = "tags: 7" }, ReasonGap, "was not understood"},
		"group unread": {func(w *testWorld) { w.refused["group"] = true }, ReasonGap, "the resource group rg-tests"},
		"group of another subscription": {func(w *testWorld) {
			w.config.RestoreTests[0].Into.ResourceGroup = "/subscriptions/22222222-2222-2222-2222-222222222222/resourceGroups/rg-tests"
		}, ReasonRestoreGroup, "another subscription"},
		"a resource guard": {func(w *testWorld) {
			w.o.Vaults[0].ResourceGuards = []string{"/x/guards/mua"}
			w.o.Vaults[0].GuardedOperations = []GuardedOperation{{Guard: "/x/guards/mua", Operation: guardPrefix + guardRestore, Request: "/x/guards/mua/triggerRestoreRequests/default"}}
		}, ReasonResourceGuard, "mua"},
		"no account":      {func(w *testWorld) { w.config.RestoreTests[0].Into.StorageAccounts = []string{"stneu"} }, ReasonNoStaging, "stneu does not exist"},
		"accounts unread": {func(w *testWorld) { w.refused["accounts"] = true }, ReasonGap, "the storage account stweu"},
		"points unread":   {func(w *testWorld) { w.refused["points"] = true }, ReasonGap, "the recovery points"},
		"no point":        {func(w *testWorld) { clear(w.points) }, ReasonNoRestorablePoint, "there is no point"},
		"archived points": {func(w *testWorld) {
			for k := range w.points {
				w.points[k] = []RecoveryPoint{pointAged(day, archiveOnly)}
			}
		}, ReasonNoRestorablePoint, "archive"},
		"no such disk": {func(w *testWorld) {
			w.config.RestoreTests[0].Disks = config.RestoreDisks{7}
			for k := range w.points {
				w.points[k][0].Disks = &PointDisks{Included: []PointDisk{{LUN: OSDisk, Name: "os"}}}
			}
		}, ReasonNoSuchDisk, "LUN 7"},
		"ten today": {func(w *testWorld) {
			for range RestoresPerDay {
				w.restored("a", 2*time.Hour, "rg-other")
			}
		}, ReasonRestoreLimit, "10 of 10"},
	} {
		w := newTestWorld(config.Sample{}, "a")
		tt.change(w)
		p := w.plan(t, Options{})
		if len(p.Changes) != 1 || p.Changes[0].Action != Blocked || p.Changes[0].Wanted != RestoreTest {
			t.Errorf("%s: %+v", name, p.Changes)
			continue
		}
		if c := p.Changes[0]; c.Reason != tt.reason || !strings.Contains(c.Because, tt.words) || c.Test == nil || c.RestoreOrder != nil {
			t.Errorf("%s: %s: %s", name, c.Reason, c.Because)
		}
	}
}

func TestTheSampleTakesTheLongestUnprovenFirst(t *testing.T) {
	w := newTestWorld(config.Sample{Count: 3}, "new-b", "new-a", "old", "older", "fresh")
	w.restored("old", 100*day, "rg-tests")
	w.restored("older", 120*day, "rg-tests")
	w.restored("fresh", day, "rg-tests")
	p := w.plan(t, Options{})
	if is, _ := tested(p); !slices.Equal(is, []string{"new-a", "new-b", "older"}) {
		t.Errorf("tests %v", is)
	}
	if s := p.RestoreTests[0]; s.Due != 4 || s.Tested != 3 || s.Proven != 1 || !s.NextDue.Equal(restoreNow.Add(89*day)) {
		t.Errorf("%+v", s)
	}
	// What cannot be restored takes nobody's place, and is listed.
	w.points[armid.Of(w.o.Items[1].ID)] = nil
	if is, blocked := tested(w.plan(t, Options{})); !slices.Equal(is, []string{"new-b", "old", "older"}) || !slices.Equal(blocked, []string{"new-a"}) {
		t.Errorf("tests %v, blocks %v", is, blocked)
	}
}

func TestMoreRestoreTestsThanAllowedAreRefused(t *testing.T) {
	w := newTestWorld(config.Sample{}, "a", "b", "c")
	w.config.Settings.Guards.MaxRestores = 2
	p := w.plan(t, Options{})
	if len(p.Refusals) != 1 || p.Refusals[0].Guard != GuardRestores || p.Refusals[0].Count != 3 || len(Judge(p, map[string]bool{FlagAllowManyRestores: true}).Refusals) != 0 {
		t.Errorf("%+v", p.Refusals)
	}
}

func TestRestoreTestsCanBeLeftOutOrPlannedAlone(t *testing.T) {
	w := newTestWorld(config.Sample{}, "a", "b")
	w.o.Items[0].State = StateProtectionStopped
	whole := w.plan(t, Options{})
	if is, _ := tested(whole); whole.Summary[Resume] != 1 || !slices.Equal(is, []string{"a", "b"}) {
		t.Fatalf("%+v", whole.Changes)
	}
	i := slices.IndexFunc(whole.Changes, func(c Change) bool { return c.Action == RestoreTest && lastName(c.Target) == "a" })
	if needs := whole.Changes[i].Needs; len(needs) != 1 || !strings.HasPrefix(needs[0], "resume:") {
		t.Errorf("a test does not wait for what is done to its VM: %v", needs)
	}
	w.asked = nil
	skipped := w.plan(t, Options{SkipTests: true})
	if is, _ := tested(skipped); len(is) > 0 || skipped.Summary[Resume] != 1 || len(w.asked) > 0 || skipped.RestoreTests != nil {
		t.Errorf("%+v, asked for %d", skipped.Changes, len(w.asked))
	}
	only := []TargetFilter{{Key: FilterTests}}
	alone := w.plan(t, Options{Filters: only})
	if is, _ := tested(alone); !slices.Equal(is, []string{"a", "b"}) || len(alone.Changes) != 2 || len(alone.Unchanged) > 0 {
		t.Errorf("%+v", alone.Changes)
	}
	one := w.plan(t, Options{Filters: append(only, TargetFilter{Key: FilterByVM, Value: "b"})})
	if is, _ := tested(one); !slices.Equal(is, []string{"b"}) {
		t.Errorf("%+v", one.Changes)
	}
}

func TestNothingIsAskedForRestoreTestsWithoutOne(t *testing.T) {
	w := newTestWorld(config.Sample{}, "a")
	w.config.RestoreTests = nil
	if p := w.plan(t, Options{}); len(w.asked) > 0 || p.RestoreTests != nil {
		t.Errorf("asked for %+v", w.asked)
	}
	w = newTestWorld(config.Sample{Count: 2}, "a", "b", "c", "d")
	for _, name := range []string{"a", "b", "c"} {
		w.restored(name, day, "rg-tests")
	}
	w.plan(t, Options{})
	n := 0
	for _, q := range w.asked {
		n += boolToInt(q.Kind == AskPoints)
	}
	if n != 1 {
		t.Errorf("the points of %d items were asked for, and one VM is due", n)
	}
}

func TestDisksThatEarlierTestsLeftAreReported(t *testing.T) {
	w := newTestWorld(config.Sample{}, "a")
	done := w.restored("a", day, "rg-tests").ID
	w.restored("a", day, "rg-other")
	w.restored("a", day, "rg-tests").Status = "InProgress"
	w.restored("a", day, "rg-tests").Unreadable = "x"
	disk := func(name, job string, change func(*Disk)) Disk {
		d := Disk{ID: testGroup + "/providers/Microsoft.Compute/disks/" + name, Name: name, Job: job, State: "Unattached", SizeGB: 32}
		change(&d)
		return d
	}
	w.disks[armid.Of(testGroup)] = []Disk{
		disk("left", lastName(done), func(*Disk) {}),
		disk("in capitals", strings.ToUpper(lastName(done)), func(*Disk) {}),
		disk("used", lastName(done), func(d *Disk) { d.State = "Attached" }),
		disk("odd", lastName(done), func(d *Disk) { d.Unreadable = "tags" }),
		disk("untagged", "", func(*Disk) {}),
		disk("stranger", "no-such-job", func(*Disk) {}),
		disk("elsewhere", lastName(w.jobs[1].ID), func(*Disk) {}),
		disk("running", lastName(w.jobs[2].ID), func(*Disk) {}),
		disk("riddle", lastName(w.jobs[3].ID), func(*Disk) {}),
	}
	p := w.plan(t, Options{})
	var names []string
	for _, d := range p.LeftBehind {
		names = append(names, lastName(d.ID))
		if d.Job != done || d.SizeGB != 32 {
			t.Errorf("%+v", d)
		}
	}
	if !slices.Equal(names, []string{"left"}) {
		t.Errorf("left behind: %v", names)
	}
}

func TestARestoreTestNamesTheGuardsRequestWhereTheFileUsesIt(t *testing.T) {
	w := newTestWorld(config.Sample{}, "a")
	w.config.Vaults[0].ResourceGuard = guardUse
	request := "/x/guards/mua/triggerRestoreRequests/default"
	w.o.Vaults[0].ResourceGuards = []string{"/x/guards/mua"}
	w.o.Vaults[0].GuardedOperations = []GuardedOperation{{Guard: "/x/guards/mua", Operation: guardPrefix + guardRestore, Request: request}}
	p := w.plan(t, Options{})
	if len(p.Changes) != 1 || p.Changes[0].Action != RestoreTest || len(p.Changes[0].ResourceGuard) != 1 || p.Changes[0].ResourceGuard[0].Request != request {
		t.Errorf("%+v", p.Changes)
	}
}
