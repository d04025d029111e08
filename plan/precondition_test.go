package plan_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/azbackup/azbackup/internal/armid"
	"github.com/azbackup/azbackup/plan"
)

const (
	preSub = "11111111-1111-1111-1111-111111111111"
	asIs   = "as before"
	wanted = "as wanted"
)

var (
	preVault = armid.Vault(preSub, "rg", "v")
	preVM    = armid.VM(preSub, "app", "vm1")
)

func prePolicy(name string) string { return armid.Policy(preVault, name) }

func only(luns ...int) *plan.Disks { return &plan.Disks{Include: true, LUNs: luns} }

// verdictOf formats a precondition: the drifts, or which side the state is on.
func verdictOf(p plan.Precondition) string {
	switch {
	case p.IsConverged && len(p.Drifts) > 0:
		return "both"
	case p.IsConverged:
		return wanted
	case len(p.Drifts) == 0:
		return asIs
	}
	var all []string
	for _, d := range p.Drifts {
		all = append(all, d.String())
	}
	return strings.Join(all, "; ")
}

func TestAnItemIsWrittenOnlyAsItWasApproved(t *testing.T) {
	item := func(state, policy string, d *plan.Disks) *plan.Item {
		it := &plan.Item{VM: strings.ToUpper(preVM), Vault: preVault, State: state, Disks: d}
		if policy != "" {
			it.PolicyID = strings.ToUpper(prePolicy(policy))
		}
		return it
	}
	deleted := func() *plan.Item {
		it := item("ProtectionStopped", "", nil)
		it.SoftDeleted = true
		return it
	}
	other := item("Protected", "a", nil)
	other.VM = armid.VM(preSub, "app", "vm2")
	odd := item("ProtectionStopped", "", nil)
	odd.Unreadable = "its disks are 7"
	backedUp := item("ProtectionStopped", "", nil)
	backedUp.LastRecoveryPoint = time.Date(2026, 3, 1, 22, 0, 0, 0, time.UTC)
	state := func(s, policy string, d *plan.Disks) *plan.State {
		st := &plan.State{State: s, Disks: d}
		if policy != "" {
			st.Policy = prePolicy(policy)
		}
		return st
	}
	protect := plan.Change{Action: plan.Protect, After: state("Protected", "b", nil)}
	modify := plan.Change{Action: plan.Modify, Before: state("Protected", "a", only(0)), After: state("Protected", "b", only(0, 1))}
	resume := plan.Change{Action: plan.Resume, Before: state("ProtectionStopped", "", nil), After: state("Protected", "b", nil)}
	atRisk := resume
	atRisk.Risk = plan.RiskReducesRetention
	stopped := plan.Change{Action: plan.Resume, Before: state("ProtectionStopped", "a", nil), After: state("Protected", "b", nil)}
	suspended := plan.Change{Action: plan.Resume, Before: state("BackupsSuspended", "a", nil), After: state("Protected", "b", nil)}
	stop := plan.Change{Action: plan.Stop, Before: state("Protected", "a", only(0)), After: state("ProtectionStopped", "", only(0))}
	undelete := plan.Change{Action: plan.Undelete, Before: state(plan.StateSoftDeleted, "", nil), After: state("ProtectionStopped", "", nil)}
	for name, c := range map[string]struct {
		change plan.Change
		keep   bool
		now    *plan.Item
		want   string
	}{
		"protect, still nothing there":             {protect, false, nil, asIs},
		"protect, there as wanted":                 {protect, false, item("irpending", "b", nil), wanted},
		"protect, under another policy":            {protect, false, item("Protected", "a", nil), "state was not there, is now Protected (wanted Protected); policy was not there, is now A (wanted b)"},
		"protect, stopped":                         {protect, false, item("ProtectionStopped", "", nil), "state was not there, is now ProtectionStopped (wanted Protected)"},
		"protect, something odd":                   {protect, false, odd, "state was not there, is now not understood: its disks are 7 (wanted Protected)"},
		"protect, soft-deleted":                    {protect, false, deleted(), "state was not there, is now soft-deleted (wanted Protected)"},
		"protect, other disks, the file says all":  {protect, false, item("Protected", "b", only(0)), "disks was all, is now include 0 (wanted all)"},
		"protect, other disks, the file is silent": {protect, true, item("Protected", "b", only(0)), wanted},

		"modify, as planned":                      {modify, false, item("ProtectionError", "a", only(0)), asIs},
		"modify, as wanted":                       {modify, false, item("Protected", "b", only(1, 0)), wanted},
		"modify, the policy done":                 {modify, false, item("Protected", "b", only(0)), asIs},
		"modify, the disks done":                  {modify, false, item("Protected", "a", only(0, 1)), asIs},
		"modify, moved to a third policy":         {modify, false, item("Protected", "c", only(0)), "policy was a, is now C (wanted b)"},
		"modify, other disks":                     {modify, false, item("Protected", "a", only(7)), "disks was include 0, is now include 7 (wanted include 0, 1)"},
		"modify, other disks, the file is silent": {modify, true, item("Protected", "a", only(7)), asIs},
		"modify, done, the file is silent":        {modify, true, item("Protected", "b", only(7)), wanted},
		"modify, stopped on purpose":              {modify, false, item("ProtectionStopped", "", only(0)), "state was Protected, is now ProtectionStopped (wanted Protected); policy was a, is now not there (wanted b)"},
		"modify, deleted":                         {modify, false, deleted(), "state was Protected, is now soft-deleted (wanted Protected); policy was a, is now not there (wanted b); disks was include 0, is now all (wanted include 0, 1)"},
		"modify, gone":                            {modify, false, nil, "state was Protected, is now not there (wanted Protected); policy was a, is now not there (wanted b)"},
		"modify, of another machine":              {modify, false, other, "vm was vm1, is now vm2 (wanted vm1)"},

		"resume, as planned":                         {resume, false, item("ProtectionStopped", "", nil), asIs},
		"resume, stopped under a name":               {resume, false, item("ProtectionStopped", "a", nil), asIs},
		"resume, was stopped under a name":           {stopped, false, item("ProtectionStopped", "", nil), asIs},
		"resume, resumed under the policy it had":    {stopped, false, item("Protected", "a", nil), "state was ProtectionStopped, is now Protected (wanted Protected)"},
		"resume, resumed under a third":              {resume, false, item("Protected", "c", nil), "state was ProtectionStopped, is now Protected (wanted Protected); policy was not there, is now C (wanted b)"},
		"resume, not understood":                     {resume, false, odd, "state was ProtectionStopped, is now not understood: its disks are 7 (wanted Protected)"},
		"resume, as wanted":                          {resume, false, item("Protected", "b", nil), wanted},
		"resume, suspended now":                      {resume, false, item("BackupsSuspended", "b", nil), "state was ProtectionStopped, is now BackupsSuspended (wanted Protected); policy was not there, is now B (wanted b)"},
		"resume, backed up meanwhile":                {resume, false, backedUp, "lastRecoveryPoint was not there, is now 2026-03-01T22:00:00Z (wanted not there)"},
		"resume, at the risk of its points":          {atRisk, false, backedUp, asIs},
		"resume of a suspended one":                  {suspended, false, item("backupssuspended", "a", nil), asIs},
		"resume of a suspended one, another policy":  {suspended, false, item("BackupsSuspended", "c", nil), "policy was a, is now C (wanted b)"},
		"resume of a suspended one, stopped for all": {suspended, false, item("ProtectionStopped", "", nil), "state was BackupsSuspended, is now ProtectionStopped (wanted Protected); policy was a, is now not there (wanted b)"},

		"stop, as planned":              {stop, false, item("IRPending", "a", only(0)), asIs},
		"stop, as wanted":               {stop, false, item("protectionstopped", "", only(9)), wanted},
		"stop, other disks":             {stop, false, item("Protected", "a", only(9)), asIs},
		"stop, moved by another client": {stop, false, item("Protected", "c", only(0)), "policy was a, is now C (wanted not there)"},
		"stop, suspended":               {stop, false, item("BackupsSuspended", "a", only(0)), "state was Protected, is now BackupsSuspended (wanted ProtectionStopped)"},
		"stop, deleted":                 {stop, false, deleted(), "state was Protected, is now soft-deleted (wanted ProtectionStopped); policy was a, is now not there (wanted not there)"},

		"undelete, as planned":     {undelete, false, deleted(), asIs},
		"undelete, back":           {undelete, false, item("ProtectionStopped", "", nil), wanted},
		"undelete, back at work":   {undelete, false, item("Protected", "c", nil), wanted},
		"undelete, purged":         {undelete, false, nil, "state was soft-deleted, is now not there (wanted ProtectionStopped)"},
		"a backup has no such say": {plan.Change{Action: plan.Backup}, false, nil, asIs},
	} {
		c.change.Target, c.change.KeepDisks = preVM, c.keep
		if got := verdictOf(plan.CheckItem(c.change, c.now)); got != c.want {
			t.Errorf("%s:\n got %s\nwant %s", name, got, c.want)
		}
	}
}

