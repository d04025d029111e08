package export

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/azbackup/azbackup/config"
	"github.com/azbackup/azbackup/internal/armid"
	"github.com/azbackup/azbackup/plan"
)

// anySpec draws a policy that Azure may hold, including policies that the format cannot express or the file rejects.
func anySpec(t *rapid.T) plan.PolicySpec {
	oneOf := func(label string, words ...string) string { return rapid.SampledFrom(words).Draw(t, label) }
	days := func(label string) []string {
		return rapid.SampledFrom([][]string{{"Sunday"}, {"Sunday", "Wednesday"}, {"Monday"}}).Draw(t, label)
	}
	number := func(label string, numbers ...int) int { return rapid.SampledFrom(numbers).Draw(t, label) }
	s := plan.PolicySpec{
		Tier: oneOf("tier", "Standard", "Enhanced"),
		TimeZone: oneOf("zone", "UTC", "UTC", "utc", "W. Europe Standard Time", "W. EUROPE STANDARD TIME", "Mid-Atlantic Standard Time", "Kamchatka Standard Time",
			"Mexico Standard Time", "Europe/Berlin", ""),
		Schedule: plan.ScheduleSpec{
			Frequency: oneOf("frequency", "Daily", "Daily", "Weekly", "Hourly", "Monthly"), At: oneOf("at", "22:00", "00:30", "16:15"),
		},
		InstantRestoreDays: number("instant", 2, 5, 0, 7, 30, 31),
		Consistency:        oneOf("consistency", "", "", plan.ConsistencyCrash),
	}
	switch s.Schedule.Frequency {
	case "Weekly":
		s.Schedule.Days = days("runs")
		s.Retention.Weeks = &plan.KeepSpec{Keep: number("weeks", 4, 5163, 6000), Days: days("weekly")}
	case "Hourly":
		s.Schedule.Every, s.Schedule.Window = number("every", 4, 6, 5), number("window", 12, 24, 13)
	}
	if s.Schedule.Frequency != "Weekly" || rapid.IntRange(0, 5).Draw(t, "odd") == 0 {
		s.Retention.Days = number("days", 30, 7, 9999, 5, 0)
	}
	keep := func(k *plan.KeepSpec) *plan.KeepSpec {
		if rapid.Bool().Draw(t, "byDate") {
			k.Dates = rapid.SampledFrom([][]int{{1}, {1, 15, 0}, {0}, {29}, {31, 0}}).Draw(t, "dates")
		} else {
			k.Weeks, k.Days = []string{"First", "Last"}, days("keptDays")
		}
		return k
	}
	if rapid.Bool().Draw(t, "monthly") {
		s.Retention.Months = keep(&plan.KeepSpec{Keep: number("months", 12, 3, 1188, 2000)})
	}
	if rapid.Bool().Draw(t, "yearly") {
		s.Retention.Years = keep(&plan.KeepSpec{Keep: number("years", 3, 1, 99, 120), Months: []string{"January"}})
	}
	s.Archive = rapid.SampledFrom([]*plan.ArchiveSpec{
		nil, nil, {Mode: "TierRecommended"}, {Mode: "TierAfter", After: 3, Unit: "Months"}, {Mode: "TierAfter", After: 1, Unit: "Months"}, {Mode: "TierAfter", After: 90, Unit: "Days"},
	}).Draw(t, "archive")
	if rapid.IntRange(0, 4).Draw(t, "group") == 0 {
		s.InstantRestore = &plan.InstantRestoreSpec{Prefix: oneOf("prefix", "rp-", "", "a b", "${X}"), Suffix: oneOf("suffix", "", "-weu", "x/y")}
	}
	return s
}

