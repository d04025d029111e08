package house

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/azbackup/azbackup/"

// mayImport is the import table: a room may import the rooms named here and nothing else of the project.
// Test files of a room may import more: a test stands outside.
var mayImport = map[string][]string{
	"internal/armid":       {},
	"config":               {"internal/armid"},
	"plan":                 {"config", "internal/armid"},
	"internal/crash":       {},
	"internal/deadline":    {"internal/crash"},
	"internal/telemetry":   {"apply", "internal/armid", "internal/azure/arm", "internal/crash"},
	"apply":                {"plan", "internal/armid", "internal/crash", "internal/deadline"},
	"internal/azure":       {"plan", "apply", "internal/armid", "internal/azure/arm", "internal/azure/quota", "internal/azure/wire", "internal/crash"},
	"internal/azure/arm":   {"apply", "internal/armid", "internal/azure/quota"}, // of apply, the error of a request
	"internal/azure/wire":  {"plan", "internal/armid"},
	"internal/azure/quota": {"plan", "apply", "internal/armid", "internal/crash", "internal/deadline"},
	"internal/audit":       {"plan", "config", "internal/armid"},
	"internal/export":      {"plan", "config", "internal/armid"},
	"internal/report":      {"plan", "apply", "config", "internal/audit", "internal/armid"},
	"internal/simulator": {
		"internal/simulator/rawjson", "internal/simulator/seed", "internal/simulator/ids", "internal/simulator/settings",
		"internal/simulator/reply", "internal/simulator/state", "internal/simulator/quota", "internal/simulator/fault",
		"internal/simulator/signin", "internal/simulator/query", "internal/simulator/rules",
	},
	"internal/simulator/rules": {
		"internal/simulator/rawjson", "internal/simulator/ids", "internal/simulator/settings", "internal/simulator/reply", "internal/simulator/state",
	},
	"internal/simulator/rawjson":  {},
	"internal/simulator/seed":     {},
	"internal/simulator/ids":      {},
	"internal/simulator/settings": {"internal/simulator/rawjson"},
	"internal/simulator/reply":    {"internal/simulator/rawjson"},
	"internal/simulator/fault":    {"internal/simulator/ids", "internal/simulator/seed", "internal/simulator/reply", "internal/simulator/settings"},
	"internal/simulator/quota":    {"internal/simulator/reply", "internal/simulator/settings"},
	"internal/simulator/query":    {"internal/simulator/rawjson"},
	"internal/simulator/signin":   {"internal/simulator/rawjson", "internal/simulator/seed", "internal/simulator/reply", "internal/simulator/settings"},
	"internal/simulator/state":    {"internal/simulator/rawjson", "internal/simulator/ids", "internal/simulator/settings"},
	"internal/cli": {
		"plan", "apply", "config", "internal/armid", "internal/azure", "internal/azure/arm", "internal/azure/quota", "internal/audit",
		"internal/export", "internal/report", "internal/simulator", "internal/telemetry", "internal/crash", "internal/deadline",
		"examples/policies",
	},
	"examples/policies": {}, // starters for internal/cli, as files that people read
	"cmd/azbackup":      {"internal/cli", "internal/crash"},
	// The layout test and the tools of the Makefile stand beside the house.
	"internal/house": {},
	"docs":           {},
	"examples":       {},
}

