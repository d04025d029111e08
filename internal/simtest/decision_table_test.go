package simtest

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"

	"github.com/azbackup/azbackup/apply"
	"github.com/azbackup/azbackup/internal/armid"
	"github.com/azbackup/azbackup/internal/simulator"
	"github.com/azbackup/azbackup/plan"
)

const (
	// pureCells are the cells of docs/design.md §5's table as plan tests them, from values. The file and the outcome
	// of a cell are defined there, once.
	pureCells = "../../plan/testdata/table"
	// rawCells are the cells' rows as raw bodies: keys of an estate file that replace those of base.json, in ROW.json
	// or, where a column needs another estate, in ROW--COLUMN.json.
	rawCells = "testdata/cells"

	subscriptionOfCells = "11111111-1111-1111-1111-111111111111"
)

// TestCells reads every cell of the table from raw bodies over HTTP, plans it, and expects what the pure test of the
// same name expects. Then it applies the plan: every action reaches the file's target, and a cell without an action
// writes nothing.
func TestCells(t *testing.T) {
	t.Parallel()
	excepted := notOnTheWire()
	for _, name := range pureNames(t) {
		if excepted[name] != "" {
			continue
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			readCell(t, name).check(t)
		})
	}
}

// taken is the snapshot time of every cell's estate, and the time of every cell's plan: some cells are at the last
// second of a limit.
var taken = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)

// cell is one cell of the table.
type cell struct {
	yaml string
	row  map[string]json.RawMessage // the estate file, by its keys
	want []string                   // the expected outcomeLines of the plan
}

// check reads and plans the cell over HTTP, and applies the plan.
func (c *cell) check(t *testing.T) {
	log := &requestLog{}
	server := httptest.NewServer(serve(t, c.estate(t), simulator.Options{Settings: simulator.Settings{UnsignedURLs: true}, Log: log.log}))
	defer server.Close()
	if diff := cmp.Diff(c.want, c.planOverHTTP(t, server.Listener.Addr().String())); diff != "" {
		t.Fatalf("the plan of what was read over HTTP is not that of the values (-values +HTTP):\n%s", diff)
	}
	server.Close() // the log is written after the answer
	if w := writeRequests(log.entries); len(w) > 0 {
		t.Errorf("a plan wrote: %q", w)
	}
	synctest.Test(t, c.carryOut)
}

func pureNames(t testing.TB) []string {
	t.Helper()
	files, err := filepath.Glob(pureCells + "/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatalf("no cells: %v", err)
	}
	for i, f := range files {
		files[i] = strings.TrimSuffix(filepath.Base(f), ".txtar")
	}
	return files
}

func readCell(t testing.TB, name string) *cell {
	t.Helper()
	ar, err := txtar.ParseFile(filepath.Join(pureCells, name+".txtar"))
	if err != nil {
		t.Fatal(err)
	}
	c := &cell{row: map[string]json.RawMessage{}}
	for _, f := range ar.Files {
		switch f.Name {
		case "config.yaml":
			c.yaml = strings.ReplaceAll(string(f.Data), "{vm app/web1}", armid.VM(subscriptionOfCells, "app", "web1"))
		case "want.txt":
			c.want = wanted(string(f.Data))
		}
	}
	row, _, _ := strings.Cut(name, "--")
	raw, err := os.ReadFile(filepath.Join(rawCells, name+".json"))
	if errors.Is(err, fs.ErrNotExist) {
		raw, err = os.ReadFile(filepath.Join(rawCells, row+".json"))
	}
	if err != nil {
		t.Fatalf("the row has no raw bodies: %v", err)
	}
	for _, layer := range [][]byte{mustRead(t, filepath.Join(rawCells, "base.json")), raw} {
		if err := json.Unmarshal(layer, &c.row); err != nil {
			t.Fatal(err)
		}
	}
	return c
}

