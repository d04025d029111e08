package plan_test

import (
	"strings"
	"testing"
	"time"

	"github.com/azbackup/azbackup/plan"
)

func TestAPointIsRestoredFromTheFastestTierThatIsValid(t *testing.T) {
	now := time.Date(2026, 11, 20, 6, 0, 0, 0, time.UTC)
	tiers := func(words ...string) []plan.PointTier {
		list := []plan.PointTier{}
		for _, w := range words {
			kind, status, _ := strings.Cut(w, " ")
			list = append(list, plan.PointTier{Type: kind, Status: status})
		}
		return list
	}
	warm := func(until time.Time) []plan.PointTier {
		return []plan.PointTier{{Type: "ArchivedRP", Status: "Rehydrated", RehydratedUntil: until}}
	}
	for name, tt := range map[string]struct {
		point plan.RecoveryPoint
		tier  string
		why   string
	}{
		"snapshot and vault":    {plan.RecoveryPoint{Tiers: tiers("HardenedRP Valid", "InstantRP Valid")}, plan.TierInstant, ""},
		"snapshot gone":         {plan.RecoveryPoint{Tiers: tiers("InstantRP Deleted", "HardenedRP Valid")}, plan.TierVault, ""},
		"letter case":           {plan.RecoveryPoint{Tiers: tiers("instantrp valid")}, plan.TierInstant, ""},
		"not told":              {plan.RecoveryPoint{}, "", ""},
		"archived":              {plan.RecoveryPoint{Tiers: tiers("InstantRP Deleted", "ArchivedRP Valid")}, "", "needs rehydration first"},
		"rehydrated":            {plan.RecoveryPoint{Tiers: warm(time.Time{})}, plan.TierArchive, ""},
		"rehydrated for a time": {plan.RecoveryPoint{Tiers: warm(now.Add(time.Hour))}, plan.TierArchive, ""},
		"cold again":            {plan.RecoveryPoint{Tiers: warm(now)}, "", "needs rehydration first"},
		"nothing left":          {plan.RecoveryPoint{Tiers: tiers("InstantRP Deleted", "HardenedRP Disabled")}, "", "InstantRP is Deleted, HardenedRP is Disabled"},
		"no tier":               {plan.RecoveryPoint{Tiers: tiers()}, "", "it has none"},
		"a word nobody knows":   {plan.RecoveryPoint{Tiers: tiers("InstantRP Sleeping")}, "", "InstantRP is Sleeping"},
		"soft-deleted":          {plan.RecoveryPoint{Tiers: tiers("InstantRP Valid"), SoftDeleted: true}, "", "soft-deleted"},
		"unmanaged":             {plan.RecoveryPoint{Tiers: tiers("InstantRP Valid"), Unmanaged: true}, "", "no managed disks"},
		"edge zone":             {plan.RecoveryPoint{Tiers: tiers("InstantRP Valid"), EdgeZone: "losangeles"}, "", "losangeles"},
		"not understood":        {plan.RecoveryPoint{Tiers: tiers("InstantRP Valid"), Unreadable: "osType is 7"}, "", "osType is 7"},
	} {
		tier, why := tt.point.RestorableTier(now)
		if tier != tt.tier || tt.why == "" != (why == "") || !strings.Contains(why, tt.why) {
			t.Errorf("%s: %q %q, want %q %q", name, tier, why, tt.tier, tt.why)
		}
	}
}

func TestAPointIsProvenByTheLastJobThatRestoredIt(t *testing.T) {
	at := time.Date(2026, 11, 19, 22, 7, 41, 551203400, time.UTC)
	it := plan.Item{Vault: "/v/One", Container: "iaasvmcontainerv2;rg;vm"}
	job := func(id string, change func(*plan.RestoreJob)) plan.RestoreJob {
		j := plan.RestoreJob{
			Job:       plan.Job{ID: id, Vault: "/V/one", Container: "iaasvmcontainerv2;RG;VM", Operation: "Restore", Status: "Completed", End: at.Add(time.Hour)},
			PointTime: at.Truncate(time.Second),
		}
		change(&j)
		return j
	}
	jobs := []plan.RestoreJob{
		job("other point", func(j *plan.RestoreJob) { j.PointTime = at.Add(time.Second).Truncate(time.Second) }),
		job("other item", func(j *plan.RestoreJob) { j.Container = "x" }),
		job("other vault", func(j *plan.RestoreJob) { j.Vault = "/v/two" }),
		job("failed", func(j *plan.RestoreJob) { j.Status = "Failed" }),
		job("with warnings", func(j *plan.RestoreJob) { j.Status = "CompletedWithWarnings" }),
		job("backup", func(j *plan.RestoreJob) { j.Operation = "Backup" }),
		job("odd", func(j *plan.RestoreJob) { j.Unreadable = "x" }),
		job("no time", func(j *plan.RestoreJob) { j.PointTime = time.Time{} }),
	}
	point := plan.RecoveryPoint{Time: at}
	if proof, ok := point.ProvenBy(it, jobs); ok {
		t.Errorf("proven by %q", proof.ID)
	}
	first := job("first", func(*plan.RestoreJob) {})
	last := job("last", func(j *plan.RestoreJob) { j.End = j.End.Add(time.Hour) })
	for _, order := range [][]plan.RestoreJob{{first, last}, {last, first}} {
		if proof, ok := point.ProvenBy(it, append(order, jobs...)); !ok || proof.ID != "last" {
			t.Errorf("proven by %q, %v", proof.ID, ok)
		}
	}
}

func TestAnAccountStagesForItsRegionOnly(t *testing.T) {
	good := plan.StorageAccount{Location: "West Europe", Kind: "StorageV2", SKU: "Standard_LRS"}
	if why := good.WhyCannotStage("westeurope"); why != "" {
		t.Error(why)
	}
	for want, change := range map[string]func(*plan.StorageAccount){
		"northeurope": func(a *plan.StorageAccount) { a.Location = "northeurope" },
		"redundant":   func(a *plan.StorageAccount) { a.SKU = "Standard_GZRS" },
		"blobs":       func(a *plan.StorageAccount) { a.Kind = "blobstorage" },
		"odd":         func(a *plan.StorageAccount) { a.Unreadable = "odd" },
	} {
		a := good
		change(&a)
		if why := a.WhyCannotStage("westeurope"); !strings.Contains(why, want) {
			t.Errorf("%q, want %q", why, want)
		}
	}
}
