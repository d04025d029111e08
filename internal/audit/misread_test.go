package audit

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/azbackup/azbackup/config"
	"github.com/azbackup/azbackup/internal/armid"
	"github.com/azbackup/azbackup/plan"
)

// The case of a state's spelling is not significant.
func TestStatesCompareWithoutCase(t *testing.T) {
	for _, s := range []string{
		plan.StateIRPending, plan.StateProtected, plan.StateProtectionError, plan.StateProtectionStopped, plan.StateBackupsSuspended,
		plan.StateProtectionPaused, plan.StateInvalid, "Dancing",
	} {
		want := one(func(it *plan.Item) { it.State = s })
		for _, spelt := range []string{strings.ToLower(s), strings.ToUpper(s), " " + s + " "} {
			got := one(func(it *plan.Item) { it.State = spelt })
			if a, b := stateOf(want, Options{}), stateOf(got, Options{}); a != b {
				t.Errorf("%q is %s, %q is %s", s, a, spelt, b)
			}
		}
	}
}

func TestWhatWasNotUnderstoodIsUnknownAndNamed(t *testing.T) {
	const why = `isScheduledForDeferredDelete is "true"`
	item := one(func(it *plan.Item) { it.Unreadable = why })
	item.Gaps = []plan.Gap{{Kind: plan.GapItem, Vault: item.Items[0].Vault, Target: item.VMs[0].ID, Code: plan.CodeNotUnderstood, Message: why}}
	vm := one(func(*plan.Item) {})
	vm.VMs[0].Unreadable = "tags is []"
	vm.Gaps = []plan.Gap{{Kind: plan.GapVM, Target: vm.VMs[0].ID, Code: plan.CodeNotUnderstood, Message: "tags is []"}}
	for name, c := range map[string]struct {
		o   plan.Observed
		why string
	}{"item": {item, why}, "VM": {vm, "tags is []"}} {
		file := &config.Config{Rules: []config.Rule{{Name: "all", Protect: config.ProtectOff, Match: []config.Selector{{}}}}}
		if name == "item" {
			file = nil
		}
		r := Assess(file, c.o, Options{Now: propertyNow})
		row := r.VMs[0]
		if row.State != Unknown || row.Name == "" || !strings.Contains(row.Because, c.why) || row.Rule != nil || row.Gap == nil || r.Summary.Complete {
			t.Errorf("%s: %+v", name, row)
		}
		for _, f := range r.Findings {
			if f.Target == row.ID && f.Code != codeUnknown {
				t.Errorf("%s: finding %s", name, f.Message)
			}
		}
	}
	// An item that was seen active in another vault decides.
	item.Items = append(item.Items, item.Items[0])
	item.Items[1].Unreadable = ""
	item.Items[1].Vault = strings.Replace(item.Items[1].Vault, "/v", "/other-v", 1)
	item.Items[1].ID = strings.Replace(item.Items[1].ID, "/vaults/", "/vaults/other-", 1)
	if s := stateOf(item, Options{}); s != Protected {
		t.Errorf("also protected elsewhere: %s", s)
	}
}

func TestAPolicyThatWasNotUnderstoodIsNotMissing(t *testing.T) {
	o := one(func(*plan.Item) {})
	v, p := o.Vaults[0], o.Policies[0]
	id, err := armid.ParseVault(v.ID)
	if err != nil {
		t.Fatal(err)
	}
	file := &config.Config{
		Vaults:   []config.Vault{{Name: id.Name(), ResourceGroup: id.ResourceGroup, Subscription: id.Subscription}},
		Policies: []config.Policy{{Name: p.Name, Vaults: []string{id.Name()}}},
	}
	o.Policies = nil
	if r := Assess(file, o, Options{Now: propertyNow}); !slices.Contains(codesOf(r), codePolicyMissing) {
		t.Errorf("codes %v", codesOf(r))
	}
	o.Gaps = []plan.Gap{{Kind: plan.GapPolicy, Vault: v.ID, Target: p.ID, Code: plan.CodeNotUnderstood, Message: "properties is null"}}
	if r := Assess(file, o, Options{Now: propertyNow}); slices.Contains(codesOf(r), codePolicyMissing) {
		t.Errorf("codes %v", codesOf(r))
	}
}

