// Package baseline compares costs with the last accepted ones. The values do not depend on the machine: allocations,
// requests, bytes, seconds of virtual time. A value that grew fails, a value that fell is reported.
package baseline

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"slices"
	"testing"
)

// Value is one number that must not grow.
type Value struct {
	Name string
	Is   float64
	// May is the tolerated relative difference, and Noise the tolerated absolute one: 0.1 and a little for
	// allocations, zero for requests.
	May, Noise float64
}

// file is a baseline: values by name, each rounded to the compared precision.
type file map[string]float64

// Check compares values with those in a file, or with accept writes them to it.
func Check(t *testing.T, name string, values []Value, accept bool) {
	t.Helper()
	if accept {
		if err := write(name, values); err != nil {
			t.Fatal(err)
		}
		return
	}
	old, err := read(name)
	if err != nil {
		t.Fatal(err)
	}
	grown, fell := compare(old, values)
	for _, line := range fell {
		t.Logf("fell: %s; `make bench-baseline` keeps it there", line)
	}
	for _, line := range grown {
		t.Errorf("%s; if that is worth it, `make bench-baseline` accepts it, and the commit says why", line)
	}
}

// compare returns the values that grew, are new or gone, and those that fell.
func compare(old file, values []Value) (grown, fell []string) {
	now := map[string]bool{}
	for _, v := range values {
		now[v.Name] = true
		was, known := old[v.Name]
		is := round(v.Is)
		switch {
		case !known:
			grown = append(grown, fmt.Sprintf("%s: %v, and the baseline does not know it", v.Name, is))
		case is > was*(1+v.May)+v.Noise+0.0005:
			grown = append(grown, fmt.Sprintf("%s: grew from %v to %v (%s)", v.Name, was, is, share(was, is)))
		case is < was*(1-v.May)-v.Noise-0.0005:
			fell = append(fell, fmt.Sprintf("%s: from %v to %v (%s)", v.Name, was, is, share(was, is)))
		}
	}
	for _, name := range slices.Sorted(maps.Keys(old)) {
		if !now[name] {
			grown = append(grown, fmt.Sprintf("%s: stands in the baseline, and nobody measured it", name))
		}
	}
	return grown, fell
}

func share(was, is float64) string {
	if was == 0 {
		return "from nothing"
	}
	return fmt.Sprintf("%+.0f %%", 100*(is-was)/was)
}

// round keeps three decimals: the values are counts per machine, and ratios.
func round(v float64) float64 { return float64(int64(v*1000+0.5)) / 1000 }

func read(name string) (file, error) {
	raw, err := os.ReadFile(name)
	if err != nil {
		return nil, fmt.Errorf("reading the baseline: %w", err)
	}
	var f file
	if err := json.Unmarshal(raw, &f); err != nil {
		return nil, fmt.Errorf("reading the baseline %s: %w", name, err)
	}
	return f, nil
}

func write(name string, values []Value) error {
	f := file{}
	slices.SortFunc(values, func(a, b Value) int { return cmp.Compare(a.Name, b.Name) })
	for _, v := range values {
		f[v.Name] = round(v.Is)
	}
	raw, err := json.MarshalIndent(f, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(name, append(raw, '\n'), 0o644)
}
