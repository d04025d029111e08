package plan

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/azbackup/azbackup/config"
	"github.com/azbackup/azbackup/internal/armid"
)

func TestASubscriptionIsLeftOutForAReasonThatIsNamed(t *testing.T) {
	const home, other = "22222222-2222-2222-2222-222222222222", "33333333-3333-3333-3333-333333333333"
	query := config.SubscriptionQuery{ManagementGroups: []string{"mg"}, Except: []string{"Sandbox*", "AAAAAAAA-0000-0000-0000-000000000001"}}
	for _, c := range []struct {
		name    string
		s       Subscription
		managed bool
		home    string
		want    string
	}{
		{"enabled", Subscription{ID: "s", Tenant: home, State: "Enabled"}, false, home, ""},
		{"warned", Subscription{ID: "S", Tenant: home, State: "warned"}, false, home, ""},
		{"past due", Subscription{ID: "s", Tenant: home, State: "PastDue"}, false, home, "state PastDue"},
		{"disabled", Subscription{ID: "s", Tenant: home, State: "Disabled"}, false, home, "state Disabled"},
		{"no state", Subscription{ID: "s", Tenant: home}, false, home, "state unknown"},
		{"by name, without case", Subscription{ID: "s", Name: "sandbox-1", Tenant: home, State: "Enabled"}, false, home, "except Sandbox*"},
		{"by id, without case", Subscription{ID: "aaaaaaaa-0000-0000-0000-000000000001", State: "Enabled"}, false, home, "except AAAAAAAA-0000-0000-0000-000000000001"},
		{"elsewhere", Subscription{ID: "x", Tenant: home, State: "Enabled"}, false, home, "below none of the management groups"},
		{"another tenant's", Subscription{ID: "s", Tenant: other, State: "Enabled"}, false, home, "managed for another tenant"},
		{"another tenant's, wanted", Subscription{ID: "s", Tenant: other, State: "Enabled"}, true, home, ""},
		{"one's own that others manage", Subscription{ID: "s", Tenant: home, State: "Enabled", ManagedBy: []string{other}}, false, home, ""},
		{"managed, home unknown", Subscription{ID: "s", Tenant: other, State: "Enabled", ManagedBy: []string{home}}, false, "", "managed for another tenant"},
		{"not managed, home unknown", Subscription{ID: "s", Tenant: other, State: "Enabled"}, false, "", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			q := query
			q.Managed = c.managed
			got := ChooseSubscriptions(&config.Config{SubscriptionQuery: &q}, FoundSubscriptions{
				Visible: []Subscription{c.s}, Below: []string{"s", "aaaaaaaa-0000-0000-0000-000000000001"}, Home: c.home,
			})
			why := ""
			for _, l := range got.LeftOut {
				why = l.Why
			}
			if why != c.want || len(got.Chosen)+len(got.LeftOut) != 1 || len(got.Gaps) > 0 {
				t.Errorf("left out: %q, want %q (%+v)", why, c.want, got)
			}
		})
	}
}

func TestALostRoleIsAGapAndNoSmallerEstate(t *testing.T) {
	const sub1 = "aaaaaaaa-0000-0000-0000-000000000001"
	c := &config.Config{
		SubscriptionQuery: &config.SubscriptionQuery{},
		Vaults:            []config.Vault{{Name: "v", ResourceGroup: "g", Subscription: sub1}},
		Settings:          config.Settings{Guards: config.Guards{MinSubscriptions: 2}},
	}
	gap := Gap{Kind: GapSubscription, Subscription: sub1, Status: 404, Code: "SubscriptionNotFound"}
	got := ChooseSubscriptions(c, FoundSubscriptions{Visible: []Subscription{{ID: "s2", State: "Enabled"}}, Gaps: []Gap{gap}})
	want := []Gap{gap, {Kind: GapSubscription, Code: "FewerSubscriptionsThanExpected", Message: "1 subscriptions were found, at least 2 were expected"}}
	if diff := cmp.Diff(want, got.Gaps); diff != "" {
		t.Errorf("gaps (-want +got):\n%s", diff)
	}
	found := c.WithSubscriptions([]string{"s2"})
	p := Make(found, Observed{Gaps: got.Gaps}, Options{})
	if p.Complete {
		t.Error("the plan is complete")
	}
	if s := ScopeOf(found); len(s.Vaults) != 0 || len(s.Subscriptions) != 1 {
		t.Errorf("what lies outside the subscriptions that were found is read: %+v", s)
	}
	c.SubscriptionQuery = nil
	if c.Subscriptions = []string{sub1}; len(ScopeOf(c).Vaults) != 1 {
		t.Error("a vault of a listed subscription is not read")
	}
}

// A list that changes between its pages has a subscription twice, and one is not two.
func TestASubscriptionThatIsListedTwiceCountsOnce(t *testing.T) {
	c := &config.Config{SubscriptionQuery: &config.SubscriptionQuery{}, Settings: config.Settings{Guards: config.Guards{MinSubscriptions: 2}}}
	got := ChooseSubscriptions(c, FoundSubscriptions{Visible: []Subscription{{ID: "s2", State: "Enabled"}, {ID: "S2", State: "Enabled"}}})
	if len(got.Chosen) != 1 || len(got.Gaps) != 1 || got.Gaps[0].Code != "FewerSubscriptionsThanExpected" {
		t.Errorf("chosen %+v, gaps %+v", got.Chosen, got.Gaps)
	}
}

