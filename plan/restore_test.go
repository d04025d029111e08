package plan

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/azbackup/azbackup/internal/armid"
)

const restoreSub = "11111111-1111-1111-1111-111111111111"

var (
	restoreNow   = time.Date(2026, 11, 20, 6, 0, 0, 0, time.UTC)
	restoreVault = armid.Vault(restoreSub, "rg-backup", "rsv")
	restoreVM    = armid.VM(restoreSub, "rg-app", "web1")
	restoreInto  = "/subscriptions/" + restoreSub + "/resourceGroups/rg-restored"
	restoreStage = "/subscriptions/" + restoreSub + "/resourceGroups/rg-st/providers/Microsoft.Storage/storageAccounts/stweu"
)

// pointAged returns a point of that age with its tiers as "InstantRP Valid,HardenedRP Valid".
func pointAged(age time.Duration, tiers string) RecoveryPoint {
	name := age.String()
	p := RecoveryPoint{ID: "/item/recoveryPoints/" + name, Name: name, Time: restoreNow.Add(-age), Tiers: []PointTier{}, Consistency: "AppConsistent"}
	for t := range strings.SplitSeq(tiers, ",") {
		kind, status, _ := strings.Cut(t, " ")
		p.Tiers = append(p.Tiers, PointTier{Type: kind, Status: status})
	}
	return p
}

const (
	snapshotAndVault = "InstantRP Valid,HardenedRP Valid"
	vaultOnly        = "HardenedRP Valid"
	archiveOnly      = "ArchivedRP Valid"
	day              = 24 * time.Hour
)

// restorable returns a VM with points of some ages, and all that its restore needs.
func restorable() (Observed, RestoreFacts, RestoreRequest) {
	it := Item{ID: "/item", Vault: restoreVault, VM: restoreVM, State: StateProtected, Container: "iaasvmcontainerv2;rg-app;web1"}
	o := Observed{Vaults: []Vault{{ID: restoreVault, Location: "westeurope"}}}
	f := RestoreFacts{
		Items: []ItemPoints{{Item: it, Read: true, Points: []RecoveryPoint{
			pointAged(9*day, vaultOnly), pointAged(8*time.Hour, snapshotAndVault), pointAged(3*day, snapshotAndVault), pointAged(100*day, archiveOnly),
		}}},
		Groups:   []ResourceGroup{{ID: restoreInto, Location: "westeurope"}},
		Accounts: []StorageAccount{{ID: restoreStage, Location: "westeurope", Kind: "StorageV2", SKU: "Standard_LRS"}},
	}
	return o, f, RestoreRequest{VMs: []string{restoreVM}, Into: restoreInto, Staging: []string{restoreStage}, MaxRestores: 20}
}

// only returns the single change of a plan.
func only(t *testing.T, p Plan) Change {
	t.Helper()
	if len(p.Changes) != 1 || p.Summary[p.Changes[0].Action] != 1 {
		t.Fatalf("%+v", p)
	}
	if err := Validate(p); err != nil {
		t.Error(err)
	}
	return p.Changes[0]
}