func TestADiskFilterSetMeanwhileIsKeptWhereTheFileSaysNothingOfDisks(t *testing.T) {
	said := plan.Change{Action: plan.Modify, Before: &plan.State{Disks: only(0)}, After: &plan.State{Policy: "p", Disks: only(0)}}
	silent := said
	silent.KeepDisks = true
	stop := said
	stop.Action = plan.Stop
	for name, c := range map[string]struct {
		change plan.Change
		now    *plan.Disks
		want   *plan.Disks
		note   string
	}{
		"the file says which":         {said, only(1), only(0), ""},
		"the file says nothing":       {silent, only(1), only(1), "its disks were set to include 1 meanwhile (the plan saw include 0), and stay so"},
		"a filter taken away":         {silent, nil, nil, "its disks were set to all meanwhile (the plan saw include 0), and stay so"},
		"a stop says nothing of them": {stop, only(1), only(1), "its disks were set to include 1 meanwhile (the plan saw include 0), and stay so"},
		"nothing happened":            {silent, only(0), only(0), ""},
	} {
		got, note := plan.WithDisksKept(c.change, plan.Item{Disks: c.now})
		if !got.After.Disks.Equal(c.want) || note != c.note || note != "" && !got.Before.Disks.Equal(c.want) || got.After.Policy != "p" {
			t.Errorf("%s: got %+v %+v, %q", name, got.Before, got.After, note)
		}
		if !c.change.After.Disks.Equal(only(0)) || !c.change.Before.Disks.Equal(only(0)) {
			t.Errorf("%s: the change itself was written to", name)
		}
	}
}

