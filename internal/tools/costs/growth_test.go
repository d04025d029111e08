package costs

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// statements counts what all works cost on estates of these shapes, with the program built so that it counts.
func statements(t *testing.T, shapes map[string]Shape) map[string]map[string]Count {
	t.Helper()
	const module, self = "github.com/azbackup/azbackup/", "internal/tools/costs/statements"
	var counted []string
	for _, room := range []string{"plan", "config", "internal/armid", "internal/azure/...", "internal/audit", "internal/export", "internal/report", self} {
		counted = append(counted, module+room)
	}
	binary := filepath.Join(t.TempDir(), "statements")
	build := exec.CommandContext(t.Context(), "go", "build", "-cover", "-covermode=atomic", "-coverpkg="+strings.Join(counted, ","), "-o", binary, module+self)
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("building %s: %v\n%s", self, err, out)
	}
	in, err := json.Marshal(shapes)
	if err != nil {
		t.Fatal(err)
	}
	run := exec.CommandContext(t.Context(), binary)
	run.Env = append(os.Environ(), "GOCOVERDIR="+t.TempDir())
	var stderr bytes.Buffer
	run.Stdin, run.Stderr = bytes.NewReader(in), &stderr
	out, err := run.Output()
	if err != nil {
		t.Fatalf("%v\n%s", err, stderr.String())
	}
	var counts map[string]map[string]Count
	if err := json.Unmarshal(out, &counts); err != nil {
		t.Fatal(err)
	}
	return counts
}

// growth is one way in which an estate becomes twice as big.
type growth struct {
	name string
	from func(*Shape) *int
}

func growths() []growth {
	return []growth{
		{"VMs", func(s *Shape) *int { return &s.VMs }},
		{"vaults", func(s *Shape) *int { return &s.Vaults }},
		{"rules", func(s *Shape) *int { return &s.Rules }},
		{"policies", func(s *Shape) *int { return &s.Policies }},
		{"subscriptions", func(s *Shape) *int { return &s.Subscriptions }},
	}
}

// allowed are the costs that grow faster than the law says, with how fast and why.
func allowed() map[string]float64 {
	return map[string]float64{
		// A machine is asked about every rule that matches by tags alone, until one does.
		"make a plan: statements, twice the VMs and rules": 3.6,
	}
}

// Twice as much of anything costs no more than N log N says, alone or together with twice as many VMs: no cost grows with VMs
// times vaults, or times rules, policies or subscriptions. Statements tell of loops, allocations of what libraries do.
func TestNoCostGrowsFasterThanWhatItIsFor(t *testing.T) {
	if !*check {
		t.Skip("make bench-check measures")
	}
	base := Shape{VMs: 1000, Vaults: 96, Rules: 64, Policies: 8, Subscriptions: 4, Protected: 9}
	shapes, most := map[string]Shape{"": base}, map[string]float64{}
	var names []string
	for _, g := range growths() {
		alone := base
		n := float64(*g.from(&alone))
		*g.from(&alone) *= 2
		shapes[g.name], most[g.name] = alone, 2*math.Log(2*n)/math.Log(n)
		names = append(names, g.name)
		if g.name == "VMs" {
			continue
		}
		both := alone
		both.VMs *= 2
		names = append(names, "VMs and "+g.name)
		shapes["VMs and "+g.name], most["VMs and "+g.name] = both, 2*math.Log(2*float64(base.VMs))/math.Log(float64(base.VMs))
	}
	counts := statements(t, shapes)
	for _, k := range Works() {
		line := fmt.Sprintf("%-22s", k.Name)
		for _, name := range names {
			was, is := counts[""][k.Name], counts[name][k.Name]
			line += fmt.Sprintf("  %s %.2f", name, float64(is.Statements)/float64(was.Statements))
			obeys(t, k.Name+": statements, twice the "+name, float64(was.Statements), float64(is.Statements), most[name])
			obeys(t, k.Name+": bytes allocated, twice the "+name, was.Bytes, is.Bytes, most[name])
		}
		t.Log(line)
	}
}

// obeys holds one cost to the law, or to what it is allowed.
func obeys(t *testing.T, what string, was, is, law float64) {
	t.Helper()
	const noise = 1.02
	times := is / was
	more, known := allowed()[what]
	switch {
	case times > max(law, more)*noise:
		t.Errorf("%s: %.2f times (from %.0f to %.0f), the law says %.2f", what, times, was, is, law)
	case known && times <= law:
		t.Logf("%s: %.2f times, which keeps the law of %.2f: take it off the list of those that need not", what, times, law)
	}
}