func TestARestoreTakesTheNewestPointThatIsInTimeAndRestorable(t *testing.T) {
	at := func(age time.Duration) time.Time { return restoreNow.Add(-age) }
	for name, tt := range map[string]struct {
		change func(*RestoreFacts, *RestoreRequest)
		point  string
		tier   string
		notes  int
	}{
		"the newest":          {func(*RestoreFacts, *RestoreRequest) {}, "8h0m0s", TierInstant, 0},
		"before":              {func(_ *RestoreFacts, r *RestoreRequest) { r.Before = at(day) }, "72h0m0s", TierInstant, 0},
		"before is inclusive": {func(_ *RestoreFacts, r *RestoreRequest) { r.Before = at(3 * day) }, "72h0m0s", TierInstant, 0},
		"before is the second of the point": {func(f *RestoreFacts, r *RestoreRequest) {
			f.Items[0].Points[1].Time, r.Before = restoreNow.Add(-8*time.Hour+732*time.Millisecond), restoreNow.Add(-8*time.Hour)
		}, "8h0m0s", TierInstant, 0},
		"before is a second earlier": {func(f *RestoreFacts, r *RestoreRequest) {
			f.Items[0].Points[1].Time, r.Before = restoreNow.Add(-8*time.Hour+732*time.Millisecond), restoreNow.Add(-8*time.Hour-time.Second)
		}, "72h0m0s", TierInstant, 0},
		"a moment earlier": {func(_ *RestoreFacts, r *RestoreRequest) { r.Before = at(3*day + 1) }, "216h0m0s", TierVault, 0},
		"by name":          {func(_ *RestoreFacts, r *RestoreRequest) { r.Point = "216h0m0s" }, "216h0m0s", TierVault, 0},
		"the newest that can be restored": {func(f *RestoreFacts, _ *RestoreRequest) {
			f.Items[0].Points[1].Tiers = []PointTier{{Type: TierInstant, Status: "Deleted"}}
		}, "72h0m0s", TierInstant, 1},
		"what was not understood is passed over": {func(f *RestoreFacts, _ *RestoreRequest) { f.Items[0].Points[1].Unreadable = "x" }, "72h0m0s", TierInstant, 1},
		"what has no time that was understood is passed over": {func(f *RestoreFacts, _ *RestoreRequest) {
			f.Items[0].Points[1].Unreadable, f.Items[0].Points[1].Time = "x", time.Time{}
		}, "72h0m0s", TierInstant, 1},
		"what has no name that was understood may be another": {func(f *RestoreFacts, r *RestoreRequest) {
			f.Items[0].Points[1].Unreadable, f.Items[0].Points[1].Name, r.Point = "x", "", "72h0m0s"
		}, "72h0m0s", TierInstant, 0},
		"the newer of two items": {func(f *RestoreFacts, _ *RestoreRequest) {
			other := f.Items[0]
			other.Item.ID, other.Points = "/other", []RecoveryPoint{pointAged(time.Hour, vaultOnly)}
			f.Items = append(f.Items, other)
		}, "1h0m0s", TierVault, 0},
		"not that of a soft-deleted item": {func(f *RestoreFacts, _ *RestoreRequest) {
			other := f.Items[0]
			other.Item.ID, other.Item.SoftDeleted, other.Points = "/other", true, []RecoveryPoint{pointAged(time.Hour, vaultOnly)}
			f.Items = append([]ItemPoints{other}, f.Items...)
		}, "8h0m0s", TierInstant, 1},
		"not an older one of a soft-deleted item": {func(f *RestoreFacts, _ *RestoreRequest) {
			other := f.Items[0]
			other.Item.ID, other.Item.SoftDeleted, other.Points = "/other", true, []RecoveryPoint{pointAged(9*time.Hour, vaultOnly)}
			f.Items = append(f.Items, other)
		}, "8h0m0s", TierInstant, 0},
		"not that of another item's archive": {func(f *RestoreFacts, _ *RestoreRequest) {
			other := f.Items[0]
			other.Item.ID, other.Points = "/other", []RecoveryPoint{pointAged(time.Hour, archiveOnly), pointAged(10*day, vaultOnly)}
			f.Items = append(f.Items, other)
		}, "8h0m0s", TierInstant, 1},
	} {
		o, f, r := restorable()
		tt.change(&f, &r)
		c := only(t, MakeRestores(o, f, r, restoreNow))
		if c.Action != Restore || c.RestoreOrder == nil {
			t.Errorf("%s: %s: %s", name, c.Action, c.Because)
			continue
		}
		if c.Point.Name != tt.point || c.Point.Tier != tt.tier || len(c.Notes) != tt.notes || c.Point.AgeSeconds != int64(restoreNow.Sub(c.Point.Time).Seconds()) {
			t.Errorf("%s: %+v, notes %q", name, c.Point, c.Notes)
		}
		lost := int64(0) // what was written between the point and the time that was asked for
		if !r.Before.IsZero() {
			lost = int64(r.Before.Sub(c.Point.Time).Seconds())
		}
		if c.Point.AgeAtBeforeSeconds != lost {
			t.Errorf("%s: %d s at %s, want %d", name, c.Point.AgeAtBeforeSeconds, r.Before, lost)
		}
		if c.Reason != ReasonAsked || c.Into != restoreInto || c.Staging != restoreStage || c.Region != "westeurope" || c.Vault != restoreVault || c.Item == "" {
			t.Errorf("%s: %+v", name, c)
		}
	}
}