// forbidden are the imports that are tempting to add, each with the reason against it. An entry
// matches the package and everything below it, from outside the project too.
var forbidden = []struct{ from, to, why string }{
	{"plan", "net/http", "plan is pure: it reads nothing, so that a plan can be made, tested and replayed anywhere"},
	{"plan", "log", "plan has no log: what is worth saying stands in the plan"},
	{"plan", "os", "plan is pure: files are read by config, Azure by internal/azure"},
	{"plan", module + "apply", "arrows point down: a plan knows nothing of the engine that carries it out"},
	{"apply", "net/http", "apply is an engine over a Backend: a test must be able to run it without HTTP"},
	{"apply", module + "internal/report", "the engine emits events and never prints"},
	{"apply", module + "internal/azure", "arrows point down: Azure is an adapter of apply's Backend"},
	{"config", "net/http", "config is checked offline"},
	{"config", module + "plan", "arrows point down: the file knows nothing of plans"},
	{"internal/azure", module + "config", "discovery gets a plan.Scope, so that it works without a file"},
	{"internal/azure", module + "internal/simulator", "nothing that talks to Azure may know that a simulator exists"},
	{"internal/azure", "github.com/Azure/azure-sdk-for-go/sdk/resourcemanager", "the generated clients judge in tests; at run time they lose headers and fail a page on one odd value"},
	{"internal/simulator", module + "plan", "the simulator is a second, independent reading of the facts"},
	{"internal/simulator", module + "internal/azure", "the simulator is a second, independent reading of the facts"},
	{"internal/simulator", "github.com/Azure", "the simulator must not learn Azure's ways from Azure's client"},
	{"internal/report", module + "internal/azure", "reports are made from values alone"},
	{"internal/audit", "net/http", "audit is pure"},
	{"internal/export", "net/http", "export is pure"},
	{"internal/azure/arm", module + "plan", "arm knows no backup: what may be sent it is told"},
	{"internal/azure/wire", "net/http", "wire is pure: it converts, and something else sends"},
	{"internal/azure", "go.opentelemetry.io", "the client reports what it exchanges; what is made of it is telemetry's"},
	{"apply", "go.opentelemetry.io", "the engine emits events; what is made of them is telemetry's"},
	{"internal/cli", "go.opentelemetry.io", "internal/telemetry is the one room that knows OpenTelemetry"},
	{"cmd/azbackup", "github.com/spf13/cobra", "main wires streams and signals; commands live in internal/cli"},
}

type goPackage struct {
	ImportPath string
	Imports    []string
	Name       string
}

func packages(t *testing.T) []goPackage {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "go", "list", "-json=ImportPath,Imports,Name", module+"...")
	cmd.Dir = root(t)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v\n%s", err, stderr.String())
	}
	var all []goPackage
	for dec := json.NewDecoder(bytes.NewReader(out)); ; {
		var p goPackage
		err := dec.Decode(&p)
		if errors.Is(err, io.EOF) {
			return all
		}
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, p)
	}
}

func root(t *testing.T) string {
	t.Helper()
	dir, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

func TestRoomsImportOnlyWhatTheTableAllows(t *testing.T) {
	for _, p := range packages(t) {
		room := strings.TrimPrefix(p.ImportPath, module)
		if strings.HasPrefix(room, "internal/tools/") || testsOnly(room) {
			continue
		}
		allowed, known := mayImport[room]
		if !known {
			t.Errorf("%s is not in the import table: say what it may import, and why it is a room of its own", room)
			continue
		}
		for _, imp := range p.Imports {
			if to, ours := strings.CutPrefix(imp, module); ours && !slices.Contains(allowed, to) {
				t.Errorf("%s imports %s, which the import table does not allow", room, to)
			}
		}
	}
}

// testsOnly are packages that hold tests and their helpers; they are outside the house and may look into
// every room. Nothing may import them.
func testsOnly(room string) bool {
	return room == "internal/simtest" || room == "internal/azure/azuretest" || strings.HasPrefix(room, "internal/conformance")
}

func TestForbiddenEdgesStayAway(t *testing.T) {
	for _, p := range packages(t) {
		room := strings.TrimPrefix(p.ImportPath, module)
		for _, edge := range forbidden {
			if room != edge.from && !strings.HasPrefix(room, edge.from+"/") {
				continue
			}
			for _, dep := range p.Imports {
				if dep == edge.to || strings.HasPrefix(dep, edge.to+"/") {
					t.Errorf("%s imports %s: %s", room, dep, edge.why)
				}
			}
		}
	}
}

func TestOnlyTheCustomersNamesStandAtTheTopLevel(t *testing.T) {
	want := []string{"cmd", "plan", "apply", "config", "examples", "docs", "internal", "go.mod", "go.sum", "Makefile", "README.md", "CHANGELOG.md", "LICENSE", "bin"}
	entries, err := os.ReadDir(root(t))
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if !strings.HasPrefix(e.Name(), ".") && !slices.Contains(want, e.Name()) {
			t.Errorf("%s stands at the top level; only %s may (internal/ holds the rest)", e.Name(), strings.Join(want, " "))
		}
	}
}