// spec returns a policy that keeps points for so many days, with further changes.
func spec(days int, with ...func(*plan.PolicySpec)) plan.PolicySpec {
	s := plan.PolicySpec{
		Tier: "Standard", TimeZone: "UTC", Schedule: plan.ScheduleSpec{Frequency: "Daily", At: "22:00"},
		InstantRestoreDays: 2, Retention: plan.RetentionSpec{Days: days},
	}
	for _, f := range with {
		f(&s)
	}
	return s
}

func TestAPolicyIsWrittenOnlyAsItWasApproved(t *testing.T) {
	weeks := func(n int) func(*plan.PolicySpec) {
		return func(s *plan.PolicySpec) {
			s.Retention.Weeks = &plan.KeepSpec{Keep: n, Days: []string{"Sunday"}}
		}
	}
	at := func(s *plan.PolicySpec) { s.Schedule.At = "23:00" }
	instant := func(n int) func(*plan.PolicySpec) { return func(s *plan.PolicySpec) { s.InstantRestoreDays = n } }
	zone := func(z string) func(*plan.PolicySpec) { return func(s *plan.PolicySpec) { s.TimeZone = z } }
	crash := func(s *plan.PolicySpec) { s.Consistency = "crash" }
	archive := func(s *plan.PolicySpec) { s.Archive = &plan.ArchiveSpec{Mode: "TierRecommended"} }
	group := func(s *plan.PolicySpec) { s.InstantRestore = &plan.InstantRestoreSpec{Prefix: "rp"} }
	enhanced := func(s *plan.PolicySpec) { s.Tier = "Enhanced" }
	update := func(before, after plan.PolicySpec) plan.Change {
		return plan.Change{Action: plan.UpdatePolicy, Risk: plan.RiskNone, Before: &plan.State{Spec: &before}, After: &plan.State{Spec: &after}}
	}
	risky := update(spec(60), spec(30))
	risky.Risk = plan.RiskReducesRetention
	create := func(s plan.PolicySpec) plan.Change {
		return plan.Change{Action: plan.CreatePolicy, Risk: plan.RiskNone, After: &plan.State{Spec: &s}}
	}
	open := create(spec(30, instant(0)))
	longer := update(spec(30), spec(60))
	is := func(s plan.PolicySpec) *plan.Policy { return &plan.Policy{Spec: s} }
	used := func(s plan.PolicySpec) *plan.Policy { return &plan.Policy{Spec: s, Items: 3} }
	for name, c := range map[string]struct {
		change plan.Change
		now    *plan.Policy
		want   string
		write  plan.PolicySpec
	}{
		"as planned":                    {longer, used(spec(30)), asIs, spec(60)},
		"as wanted":                     {longer, used(spec(60)), wanted, spec(60)},
		"somebody made it longer still": {longer, used(spec(90)), "retention.days was 30, is now 90 (wanted 60)", spec(60)},
		"as wanted but for the schedule, which is the same document": {
			longer, used(spec(60, at)),
			"schedule was daily at 22:00, is now daily at 23:00 (wanted daily at 22:00); retention.days was 30, is now 60 (wanted 60)", spec(60),
		},
		"half of the document as wanted": {
			update(spec(30, weeks(4)), spec(60, weeks(12))), used(spec(60, weeks(4))),
			"retention.days was 30, is now 60 (wanted 60)", spec(60, weeks(12)),
		},
		"the document as wanted, what stands beside it otherwise": {
			update(spec(30), spec(60, instant(5))), used(spec(60, instant(3))), "instantRestoreDays was 2, is now 3 (wanted 5)", spec(60, instant(5)),
		},
		"weeks that nobody planned": {longer, used(spec(30, weeks(52))), "retention.weeks was not there, is now keep 52; Sunday (wanted not there)", spec(60)},
		"another zone":              {longer, used(spec(30, zone("Tokyo Standard Time"))), "timeZone was UTC, is now Tokyo Standard Time (wanted UTC)", spec(60)},
		"a zone in other letters":   {longer, used(spec(30, zone("utc"))), asIs, spec(60)},
		"another tier":              {longer, used(spec(30, enhanced)), "tier was Standard, is now Enhanced (wanted Standard)", spec(60)},
		"what the plan did not show stays as it is now": {
			longer, used(spec(30, instant(5), crash, archive, group)), asIs,
			spec(60, instant(5), crash, archive, group),
		},
		"shown beside the document, done already": {update(spec(30), spec(60, instant(5))), used(spec(30, instant(5))), asIs, spec(60, instant(5))},
		"shown beside the document, otherwise": {
			update(spec(30), spec(60, instant(5))), used(spec(30, instant(3))),
			"instantRestoreDays was 2, is now 3 (wanted 5)", spec(60, instant(5)),
		},
		"all else shown":      {update(spec(30), spec(30, crash, archive, group)), is(spec(30)), asIs, spec(30, crash, archive, group)},
		"all else taken away": {update(spec(30, crash, archive, group), spec(30)), used(spec(30, crash, archive, group)), asIs, spec(30)},
		"gone":                {longer, nil, "policy was there, is now not there (wanted there)", spec(60)},
		"not understood":      {longer, &plan.Policy{Unreadable: "odd"}, "policy was a policy that was understood, is now something this program does not understand: odd (wanted as the file says)", spec(60)},

		"a cut of a policy without items":           {update(spec(60), spec(30)), is(spec(60)), asIs, spec(30)},
		"a cut of one that got items meanwhile":     {update(spec(60), spec(30)), used(spec(60)), "items was 0, is now 3 (wanted 0)", spec(30)},
		"a cut that was approved as such":           {risky, used(spec(60)), asIs, spec(30)},
		"a cut of one that got items, done":         {update(spec(60), spec(30)), used(spec(30)), wanted, spec(30)},
		"create, still nothing there":               {create(spec(30)), nil, asIs, spec(30)},
		"create, there as wanted":                   {create(spec(30)), used(spec(30)), wanted, spec(30)},
		"create, as wanted, the rest left open":     {open, used(spec(30, archive, group)), wanted, spec(30, instant(0))},
		"create, a longer one is there":             {create(spec(30)), used(spec(3650)), "retention.days was not there, is now 3650 (wanted 30)", spec(30)},
		"create, something else is there":           {create(spec(30)), &plan.Policy{Unreadable: "it is not a policy for VMs"}, "policy was not there, is now something this program does not understand: it is not a policy for VMs (wanted as the file says)", spec(30)},
		"create, one of another tier is there":      {create(spec(30)), is(spec(30, enhanced)), "tier was not there, is now Enhanced (wanted Standard)", spec(30)},
		"create, one of crash consistency is there": {create(spec(30)), is(spec(30, crash)), "consistency was not there, is now crash (wanted not there)", spec(30)},
	} {
		got, write := plan.CheckPolicy(c.change, c.now)
		if v := verdictOf(got); v != c.want {
			t.Errorf("%s:\n got %s\nwant %s", name, v, c.want)
		}
		if d := cmp.Diff(plan.DiffSpec(plan.PolicySpec{}, c.write), plan.DiffSpec(plan.PolicySpec{}, write)); d != "" {
			t.Errorf("%s: would write (-want +got):\n%s", name, d)
		}
	}
}