// Where the item of a VM is stopped, another vault may back it up: if that one was not read, its points are not known.
func TestARestoreOfAStoppedItemSaysWhichVaultWasNotRead(t *testing.T) {
	gap := func(kind GapKind, vault string) Gap { return Gap{Kind: kind, Subscription: restoreSub, Vault: vault} }
	abroad := gap(GapItems, restoreVault+"2")
	abroad.Location = "northeurope"
	for name, tt := range map[string]struct {
		state string
		gap   Gap
		note  string
	}{
		"stopped":                         {StateProtectionStopped, gap(GapItems, restoreVault+"2"), "rsv2"},
		"suspended, its vault unknown":    {StateBackupsSuspended, gap(GapVaults, ""), "the list of vaults"},
		"active":                          {StateProtected, gap(GapItems, restoreVault+"2"), ""},
		"stopped, and the same vault":     {StateProtectionStopped, gap(GapItems, restoreVault), ""},
		"stopped, and another region":     {StateProtectionStopped, abroad, ""},
		"stopped, and other facts":        {StateProtectionStopped, gap(GapJobs, restoreVault+"2"), ""},
		"stopped, and other subscription": {StateProtectionStopped, Gap{Kind: GapVaults, Subscription: "x"}, ""},
	} {
		o, f, r := restorable()
		f.Items[0].Item.State, o.Gaps = tt.state, []Gap{tt.gap}
		c := only(t, MakeRestores(o, f, r, restoreNow))
		got := strings.Join(c.Notes, "; ")
		if c.RestoreOrder == nil || (got != "") != (tt.note != "") || !strings.HasSuffix(got, tt.note) {
			t.Errorf("%s: %s, notes %q, want %q", name, c.Because, got, tt.note)
		}
	}
}

