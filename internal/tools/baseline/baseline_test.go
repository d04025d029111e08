package baseline

import (
	"path/filepath"
	"strings"
	"testing"
)

func TestGrowthIsToldBeyondWhatItMayDiffer(t *testing.T) {
	old := file{"allocations": 100, "requests": 8, "little": 0.01, "gone": 1}
	for name, c := range map[string]struct {
		values      []Value
		grown, fell string
	}{
		"as it was":          {values: []Value{{"allocations", 100, 0.1, 0}, {"requests", 8, 0, 0}, {"little", 0.01, 0.1, 0.05}, {"gone", 1, 0, 0}}},
		"within what it may": {values: []Value{{"allocations", 109, 0.1, 0}, {"requests", 8, 0, 0}, {"little", 0.05, 0.1, 0.05}, {"gone", 1, 0, 0}}},
		"more allocations":   {values: []Value{{"allocations", 111, 0.1, 0}, {"requests", 8, 0, 0}, {"little", 0, 0.1, 0.05}, {"gone", 1, 0, 0}}, grown: "allocations: grew from 100 to 111 (+11 %)"},
		"one request more":   {values: []Value{{"allocations", 100, 0.1, 0}, {"requests", 9, 0, 0}, {"little", 0, 0.1, 0.05}, {"gone", 1, 0, 0}}, grown: "requests: grew from 8 to 9 (+12 %)"},
		"fewer":              {values: []Value{{"allocations", 80, 0.1, 0}, {"requests", 8, 0, 0}, {"little", 0, 0.1, 0.05}, {"gone", 1, 0, 0}}, fell: "allocations: from 100 to 80 (-20 %)"},
		"not measured":       {values: []Value{{"allocations", 100, 0.1, 0}, {"requests", 8, 0, 0}, {"little", 0, 0.1, 0.05}}, grown: "gone: stands in the baseline, and nobody measured it"},
		"new":                {values: []Value{{"allocations", 100, 0.1, 0}, {"requests", 8, 0, 0}, {"little", 0, 0.1, 0.05}, {"gone", 1, 0, 0}, {"new", 2, 0, 0}}, grown: "new: 2, and the baseline does not know it"},
	} {
		grown, fell := compare(old, c.values)
		if strings.Join(grown, "\n") != c.grown || strings.Join(fell, "\n") != c.fell {
			t.Errorf("%s: grown %q, fell %q", name, grown, fell)
		}
	}
}

func TestWhatIsAcceptedReadsBack(t *testing.T) {
	name := filepath.Join(t.TempDir(), "baseline.json")
	values := []Value{{Name: "b", Is: 1.23456}, {Name: "a", Is: 2}}
	Check(t, name, values, true)
	old, err := read(name)
	if err != nil || old["b"] != 1.235 || old["a"] != 2 {
		t.Errorf("%v, %v", old, err)
	}
	Check(t, name, values, false)
}
