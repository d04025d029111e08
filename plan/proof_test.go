package plan

import (
	"encoding/json"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// testChange returns the restore test of a VM, as a plan holds it.
func testChange(t *testing.T) Change {
	t.Helper()
	o, f, r := restorable()
	c := only(t, MakeRestores(o, f, r, restoreNow))
	since := restoreNow.Add(-day)
	c.ID, c.Action, c.Risk = "restore-test:vm", RestoreTest, RiskNone
	c.Test = &RestoreTestOrder{
		Name: "gold", Every: Duration(30 * day), Group: restoreInto, DueSince: &since,
		Proven: &RestoreProof{Time: restoreNow.Add(-31 * day), Job: "/job", Point: restoreNow.Add(-32 * day), Seconds: 90},
	}
	return c
}

func TestValidateRefusesARestoreWithoutWhereTo(t *testing.T) {
	for name, tt := range map[string]struct {
		change func(*Change)
		valid  bool
	}{
		"a test":                      {func(*Change) {}, true},
		"never proven":                {func(c *Change) { c.Test.Proven, c.Test.DueSince = nil, nil }, true},
		"a blocked test":              {func(c *Change) { c.Action, c.Wanted, c.RestoreOrder = Blocked, RestoreTest, nil }, true},
		"a restore":                   {func(c *Change) { c.Action, c.Test = Restore, nil }, true},
		"a test without a test":       {func(c *Change) { c.Test = nil }, false},
		"a restore with a test":       {func(c *Change) { c.Action = Restore }, false},
		"a backup with a test":        {func(c *Change) { c.Action, c.RestoreOrder = Backup, nil }, false},
		"a blocked backup":            {func(c *Change) { c.Action, c.Wanted, c.RestoreOrder = Blocked, Backup, nil }, false},
		"a test without a restore":    {func(c *Change) { c.RestoreOrder = nil }, false},
		"a restore without an order":  {func(c *Change) { c.Action, c.Test, c.RestoreOrder = Restore, nil, nil }, false},
		"a stop with an order":        {func(c *Change) { c.Action, c.Test = Stop, nil }, false},
		"a test of another group":     {func(c *Change) { c.Test.Group += "2" }, false},
		"a test without a name":       {func(c *Change) { c.Test.Name = "" }, false},
		"no point":                    {func(c *Change) { c.Point.ID = "" }, false},
		"no item":                     {func(c *Change) { c.Item = "" }, false},
		"no account":                  {func(c *Change) { c.Staging = "" }, false},
		"a restore into no group":     {func(c *Change) { c.Action, c.Test, c.Into = Restore, nil, "" }, false},
		"a group in other characters": {func(c *Change) { c.Test.Group = "/SUBSCRIPTIONS" + c.Into[len("/subscriptions"):] }, true},
	} {
		c := testChange(t)
		tt.change(&c)
		if err := Validate(Plan{Changes: []Change{c}}); (err == nil) != tt.valid {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestARestoreTestIsDrivenByTime(t *testing.T) {
	c := testChange(t)
	if p := (Plan{Changes: []Change{c}}); len(p.Actionable()) != 0 {
		t.Error("a plan of restore tests counts as one with changes")
	}
	if fingerprint([]Change{c}) != fingerprint(nil) {
		t.Error("a restore test is in the fingerprint")
	}
	if order := []int{Stop.order(), Backup.order(), Restore.order(), RestoreTest.order(), Blocked.order()}; !slices.IsSorted(order) {
		t.Errorf("a restore test does not come last: %v", order)
	}
	data, err := json.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	var again Change
	if err := json.Unmarshal(data, &again); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(c, again); d != "" {
		t.Error(d)
	}
}

// What a saved plan shows of a restore test is where it goes; which point is newest changes with time.
func TestASavedPlanRunsItsRestoreTestsWhereTheyWereApproved(t *testing.T) {
	for name, tt := range map[string]struct {
		change func(*Change)
		runs   bool
	}{
		"as it was":         {func(*Change) {}, true},
		"a newer point":     {func(c *Change) { c.Point.ID, c.Point.Name, c.Point.Time = "/new", "new", restoreNow }, true},
		"another group":     {func(c *Change) { c.Into, c.Test.Group = c.Into+"2", c.Into+"2" }, false},
		"another account":   {func(c *Change) { c.Staging += "2" }, false},
		"all disks":         {func(c *Change) { c.Select = DiskSelection{} }, false},
		"another test":      {func(c *Change) { c.Test.Name = "silver" }, false},
		"another vault":     {func(c *Change) { c.Vault += "2" }, false},
		"of another VM":     {func(c *Change) { c.ID, c.Target = c.ID+"2", c.Target+"2" }, false},
		"blocked meanwhile": {func(c *Change) { c.ID, c.Action, c.Wanted, c.RestoreOrder = "blocked-"+c.ID, Blocked, RestoreTest, nil }, true},
	} {
		saved, now := testChange(t), testChange(t)
		order, test := *now.RestoreOrder, *now.Test
		now.RestoreOrder, now.Test = &order, &test
		tt.change(&now)
		rest := Subset(Plan{Changes: []Change{saved}}, Plan{Changes: []Change{now}})
		if runs := len(rest.Plan.Changes) == 1; runs != tt.runs {
			t.Errorf("%s: %+v", name, rest)
		}
		if len(rest.New)+len(rest.Done)+len(rest.Stale) > 0 {
			t.Errorf("%s: it counts as a change: %+v", name, rest)
		}
	}
}