func TestWhatCannotBeRestoredIsBlockedWithItsReason(t *testing.T) {
	other := strings.Replace(restoreInto, restoreSub, "33333333-3333-3333-3333-333333333333", 1)
	for name, tt := range map[string]struct {
		change func(*Observed, *RestoreFacts, *RestoreRequest)
		reason Reason
		words  string
	}{
		"no backup":     {func(_ *Observed, f *RestoreFacts, _ *RestoreRequest) { f.Items = nil }, ReasonNoBackup, ""},
		"no point":      {func(_ *Observed, f *RestoreFacts, _ *RestoreRequest) { f.Items[0].Points = nil }, ReasonNoRestorablePoint, "there is no point"},
		"none in time":  {func(_ *Observed, _ *RestoreFacts, r *RestoreRequest) { r.Before = restoreNow.AddDate(-1, 0, 0) }, ReasonNoRestorablePoint, "2025-11-20T06:00:00Z or earlier"},
		"archived":      {func(_ *Observed, _ *RestoreFacts, r *RestoreRequest) { r.Before = restoreNow.Add(-50 * day) }, ReasonNoRestorablePoint, "rehydration"},
		"no such point": {func(_ *Observed, _ *RestoreFacts, r *RestoreRequest) { r.Point = "7" }, ReasonNoRestorablePoint, "there is no point 7"},
		"no time that was understood": {func(_ *Observed, f *RestoreFacts, _ *RestoreRequest) {
			f.Items[0].Points = []RecoveryPoint{{Name: "7", Unreadable: "recoveryPointTime is 7"}}
		}, ReasonNoRestorablePoint, "recoveryPointTime is 7"},
		"no name that was understood": {func(_ *Observed, f *RestoreFacts, r *RestoreRequest) {
			f.Items[0].Points[0].Unreadable, f.Items[0].Points[0].Name, r.Point = "id is 7", "", "7"
		}, ReasonNoRestorablePoint, "id is 7"},
		"soft-deleted":    {func(_ *Observed, f *RestoreFacts, _ *RestoreRequest) { f.Items[0].Item.SoftDeleted = true }, ReasonNoRestorablePoint, "soft-deleted, with 4 points that can be restored after an undelete"},
		"points not read": {func(_ *Observed, f *RestoreFacts, _ *RestoreRequest) { f.Items[0].Read = false }, ReasonGap, "recovery points"},
		"other points not read": {func(_ *Observed, f *RestoreFacts, _ *RestoreRequest) {
			f.Items = append(f.Items, ItemPoints{Item: Item{ID: "/other", VM: strings.ToUpper(restoreVM), Vault: restoreVault}})
		}, ReasonGap, "recovery points"},
		"none in time, and a soft-deleted item has some": {func(_ *Observed, f *RestoreFacts, r *RestoreRequest) {
			other := f.Items[0]
			other.Item.ID, other.Item.Vault, other.Item.SoftDeleted, r.Before = "/other", restoreVault+"2", true, restoreNow.AddDate(-1, 0, 0)
			f.Items = append(f.Items, other)
		}, ReasonNoRestorablePoint, "vault rsv: there is no point of 2025-11-20T06:00:00Z or earlier; vault rsv2: the item is soft-deleted, with 4 points"},
		"Restore jobs not read": {func(_ *Observed, f *RestoreFacts, _ *RestoreRequest) {
			f.Gaps = []Gap{{Kind: GapJobs, Vault: strings.ToUpper(restoreVault), Code: "AuthorizationFailed"}}
		}, ReasonGap, "the Restore jobs of rsv, so a restore that runs or is done would be repeated; --again restores all the same"},
		"vault not read":  {func(o *Observed, _ *RestoreFacts, _ *RestoreRequest) { o.Vaults = nil }, ReasonGap, "vault rsv"},
		"group missing":   {func(_ *Observed, f *RestoreFacts, _ *RestoreRequest) { f.Groups = nil }, ReasonRestoreGroup, "does not exist"},
		"group not read":  {func(_ *Observed, f *RestoreFacts, _ *RestoreRequest) { f.Groups, f.Unread = nil, []string{restoreInto} }, ReasonGap, "resource group"},
		"group elsewhere": {func(_ *Observed, _ *RestoreFacts, r *RestoreRequest) { r.Into = other }, ReasonRestoreGroup, "another subscription"},
		"account missing": {func(_ *Observed, f *RestoreFacts, _ *RestoreRequest) { f.Accounts = nil }, ReasonNoStaging, "stweu does not exist"},
		"account not read": {func(_ *Observed, f *RestoreFacts, _ *RestoreRequest) {
			f.Accounts, f.Unread = nil, []string{restoreStage}
		}, ReasonGap, "storage account"},
		"account elsewhere":  {func(_ *Observed, f *RestoreFacts, _ *RestoreRequest) { f.Accounts[0].Location = "northeurope" }, ReasonNoStaging, "northeurope"},
		"no account named":   {func(_ *Observed, _ *RestoreFacts, r *RestoreRequest) { r.Staging = nil }, ReasonNoStaging, ""},
		"account of another": {func(_ *Observed, _ *RestoreFacts, r *RestoreRequest) { r.Staging = []string{other + "/x/st"} }, ReasonNoStaging, "another subscription"},
		"ten today": {func(_ *Observed, f *RestoreFacts, _ *RestoreRequest) {
			for i := range 12 {
				j := RestoreJob{Job: Job{Vault: restoreVault, Container: f.Items[0].Item.Container, Operation: JobRestore, Start: restoreNow.Add(-time.Hour)}}
				if i >= RestoresPerDay {
					j.Start = restoreNow.Add(-day)
				}
				f.Jobs = append(f.Jobs, j)
			}
		}, ReasonRestoreLimit, "10 of 10"},
		"a disk that it does not hold": {func(_ *Observed, f *RestoreFacts, r *RestoreRequest) {
			f.Items[0].Points[1].Disks = &PointDisks{Included: []PointDisk{{LUN: OSDisk}, {LUN: 0}}}
			r.Disks = DiskSelection{0, 1}
		}, ReasonNoSuchDisk, "LUN 1"},
	} {
		o, f, r := restorable()
		tt.change(&o, &f, &r)
		c := only(t, MakeRestores(o, f, r, restoreNow))
		if c.Action != Blocked || c.Wanted != Restore || c.Reason != tt.reason || !strings.Contains(c.Because, tt.words) || c.RestoreOrder != nil {
			t.Errorf("%s: %s %s: %s", name, c.Action, c.Reason, c.Because)
		}
	}
}