func mustRead(t testing.TB, file string) []byte {
	t.Helper()
	raw, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// estate returns the cell's estate. The simulator's clock starts at its snapshot time.
func (c *cell) estate(t testing.TB) string {
	t.Helper()
	raw, err := json.Marshal(c.row)
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

// planOverHTTP reads the estate at an address, over TCP, and plans.
func (c *cell) planOverHTTP(t *testing.T, address string) []string {
	t.Helper()
	r := newMainPath(t, c.yaml, fixedHost(address))
	w, err := r.plan(t.Context(), t)
	if err != nil {
		t.Fatal(err)
	}
	return outcomeLines(plan.Make(r.config, w.found, plan.Options{Now: taken}))
}

// fixedHost is the network, where every host is at this address.
type fixedHost string

// RoundTrip implements http.RoundTripper.
func (address fixedHost) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	if r.Host == "" {
		r.Host = r.URL.Host
	}
	r.URL.Host = string(address)
	return http.DefaultTransport.RoundTrip(r)
}

// carryOut applies the cell's plan in virtual time and reads the estate again.
func (c *cell) carryOut(t *testing.T) {
	log := &requestLog{}
	server := serve(t, c.estate(t), simulator.Options{Log: log.log, Settings: simulator.Settings{
		UnsignedURLs: true, RetryAfter: new(int), Durations: map[string]simulator.Range{"": simulator.Fixed(20 * time.Second)},
	}})
	r := newMainPath(t, c.yaml, server.Transport())
	before, err := r.apply(t.Context(), t, apply.Options{})
	for _, res := range before.report.Results {
		if res.Outcome != apply.Done && res.Outcome != apply.Blocked {
			t.Errorf("%s is %s: %s", res.ID, res.Outcome, res.Message)
		}
	}
	if err != nil && before.plan.Summary[plan.Blocked] == 0 {
		t.Fatal(err)
	}
	synctest.Wait() // the log is written after the answer
	actions := slices.DeleteFunc(slices.Clone(before.plan.Changes), func(c plan.Change) bool { return c.Action == plan.Blocked })
	if sent := writeRequests(log.entries); len(sent) != len(actions) {
		t.Errorf("%d requests write, and the plan has %d actions: %q", len(sent), len(actions), sent)
	}
	after, err := r.plan(t.Context(), t)
	if err != nil {
		t.Fatal(err)
	}
	if left := after.plan.Actionable(); len(left) > 0 {
		t.Errorf("this is left to do: %v", outcomeLines(after.plan))
	}
	for _, change := range actions {
		if change.Action != plan.Backup && change.Action != plan.Refresh && !isListedAs(change, after.found.Items) {
			t.Errorf("%s is done, and the service lists %+v", change.ID, after.found.Items)
		}
	}
}

// isListedAs reports whether the change's item is listed in its target state.
func isListedAs(c plan.Change, items []plan.Item) bool {
	return slices.ContainsFunc(items, func(it plan.Item) bool {
		return armid.Same(it.VM, c.Target) && armid.Same(it.Vault, c.Vault) && plan.IsConverged(c, it)
	})
}

// writeRequests returns the requests that changed something.
func writeRequests(entries []loggedRequest) []string {
	var sent []string
	for _, e := range entries {
		if e.Method != http.MethodGet && e.Kind != "backupStatus" {
			sent = append(sent, e.Method+" "+e.Path)
		}
	}
	return sent
}

// outcomeLines returns the lines on which the two tests of a cell must agree: the action on the cell's VM and its
// vault, the reason from the closed set, the states before and after, the risk and the dependencies. Sentences are
// left out, as they contain codes and times, and so are other VMs, which only set up the row.
func outcomeLines(p plan.Plan) []string {
	var out []string
	for _, c := range slices.Concat(p.Changes, p.Unchanged) {
		if vm, err := armid.ParseVM(c.Target); err == nil && !strings.EqualFold(vm.Name(), "web1") {
			continue
		}
		head := string(c.Action)
		if c.Wanted != "" {
			head += " " + string(c.Wanted)
		}
		head += " " + c.Target
		if c.Vault != "" && c.Vault != c.Target {
			head += " in " + c.Vault
		}
		out = append(out, shortIDs(head), "why "+string(c.Reason))
		out = append(out, stateLine("from", c.Before)...)
		out = append(out, stateLine("to", c.After)...)
		for _, f := range c.Fields {
			out = append(out, shortIDs(fmt.Sprintf("field %s: %s -> %s", f.Path, f.Before, f.After)))
		}
		if c.Risk != "" && c.Risk != plan.RiskNone {
			out = append(out, "risk "+string(c.Risk))
		}
		if len(c.Needs) > 0 {
			out = append(out, shortIDs("needs "+strings.Join(c.Needs, " ")))
		}
		if c.WaitsFor != "" {
			out = append(out, shortIDs("waits "+c.WaitsFor))
		}
	}
	for _, r := range p.Refusals {
		out = append(out, "refused "+string(r.Guard))
	}
	return append(out, fmt.Sprintf("complete %t", p.Complete))
}

func stateLine(name string, s *plan.State) []string {
	if s == nil {
		return nil
	}
	b, err := json.Marshal(s)
	if err != nil {
		return []string{err.Error()}
	}
	return []string{shortIDs(name + " " + string(b))}
}

var (
	vaultOfCells = regexp.MustCompile(`(?i)/subscriptions/(\d)[-\d]*/resourceGroups/rg-backup/providers/Microsoft.RecoveryServices/vaults/`)
	pointOfCells = regexp.MustCompile(`"last_recovery_point":"[^"]*"`)
	vmOfCells    = regexp.MustCompile(`(?i)/subscriptions/(\d)[-\d]*/resourceGroups/([^/ "]*)/providers/Microsoft.Compute/virtualMachines/`)
)

// shortIDs removes long ids and times from a text and folds its case, which differ between plan's tests and raw
// bodies.
func shortIDs(s string) string {
	s = pointOfCells.ReplaceAllString(s, `"last_recovery_point":""`)
	return strings.ToLower(vmOfCells.ReplaceAllString(vaultOfCells.ReplaceAllString(s, "$1:"), "$1:$2/"))
}

// wanted reads the expected outcome from a want.txt.
func wanted(text string) []string {
	var out []string
	other := false
	for line := range strings.Lines(text) {
		line = strings.TrimRight(line, "\n")
		key, rest, _ := strings.Cut(strings.TrimSpace(line), " ")
		rest = strings.TrimSpace(rest)
		switch inner := strings.HasPrefix(line, " "); {
		case !inner && key == "complete":
			value, _, _ := strings.Cut(rest, ";")
			out = append(out, "complete "+value)
		case !inner && key == "refused":
			guard, _, _ := strings.Cut(rest, ":")
			out = append(out, "refused "+guard)
		case !inner:
			if other = strings.Contains(line, "/web9 "); !other {
				out = append(out, shortIDs(line))
			}
		case other:
		case key == "why":
			reason, _, _ := strings.Cut(rest, ":")
			out = append(out, "why "+reason)
		case slices.Contains([]string{"from", "to", "field", "needs", "waits"}, key):
			out = append(out, shortIDs(key+" "+rest))
		case key == "risk":
			out = append(out, key+" "+rest)
		}
	}
	return out
}
