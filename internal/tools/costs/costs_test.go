package costs

import (
	"context"
	"flag"
	"io"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/azbackup/azbackup/config"
	"github.com/azbackup/azbackup/internal/tools/baseline"
)

var (
	check  = flag.Bool("check", false, "compare what work costs with the baseline")
	accept = flag.Bool("accept", false, "write what work costs into the baseline")
)

// costs returns the costs of all works per machine of an estate, nine of ten of them protected.
func costs(t *testing.T) []baseline.Value {
	const vms = 2000
	estate := Shape{VMs: vms, Vaults: 20, Rules: 40, Policies: 4, Subscriptions: 4, Protected: 9}
	w, err := NewWorld(t.Context(), t.TempDir(), estate)
	if err != nil {
		t.Fatal(err)
	}
	read := func(forAudit bool) func() any {
		return func() any {
			o, _, err := w.Discover(t.Context(), forAudit)
			if err != nil {
				t.Fatal(err)
			}
			return o
		}
	}
	var all []baseline.Value
	ran := statements(t, map[string]Shape{"": estate})[""]
	for _, k := range Works() {
		c := k.count(t, w)
		all = append(all,
			baseline.Value{Name: k.Name + ": statements a machine", Is: float64(ran[k.Name].Statements) / vms, May: 0.1, Noise: 1},
			baseline.Value{Name: k.Name + ": allocations a machine", Is: c.Allocations / vms, May: 0.1, Noise: 0.05},
			baseline.Value{Name: k.Name + ": bytes allocated a machine", Is: c.Bytes / vms, May: 0.1, Noise: 50})
		if c.Written > 0 {
			all = append(all, baseline.Value{Name: k.Name + ": bytes written a machine", Is: c.Written / vms, May: 0.1})
		}
		if n, counted := w.Requests[k.Name]; counted {
			all = append(all, baseline.Value{Name: k.Name + ": requests for 2000 machines in 20 vaults", Is: float64(n)})
		}
	}
	all = append(all,
		baseline.Value{Name: "what a plan keeps of discovery: bytes a machine", Is: kept(read(false)) / vms, May: 0.1, Noise: 50},
		baseline.Value{Name: "what an audit keeps of discovery: bytes a machine", Is: kept(read(true)) / vms, May: 0.1, Noise: 50})
	return append(all, costsOfAFile(t)...)
}

// costsOfAFile returns the costs per byte of a file that names each machine.
func costsOfAFile(t *testing.T) []baseline.Value {
	const size = 400_000
	file := filepath.Join(t.TempDir(), "big.yaml")
	if err := WriteFileOfIDs(file, size); err != nil {
		t.Fatal(err)
	}
	load := func() any {
		c, _, err := config.Load([]string{file}, func(string) (string, bool) { return "", false })
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	c := Work{Run: func(context.Context, *World, io.Writer) error { load(); return nil }}.count(t, nil)
	return []baseline.Value{
		{Name: "load a file of many rules: allocations a byte of it", Is: c.Allocations / size, May: 0.1, Noise: 0.01},
		{Name: "load a file of many rules: bytes allocated a byte of it", Is: c.Bytes / size, May: 0.1, Noise: 0.5},
		{Name: "load a file of many rules: bytes kept a byte of it", Is: kept(load) / size, May: 0.1, Noise: 0.5},
	}
}

// kept returns the bytes retained by a function's result: the amount that a second result adds to the first.
func kept(f func() any) float64 {
	heap := func() float64 {
		var m runtime.MemStats
		for range 3 { // pools are emptied by the second, and memory held by finalizers by the third
			runtime.GC()
		}
		runtime.ReadMemStats(&m)
		return float64(m.HeapAlloc)
	}
	first := f()
	before := heap()
	second := f()
	held := heap() - before
	runtime.KeepAlive(first)
	runtime.KeepAlive(second)
	runtime.KeepAlive(f) // and the World it reads
	return held
}

// count returns the cost of the work's second run: the first includes one-time initialisation.
func (k Work) count(t *testing.T, w *World) Count {
	t.Helper()
	var c Count
	for range 2 {
		var out discarded
		var err error
		if c, err = Allocated(func() error { return k.Run(t.Context(), w, &out) }); err != nil {
			t.Fatal(err)
		}
		c.Written = float64(out)
	}
	return c
}

// discarded counts bytes and drops them.
type discarded int64

func (n *discarded) Write(p []byte) (int, error) {
	*n += discarded(len(p))
	return len(p), nil
}

func TestNoWorkCostsMoreThanItDid(t *testing.T) {
	if !*check && !*accept {
		t.Skip("make bench-check compares; make bench-baseline accepts")
	}
	baseline.Check(t, "testdata/baseline.json", costs(t), *accept)
}
