package plan

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"
)

// fullState returns a state with every field set.
func fullState() *State {
	keep := &KeepSpec{Keep: 3, Months: []string{"January"}, Weeks: []string{"First"}, Days: []string{"Sunday"}, Dates: []int{1}}
	return &State{
		State: StateProtectionStopped, Policy: "/policies/a", Disks: &Disks{Include: true, LUNs: []int{1}},
		Vault: &VaultSettings{
			Redundancy: "GeoRedundant", CrossRegionRestore: new(true), SoftDeleteDays: new(30), Immutability: "Unlocked",
			PublicNetworkAccess: new(true), Tags: map[string]string{"a": "b"}, Location: "westeurope",
		},
		Spec: &PolicySpec{
			Tier: TierEnhanced, TimeZone: "UTC", InstantRestoreDays: 2, Consistency: ConsistencyCrash,
			Schedule:  ScheduleSpec{Frequency: FrequencyHourly, At: "22:00", Days: []string{"Sunday"}, Every: 4, Window: 12},
			Retention: RetentionSpec{Days: 30, Weeks: keep, Months: keep, Years: keep},
			Archive:   &ArchiveSpec{Mode: ArchiveAfter, After: 3, Unit: "Months"}, InstantRestore: &InstantRestoreSpec{Prefix: "a", Suffix: "b"},
		},
		Keeps:  []string{"retention.days 30", "retention.days 60"},
		Retain: Duration(time.Hour),
	}
}

// leaves returns the leaves of a JSON value, each with a way to change it.
func leaves(path string, v any, set func(any)) map[string]func() {
	out := map[string]func(){}
	switch v := v.(type) {
	case map[string]any:
		for k, part := range v {
			maps.Copy(out, leaves(path+"."+k, part, func(n any) { v[k] = n }))
		}
	case []any:
		for i, part := range v {
			maps.Copy(out, leaves(fmt.Sprintf("%s[%d]", path, i), part, func(n any) { v[i] = n }))
		}
	case string:
		out[path] = func() { set(v + "x") }
	case float64:
		out[path] = func() { set(v + 1) }
	case bool:
		out[path] = func() { set(!v) }
	}
	return out
}

// A change that differs in action, place, before, after or risk is not the approved one.
func TestTheFingerprintCoversAllThatIsApproved(t *testing.T) {
	full := Change{
		ID: "x", Action: Modify, Target: "/vms/a", Vault: "/vaults/a", Risk: RiskReducesRetention, Also: []Risk{RiskReducesCoverage},
		Before: fullState(), After: fullState(),
	}
	encoded, err := json.Marshal(full)
	if err != nil {
		t.Fatal(err)
	}
	decode := func() map[string]any {
		var v map[string]any
		if err := json.Unmarshal(encoded, &v); err != nil {
			t.Fatal(err)
		}
		return v
	}
	other := map[string]any{ // fields with a closed set of values
		".action": Resume, ".risk": RiskStopsBackup, ".also[0]": RiskWeakensSecurity,
		".before.retain": "PT2H", ".after.retain": "PT2H",
	}
	paths := slices.Sorted(maps.Keys(leaves("", decode(), nil)))
	if len(paths) < 60 {
		t.Fatalf("only %d leaves", len(paths))
	}
	was := fingerprint([]Change{full})
	for _, path := range paths {
		if path == ".id" || path == ".reason" || path == ".because" {
			continue // text for people, and a name derived from the rest
		}
		v := decode()
		if word, there := other[path]; there {
			setLeaf(v, path, word)
		} else {
			leaves("", v, nil)[path]()
		}
		changed, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		var c Change
		if err := json.Unmarshal(changed, &c); err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		if fingerprint([]Change{c}) == was {
			t.Errorf("%s: another value has the same fingerprint", path)
		}
	}
}

func setLeaf(v map[string]any, path string, word any) {
	switch path {
	case ".action", ".risk":
		v[path[1:]] = word
	case ".also[0]":
		v["also"] = []any{word}
	default:
		side, _ := v[path[1:len(path)-len(".retain")]].(map[string]any)
		side["retain"] = word
	}
}

func TestTheFingerprintLeavesOutWhatStaysAsItIs(t *testing.T) {
	c := Change{Action: Modify, Target: "/vms/a", Vault: "/vaults/a", KeepDisks: true, Risk: RiskNone, Before: fullState(), After: fullState()}
	was := fingerprint([]Change{c})
	moved := c
	moved.Before, moved.After = fullState(), fullState()
	moved.Before.Disks, moved.After.Disks = nil, nil
	if fingerprint([]Change{moved}) != was {
		t.Error("disks of which the file says nothing count")
	}
	if c.Before.Disks == nil || c.After.Disks == nil {
		t.Error("a fingerprint changes what it is of")
	}
	moved.KeepDisks, c.KeepDisks = false, false
	if fingerprint([]Change{moved}) == fingerprint([]Change{c}) {
		t.Error("disks that the file names do not count")
	}
	c.Because, c.Rule, c.Notes, c.Needs, c.WaitsFor = "b", &RuleRef{Name: "x"}, []string{"n"}, []string{"y"}, "job"
	was = fingerprint([]Change{c})
	c.Because, c.Rule, c.Notes, c.Needs, c.WaitsFor = "", nil, nil, nil, ""
	if fingerprint([]Change{c}) != was {
		t.Error("words for people count")
	}
}
