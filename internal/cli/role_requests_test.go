package cli

import (
	"fmt"
	"io"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/txtar"

	"github.com/azbackup/azbackup/internal/azure"
	"github.com/azbackup/azbackup/internal/simulator"
)

// actionsSent runs a command against a simulated Azure and returns the actions of the requests it sent.
func actionsSent(t *testing.T, estate string, args ...string) []string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "estate.json")
	data, err := os.ReadFile(estate)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, data, 0o600); err != nil {
		t.Fatal(err)
	}
	var mu sync.Mutex
	var sent []string
	sim, err := simulator.Open(file, simulator.Options{Longest: 10 * time.Millisecond, Log: func(e simulator.Entry) {
		mu.Lock()
		defer mu.Unlock()
		sent = append(sent, actionOf(e.Method, e.Path))
	}})
	if err != nil {
		t.Fatal(err)
	}
	defer sim.Close()
	server := httptest.NewServer(sim)
	defer server.Close()
	var stderr strings.Builder
	env := func(name string) (string, bool) {
		return map[string]string{accessToken: "t", "XDG_CACHE_HOME": t.TempDir()}[name], name == accessToken
	}
	code := Main(t.Context(), append(args, "--endpoint", server.URL), Streams{In: strings.NewReader(""), Out: io.Discard, Err: &stderr, Env: env, Now: time.Now})
	if code == exitError || code == exitDenied {
		t.Errorf("azbackup %s: exit code %d\n%s", strings.Join(args, " "), code, stderr.String())
	}
	slices.Sort(sent)
	return slices.Compact(sent)
}

// actionOf returns the action that Azure's rule of naming gives a request: the types in the path without the names
// between them, and read, write, delete or, of a POST, its last word and action.
func actionOf(method, path string) string {
	segments := strings.Split(strings.Trim(path, "/"), "/")
	provider := "Microsoft.Resources"
	if i := slices.IndexFunc(segments, func(s string) bool { return strings.EqualFold(s, "providers") }); i >= 0 {
		provider, segments = segments[i+1], segments[i+2:]
	}
	var types []string
	for i := 0; i < len(segments); i += 2 {
		types = append(types, segments[i])
	}
	verb := map[string]string{"GET": "read", "PUT": "write", "PATCH": "write", "DELETE": "delete", "POST": "action"}[method]
	if provider == "Microsoft.ResourceGraph" {
		verb = "read" // a query
	}
	return provider + "/" + strings.Join(types, "/") + "/" + verb
}

// namedByTheService returns actions of URLs that the service hands out for an operation. The simulated one hands out others
// of the same operations; that the service has both is documented (docs/azure.md §4, §29).
func namedByTheService() map[azure.Command][]string {
	const vaults, items = "Microsoft.RecoveryServices/Vaults/", "Microsoft.RecoveryServices/Vaults/backupFabrics/protectionContainers/protectedItems/"
	anItem := []string{items + "operationResults/read", items + "operationsStatus/read", vaults + "backupOperations/read", vaults + "backupOperationResults/read"}
	return map[azure.Command][]string{
		azure.CommandApply: append([]string{
			vaults + "backupFabrics/operationsStatus/read", vaults + "backupPolicies/operationResults/read", vaults + "operationResults/read",
		}, anItem...),
		azure.CommandBackup: anItem, azure.CommandRestore: anItem,
	}
}

