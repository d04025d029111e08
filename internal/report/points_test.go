package report

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/azbackup/azbackup/internal/armid"
	"github.com/azbackup/azbackup/plan"
)

// samplePoints has a point of every kind; text from outside is s where s is not empty.
func samplePoints(s string) Points {
	now := time.Date(2026, 11, 20, 6, 0, 0, 0, time.UTC)
	or := func(text string) string {
		if s != "" {
			return s
		}
		return text
	}
	vault := armid.Vault(testSub, "rg-backup", "rsv")
	proof := &plan.RestoreJob{Job: plan.Job{ID: "/jobs/" + clean(or("5fdb13cf")), End: now.Add(-time.Hour)}}
	tiers := []plan.PointTier{{Type: plan.TierInstant, Status: "Valid"}, {Type: plan.TierVault, Status: "Valid"}, {Type: or("ColdRP"), Status: or("Frozen")}}
	return Points{
		Now: now,
		VMs: []VMPoints{
			{VM: vm("rg-app", clean(or("web1"))), Item: &plan.Item{ID: "/item", Vault: vault, State: or("Protected")}, Read: true, Points: []Point{
				{Proof: proof, MayBePrunedEarlier: true, RecoveryPoint: plan.RecoveryPoint{
					ID: "/item/recoveryPoints/1", Name: or("1"), Time: now.Add(-8 * time.Hour), Consistency: or("AppConsistent"), Tiers: tiers,
					Expires: now.AddDate(0, 1, 0), Disks: &plan.PointDisks{
						Held: 1, Attached: 2, Included: []plan.PointDisk{{LUN: plan.OSDisk, Name: or("os")}}, Excluded: []plan.PointDisk{{LUN: 0, Name: or("scratch")}},
					},
				}},
				{RecoveryPoint: plan.RecoveryPoint{Name: "2", Time: now.AddDate(0, 0, -3), Consistency: "CrashConsistent"}},
				{RecoveryPoint: plan.RecoveryPoint{Name: "3", Time: now.AddDate(-1, 0, 0), Tiers: []plan.PointTier{{Type: plan.TierArchive, Status: "Valid"}}}},
				{RecoveryPoint: plan.RecoveryPoint{Name: "4", Unreadable: or("recoveryPointTime is missing")}},
			}},
			{VM: vm("rg-app", "old1"), Unseen: true, Item: &plan.Item{ID: "/item2", Vault: vault, SoftDeleted: true}, Read: true, Points: []Point{
				{RecoveryPoint: plan.RecoveryPoint{Name: "5", Time: now.AddDate(0, 0, -9), Tiers: tiers[:1], Disks: &plan.PointDisks{Held: 2, Attached: 3}}},
			}},
			{VM: vm("rg-app", "gone"), Gone: true, Item: &plan.Item{ID: "/item3", Vault: vault, Partial: true}, Read: false},
			{VM: vm("rg-app", "new"), Item: &plan.Item{ID: "/item4", Vault: vault, State: "IRPending"}, Read: true},
			{VM: vm("rg-app", "odd"), Item: &plan.Item{ID: "/item5", Vault: vault, State: "Protected", LastRecoveryPoint: now.Add(-time.Hour)}, Read: true},
			{VM: vm("rg-app", "db1"), Read: true},
		},
		Gaps: []plan.Gap{{Kind: plan.GapPoints, Target: vm("rg-app", "gone"), Code: or("AuthorizationFailed"), Message: or("no")}},
	}
}

func pointsIn(t *testing.T, format string, p Points, s Style) []byte {
	t.Helper()
	return formatted(t, WritePoints, format, p, s)
}

func TestPointsInEveryFormat(t *testing.T) {
	golden(t, "points.txt", pointsIn(t, "text", samplePoints(""), Style{Verbose: true}))
	golden(t, "points-60.txt", pointsIn(t, "text", samplePoints(""), Style{Width: 60}))
	golden(t, "points.json", pointsIn(t, "json", samplePoints(""), Style{}))
	golden(t, "points.csv", pointsIn(t, "csv", samplePoints(""), Style{}))
	if err := WritePoints(&bytes.Buffer{}, "yaml", Points{}, Style{}); err == nil {
		t.Error("an unknown format was written")
	}
}

func TestARestoreIsShownWithItsPointAndWhereTo(t *testing.T) {
	order := &plan.RestoreOrder{
		Point: plan.PointRef{Time: time.Date(2026, 11, 19, 22, 0, 0, 0, time.UTC), AgeSeconds: 8 * 3600}, Into: "/subscriptions/x/resourceGroups/rg-restored",
	}
	for want, selection := range map[string]plan.DiskSelection{"all disks": nil, "OS disk": {}, "OS disk and LUN 0,1": {0, 1}} {
		order.Select = selection
		c := plan.Change{Action: plan.Restore, RestoreOrder: order}
		if got := describeEffect(c); got != "→ rg-restored, "+want+" of 2026-11-19 22:00:00 UTC (8h old)" {
			t.Error(got)
		}
	}
	if describeEffect(plan.Change{Action: plan.Restore}) != "" || actionSymbol(plan.Restore) != "▸" {
		t.Error("a restore without an order is shown with words")
	}
}

// Another point, or another machine, may be meant: the notes of a restore are shown to whoever approves it.
func TestTheNotesOfARestoreAreShownWithItsPlan(t *testing.T) {
	c := plan.Change{
		ID: "restore:web1", Action: plan.Restore, Target: vm("rg-app", "web1"), Reason: plan.ReasonAsked, Because: plan.ReasonAsked.Sentence(),
		Notes: []string{"the point is of an earlier VM of the same name"}, RestoreOrder: &plan.RestoreOrder{Into: "/subscriptions/x/resourceGroups/rg-restored"},
	}
	var b bytes.Buffer
	if err := PlanText(&b, plan.Plan{Complete: true, Changes: []plan.Change{c}, Summary: map[plan.Action]int{plan.Restore: 1}}, Style{}); err != nil || !strings.Contains(b.String(), c.Notes[0]) {
		t.Errorf("%v: the note is not shown:\n%s", err, b.String())
	}
}

func TestPointsSurviveUntrustedText(t *testing.T) {
	for _, s := range nasty() {
		if s == "" {
			continue
		}
		p := samplePoints(s)
		for _, style := range []Style{{Verbose: true}, {Width: 20, Verbose: true}} {
			text := string(pointsIn(t, "text", p, style))
			if i := strings.IndexFunc(text, func(r rune) bool { return r != '\n' && !unicode.IsPrint(r) }); i >= 0 {
				t.Errorf("%q lets %q through", s, text[i:min(i+8, len(text))])
			}
			for l := range strings.Lines(text) {
				if strings.Contains(l, "##vso") || style.Width == 0 && strings.HasPrefix(strings.TrimSpace(l), "::") {
					t.Errorf("a line is a CI command: %q", l)
				}
			}
		}
		rows, err := csv.NewReader(bytes.NewReader(pointsIn(t, "csv", p, Style{}))).ReadAll()
		if err != nil || len(rows) != 10 {
			t.Fatalf("%q: %d rows, %v", truncate(s, 40), len(rows), err)
		}
		for _, row := range rows {
			for _, cell := range row {
				if cell != "" && strings.ContainsAny(cell[:1], "=+-@\t\r\n") {
					t.Errorf("the cell %q is a formula", truncate(cell, 60))
				}
			}
		}
		var back map[string]any
		if err := json.Unmarshal(pointsIn(t, "json", p, Style{}), &back); err != nil {
			t.Errorf("%q: %v", truncate(s, 40), err)
		}
	}
}