func TestWhatASearchFindsIsNoPartOfTheConfigsHash(t *testing.T) {
	c := &config.Config{SubscriptionQuery: &config.SubscriptionQuery{}}
	if ConfigHash(c.WithSubscriptions([]string{"s1"})) != ConfigHash(c.WithSubscriptions([]string{"s1", "s2"})) {
		t.Error("a saved plan is void when a subscription is added")
	}
	narrower := &config.Config{SubscriptionQuery: &config.SubscriptionQuery{Except: []string{"s1"}}}
	if ConfigHash(c) == ConfigHash(narrower) {
		t.Error("another query has the same hash")
	}
}

func TestAPlanNamesTheSubscriptionsOfItsChanges(t *testing.T) {
	w := newTestWorld(config.Sample{}, "a")
	query := &config.SubscriptionQuery{}
	production := Subscription{ID: strings.ToUpper(restoreSub), Name: "Production"}
	other := Subscription{ID: "aaaaaaaa-0000-0000-0000-000000000001", Name: "another"}
	for name, tt := range map[string]struct {
		query *config.SubscriptionQuery
		found []Subscription
		want  map[string]string
	}{
		"one of two":              {query, []Subscription{production, other}, map[string]string{restoreSub: "Production"}},
		"the only one":            {query, []Subscription{production}, map[string]string{restoreSub: "Production"}},
		"none with changes":       {query, []Subscription{other}, nil},
		"none with a name":        {query, []Subscription{{ID: restoreSub}}, nil},
		"none that was found":     {query, nil, nil},
		"those of the file alone": {nil, []Subscription{production}, nil},
	} {
		w.config.SubscriptionQuery, w.o.Subscriptions = tt.query, tt.found
		if d := cmp.Diff(tt.want, w.plan(t, Options{}).Subscriptions); d != "" {
			t.Errorf("%s: %s", name, d)
		}
	}
	w.config.Subscriptions, w.o.Subscriptions = []string{restoreSub, other.ID}, []Subscription{production, other}
	if got := w.plan(t, Options{}).Subscriptions[restoreSub]; got != "Production" {
		t.Errorf("one of several that the file lists: %q", got)
	}
}

// Nobody knows a subscription by its id: where there are several, each sentence that is about one has its display name, also
// in the plan of a shard, which may have read one only.
func TestASentenceAboutASubscriptionHasItsName(t *testing.T) {
	const id = "aaaaaaaa-0000-0000-0000-000000000001"
	production := Subscription{ID: strings.ToUpper(id), Name: "Production"}
	plannerOf := func(listed ...string) *planner {
		return newPlanner(&config.Config{Subscriptions: listed}, &Observed{Subscriptions: []Subscription{production}}, Options{}, nil)
	}
	vault := armid.Vault(id, "rg", "rsv")
	one, several := plannerOf(id), plannerOf(id, restoreSub)
	for _, tt := range []struct{ name, got, want string }{
		{"a gap on VMs", several.describeGap(&Gap{Kind: GapVMs, Subscription: id}), "the VMs of subscription Production (" + id + ")"},
		{"a gap on vaults", several.describeGap(&Gap{Kind: GapVaults, Subscription: id}), "the vaults of subscription Production (" + id + ")"},
		{"a gap on it", several.describeGap(&Gap{Kind: GapSubscription, Subscription: id}), "subscription Production (" + id + ")"},
		{"a vault", several.vaultText(vault), "rsv in subscription Production (" + id + ")"},
		{"one without a name", several.vaultText(armid.Vault(restoreSub, "rg", "rsv")), "rsv"},
		{"the only one", one.describeGap(&Gap{Kind: GapVMs, Subscription: id}), "the VMs of subscription " + id},
		{"a vault of the only one", one.vaultText(vault), "rsv"},
	} {
		if tt.got != tt.want {
			t.Errorf("%s: %q, want %q", tt.name, tt.got, tt.want)
		}
	}
	many := make([]Change, ARMWritesBurst+1)
	for i := range many {
		many[i] = Change{Action: Protect, Vault: vault}
	}
	if notes := forecastOf(many, map[string]string{id: "Production"}, nil, 0).Notes; len(notes) == 0 || !strings.Contains(notes[0], "writes in subscription Production ("+id+")") {
		t.Errorf("the forecast says %q", notes)
	}
	c := &config.Config{Subscriptions: []string{id, restoreSub}, Shard: config.Shard{Index: 1, Count: 2}}
	if !ScopeOf(c).Names || ScopeOf(&config.Config{Subscriptions: []string{id}}).Names {
		t.Error("names are not read where the file lists several subscriptions, of which the shard may have one")
	}
}

func TestASubscriptionThatIsExceptedByItsIDIsNoGapWhereItCannotBeRead(t *testing.T) {
	const sub1, sub2 = "aaaaaaaa-0000-0000-0000-000000000001", "aaaaaaaa-0000-0000-0000-000000000002"
	c := &config.Config{SubscriptionQuery: &config.SubscriptionQuery{Except: []string{strings.ToUpper(sub1)}}}
	gaps := []Gap{{Kind: GapSubscription, Subscription: sub1}, {Kind: GapSubscription, Subscription: sub2}, {Kind: GapSubscription}}
	if diff := cmp.Diff(gaps[1:], ChooseSubscriptions(c, FoundSubscriptions{Gaps: gaps}).Gaps); diff != "" {
		t.Errorf("gaps (-want +got):\n%s", diff)
	}
	c.Vaults = []config.Vault{{Name: "v", ResourceGroup: "g", Subscription: sub1}}
	if diff := cmp.Diff(gaps, ChooseSubscriptions(c, FoundSubscriptions{Gaps: gaps}).Gaps); diff != "" {
		t.Errorf("gaps where the file names a vault in it (-want +got):\n%s", diff)
	}
}