// anySettings draws possible settings of a vault.
func anySettings(t *rapid.T) plan.VaultSettings {
	s := plan.VaultSettings{
		Redundancy:   rapid.SampledFrom([]string{"GeoRedundant", "LocallyRedundant", "ZoneRedundant", "", "ReadAccessGeoZoneRedundant"}).Draw(t, "redundancy"),
		Immutability: rapid.SampledFrom([]string{"Disabled", "Unlocked", "Locked", "Invalid"}).Draw(t, "immutability"),
	}
	if days := rapid.SampledFrom([]int{-1, 0, 7, 14, 180, 200}).Draw(t, "softDelete"); days >= 0 {
		s.SoftDeleteDays = &days
	}
	if rapid.Bool().Draw(t, "saysCRR") {
		s.CrossRegionRestore = new(rapid.Bool().Draw(t, "crr"))
	}
	if rapid.Bool().Draw(t, "tagged") {
		s.Tags = map[string]string{rapid.SampledFrom([]string{"owner", "a b", "${X}", "0"}).Draw(t, "tagName"): rapid.SampledFrom([]string{"x", "", "${X}", "1"}).Draw(t, "tagValue")}
	}
	return s
}

func anyEstate(t *rapid.T) plan.Observed {
	var o plan.Observed
	for _, loc := range []string{"westeurope", "northeurope"}[:rapid.IntRange(1, 2).Draw(t, "vaults")] {
		id := armid.Vault(sub1, "rg-backup", "rsv-"+loc)
		o.Vaults = append(o.Vaults, plan.Vault{ID: id, Name: "rsv-" + loc, Location: loc, Settings: anySettings(t)})
		same := anySpec(t)
		for i, name := range rapid.SliceOfNDistinct(rapid.SampledFrom([]string{
			"daily", "Daily-2", "p1", "ab", "with space", "dot.name", "1digit", "a!b_c", "ümlaut", "${X}", strings.Repeat("x", 151),
		}), 0, 4, strings.ToLower).Draw(t, "names") {
			p := plan.Policy{ID: armid.Policy(id, name), Name: name, Vault: id, Spec: same}
			if rapid.Bool().Draw(t, "another") {
				p.Spec = anySpec(t)
			}
			if rapid.IntRange(0, 9).Draw(t, "unreadable") == 0 {
				p.Unreadable = "its schedule is of a new kind"
			}
			o.Policies = append(o.Policies, p)
			vm := plan.VM{ID: armid.VM(sub1, "rg", fmt.Sprint("vm", loc, i)), Name: fmt.Sprint("vm", loc, i), ResourceGroup: "rg", Subscription: sub1, Location: loc}
			parsed, _ := armid.ParseVM(vm.ID)
			o.VMs = append(o.VMs, vm)
			o.Items = append(o.Items, plan.Item{
				ID: armid.ProtectedItem(id, parsed), Vault: id, VM: vm.ID, State: plan.StateProtected, PolicyID: p.ID, PolicyName: name, LastRecoveryPoint: now.Add(-time.Hour),
			})
		}
	}
	return o
}

// A plan accepts what an export manages: the file loads, and over the original estate there is nothing to do.
func TestThePlanOverAnExportOfAnyPolicyIsEmpty(t *testing.T) {
	dir := t.TempDir()
	overRandomEstates(t, func(t *rapid.T) {
		o := anyEstate(t)
		r, err := Export(o, Options{Manage: true, Subscriptions: []string{sub1}})
		if err != nil {
			t.Fatal(err)
		}
		c, text := loaded(t, dir, r)
		if p := plan.Make(c, inFile(o), plan.Options{Now: now}); len(p.Changes) != 0 {
			t.Fatalf("%s\n%v", text, p.Changes)
		}
		for _, p := range r.Config.Policies {
			told := slices.ContainsFunc(r.Comments, func(s string) bool { return strings.HasPrefix(s, "not managed: policy "+p.Name) })
			if p.Manage == told {
				t.Fatalf("policy %q is managed: %t, and a comment says why not: %t\n%s", p.Name, p.Manage, told, text)
			}
		}
	})
}