func TestAVaultIsWrittenOnlyAsItWasApproved(t *testing.T) {
	type set = plan.VaultSettings
	tags := func(pairs ...string) map[string]string {
		out := map[string]string{}
		for i := 0; i < len(pairs); i += 2 {
			out[pairs[i]] = pairs[i+1]
		}
		return out
	}
	update := func(before, after set) plan.Change {
		return plan.Change{Action: plan.UpdateVault, Before: &plan.State{Vault: &before}, After: &plan.State{Vault: &after}}
	}
	create := plan.Change{Action: plan.CreateVault, After: &plan.State{Vault: &set{Location: "westeurope", Redundancy: "GeoRedundant", Tags: tags("owner", "me")}}}
	days := update(set{SoftDeleteDays: new(14)}, set{SoftDeleteDays: new(30)})
	tagged := update(set{Tags: tags("Owner", "you", "cost", "1")}, set{Tags: tags("Owner", "me", "cost", "1", "env", "prod")})
	for name, c := range map[string]struct {
		change plan.Change
		now    *set
		want   string
		tags   map[string]string
	}{
		"as planned":                 {days, &set{SoftDeleteDays: new(14), Immutability: "Locked"}, asIs, nil},
		"as wanted":                  {days, &set{SoftDeleteDays: new(30)}, wanted, nil},
		"longer still":               {days, &set{SoftDeleteDays: new(180)}, "softDeleteDays was 14, is now 180 (wanted 30)", nil},
		"gone":                       {days, nil, "vault was there, is now not there (wanted there)", nil},
		"was not said":               {update(set{}, set{SoftDeleteDays: new(30)}), &set{}, asIs, nil},
		"was not said, is now":       {update(set{}, set{SoftDeleteDays: new(30)}), &set{SoftDeleteDays: new(90)}, "softDeleteDays was not there, is now 90 (wanted 30)", nil},
		"letters do not count":       {update(set{Immutability: "Disabled"}, set{Immutability: "Unlocked"}), &set{Immutability: "disabled"}, asIs, nil},
		"locked meanwhile":           {update(set{Immutability: "Disabled"}, set{Immutability: "Unlocked"}), &set{Immutability: "Locked"}, "immutability was Disabled, is now Locked (wanted Unlocked)", nil},
		"one of two done by another": {update(set{SoftDeleteDays: new(14), PublicNetworkAccess: new(true)}, set{SoftDeleteDays: new(30), PublicNetworkAccess: new(false)}), &set{SoftDeleteDays: new(30), PublicNetworkAccess: new(true)}, asIs, nil},
		"redundancy with its twin":   {update(set{Redundancy: "LocallyRedundant", CrossRegionRestore: new(false)}, set{Redundancy: "GeoRedundant", CrossRegionRestore: new(false)}), &set{Redundancy: "LocallyRedundant", CrossRegionRestore: new(true)}, "crossRegionRestore was false, is now true (wanted false)", nil},

		"tags of others go back as they are now": {
			tagged, &set{Tags: tags("OWNER", "you", "cost", "2", "new", "x")}, asIs,
			tags("OWNER", "me", "cost", "2", "new", "x", "env", "prod"),
		},
		"a tag that others took away stays away": {tagged, &set{Tags: tags("Owner", "you")}, asIs, tags("Owner", "me", "env", "prod")},
		"a tag of ours set by another":           {tagged, &set{Tags: tags("Owner", "them")}, "tags.Owner was you, is now them (wanted me)", tags("Owner", "me", "env", "prod")},
		"a value in other letters is another":    {tagged, &set{Tags: tags("Owner", "YOU")}, "tags.Owner was you, is now YOU (wanted me)", tags("Owner", "me", "env", "prod")},
		"tags as wanted":                         {tagged, &set{Tags: tags("Owner", "me", "env", "prod")}, wanted, tags("Owner", "me", "env", "prod")},

		"create, still nothing there": {create, nil, asIs, tags("owner", "me")},
		"create, there as wanted":     {create, &set{Location: "West Europe", Redundancy: "georedundant", Tags: tags("owner", "me", "x", "y"), SoftDeleteDays: new(14)}, wanted, tags("owner", "me")},
		"create, there otherwise":     {create, &set{Location: "westeurope", Redundancy: "LocallyRedundant", Tags: tags("owner", "me")}, "redundancy was not there, is now LocallyRedundant (wanted GeoRedundant)", tags("owner", "me")},
	} {
		got, _, send := plan.CheckVault(c.change, c.now)
		if v := verdictOf(got); v != c.want {
			t.Errorf("%s:\n got %s\nwant %s", name, v, c.want)
		}
		if d := cmp.Diff(c.tags, send); d != "" {
			t.Errorf("%s: would send (-want +got):\n%s", name, d)
		}
	}
	_, after, _ := plan.CheckVault(tagged, &set{Tags: tags("Owner", "you", "cost", "2")})
	if d := cmp.Diff(set{Tags: tags("Owner", "me", "env", "prod")}, after); d != "" {
		t.Errorf("the tags of others are waited for (-want +got):\n%s", d)
	}
}

