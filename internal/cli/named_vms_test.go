package cli

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/azbackup/azbackup/internal/armid"
	"github.com/azbackup/azbackup/plan"
)

// A name means the same VMs as when each of the estate is asked for itself, whatever the case and the order.
func TestANameMeansTheVMsThatItWouldMeanOneByOne(t *testing.T) {
	names := []string{
		"web", "WEB", "app", "rg-a/web", "RG-b/Web", "rg-a/", "/web", "a/b/web", "",
		armid.VM("s1", "rg-a", "web"), armid.VM("S1", "RG-A", "WEB"), armid.VM("s2", "rg-b", "app"),
	}
	rapid.Check(t, func(rt *rapid.T) {
		var o plan.Observed
		var all []string
		for range rapid.IntRange(0, 8).Draw(rt, "machines") {
			pick := func(of ...string) string { return rapid.SampledFrom(of).Draw(rt, "part") }
			id := armid.VM(pick("s1", "s2"), pick("rg-a", "RG-A", "rg-b"), pick("web", "Web", "app"))
			if slices.ContainsFunc(all, func(known string) bool { return armid.Same(known, id) }) {
				continue
			}
			all = append(all, id)
			if rapid.Bool().Draw(rt, "gone") {
				o.Items = append(o.Items, plan.Item{VM: id})
			} else {
				o.VMs = append(o.VMs, plan.VM{ID: id})
			}
		}
		known := newNamedVMs(o)
		for _, name := range names {
			var want []string
			for _, id := range all {
				if vm, err := armid.ParseVM(id); err == nil && armid.IsCalled(name, id, vm.ResourceGroup, vm.Name()) {
					want = append(want, id)
				}
			}
			slices.Sort(want)
			if d := cmp.Diff(want, known.called(name)); d != "" {
				rt.Fatalf("%q among %q: %s", name, all, d)
			}
		}
	})
}