func TestAPolicyThatTheFileRefusesStaysUnmanagedWithTheReason(t *testing.T) {
	vault := plan.Vault{ID: armid.Vault(sub1, "rg-backup", "rsv"), Name: "rsv", Location: "westeurope"}
	plain := spec("Standard", 30)
	with := func(change func(*plan.PolicySpec)) plan.PolicySpec {
		s := plain
		change(&s)
		return s
	}
	sunday := []string{"Sunday"}
	for name, c := range map[string]struct {
		policy string
		spec   plan.PolicySpec
		why    string // "" = managed
	}{
		"short name":     {"p1", plain, `cannot be named "p1"`},
		"retired zone":   {"daily", with(func(s *plan.PolicySpec) { s.TimeZone = "Mexico Standard Time" }), `"Mexico Standard Time"`},
		"old zone":       {"daily", with(func(s *plan.PolicySpec) { s.TimeZone = "Mid-Atlantic Standard Time" }), ""},
		"zone's case":    {"daily", with(func(s *plan.PolicySpec) { s.TimeZone = "utc" }), ""},
		"no zone":        {"daily", with(func(s *plan.PolicySpec) { s.TimeZone = "" }), `lacks the key "timeZone"`},
		"the 31st":       {"daily", with(func(s *plan.PolicySpec) { s.Retention.Months = &plan.KeepSpec{Keep: 12, Dates: []int{31}} }), `"last"`},
		"not on time":    {"daily", with(func(s *plan.PolicySpec) { s.Schedule.At = "16:15" }), "16:15"},
		"instant unsaid": {"daily", with(func(s *plan.PolicySpec) { s.InstantRestoreDays = 0 }), "instantRestoreDays"},
		"weekly Enhanced, archived": {"weekly", plan.PolicySpec{
			Tier: "Enhanced", TimeZone: "UTC", InstantRestoreDays: 5, Schedule: plan.ScheduleSpec{Frequency: "Weekly", At: "22:00", Days: sunday},
			Retention: plan.RetentionSpec{Weeks: &plan.KeepSpec{Keep: 4, Days: sunday}, Years: &plan.KeepSpec{Keep: 2, Months: []string{"May"}, Weeks: []string{"First"}, Days: sunday}},
			Archive:   &plan.ArchiveSpec{Mode: "TierRecommended"},
		}, "archive tier"},
	} {
		o := plan.Observed{Vaults: []plan.Vault{vault}}
		id := armid.VM(sub1, "rg", "web")
		o.VMs = []plan.VM{{ID: id, Name: "web", ResourceGroup: "rg", Subscription: sub1, Location: "westeurope"}}
		o.Policies = []plan.Policy{{ID: armid.Policy(vault.ID, c.policy), Name: c.policy, Vault: vault.ID, Spec: c.spec}}
		o.Items = []plan.Item{{ID: "i", Vault: vault.ID, VM: id, State: plan.StateProtected, PolicyID: o.Policies[0].ID, PolicyName: c.policy}}
		r, err := Export(o, Options{Manage: true, Subscriptions: []string{sub1}})
		if err != nil {
			t.Fatal(err)
		}
		if managed := r.Config.Policies[0].Manage; managed != (c.why == "") {
			t.Errorf("%s: managed is %t: %q", name, managed, r.Comments)
		}
		if c.why != "" && !slices.ContainsFunc(r.Comments, func(s string) bool {
			return strings.HasPrefix(s, "not managed: policy "+c.policy) && strings.Contains(s, c.why)
		}) {
			t.Errorf("%s: no comment says why: %q", name, r.Comments)
		}
	}
}

// loaded writes a result and loads it again.
func loaded(t *rapid.T, dir string, r Result) (*config.Config, string) {
	text, err := r.Config.Encode(r.Comments)
	if err != nil {
		t.Fatal(err)
	}
	return load(t, dir, text), string(text)
}
