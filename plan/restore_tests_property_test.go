package plan

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/azbackup/azbackup/config"
)

// drawTestWorld draws VMs of which some were restored, long ago or lately.
func drawTestWorld(t *rapid.T) *testWorld {
	n := rapid.IntRange(1, 12).Draw(t, "vms")
	names := make([]string, n)
	for i := range names {
		names[i] = fmt.Sprintf("vm%02d", i)
	}
	sample := rapid.SampledFrom([]config.Sample{{}, {Count: 1}, {Count: 3}, {Count: 25, Percent: true}}).Draw(t, "sample")
	w := newTestWorld(sample, names...)
	for _, name := range names {
		for _, age := range rapid.SliceOfN(rapid.IntRange(0, 200), 0, 3).Draw(t, name) {
			w.restored(name, time.Duration(age)*day, rapid.SampledFrom([]string{"rg-tests", "rg-other"}).Draw(t, "group"))
		}
	}
	return w
}

func (w *testWorld) isProven(name string) bool {
	return slices.ContainsFunc(w.jobs, func(j RestoreJob) bool {
		return strings.HasSuffix(j.Container, ";"+name) && j.Group == "rg-tests" && restoreNow.Sub(j.End) < 90*day
	})
}

func TestPropertyTheChoiceOfRestoreTestsDependsOnNoOrderAndKeepsItsSample(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := drawTestWorld(t)
		p := w.plan(t, Options{})
		chosen, blocked := tested(p)
		sample := w.config.RestoreTests[0].Sample.Of(len(w.o.VMs))
		if len(chosen) > sample || len(blocked) > 0 {
			t.Fatalf("%d are tested of a sample of %d, %v blocked", len(chosen), sample, blocked)
		}
		due := 0
		for _, vm := range w.o.VMs {
			due += boolToInt(!w.isProven(vm.Name))
			if w.isProven(vm.Name) && slices.Contains(chosen, vm.Name) {
				t.Fatalf("%s is tested and proven", vm.Name)
			}
		}
		if len(chosen) != min(due, sample) {
			t.Fatalf("%d are tested, %d are due, of a sample of %d", len(chosen), due, sample)
		}
		r := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 0))
		r.Shuffle(len(w.o.VMs), func(i, j int) { w.o.VMs[i], w.o.VMs[j] = w.o.VMs[j], w.o.VMs[i] })
		r.Shuffle(len(w.o.Items), func(i, j int) { w.o.Items[i], w.o.Items[j] = w.o.Items[j], w.o.Items[i] })
		r.Shuffle(len(w.jobs), func(i, j int) { w.jobs[i], w.jobs[j] = w.jobs[j], w.jobs[i] })
		if d := cmp.Diff(p, w.plan(t, Options{})); d != "" {
			t.Fatal(d)
		}
	})
}

func TestPropertyAllVMsAreTestedInAsManyRunsAsSamplesFit(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := drawTestWorld(t)
		due := 0
		for _, vm := range w.o.VMs {
			due += boolToInt(!w.isProven(vm.Name))
		}
		sample := w.config.RestoreTests[0].Sample.Of(len(w.o.VMs))
		for range (due + sample - 1) / sample {
			chosen, _ := tested(w.plan(t, Options{}))
			for _, name := range chosen {
				w.restored(name, 0, "rg-tests")
			}
		}
		for _, vm := range w.o.VMs {
			if !w.isProven(vm.Name) {
				t.Fatalf("%s is not proven after %d runs", vm.Name, (due+sample-1)/sample)
			}
		}
		if chosen, _ := tested(w.plan(t, Options{})); len(chosen) > 0 {
			t.Fatalf("all are proven, and %v are tested", chosen)
		}
	})
}
