package audit

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// naive is a second assessor: it uses the raw bodies and no code of this program, slowly and in the order of
// docs/azure.md §3 and docs/design.md §8. It supports the estates of TestNaiveAssessorAgrees only: one subscription,
// the file of naiveConfig, policies with one backup a day or a week.
func naive(vms, items []body, unread map[string]bool, now time.Time) map[string]string {
	text := func(b body, path ...string) string {
		var v any = b
		for _, p := range path {
			m, _ := v.(body)
			v = m[p]
		}
		return fmt.Sprint(v)
	}
	when := func(s string) time.Time { t, _ := time.Parse(time.RFC3339, s); return t }
	regions := map[string]string{"rsv1": "westeurope", "rsv2": "westeurope", "rsv3": "northeurope"}
	inFile := map[string]bool{"rsv1": true, "rsv3": true}
	answer := map[string]string{}
	for _, vm := range vms {
		id := strings.ToLower(text(vm, "id"))
		var active, suspended, stopped, deleted, odd body
		activeIn := ""
		for _, it := range items {
			vault := strings.Split(text(it, "id"), "/")[8]
			if strings.ToLower(text(it, "properties", "sourceResourceId")) != id || unread[vault] {
				continue
			}
			state := text(it, "properties", "protectionState")
			switch {
			case text(it, "properties", "isScheduledForDeferredDelete") == "true":
				deleted = it
			case state == "IRPending" || state == "Protected" || state == "ProtectionError":
				active, activeIn = it, vault
			case state == "ProtectionStopped":
				stopped = it
			case state == "BackupsSuspended":
				suspended = it
			default:
				odd = it
			}
		}
		region := strings.ToLower(strings.ReplaceAll(text(vm, "location"), " ", ""))
		hidden := false
		for v := range unread {
			hidden = hidden || regions[v] == region
		}
		state := "protected"
		switch point := when(text(active, "properties", "lastRecoveryPoint")); {
		case active == nil && (hidden || odd != nil):
			state = "unknown"
		case strings.Contains(id, "/databricks-rg-"):
			state = "unsupported"
		case text(vm, "tags", "env") == "dev":
			state = "excluded"
		case active == nil && deleted != nil:
			state = "soft-deleted"
		case active == nil && stopped != nil:
			state = "stopped"
		case active == nil && suspended != nil:
			state = "suspended"
		case active == nil:
			state = "unprotected"
		case point.IsZero() || when(text(vm, "properties", "timeCreated")).After(point):
			state = "pending"
		case now.Sub(point) > map[string]time.Duration{"daily": 30 * time.Hour, "weekly": 174 * time.Hour}[text(active, "properties", "policyName")]:
			state = "stale"
		case text(active, "properties", "lastBackupStatus") == "Failed" || text(active, "properties", "protectionState") == "ProtectionError":
			state = "failing"
		case !inFile[activeIn] || regions[activeIn] != region:
			state = "other-vault"
		case text(active, "properties", "policyName") != "daily":
			state = "other-policy"
		}
		answer[id] = state
	}
	return answer
}

const naiveConfig = `vaults:
  - {name: rsv1, resourceGroup: rg-backup, location: westeurope}
  - {name: rsv3, resourceGroup: rg-backup, location: northeurope}
policies: [{name: daily}, {name: weekly}]
vms:
  - {name: scratch, match: {tags: {env: dev}}, protect: false, reason: scratch}
  - {name: all, match: {names: ["*"]}, policy: daily}
`

func TestNaiveAssessorAgrees(t *testing.T) {
	c := caseConfig(t, naiveConfig)
	now := mustTime(t, "2026-11-24T06:00:00Z")
	seen := map[string]int{}
	for seed := range uint64(200) {
		rng := rand.New(rand.NewPCG(seed, 7))
		vms, items, unread := randomEstate(rng, now)
		want := naive(vms, items, unread, now)
		got := map[string]string{}
		for _, vm := range Assess(c, discover(t, serve(vms, items, unread), scopeOf(c), now), Options{Now: now}).VMs {
			got[strings.ToLower(vm.ID)] = string(vm.State)
			seen[string(vm.State)]++
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("seed %d (-naive +audit)\n%s", seed, diff)
		}
	}
	for _, s := range States() {
		if seen[string(s)] == 0 {
			t.Errorf("no random VM was ever %s: the estates prove less than they should", s)
		}
	}
}