func TestTheStagingAccountIsThatOfTheVaultsRegion(t *testing.T) {
	o, f, r := restorable()
	north := strings.Replace(restoreStage, "stweu", "stneu", 1)
	f.Accounts = append(f.Accounts, StorageAccount{ID: north, Location: "northeurope", Kind: "StorageV2", SKU: "Standard_LRS"})
	r.Staging = []string{north, strings.ToUpper(restoreStage)}
	if c := only(t, MakeRestores(o, f, r, restoreNow)); c.RestoreOrder == nil || c.Staging != restoreStage {
		t.Errorf("%+v", c)
	}
}

func TestDisksOfARestoreAreThoseThatThePointHolds(t *testing.T) {
	held := &PointDisks{Included: []PointDisk{{OSDisk, "os"}, {0, "data"}, {2, "more"}}, Excluded: []PointDisk{{1, "scratch"}}}
	for name, tt := range map[string]struct {
		held      *PointDisks
		selection DiskSelection
		want      []PointDisk
	}{
		"all":           {held, nil, held.Included},
		"os":            {held, DiskSelection{}, held.Included[:1]},
		"some":          {held, DiskSelection{2}, []PointDisk{held.Included[0], held.Included[2]}},
		"all, not told": {nil, nil, nil},
		"counted":       {&PointDisks{Held: 2}, nil, nil},
		"os, not told":  {nil, DiskSelection{}, []PointDisk{{LUN: OSDisk}}},
	} {
		if got, missing := wantedDisks(tt.held, tt.selection); missing != "" || !slices.Equal(got, tt.want) {
			t.Errorf("%s: %v, missing %q", name, got, missing)
		}
	}
}

func TestDiskSelectionsReadWhatTheyWrite(t *testing.T) {
	for in, want := range map[string]string{"all": "all", "os": "os", "0": "0", "3, 1,1": "1,3", "": "!", "-1": "!", "64": "!", "one": "!", "0,": "!"} {
		d, err := ParseDiskSelection(in)
		if err != nil != (want == "!") {
			t.Errorf("%q: %v", in, err)
		}
		if err == nil && d.String() != want {
			t.Errorf("%q: %q", in, d)
		}
	}
	for _, d := range []DiskSelection{nil, {}, {0, 5}} {
		raw, err := json.Marshal(RestoreOrder{Select: d})
		var back RestoreOrder
		if err != nil || json.Unmarshal(raw, &back) != nil || back.Select.String() != d.String() {
			t.Errorf("%s: %v", raw, err)
		}
	}
}

