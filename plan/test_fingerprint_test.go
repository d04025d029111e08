package plan

import (
	"testing"
	"time"

	"github.com/azbackup/azbackup/config"
	"github.com/azbackup/azbackup/internal/armid"
)

// askedTest returns the plan of one restore test that the operator asks for; change may alter what is asked and what there is.
func askedTest(t *testing.T, change func(*config.RestoreTest, *RestoreRequest, *RestoreFacts)) Plan {
	t.Helper()
	o, f, r := restorable()
	f.Groups[0].Tags = map[string]string{TagTestsAllowed: TestsAllowed}
	test := &config.RestoreTest{Name: "gold", Every: 90 * day}
	if change != nil {
		change(test, &r, &f)
	}
	p := MakeRestoreTests(o, []AskedTests{{Test: test, Request: r, Facts: f}}, 20, 1, restoreNow)
	if p.Summary[RestoreTest] != 1 {
		t.Fatalf("%+v", p)
	}
	return p
}

// The fingerprint of a plan of restore tests covers what runs: the machine, the test, where to and which disks, and the point
// where the operator chose it. The newest point may be another tomorrow.
func TestTheFingerprintOfRestoreTestsCoversWhatRuns(t *testing.T) {
	newer := func(_ *config.RestoreTest, _ *RestoreRequest, f *RestoreFacts) {
		p := f.Items[0].Points[1]
		p.ID, p.Name, p.Time = p.ID+"9", p.Name+"9", p.Time.Add(time.Hour)
		f.Items[0].Points = append([]RecoveryPoint{p}, f.Items[0].Points...)
	}
	first := askedTest(t, nil)
	if first.CoversNothing() || first.Fingerprint == fingerprint(nil) {
		t.Fatal("it covers nothing")
	}
	if len(first.Uncovered()) > 0 {
		t.Errorf("not covered: %+v", first.Uncovered())
	}
	before := func(_ *config.RestoreTest, r *RestoreRequest, _ *RestoreFacts) { r.Before = restoreNow }
	both := func(c *config.RestoreTest, r *RestoreRequest, f *RestoreFacts) {
		newer(c, r, f)
		before(c, r, f)
	}
	for name, tt := range map[string]struct {
		with, without func(*config.RestoreTest, *RestoreRequest, *RestoreFacts)
		same          bool
	}{
		"a newer point":                     {newer, nil, true},
		"a newer point before a given time": {both, before, false},
		"a given time":                      {before, nil, false},
		"the oldest point":                  {func(_ *config.RestoreTest, r *RestoreRequest, _ *RestoreFacts) { r.Oldest = true }, nil, false},
		"other disks":                       {func(_ *config.RestoreTest, r *RestoreRequest, _ *RestoreFacts) { r.Disks = DiskSelection{} }, nil, false},
		"another test":                      {func(c *config.RestoreTest, _ *RestoreRequest, _ *RestoreFacts) { c.Name = "silver" }, nil, false},
		"the same, made later":              {nil, nil, true},
	} {
		a, b := askedTest(t, tt.with), askedTest(t, tt.without)
		if same := a.Fingerprint == b.Fingerprint; same != tt.same || Compare(a, b).IsEmpty() != tt.same {
			t.Errorf("%s: the same fingerprint: %t, the same to the comparison: %t", name, same, Compare(a, b).IsEmpty())
		}
	}
	for name, change := range map[string]func(*Change){
		"another group":   func(c *Change) { c.Into += "2"; c.Test.Group += "2" },
		"another account": func(c *Change) { c.Staging += "2" },
		"another machine": func(c *Change) { c.Target = armid.VM(restoreSub, "rg-app", "other") },
		"another vault":   func(c *Change) { c.Vault += "2" },
	} {
		p := askedTest(t, nil)
		change(&p.Changes[0])
		if p.OfTests().Fingerprint == first.Fingerprint {
			t.Errorf("%s has the same fingerprint", name)
		}
	}
}

// A plan that time makes has tests that its fingerprint does not cover, and says which; as a plan of tests it covers them.
func TestAPlanTellsWhatItsFingerprintDoesNotCover(t *testing.T) {
	w := newTestWorld(config.Sample{}, "web1")
	p := w.plan(t, Options{})
	if !p.CoversNothing() || len(p.Uncovered()) != 1 || p.Uncovered()[0].Action != RestoreTest {
		t.Errorf("covers nothing: %t, uncovered %+v", p.CoversNothing(), p.Uncovered())
	}
	asTests := p.OfTests()
	if asTests.CoversNothing() || len(asTests.Uncovered()) > 0 {
		t.Errorf("as tests: covers nothing: %t, uncovered %+v", asTests.CoversNothing(), asTests.Uncovered())
	}
	if empty := (Plan{}).OfTests(); !empty.CoversNothing() || len(empty.Uncovered()) > 0 {
		t.Errorf("%+v", empty)
	}
}
