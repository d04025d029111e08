package plan

import (
	"testing"

	"github.com/azbackup/azbackup/config"
	"github.com/azbackup/azbackup/internal/armid"
)

// What the operator asks to test is a restore test of the entry of the file, blocked where the VM cannot be restored.
func TestATestThatIsAskedForIsATestOfTheFile(t *testing.T) {
	o, f, r := restorable()
	r.VMs = append(r.VMs, armid.VM(restoreSub, "rg-app", "none"))
	f.Groups[0].Tags = map[string]string{TagTestsAllowed: TestsAllowed}
	test := &config.RestoreTest{Name: "gold", Every: 90 * day}
	p := MakeRestoreTests(o, []AskedTests{{Test: test, Request: r, Facts: f}}, 1, 1, restoreNow)
	if err := Validate(p); err != nil {
		t.Fatal(err)
	}
	if len(p.Changes) != 2 || p.Summary[RestoreTest] != 1 || p.Summary[Blocked] != 1 || len(p.Refusals) != 0 {
		t.Fatalf("%v: %+v, refused %+v", p.Summary, p.Changes, p.Refusals)
	}
	for _, c := range p.Changes {
		switch isTest := c.Action == RestoreTest; {
		case c.Rule == nil || c.Rule.Name != "gold":
			t.Errorf("%s is of %+v", c.ID, c.Rule)
		case isTest && (c.Target != restoreVM || c.Test == nil || c.Test.Name != "gold" || c.Test.Group != c.Into || c.ID != changeID(RestoreTest, armid.Of(restoreVM))):
			t.Errorf("%+v", c)
		case !isTest && (c.Action != Blocked || c.Wanted != RestoreTest || c.Test != nil):
			t.Errorf("%+v", c)
		}
	}
	if p := MakeRestoreTests(o, []AskedTests{{Test: test, Request: r, Facts: f}}, 0, 1, restoreNow); len(p.Refusals) != 1 || p.Refusals[0].Guard != GuardRestores {
		t.Errorf("more tests than allowed: %+v", p.Refusals)
	}
}
