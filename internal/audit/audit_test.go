package audit

import (
	"encoding/json"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/azbackup/azbackup/config"
	"github.com/azbackup/azbackup/internal/armid"
	"github.com/azbackup/azbackup/plan"
)

func TestLongestPauseOfASchedule(t *testing.T) {
	const h = time.Hour
	for _, c := range []struct {
		name string
		s    plan.ScheduleSpec
		want time.Duration
	}{
		{"daily", plan.ScheduleSpec{Frequency: "Daily"}, 24 * h},
		{"one day a week", plan.ScheduleSpec{Frequency: "Weekly", Days: []string{"Saturday"}}, 168 * h},
		{"Monday and Thursday: Thursday to Monday", plan.ScheduleSpec{Frequency: "Weekly", Days: []string{"Thursday", "Monday"}}, 96 * h},
		{"working days: the weekend", plan.ScheduleSpec{Frequency: "Weekly", Days: []string{"Monday", "Tuesday", "Wednesday", "Thursday", "Friday"}}, 72 * h},
		{"a day that is named twice", plan.ScheduleSpec{Frequency: "Weekly", Days: []string{"Monday", "monday"}}, 168 * h},
		{"Sunday and Saturday: from one to the other", plan.ScheduleSpec{Frequency: "Weekly", Days: []string{"Saturday", "Sunday"}}, 144 * h},
		{"every day by name", plan.ScheduleSpec{Frequency: "Weekly", Days: []string{"Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"}}, 24 * h},
		{"every 4 h for 12 h: the night", plan.ScheduleSpec{Frequency: "Hourly", Every: 4, Window: 12}, 12 * h},
		{"every 4 h for 24 h: no night", plan.ScheduleSpec{Frequency: "Hourly", Every: 4, Window: 24}, 4 * h},
		{"every 12 h for 12 h", plan.ScheduleSpec{Frequency: "Hourly", Every: 12, Window: 12}, 12 * h},
		{"every 8 h for 4 h: once a day", plan.ScheduleSpec{Frequency: "Hourly", Every: 8, Window: 4}, 24 * h},
		{"an unknown day", plan.ScheduleSpec{Frequency: "Weekly", Days: []string{"Caturday"}}, 0},
		{"no day", plan.ScheduleSpec{Frequency: "Weekly"}, 0},
		{"an unknown frequency", plan.ScheduleSpec{Frequency: "Lunar"}, 0},
		{"every 0 h", plan.ScheduleSpec{Frequency: "Hourly", Window: 12}, 0},
	} {
		if got := maxBackupInterval(c.s); got != c.want {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
	}
}

// one returns an estate of one VM, with the item that a test needs.
func one(change func(*plan.Item)) plan.Observed {
	v := plan.Vault{ID: armid.Vault(sub, "rg", "v"), Name: "v", Location: "westeurope"}
	vm := plan.VM{ID: armid.VM(sub, "rg", "vm"), Name: "vm", ResourceGroup: "rg", Subscription: sub, Location: "westeurope"}
	id, _ := armid.ParseVM(vm.ID)
	it := plan.Item{
		ID: armid.ProtectedItem(v.ID, id), Vault: v.ID, VM: vm.ID, State: plan.StateProtected, PolicyID: armid.Policy(v.ID, "p"), PolicyName: "p",
		LastRecoveryPoint: propertyNow.Add(-10 * time.Hour),
	}
	if change != nil {
		change(&it)
	}
	p := plan.Policy{ID: armid.Policy(v.ID, "p"), Name: "p", Vault: v.ID}
	p.Spec.Schedule = plan.ScheduleSpec{Frequency: "Daily"}
	p.Spec.Retention.Days = 30
	return plan.Observed{VMs: []plan.VM{vm}, Vaults: []plan.Vault{v}, Items: []plan.Item{it}, Policies: []plan.Policy{p}}
}

func stateOf(o plan.Observed, opt Options) State {
	opt.Now = propertyNow
	return Assess(nil, o, opt).VMs[0].State
}

func codesOf(r Result) []string {
	var codes []string
	for _, f := range r.Findings {
		codes = append(codes, f.Code)
	}
	slices.Sort(codes)
	return codes
}

func TestStaleIsOlderThanPauseAndTolerance(t *testing.T) {
	aged := func(d time.Duration) plan.Observed {
		return one(func(it *plan.Item) { it.LastRecoveryPoint = propertyNow.Add(-d) })
	}
	for _, c := range []struct {
		name string
		age  time.Duration
		opt  Options
		want State
	}{
		{"to the second", 30 * time.Hour, Options{}, Protected},
		{"a second later", 30*time.Hour + time.Second, Options{}, Stale},
		{"a shorter tolerance", 26 * time.Hour, Options{Tolerance: time.Hour}, Stale},
		{"--max-age instead of the schedule", 40 * time.Hour, Options{MaxAge: 48 * time.Hour}, Protected},
		{"--max-age is strict", 10 * time.Hour, Options{MaxAge: 9 * time.Hour}, Stale},
		{"clocks differ a little", -5 * time.Minute, Options{}, Protected},
		{"a point that is still to come says nothing", -5*time.Minute - time.Second, Options{}, Unknown},
		{"a point of 2041", -15 * 365 * day, Options{}, Unknown},
	} {
		if got := stateOf(aged(c.age), c.opt); got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
}

func TestAPolicyThatIsNotUnderstoodDecidesNothing(t *testing.T) {
	o := one(func(it *plan.Item) { it.LastRecoveryPoint = propertyNow.Add(-20 * time.Hour) })
	o.Policies[0].Unreadable = "a schedule of a later version"
	if got := stateOf(o, Options{}); got != Unknown {
		t.Errorf("20 h under a schedule that nobody understands: %s, want unknown", got)
	}
	if got := stateOf(o, Options{MaxAge: 24 * time.Hour}); got != Protected {
		t.Errorf("with --max-age no schedule is needed: %s, want protected", got)
	}
}

func TestMinRetentionAsksPoliciesInUse(t *testing.T) {
	o := one(nil)
	unused := o.Policies[0]
	unused.ID, unused.Name, unused.Spec.Retention.Days = armid.Policy(o.Vaults[0].ID, "unused"), "unused", 1
	o.Policies = append(o.Policies, unused)
	for _, c := range []struct {
		days int
		want bool
	}{{30, false}, {31, true}, {0, false}} {
		r := Assess(nil, o, Options{Now: propertyNow, MinRetention: time.Duration(c.days) * 24 * time.Hour})
		if got := slices.Contains(codesOf(r), codeRetention); got != c.want {
			t.Errorf("30 days kept, %d asked: finding %v, want %v", c.days, got, c.want)
		}
	}
	weekly := one(nil)
	weekly.Policies[0].Spec = plan.PolicySpec{Schedule: plan.ScheduleSpec{Frequency: "Weekly", Days: []string{"Sunday"}}, Retention: plan.RetentionSpec{Weeks: &plan.KeepSpec{Keep: 4}}}
	if r := Assess(nil, weekly, Options{Now: propertyNow, MinRetention: 29 * 24 * time.Hour}); !slices.Contains(codesOf(r), codeRetention) {
		t.Error("four weeks are less than 29 days, and nothing was found")
	}
	if r := Assess(nil, weekly, Options{Now: propertyNow, MinRetention: 28 * 24 * time.Hour}); slices.Contains(codesOf(r), codeRetention) {
		t.Error("four weeks are 28 days, and were found too short")
	}
}

func TestDaysLeftAreWholeDays(t *testing.T) {
	for _, c := range []struct {
		left time.Duration
		want int
	}{{10*24*time.Hour + 23*time.Hour, 10}, {24 * time.Hour, 1}, {23 * time.Hour, 0}, {-time.Hour, 0}} {
		o := one(func(it *plan.Item) {
			it.State, it.SoftDeleted, it.PurgeAt = plan.StateProtectionStopped, true, propertyNow.Add(c.left)
		})
		vm := Assess(nil, o, Options{Now: propertyNow}).VMs[0]
		if vm.DaysLeft == nil || *vm.DaysLeft != c.want || vm.State != SoftDeleted {
			t.Errorf("%v to go: %s, %v days left, want %d", c.left, vm.State, vm.DaysLeft, c.want)
		}
	}
	o := one(func(it *plan.Item) { it.SoftDeleted = true })
	if vm := Assess(nil, o, Options{Now: propertyNow}).VMs[0]; vm.DaysLeft != nil {
		t.Errorf("%d days left, though Azure did not say", *vm.DaysLeft)
	}
}

func TestBackupStatusAloneSaysNeitherCoveredNorStopped(t *testing.T) {
	o := one(func(it *plan.Item) { it.Partial = true })
	old := o.Items[0]
	old.ID, old.Vault, old.Partial, old.State = "/x/y", armid.Vault(sub, "rg", "old"), false, plan.StateProtectionStopped
	o.Items = append(o.Items, old)
	if vm := Assess(nil, o, Options{Now: propertyNow}).VMs[0]; vm.State != Unknown || len(vm.Also) != 0 {
		t.Errorf("%s, also %v: want unknown and nothing else", vm.State, vm.Also)
	}
}

func TestAFullVaultIsFound(t *testing.T) {
	for _, c := range []struct {
		n    int
		want string
	}{{900, ""}, {901, codeVaultNearFull}, {999, codeVaultNearFull}, {1000, codeVaultFull}, {1200, codeVaultFull}} {
		o := one(nil)
		for i := range c.n - 1 {
			it := o.Items[0]
			it.VM = armid.VM(sub, "rg", "gone")
			it.ID += strings.Repeat("x", i+1)
			it.LastRecoveryPoint = time.Time{}
			o.Items = append(o.Items, it)
		}
		got := codesOf(Assess(nil, o, Options{Now: propertyNow}))
		for _, code := range []string{codeVaultNearFull, codeVaultFull} {
			if slices.Contains(got, code) != (code == c.want) {
				t.Errorf("%d VMs: %v, want %q", c.n, got, c.want)
			}
		}
	}
}

func TestUnusedPoliciesAreFoundButNotThoseEveryVaultIsBornWith(t *testing.T) {
	o := one(nil)
	for _, name := range []string{"DefaultPolicy", "EnhancedPolicy", "old"} {
		p := o.Policies[0]
		p.ID, p.Name = armid.Policy(o.Vaults[0].ID, name), name
		o.Policies = append(o.Policies, p)
	}
	var unused []string
	for _, f := range Assess(nil, o, Options{Now: propertyNow}).Findings {
		if f.Code == codeUnusedPolicy {
			unused = append(unused, lastName(f.Target))
		}
	}
	if diff := cmp.Diff([]string{"old"}, unused); diff != "" {
		t.Error(diff)
	}
}

func TestAFreshPointIsNoOrphanWhereTheListIsOld(t *testing.T) {
	o := one(nil)
	o.VMs = nil
	for lag, want := range map[time.Duration]bool{0: true, 9 * time.Hour: true, GraphLag: false} {
		r := Assess(nil, o, Options{Now: propertyNow, ListLag: lag, Subscriptions: []string{sub}})
		if got := slices.Contains(codesOf(r), codeOrphan); got != want {
			t.Errorf("a point of ten hours, a list that lags %v: orphan %v, want %v", lag, got, want)
		}
	}
}

func TestSubscriptionsLeftOutAreNamed(t *testing.T) {
	o := one(nil)
	o.Subscriptions = []plan.Subscription{{ID: strings.ToUpper(sub), Name: "Production"}, {ID: sub2, Name: "Sandbox"}}
	got := Assess(nil, o, Options{Now: propertyNow, Subscriptions: []string{sub}}).Scope
	want := Scope{
		Files: []string{}, Vaults: 1, Subscriptions: []Subscription{{ID: sub, Name: "Production"}}, LeftOut: []Subscription{{ID: sub2, Name: "Sandbox"}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// A subscription without a VM, a policy or a vault is still in the scope where the file names it.
func TestTheSubscriptionsOfTheFileAreInTheScope(t *testing.T) {
	o := one(nil)
	o.Subscriptions = []plan.Subscription{{ID: sub, Name: "Production"}, {ID: sub2, Name: "Sandbox"}}
	got := Assess(&config.Config{Subscriptions: []string{strings.ToUpper(sub2)}}, o, Options{Now: propertyNow}).Scope
	if diff := cmp.Diff([]Subscription{{ID: sub, Name: "Production"}, {ID: sub2, Name: "Sandbox"}}, got.Subscriptions); diff != "" {
		t.Error(diff)
	}
	if len(got.LeftOut) != 0 {
		t.Errorf("left out: %v", got.LeftOut)
	}
}

func TestAFilterIsWhatTheRuleWantsOnlyWhenBothMeanTheSameDisks(t *testing.T) {
	filter := func(include bool, luns ...int) *plan.Disks { return &plan.Disks{Include: include, LUNs: luns} }
	all := map[string]*plan.Disks{
		"the OS disk only": filter(true), "include 0, 1": filter(true, 1, 0), "include 0": filter(true, 0), "exclude 0, 1": filter(false, 0, 1), "exclude 0": filter(false, 0),
		"exclude none": filter(false),
	}
	for want, rule := range map[string]*config.Disks{
		"the OS disk only": {Kind: config.DisksOSOnly},
		"include 0, 1":     {Kind: config.DisksInclude, LUNs: []int{0, 1}},
		"exclude 0, 1":     {Kind: config.DisksExclude, LUNs: []int{1, 0}},
		"none of them":     {Kind: config.DisksAll},
	} {
		for name, has := range all {
			if got := wantsDisks(&config.Rule{Disks: rule}, has); got != (name == want) {
				t.Errorf("the rule says %s, the item has %s: wanted %v", want, name, got)
			}
		}
	}
	for name, has := range all {
		if wantsDisks(nil, has) || wantsDisks(&config.Rule{}, has) {
			t.Errorf("nobody says so, and %s is wanted", name)
		}
	}
}

func TestAWeeklyPolicyWithoutWeeksKeepsNothing(t *testing.T) {
	s := plan.PolicySpec{Schedule: plan.ScheduleSpec{Frequency: plan.FrequencyWeekly}, Retention: plan.RetentionSpec{Days: 30}}
	if got := basicRetention(s); got != 0 {
		t.Errorf("it keeps points for %v", got)
	}
}

// Where no VM could be read at all, the unknown VMs are those that rules name, each once.
func TestAGapOverAllVMsConcernsThoseThatTheFileNames(t *testing.T) {
	id := armid.VM(sub, "rg", "named")
	c := &config.Config{Rules: []config.Rule{
		{Name: "by tag", Match: []config.Selector{{Names: []string{"x*"}}}}, {Name: "by id", ID: id}, {Name: "again", ID: strings.ToUpper(id)},
	}}
	for _, gap := range []plan.Gap{
		{Kind: plan.GapVMs, Message: "no"},
		{Kind: plan.GapVMs, Subscription: sub, Message: "no"},
		{Kind: plan.GapVisibility, Subscription: sub, Message: "no"},
		{Kind: plan.GapSubscription, Subscription: sub, Message: "no"},
	} {
		r := Assess(c, plan.Observed{Gaps: []plan.Gap{gap}}, Options{Now: propertyNow})
		if len(r.VMs) != 1 || r.VMs[0].ID != id || r.VMs[0].State != Unknown {
			t.Errorf("%s: rows are %+v, want %s alone, unknown", gap.Kind, r.VMs, id)
		}
	}
}

func TestBaselineTellsWhatChanged(t *testing.T) {
	vm := func(name string, s State) VM { return VM{ID: armid.VM(sub, "RG", name), State: s} }
	half, full := 0.5, 1.0
	before := Result{VMs: []VM{
		vm("lost", Protected), vm("won", Unprotected), vm("same", Stale), vm("dark", Protected), vm("was-dark", Unknown), vm("left", Protected), vm("gone", Protected),
		{ID: armid.VM(sub2, "RG", "hidden"), State: Protected},
		{ID: armid.VM(sub2, "RG", "never-seen"), State: Unknown},
		{ID: armid.VM("33333333-3333-3333-3333-333333333333", "RG", "elsewhere"), State: Stopped},
	}, Summary: Summary{Coverage: &half}, Made: Provenance{At: propertyNow.Add(-24 * time.Hour)}}
	now := []VM{
		vm("lost", Stopped), vm("won", OtherVault), vm("same", Stale), vm("dark", Unknown), vm("was-dark", Unprotected), vm("left", Excluded), vm("new", Unprotected),
	}
	for i := range now {
		now[i].ID = strings.ToUpper(now[i].ID)
	}
	o := plan.Observed{VMs: []plan.VM{{ID: armid.VM(sub, "RG", "new"), Subscription: sub}}, Gaps: []plan.Gap{{Kind: plan.GapVMs, Subscription: sub2}}}
	c, lost := newAssessor(nil, o, Options{Now: propertyNow}).compare(before, Result{VMs: now})
	c.After = &full
	names := func(changes []Change) (all []string) {
		for _, ch := range changes {
			all = append(all, strings.ToLower(lastName(ch.ID))+" "+string(ch.Before)+">"+string(ch.After))
		}
		return all
	}
	for _, x := range []struct {
		what string
		got  []Change
		want []string
	}{
		{"newly unprotected", c.Unprotected, []string{"lost protected>stopped"}},
		{"newly protected", c.Protected, []string{"won unprotected>other-vault"}},
		{"became unknown", c.BecameUnknown, []string{"dark protected>unknown", "hidden protected>unknown", "elsewhere stopped>unknown"}},
		{"added", c.Added, []string{"new >unprotected"}},
		{"removed", c.Removed, []string{"gone protected>"}},
	} {
		if diff := cmp.Diff(x.want, names(x.got)); diff != "" {
			t.Errorf("%s (-want +got)\n%s", x.what, diff)
		}
	}
	if len(lost) != 1 || lost[0].Code != codeLost {
		t.Errorf("findings %v, want one %s", lost, codeLost)
	}
}

func TestNewFindingsAreMarked(t *testing.T) {
	before := Assess(nil, one(nil), Options{Now: propertyNow})
	stale := one(func(it *plan.Item) { it.LastRecoveryPoint = propertyNow.Add(-60 * time.Hour) })
	after := Assess(nil, stale, Options{Now: propertyNow, Baseline: &before})
	for _, f := range after.Findings {
		if want := f.Code == codeStale || f.Code == codeLost; f.New != want {
			t.Errorf("%s: new is %v, want %v", f.Code, f.New, want)
		}
	}
}

func TestReadRefusesAnotherFormat(t *testing.T) {
	for _, text := range []string{`{"format_version":"2"}`, `{}`, `[]`, `nonsense`, ``} {
		if _, err := Read(strings.NewReader(text)); err == nil {
			t.Errorf("%q was taken for an audit", text)
		}
	}
}

// A plan has the format version of an audit, and so has what a shard writes that ended without a result: compared with
// one of them, no VM would have lost its coverage.
func TestReadRefusesWhatIsNoAudit(t *testing.T) {
	for _, text := range []string{
		`{"format_version":"1","fingerprint":"sha256:0","complete":true,"summary":{},"changes":[],"gaps":[]}`,
		`{"format_version":"1","command":"audit","shard":{"index":1,"count":2},"ended":"2026-11-20T06:00:00Z","error":"not signed in","exit_code":4}`,
		`{"format_version":"1","made":{"at":"2026-11-20T06:00:00Z"}}`,
	} {
		if _, err := Read(strings.NewReader(text)); err == nil {
			t.Errorf("%q was taken for an audit", text)
		}
	}
	empty, err := json.Marshal(Assess(nil, plan.Observed{}, Options{Now: propertyNow}))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Read(strings.NewReader(string(empty))); err != nil {
		t.Errorf("an audit of no VM: %v", err)
	}
}

func TestSummaryIsFlatAndWhole(t *testing.T) {
	out, err := json.Marshal(Assess(nil, one(nil), Options{Now: propertyNow}).Summary)
	if err != nil {
		t.Fatal(err)
	}
	var keys map[string]any
	if err := json.Unmarshal(out, &keys); err != nil {
		t.Fatal(err)
	}
	for _, s := range States() {
		if _, ok := keys[string(s)]; !ok {
			t.Errorf("summary lacks %q", s)
		}
	}
	if keys["vms"] != 1.0 || keys["protected"] != 1.0 || keys["coverage"] != 1.0 || keys["unknown"] != 0.0 {
		t.Errorf("got %s", out)
	}
}

func TestCoverageOfNothingIsNeitherNoneNorAll(t *testing.T) {
	if got := Assess(nil, plan.Observed{}, Options{Now: propertyNow}).Summary.Coverage; got != nil {
		t.Errorf("coverage %v, want null", *got)
	}
}

func TestCodesAreStable(t *testing.T) {
	form := regexp.MustCompile(`^BKP[1234]\d\d$`)
	seen, names := map[string]bool{}, map[string]bool{}
	for _, h := range Codes() {
		if !form.MatchString(h.Code) || seen[h.Code] || names[h.Name] {
			t.Errorf("%s %s: not of the form, or twice", h.Code, h.Name)
		}
		seen[h.Code], names[h.Name] = true, true
		if h.Title == "" || h.Means == "" || h.Hint == "" || h.Severity.rank() == 0 || strings.HasSuffix(h.Hint, ".") {
			t.Errorf("%s is not explained whole, or its hint ends in a full stop", h.Code)
		}
		if (h.State != "") && !slices.Contains(States(), h.State) {
			t.Errorf("%s is about the state %q, which does not exist", h.Code, h.State)
		}
	}
	for _, s := range States() {
		covered := slices.ContainsFunc(Codes(), func(h CodeHelp) bool { return h.State == s })
		if want := s != Protected && s != Excluded; covered != want {
			t.Errorf("state %s has a code: %v, want %v", s, covered, want)
		}
	}
}

func TestFailOnCountsWhatIsAsBadOrWorse(t *testing.T) {
	r := Result{Findings: []Finding{{Severity: Critical}, {Severity: High}, {Severity: Medium}, {Severity: Low}, {Severity: Info}}}
	for floor, want := range map[Severity]int{Critical: 1, High: 2, Medium: 3, Low: 4, Info: 5, "": 0, "dreadful": 0} {
		r.Made.FailOn = floor
		if got := len(r.FailingFindings()); got != want {
			t.Errorf("--fail-on %q: %d findings, want %d", floor, got, want)
		}
	}
}

func TestAssessChangesNothingItWasGiven(t *testing.T) {
	o := one(nil)
	o.VMs[0].Tags = map[string]string{"a": "b"}
	o.Gaps = []plan.Gap{{Kind: plan.GapJobs, Vault: "z"}, {Kind: plan.GapGuards, Vault: "a"}}
	before, _ := json.Marshal(o)
	r := Assess(&config.Config{}, o, Options{Now: propertyNow})
	r.Gaps[0].Code = "changed"
	if after, _ := json.Marshal(o); string(before) != string(after) {
		t.Errorf("observed was changed:\n%s\n%s", before, after)
	}
}

func TestAPolicyIsNotUnusedWhereAnItemOfItsVaultMayBeHidden(t *testing.T) {
	o := one(nil)
	old := o.Policies[0]
	old.ID, old.Name = armid.Policy(o.Vaults[0].ID, "old"), "old"
	o.Policies = append(o.Policies, old)
	for kind, want := range map[plan.GapKind]bool{plan.GapItems: false, plan.GapVault: false, plan.GapItem: false, plan.GapJobs: true} {
		o.Gaps = []plan.Gap{{Kind: kind, Vault: o.Vaults[0].ID}}
		if got := slices.Contains(codesOf(Assess(nil, o, Options{Now: propertyNow})), codeUnusedPolicy); got != want {
			t.Errorf("gap %s: unused is %t", kind, got)
		}
	}
}

// A list that changes between its pages has an item twice, as it was and as it is. Where nothing tells which reading is the
// later one, that counts which says less.
func TestOfTwoReadingsOfAnItemTheBetterOneIsNotTaken(t *testing.T) {
	for state, want := range map[string]State{plan.StateProtectionStopped: Stopped, plan.StateBackupsSuspended: Suspended, "Dancing": Unknown, plan.StateProtected: Protected} {
		for _, order := range [][2]int{{0, 1}, {1, 0}} {
			o := one(nil)
			now := o.Items[0]
			now.State = state
			pair := [2]plan.Item{o.Items[0], now}
			o.Items = []plan.Item{pair[order[0]], pair[order[1]]}
			if got := stateOf(o, Options{}); got != want {
				t.Errorf("Protected and %s: %s, want %s", state, got, want)
			}
			// A newer recovery point shows which of the two is the later one.
			for i := range o.Items {
				if o.Items[i].State == plan.StateProtected {
					o.Items[i].LastRecoveryPoint = o.Items[i].LastRecoveryPoint.Add(time.Hour)
				}
			}
			if got := stateOf(o, Options{}); got != Protected {
				t.Errorf("%s, then Protected: %s", state, got)
			}
		}
	}
	o := one(func(it *plan.Item) { it.State = plan.StateProtectionStopped })
	deleted := o.Items[0]
	deleted.SoftDeleted = true
	o.Items = append(o.Items, deleted)
	if got := stateOf(o, Options{}); got != SoftDeleted {
		t.Errorf("stopped and soft-deleted: %s", got)
	}
}

func TestAnAgeIsGivenInWholeSeconds(t *testing.T) {
	o := one(func(it *plan.Item) { it.LastRecoveryPoint = propertyNow.Add(-90*time.Second - time.Millisecond) })
	if vm := Assess(nil, o, Options{Now: propertyNow}).VMs[0]; vm.AgeSeconds == nil || *vm.AgeSeconds != 90 {
		t.Errorf("%v", vm.AgeSeconds)
	}
	for d, want := range map[time.Duration]string{
		0: "0 min", 59*time.Minute + 59*time.Second: "59 min", time.Hour: "1 h", 47*time.Hour + 59*time.Minute: "47 h", 48 * time.Hour: "2 d", 71 * time.Hour: "2 d",
	} {
		if got := formatAge(d); got != want {
			t.Errorf("%v is %s, want %s", d, got, want)
		}
	}
}

func TestAVaultLiesWhereItWasReadToLieElseWhereTheFileSays(t *testing.T) {
	id := armid.Vault(sub, "rg", "v")
	for name, tt := range map[string]struct {
		read, file string
		want       string
	}{
		"read and in the file": {"westeurope", "northeurope", "westeurope"}, "read without a region": {"", "northeurope", "northeurope"}, "in neither": {"", "", ""},
	} {
		a := &assessor{
			vaults: map[armid.Key]plan.Vault{armid.Of(id): {ID: id, Location: tt.read}},
			inFile: map[armid.Key]*config.Vault{armid.Of(id): {Location: tt.file}},
		}
		if got := a.locationOf(id); got != tt.want {
			t.Errorf("%s: %q", name, got)
		}
	}
	if got := (&assessor{}).locationOf(id); got != "" {
		t.Errorf("of no vault: %q", got)
	}
}

func TestTheReasonOfARuleThatStopsIsNoted(t *testing.T) {
	c := &config.Config{
		Subscriptions: []string{sub},
		Rules:         []config.Rule{{Name: "old", Match: []config.Selector{{Names: []string{"*"}}}, Protect: config.ProtectStopped, Reason: "decommissioned in May"}},
	}
	c.Compile()
	for _, state := range []string{plan.StateProtected, plan.StateProtectionStopped} {
		r := Assess(c, one(func(it *plan.Item) { it.State = state }), Options{Now: propertyNow})
		if len(r.VMs) != 1 || !slices.Contains(r.VMs[0].Notes, "rule old wants its backups stopped: decommissioned in May") {
			t.Errorf("%s: %+v", state, r.VMs)
		}
	}
}
