package report

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/azbackup/azbackup/plan"
)

// describeTests describes in a sentence each the state of the file's restore tests, and what earlier ones left behind.
func describeTests(p plan.Plan) []string {
	var all []string
	for _, t := range p.RestoreTests {
		all = append(all, describeTest(t))
	}
	disks, sizes := map[string]int{}, map[string]int{}
	for _, d := range p.LeftBehind {
		g := diskGroup(d.ID)
		disks[g]++
		sizes[g] += d.SizeGB
	}
	for _, g := range slices.Sorted(maps.Keys(disks)) {
		all = append(all, fmt.Sprintf("earlier restore tests left %s (%s GB) in resource group %s: see azbackup restore-test --clean-up",
			formatCount(disks[g], "disk"), formatNumber(sizes[g]), g))
	}
	return all
}

// describeTest describes the state of a restore test: "gold-quarterly: 9 of 12 VMs proven, 3 due: 2 tested now, 1 blocked".
func describeTest(t plan.TestSummary) string {
	words := []string{fmt.Sprintf("%s of %s proven", formatNumber(t.Proven), formatCount(t.VMs, "VM"))}
	if t.Due > 0 {
		due := []string{}
		for _, n := range []struct {
			n    int
			what string
		}{{t.Tested, "tested now"}, {t.Blocked, "blocked"}, {max(0, t.Due-t.Tested-t.Blocked), "left for later runs"}} {
			if n.n > 0 {
				due = append(due, formatNumber(n.n)+" "+n.what)
			}
		}
		words = append(words, formatNumber(t.Due)+" due ("+strings.Join(due, ", ")+")")
	}
	for _, n := range []struct {
		n    int
		what string
	}{{t.Running, "being restored now"}, {t.Waiting, "without a recovery point yet"}, {t.Unknown, "not known"}} {
		if n.n > 0 {
			words = append(words, formatNumber(n.n)+" "+n.what)
		}
	}
	if t.NextDue != nil && t.Due == 0 {
		words = append(words, "next due "+day(*t.NextDue))
	}
	return "restore test " + t.Name + ": " + strings.Join(words, ", ")
}

func day(t time.Time) string { return t.UTC().Format("2006-01-02") }

// diskGroup returns the name of the resource group in the id of a disk.
func diskGroup(id string) string {
	parts := strings.Split(id, "/")
	if len(parts) < 5 {
		return id
	}
	return parts[4]
}

// writeTests writes the state of the file's restore tests.
func (t planText) writeTests() {
	all := describeTests(t.plan)
	for _, s := range all {
		t.writeMarked("▸", plainText, Line(s))
	}
	t.writeBlankAfter(len(all))
}

// writeTest writes when the VM was restored last for the test that covers it, and when it is due.
func (t explainText) writeTest() {
	e := t.e.RestoreTest
	if e == nil {
		if t.e.HasTests {
			t.writeSection("restore test")
			t.writeProse("  ", t.dim, "no test covers it")
		}
		return
	}
	t.writeSection("restore test")
	t.writeProse("  ", plainText, Line("restore test "+e.Name+": "+describeTestOf(e)))
}

// describeTestOf returns what is known of a test: "proven 2026-10-01 by job …, due 2026-12-30".
func describeTestOf(e *plan.TestExplanation) string {
	words := []string{"never proven"}
	if e.Proven != nil {
		words = []string{"proven " + day(e.Proven.Time) + " by job " + lastName(e.Proven.Job)}
	}
	switch e.State {
	case plan.TestProven:
	case plan.TestDue:
		if e.Due == nil {
			return words[0] + ": due now"
		}
		return words[0] + ", due since " + day(*e.Due)
	case plan.TestRunning:
		words = append(words, "a restore runs now")
	case plan.TestWaiting:
		words = append(words, "waits for its first recovery point")
	case plan.TestUnknown:
		words = append(words, "whether it is due is not known: could not be read: "+e.Why)
	}
	if e.Due != nil {
		words = append(words, "due "+day(*e.Due))
	}
	return strings.Join(words, ", ")
}