// A name tells subscriptions apart, and where there is one there is nothing to tell apart.
func TestAPlanOfRestoresNamesItsSubscriptionWhereSeveralAreSeen(t *testing.T) {
	o, f, r := restorable()
	own, other := Subscription{ID: restoreSub, Name: "Production"}, Subscription{ID: "22222222-2222-2222-2222-222222222222", Name: "Test"}
	for _, c := range []struct {
		seen []Subscription
		want map[string]string
	}{{nil, nil}, {[]Subscription{own}, nil}, {[]Subscription{other, own}, map[string]string{restoreSub: "Production"}}} {
		o.Subscriptions = c.seen
		if d := cmp.Diff(c.want, MakeRestores(o, f, r, restoreNow).Subscriptions); d != "" {
			t.Errorf("%d are seen: %s", len(c.seen), d)
		}
	}
}

func TestMoreRestoresThanAllowedAreRefused(t *testing.T) {
	o, f, r := restorable()
	second := f.Items[0]
	second.Item.ID, second.Item.VM = "/second", armid.VM(restoreSub, "rg-app", "web2")
	f.Items = append(f.Items, second)
	r.VMs = append(r.VMs, second.Item.VM, strings.ToUpper(restoreVM), armid.VM(restoreSub, "rg-app", "none"))
	r.MaxRestores = 2
	p := MakeRestores(o, f, r, restoreNow)
	if want := (Forecast{Requests: map[string]int{"writes": 2, "confirm": 4}, Duration: Duration(restoreFromSnapshot)}); !cmp.Equal(want, p.Forecast) {
		t.Errorf("forecast %+v", p.Forecast)
	}
	r.InFlight = 1
	if q := MakeRestores(o, f, r, restoreNow); q.Forecast.Duration != Duration(2*restoreFromSnapshot) {
		t.Errorf("one at a time: %s", q.Forecast.Duration)
	}
	if p.Summary[Restore] != 2 || p.Summary[Blocked] != 1 || len(p.Refusals) != 0 {
		t.Errorf("%v %+v", p.Summary, p.Refusals)
	}
	r.MaxRestores = 1
	p = MakeRestores(o, f, r, restoreNow)
	if len(p.Refusals) != 1 || p.Refusals[0].Guard != GuardRestores || p.Refusals[0].Count != 2 || p.Refusals[0].Limit != 1 {
		t.Errorf("%+v", p.Refusals)
	}
	if left := Judge(p, map[string]bool{FlagAllowManyRestores: true}).Refusals; len(left) != 0 {
		t.Errorf("%+v", left)
	}
}

// The approval covers which point of which VM is restored to where; the time that passes is not part of it.
func TestTheFingerprintOfARestoreCoversWhatIsApproved(t *testing.T) {
	o, f, r := restorable()
	p := MakeRestores(o, f, r, restoreNow)
	f.Items[0].Points[1].Tiers = []PointTier{{Type: TierVault, Status: "Valid"}} // the snapshot was deleted meanwhile
	if later := MakeRestores(o, f, r, restoreNow.Add(time.Hour)); later.Fingerprint != p.Fingerprint {
		t.Error("an hour later it is another plan")
	}
	for name, change := range map[string]func(*RestoreFacts, *RestoreRequest){
		"point": func(_ *RestoreFacts, r *RestoreRequest) { r.Before = restoreNow.Add(-day) },
		"disks": func(_ *RestoreFacts, r *RestoreRequest) { r.Disks = DiskSelection{} },
		"group": func(f *RestoreFacts, r *RestoreRequest) {
			r.Into = restoreInto + "2"
			f.Groups[0].ID = r.Into
		},
		"account": func(f *RestoreFacts, r *RestoreRequest) {
			r.Staging = []string{restoreStage + "2"}
			f.Accounts[0].ID = r.Staging[0]
		},
		"a new point": func(f *RestoreFacts, _ *RestoreRequest) {
			f.Items[0].Points = append(f.Items[0].Points, pointAged(time.Hour, vaultOnly))
		},
	} {
		o, f, r := restorable()
		change(&f, &r)
		if q := MakeRestores(o, f, r, restoreNow); q.Fingerprint == p.Fingerprint || q.Summary[Restore] != 1 {
			t.Errorf("%s: the same fingerprint, or none: %+v", name, q.Changes)
		}
	}
}

