package audit

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/azbackup/azbackup/config"
	"github.com/azbackup/azbackup/plan"
)

// recordedSpecimens returns moments of the recordings: the known state of the vault when its items were listed.
func recordedSpecimens(t *testing.T) map[string]specimen {
	t.Helper()
	out := map[string]specimen{}
	for name, n := range map[string]int{"softdelete": 55, "scenario": 132} {
		data, err := os.ReadFile(filepath.Join("..", "..", "..", "shared", "recordings", "test_backup_"+name+".json"))
		if err != nil {
			t.Skipf("NOT TESTED with what the real service answered: its recordings are not here (%v)", err)
		}
		var exchanges []struct {
			Method   string          `json:"method"`
			URL      string          `json:"url"`
			Status   int             `json:"status"`
			Response json.RawMessage `json:"response_body"`
		}
		if err := json.Unmarshal(data, &exchanges); err != nil {
			t.Fatal(name, err)
		}
		latest := map[string]document{}
		for _, e := range exchanges[:n+1] {
			path, _, _ := strings.Cut(strings.ToLower(strings.TrimPrefix(e.URL, "https://management.azure.com")), "?")
			parts := strings.Split(strings.Trim(path, "/"), "/")
			if e.Method != "GET" || e.Status != 200 || len(parts) < 8 {
				continue
			}
			switch class, last := parts[6], parts[len(parts)-1]; {
			case class == "vaults" && len(parts) == 8:
				latest["vault"] = document{kind: "vault", path: path, body: e.Response}
			case class == "virtualmachines" && len(parts) == 8:
				latest["vm "+path] = document{kind: "vm", path: "/subscriptions/" + parts[1] + "/providers/Microsoft.Compute/virtualMachines", list: true, body: e.Response}
			case last == "backupprotecteditems", last == "backuppolicies":
				class := map[string]string{"backupprotecteditems": "item", "backuppolicies": "policy"}[last]
				maps.DeleteFunc(latest, func(c string, _ document) bool { return strings.HasPrefix(c, class) })
				var rows struct{ Value []json.RawMessage }
				if err := json.Unmarshal(e.Response, &rows); err != nil {
					t.Fatal(err)
				}
				for i, row := range rows.Value {
					latest[fmt.Sprint(class, i)] = document{kind: class, path: path, list: true, body: row}
				}
			}
		}
		out[name] = specimenOf(t, latest)
	}
	return out
}

func specimenOf(t *testing.T, latest map[string]document) specimen {
	t.Helper()
	vault := strings.Split(strings.Trim(latest["vault"].path, "/"), "/")
	var doc struct{ Location string }
	if err := json.Unmarshal(latest["vault"].body, &doc); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "azbackup.yaml")
	text := fmt.Sprintf(`version: 1
subscriptions: [%s]
vaults: [{name: %s, resourceGroup: %s, location: %s, manage: true, unmatched: stop}]
policies: [{name: DefaultPolicy}]
vms: [{name: all, match: {tags: {Owner: sisi}}, policy: DefaultPolicy}]
`, vault[1], vault[7], vault[3], doc.Location)
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	c, _, err := config.Load([]string{file}, func(string) (string, bool) { return "", false })
	if err != nil {
		t.Fatal(err)
	}
	s := specimen{file: c, scope: plan.ScopeOf(c), now: mustTime(t, "2024-05-13T12:00:00Z"), rest: armPages{}}
	for _, c := range slices.Sorted(maps.Keys(latest)) {
		s.docs = append(s.docs, latest[c])
	}
	return s
}

func TestNoOddFieldOfARecordedBodyIsTakenForAnAnswer(t *testing.T) {
	for name, s := range recordedSpecimens(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			t.Logf("%d changes tried", s.tryAll(t, nil))
		})
	}
}