func TestAnItemGoesOnlyBetweenPoliciesThatKeepWhatItsRiskWasJudgedBy(t *testing.T) {
	approved := []string{plan.DescribeRetention(spec(30)), plan.DescribeRetention(spec(60))}
	for name, c := range map[string]struct {
		approved []string
		now      *plan.Policy
		want     string
	}{
		"as it was":                 {approved, &plan.Policy{Spec: spec(30)}, asIs},
		"as this plan makes it":     {approved, &plan.Policy{Spec: spec(60)}, asIs},
		"not known then":            {nil, &plan.Policy{Spec: spec(7)}, asIs},
		"what decides no retention": {approved, &plan.Policy{Spec: spec(30, func(s *plan.PolicySpec) { s.InstantRestore = &plan.InstantRestoreSpec{Prefix: "x"} })}, asIs},
		"otherwise": {
			approved, &plan.Policy{Spec: spec(7)},
			"policy p was schedule daily at 22:00, instantRestoreDays 2, retention.days 30, is now schedule daily at 22:00, instantRestoreDays 2, " +
				"retention.days 7 (wanted schedule daily at 22:00, instantRestoreDays 2, retention.days 60)",
		},
		"gone":           {approved[:1], nil, "policy p was " + approved[0] + ", is now not there (wanted " + approved[0] + ")"},
		"not understood": {approved[:1], &plan.Policy{Unreadable: "odd"}, "policy p was " + approved[0] + ", is now not understood: odd (wanted " + approved[0] + ")"},
	} {
		if got := verdictOf(plan.Precondition{Drifts: plan.CheckRetention("p", c.approved, c.now)}); got != c.want {
			t.Errorf("%s:\n got %s\nwant %s", name, got, c.want)
		}
	}
}