func TestAPlanOfRestoresIsTheSameInAnyOrderAndAfterJSON(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		o, f, r := restorable()
		for i := range rapid.IntRange(0, 4).Draw(t, "more items") {
			more := ItemPoints{Item: f.Items[0].Item, Read: rapid.Bool().Draw(t, "read")}
			more.Item.ID = "/item" + string(rune('a'+i))
			more.Item.VM = armid.VM(restoreSub, "rg-app", rapid.SampledFrom([]string{"web1", "web2"}).Draw(t, "vm"))
			for range rapid.IntRange(0, 4).Draw(t, "points") {
				age := time.Duration(rapid.IntRange(1, 5).Draw(t, "days")) * day
				more.Points = append(more.Points, pointAged(age, rapid.SampledFrom([]string{snapshotAndVault, vaultOnly, archiveOnly}).Draw(t, "tiers")))
			}
			f.Items = append(f.Items, more)
		}
		r.VMs = append(r.VMs, armid.VM(restoreSub, "rg-app", "web2"))
		r.Before = restoreNow.Add(-time.Duration(rapid.IntRange(0, 6).Draw(t, "before")) * day)
		p := MakeRestores(o, f, r, restoreNow)
		for _, c := range p.Changes {
			if c.RestoreOrder != nil && c.Point.Time.After(r.Before) {
				t.Errorf("the point of %s is after %s", c.Point.Time, r.Before)
			}
		}
		mixed := f
		mixed.Items = rapid.Permutation(f.Items).Draw(t, "order")
		for i := range mixed.Items {
			mixed.Items[i].Points = rapid.Permutation(mixed.Items[i].Points).Draw(t, "order of points")
		}
		slices.Reverse(r.VMs)
		if d := cmp.Diff(p.Fingerprint, MakeRestores(o, mixed, r, restoreNow).Fingerprint); d != "" {
			t.Error(d)
		}
		raw, err := json.Marshal(p)
		var back Plan
		if err != nil || json.Unmarshal(raw, &back) != nil || fingerprint(back.Changes) != p.Fingerprint {
			t.Errorf("%s: %v", raw, err)
		}
	})
}

// What was approved is a point: a newer one does not take its place, and neither does an older one where it is gone.
func TestAnApprovedRestoreTakesTheApprovedPointAlone(t *testing.T) {
	o, f, r := restorable()
	saved := MakeRestores(o, f, r, restoreNow)
	f.Items[0].Points = append(f.Items[0].Points, pointAged(time.Hour, snapshotAndVault))
	approved := saved.ApprovedRequest()
	approved.MaxRestores = 1
	later := MakeRestores(o, f, approved, restoreNow.Add(time.Minute))
	if c := only(t, later); c.Action != Restore || c.Point.Name != "8h0m0s" || later.Fingerprint != saved.Fingerprint {
		t.Errorf("%s %+v", c.Because, c.RestoreOrder)
	}
	if rest := Subset(saved, later); len(rest.Plan.Changes) != 1 || len(rest.Stale)+len(rest.New)+len(rest.Done) != 0 {
		t.Errorf("%+v", rest)
	}
	f.Items[0].Points = slices.DeleteFunc(f.Items[0].Points, func(p RecoveryPoint) bool { return p.Name == "8h0m0s" })
	gone := MakeRestores(o, f, approved, restoreNow)
	if c := only(t, gone); c.Action != Blocked || !strings.HasSuffix(c.Because, "the approved point of 2026-11-19T22:00:00Z is not there any more") {
		t.Errorf("%s: %s", c.Action, c.Because)
	}
	if rest := Subset(saved, gone); len(rest.Plan.Changes) != 1 || rest.Plan.Changes[0].Action != Blocked {
		t.Errorf("%+v", rest)
	}
}