// A role with more than this is not the least; one with less fails on the day when it matters.
func TestTheRoleOfACommandIsExactlyWhatItSends(t *testing.T) {
	const subscription = "11111111-1111-1111-1111-111111111111"
	demo, quick := "../../examples/estate.json", "../../examples/quickstart.yaml"
	cut, backs := edited(t, quick, "retention: {days: 30}", "retention: {days: 7}"), edited(t, quick, "policy: daily-30d\n    vault", "backup: {ifOlderThan: 1h}\n    policy: daily-30d\n    vault")
	wide, staged := withManyVaults(t, demo), restorable(t)
	runs := map[azure.Command][][]string{
		azure.CommandPlan:     {{demo, "-f", cut}, {wide, "-f", quick}},
		azure.CommandApply:    {{demo, "-f", backs, "--auto-approve"}, {demo, "-f", cut, "--auto-approve"}, {wide, "-f", quick, "--auto-approve"}},
		azure.CommandAudit:    {{demo, "--subscription", subscription}, {demo, "-f", quick, "--source", "resource-graph"}},
		azure.CommandExplain:  {{demo, "-f", quick, "sql01"}, {wide, "-f", quick, "sql01"}},
		azure.CommandExport:   {{demo, "--subscription", subscription}},
		azure.CommandSnapshot: {{demo, "--subscription", subscription}, {demo, "-f", cut}, {wide, "-f", quick}},
		azure.CommandBackup:   {{demo, "--subscription", subscription, "--wait", "web01"}},
		azure.CommandPoints:   {{demo, "--subscription", subscription, "sql01"}},
		azure.CommandRestore:  {{staged, "--subscription", subscription, "--into", "rg-restored", "--staging", "stweu", "--auto-approve", "web1"}},
	}
	for _, command := range azure.Commands() {
		t.Run(string(command), func(t *testing.T) {
			t.Parallel()
			sent := map[string]bool{}
			for _, run := range runs[command] {
				for _, action := range actionsSent(t, run[0], append([]string{string(command)}, run[1:]...)...) {
					sent[strings.ToLower(action)] = true
				}
			}
			for _, action := range namedByTheService()[command] {
				if sent[strings.ToLower(action)] {
					t.Errorf("the simulated service names %s too: it is no exception", action)
				}
				sent[strings.ToLower(action)] = true
			}
			for _, right := range azure.Rights(command) {
				if at := right.At; strings.HasSuffix(right.Action, "/write") && (at == azure.AtMachine || at == azure.AtStagingAccount || at == azure.AtTargetGroup) {
					continue // what the service does in the caller's name: no request says so
				}
				if !sent[strings.ToLower(right.Action)] {
					t.Errorf("the role allows %s, which is never sent", right.Action)
				}
				delete(sent, strings.ToLower(right.Action))
			}
			for action := range sent {
				t.Errorf("the role lacks %s, which is sent", action)
			}
		})
	}
}

// edited writes a copy of a file with one text replaced.
func edited(t *testing.T, file, old, replacement string) string {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(data), old) {
		t.Fatalf("%s has no %q", file, old)
	}
	return written(t, filepath.Base(file), strings.ReplaceAll(string(data), old, replacement))
}

func written(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// withManyVaults adds so many vaults to an estate that asking for each VM is cheaper than listing them.
func withManyVaults(t *testing.T, estate string) string {
	t.Helper()
	var vaults strings.Builder
	for i := range 30 {
		fmt.Fprintf(&vaults, `{"id":"/subscriptions/11111111-1111-1111-1111-111111111111/resourceGroups/rg-many/providers/Microsoft.RecoveryServices/vaults/many%d",`+
			`"name":"many%[1]d","type":"Microsoft.RecoveryServices/vaults","location":"northeurope","properties":{"provisioningState":"Succeeded"}},`, i)
	}
	return edited(t, estate, `"vaults":[`, `"vaults":[`+vaults.String())
}

// restorable returns the estate of the script of azbackup restore.
func restorable(t *testing.T) string {
	t.Helper()
	archive, err := txtar.ParseFile("testdata/script/restore-vm.txtar")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range archive.Files {
		if f.Name == "estate.json" {
			return written(t, f.Name, string(f.Data))
		}
	}
	t.Fatal("the script has no estate")
	return ""
}

// What `azbackup help permissions` and the README list are the rights of the table, by purpose.
func TestTheTopicListsTheRightsOfAllCommands(t *testing.T) {
	listed := map[string]bool{}
	for _, p := range permissions() {
		for _, action := range p.actions {
			listed[action] = true
		}
	}
	for _, right := range azure.Rights(append(azure.Commands(), azure.CommandRestoreTest, azure.Organisation)...) {
		if !listed[right.Action] {
			t.Errorf("the topic lacks %s", right.Action)
		}
		delete(listed, right.Action)
	}
	for action := range listed {
		t.Errorf("the topic lists %s, which no command needs", action)
	}
}