// A word that is not known says neither that a setting is well nor that it is not. Only the vaults of the file are read
// with a gap for it; the audit judges the others as well, where they hold VMs.
func TestASettingOfAVaultInAnUnknownWordIsAGap(t *testing.T) {
	set := map[string]func(*plan.Vault, string){
		"softDeleteState": func(v *plan.Vault, s string) { v.SoftDeleteState = s }, "immutability": func(v *plan.Vault, s string) { v.Settings.Immutability = s },
		"standardTierStorageRedundancy": func(v *plan.Vault, s string) { v.Settings.Redundancy = s },
	}
	for setting, words := range map[string]map[string]bool{ // whether the word is known
		"softDeleteState": {"": true, "Enabled": true, "disabled": true, "AlwaysOn": true, "Off": false}, "immutability": {"": true, "Disabled": true, "UNLOCKED": true, "Locked": true, "Paused": false},
		"standardTierStorageRedundancy": {"": true, "LocallyRedundant": true, "zoneRedundant": true, "GeoRedundant": true, "ReadAccessGeoZoneRedundant": true, "Local": false},
	} {
		for word, known := range words {
			o := one(nil)
			set[setting](&o.Vaults[0], word)
			r := Assess(nil, o, Options{Now: propertyNow})
			if len(r.Gaps) > 0 == known || r.Summary.Complete != known || r.Summary.Gaps != len(r.Gaps) {
				t.Errorf("%s %q: gaps %+v, complete %t", setting, word, r.Gaps, r.Summary.Complete)
			}
			if !known {
				want := plan.Gap{Kind: plan.GapVault, Subscription: sub, Location: "westeurope", Vault: o.Vaults[0].ID, Code: plan.CodeNotUnderstood, Message: setting + ` is "` + word + `"`}
				if r.Gaps[0] != want || r.VMs[0].State != Protected {
					t.Errorf("%s %q: %+v, the VM is %s", setting, word, r.Gaps[0], r.VMs[0].State)
				}
				// The gap of a vault that was read as one of the file is enough, and an empty vault is nobody's concern.
				o.Gaps = []plan.Gap{{Kind: plan.GapVault, Vault: strings.ToUpper(o.Vaults[0].ID), Code: plan.CodeNotUnderstood, Message: "of the read"}}
				if r := Assess(nil, o, Options{Now: propertyNow}); len(r.Gaps) != 1 || r.Gaps[0].Message != "of the read" {
					t.Errorf("%s %q: gaps %+v", setting, word, r.Gaps)
				}
				o.Gaps, o.Items = nil, nil
				if r := Assess(nil, o, Options{Now: propertyNow}); len(r.Gaps) > 0 {
					t.Errorf("%s %q of an empty vault: gaps %+v", setting, word, r.Gaps)
				}
			}
		}
	}
}

// An item without a policy is one whose backups were stopped, by all that is known of the service (docs/azure.md §3): where
// it is said to be active, nothing says that another backup follows.
func TestAnActiveItemWithoutAPolicyIsNotProtected(t *testing.T) {
	for _, tt := range []struct {
		id, name string
		want     State
	}{{"p", "p", Protected}, {"p", "", Protected}, {"", "", Unknown}} {
		for _, age := range []time.Duration{0, day, 30 * day} { // --max-age
			o := one(func(it *plan.Item) {
				if it.PolicyName = tt.name; tt.id == "" {
					it.PolicyID = ""
				}
				it.LastRecoveryPoint = propertyNow.Add(-20 * time.Hour)
			})
			r := Assess(nil, o, Options{Now: propertyNow, MaxAge: age})
			if got := r.VMs[0].State; got != tt.want || r.Summary.Complete != (got == Protected) {
				t.Errorf("policy %q %q: %s, want %s: %s", tt.id, tt.name, got, tt.want, r.VMs[0].Because)
			}
			unknown := 0
			for _, f := range r.Findings {
				if f.Code == codeUnknown && strings.Contains(f.Message, "names no policy") {
					unknown++
				}
			}
			if (unknown == 1) != (tt.want == Unknown) {
				t.Errorf("policy %q %q: findings %v", tt.id, tt.name, codesOf(r))
			}
		}
	}
}
