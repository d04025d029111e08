package cli

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/azbackup/azbackup/internal/simulator"
)

// The estate of these tests: a vault under a resource guard that covers every operation.
const (
	guardedSub    = "/subscriptions/11111111-1111-1111-1111-111111111111"
	guardedVault  = guardedSub + "/resourceGroups/rg-backup/providers/Microsoft.RecoveryServices/vaults/rsv"
	guardedItem   = guardedVault + "/backupFabrics/Azure/protectionContainers/IaasVMContainer;iaasvmcontainerv2;rg-app;web/protectedItems/VM;iaasvmcontainerv2;rg-app;web"
	theGuard      = "/subscriptions/99999999-1111-1111-1111-111111111111/resourceGroups/rg-sec/providers/Microsoft.DataProtection/resourceGuards/mua"
	guardsTenant  = "55555555-1111-1111-1111-111111111111"
	guardedItems  = "backupFabrics/protectionContainers/protectedItems"
	itemIsActive  = `"protectionState":"Protected"`
	itemIsStopped = `"protectionState":"ProtectionStopped"`
	itemIsDeleted = itemIsStopped + `,"isScheduledForDeferredDelete":true,"deferredDeleteTimeInUTC":"2026-11-19T06:00:00Z","deferredDeleteTimeRemaining":"13.00:00:00","softDeleteRetentionPeriod":14`
)

// guardedCase is a write that a guard covers.
type guardedCase struct {
	name      string
	operation string // the service's word, without what all of them begin with
	request   string // the request that the proxy lists for it
	method    string // of the write
	path      string // its end
	item      string // the item's state
	vault     string // further keys of the vault in the file
	policy    string // further keys of the policy in the file
	rule      string // the rule of the machine
	args      []string
}

func guardedCases() []guardedCase {
	protect := "policy: daily"
	restore := []string{"restore", "web", "--into", "rg-restored", "--staging", "stweu", "--auto-approve"}
	return []guardedCase{
		{name: "modify", operation: "/" + guardedItems + "/write", request: "updateProtectedItemRequests", method: "PUT", path: ";web", item: itemIsActive, rule: "policy: long"},
		{name: "stop", operation: "/" + guardedItems + "/write#stopProtectionWithRetainData", request: "stopRequests", method: "PUT", path: ";web", item: itemIsActive, rule: "protect: stopped"},
		{name: "resume", operation: "/" + guardedItems + "/write", request: "updateProtectedItemRequests", method: "PUT", path: ";web", item: itemIsStopped, rule: protect + ", resume: true"},
		{name: "undelete", operation: "/" + guardedItems + "/write", request: "updateProtectedItemRequests", method: "PUT", path: ";web", item: itemIsDeleted, rule: "protect: stopped"},
		{
			name: "policy", operation: "/backupPolicies/write", request: "updateProtectionPolicyRequests", method: "PUT", path: "/daily", item: itemIsActive, rule: protect,
			policy: `manage: true, tier: Standard, timeZone: UTC, schedule: {daily: {at: "22:00"}}, retention: {days: 60}`,
		},
		{name: "soft delete", operation: "/backupconfig/write", request: "disableSoftDeleteRequests", method: "PATCH", path: "/rsv", item: itemIsActive, rule: protect, vault: "manage: true, softDeleteDays: 60"},
		{name: "immutability", operation: "/write#reduceImmutabilityState", request: "immutabilityRequests", method: "PATCH", path: "/rsv", item: itemIsActive, rule: protect, vault: "manage: true, immutability: Unlocked"},
		{name: "restore", operation: "/" + guardedItems + "/recoveryPoints/restore/action", request: "triggerRestoreRequests", method: "POST", path: "/restore", item: itemIsActive, rule: protect, args: restore},
	}
}

// guardedRun is what was seen of a run from outside.
type guardedRun struct {
	code           int
	stdout, stderr string
	writes         []recordedWrite // all that changes something
	withToken      []string        // the requests that carried a token besides their own
}

type recordedWrite struct{ method, path, body, auxiliary string }

// run runs the command of the case against a simulated Azure in which the guard's owner lets through what settings says.
func (g guardedCase) run(t *testing.T, guard, auxiliary string) guardedRun {
	t.Helper()
	estate, err := simulator.Read(strings.NewReader(g.estate(guard)))
	if err != nil {
		t.Fatal(err)
	}
	azure, err := simulator.New(estate, simulator.Options{Longest: 10 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	var seen guardedRun
	var mu sync.Mutex
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		mu.Lock()
		if r.Method != http.MethodGet && !strings.HasSuffix(r.URL.Path, "/backupStatus") {
			seen.writes = append(seen.writes, recordedWrite{r.Method, r.URL.Path, string(body), r.Header.Get("X-Ms-Authorization-Auxiliary")})
		}
		if r.Header.Get("X-Ms-Authorization-Auxiliary") != "" {
			seen.withToken = append(seen.withToken, r.Method+" "+r.URL.Path)
		}
		mu.Unlock()
		azure.ServeHTTP(w, r)
	}))
	defer server.Close()
	dir := t.TempDir()
	file := filepath.Join(dir, "azbackup.yaml")
	if err := os.WriteFile(file, []byte(g.config(auxiliary != "")), 0o600); err != nil {
		t.Fatal(err)
	}
	args := g.args
	if args == nil {
		args = []string{"apply", "--auto-approve", "--dangerous-allow-irreversible", "--dangerous-allow-retention-cut", "--lock-file", filepath.Join(dir, "lock")}
	}
	env := func(name string) (string, bool) {
		value, set := map[string]string{accessToken: "own", auxiliaryToken: auxiliary}[name]
		return value, set
	}
	var stdout, stderr bytes.Buffer
	seen.code = Main(t.Context(), slices.Concat(args, []string{"-f", file, "--endpoint", server.URL}),
		Streams{In: strings.NewReader(""), Out: &stdout, Err: &stderr, Env: env, Now: time.Now})
	seen.stdout, seen.stderr = stdout.String(), stderr.String()
	return seen
}

func (g guardedCase) config(crossTenant bool) string {
	with := func(keys string) string {
		if keys == "" {
			return ""
		}
		return ", " + keys
	}
	tenants := ""
	if crossTenant {
		tenants = ", auxiliaryTenants: [" + guardsTenant + "]"
	}
	policy := g.policy
	if policy != "" {
		policy = ", vaults: [rsv]" + with(policy)
	}
	return fmt.Sprintf(`version: 1
subscriptions: [11111111-1111-1111-1111-111111111111]
vaults:
  - {name: rsv, resourceGroup: rg-backup, location: westeurope, resourceGuard: use%s}
policies:
  - {name: daily%s}
  - {name: long}
vms:
  - {name: web, match: {names: [web]}, %s}
  - {name: new, match: {names: [new]}, policy: long}
settings: {refresh: never, guards: {maxStops: 100%%}%s}
`, with(g.vault), policy, g.rule, tenants)
}

func (g guardedCase) estate(guard string) string {
	policy := func(name string, days int) string {
		return fmt.Sprintf(`{"id":"%[1]s/backupPolicies/%[2]s","name":%[2]q,"type":"Microsoft.RecoveryServices/vaults/backupPolicies","properties":{"backupManagementType":"AzureIaasVM","schedulePolicy":{"schedulePolicyType":"SimpleSchedulePolicy","scheduleRunFrequency":"Daily","scheduleRunTimes":["2024-01-01T22:00:00Z"]},"retentionPolicy":{"retentionPolicyType":"LongTermRetentionPolicy","dailySchedule":{"retentionTimes":["2024-01-01T22:00:00Z"],"retentionDuration":{"count":%[3]d,"durationType":"Days"}}},"instantRpRetentionRangeInDays":2,"timeZone":"UTC"}}`, guardedVault, name, days)
	}
	vm := func(name string) string {
		return fmt.Sprintf(`{"id":"%s/resourceGroups/rg-app/providers/Microsoft.Compute/virtualMachines/%[2]s","name":%[2]q,"type":"Microsoft.Compute/virtualMachines","location":"westeurope","tags":{},"properties":{"provisioningState":"Succeeded"}}`, guardedSub, name)
	}
	var listed, seen []string
	for _, c := range guardedCases() {
		if !slices.Contains(seen, c.operation) {
			listed = append(listed, fmt.Sprintf(`{"vaultCriticalOperation":"Microsoft.RecoveryServices/vaults%s","defaultResourceRequest":"%s/%s/default"}`, c.operation, theGuard, c.request))
			seen = append(seen, c.operation)
		}
	}
	return fmt.Sprintf(`{"format_version":"1","taken":"2026-11-20T06:00:00Z","cloud":"AzurePublic","tenant":"22222222-2222-2222-2222-222222222222",
"subscriptions":[{"id":"%[1]s","subscriptionId":"11111111-1111-1111-1111-111111111111","tenantId":"22222222-2222-2222-2222-222222222222","displayName":"Shop","state":"Enabled","managedByTenants":[]}],
"resourceGroups":[{"id":"%[1]s/resourceGroups/rg-restored","name":"rg-restored","location":"westeurope","tags":{}}],
"virtualMachines":[%[2]s],
"vaults":[{"id":"%[3]s","name":"rsv","type":"Microsoft.RecoveryServices/vaults","location":"westeurope","tags":{},"sku":{"name":"Standard"},"properties":{"provisioningState":"Succeeded"}}],
"policies":[%[4]s],
"protectedItems":[{"id":"%[5]s","name":"VM;iaasvmcontainerv2;rg-app;web","type":"Microsoft.RecoveryServices/vaults/backupFabrics/protectionContainers/protectedItems","properties":{"protectedItemType":"Microsoft.Compute/virtualMachines","backupManagementType":"AzureIaasVM","workloadType":"VM","friendlyName":"web","containerName":"iaasvmcontainerv2;rg-app;web","sourceResourceId":"%[1]s/resourceGroups/rg-app/providers/Microsoft.Compute/virtualMachines/web","policyId":"%[3]s/backupPolicies/daily","policyName":"daily",%[6]s,"protectionStatus":"Healthy","healthStatus":"Passed","lastBackupStatus":"Completed","lastBackupTime":"2026-11-20T02:00:00Z","lastRecoveryPoint":"2026-11-20T02:00:00Z"}}],
"recoveryPoints":[{"id":"%[5]s/recoveryPoints/104","name":"104","type":"x","properties":{"objectType":"IaasVMRecoveryPoint","recoveryPointType":"AppConsistent","recoveryPointTime":"2026-11-20T02:00:00Z","recoveryPointTierDetails":[{"type":"InstantRP","status":"Valid"},{"type":"HardenedRP","status":"Valid"}],"isManagedVirtualMachine":true,"osType":"Linux","threatStatus":0,"recoveryPointDiskConfiguration":{"numberOfDisksIncludedInBackup":1,"numberOfDisksAttachedToVm":1,"includedDiskList":[{"lun":-1,"name":"web_os"}],"excludedDiskList":[]}}}],
"storageAccounts":[{"sku":{"name":"Standard_LRS"},"kind":"StorageV2","id":"%[1]s/resourceGroups/rg-staging/providers/Microsoft.Storage/storageAccounts/stweu","name":"stweu","type":"Microsoft.Storage/storageAccounts","location":"westeurope"}],
"resourceGuardProxies":[{"id":"%[3]s/backupResourceGuardProxies/VaultProxy","name":"VaultProxy","properties":{"resourceGuardResourceId":"%[7]s","resourceGuardOperationDetails":[%[8]s]}}],
"settings":{"durations":{"":"20ms"},"retryAfter":1,"unsignedUrls":true,"guards":{"%[9]s":%[10]s}}}`,
		guardedSub, vm("web")+","+vm("new"), guardedVault, policy("daily", 30)+","+policy("long", 90), guardedItem, g.item, theGuard,
		strings.Join(listed, ","), strings.ToLower(theGuard), guard)
}

// guarded returns the writes of the case among those that left: one, which may have been refused.
func (g guardedCase) guarded(seen guardedRun) (own []recordedWrite) {
	for _, w := range seen.writes {
		if w.method == g.method && strings.HasSuffix(w.path, g.path) {
			own = append(own, w)
		}
	}
	return own
}

// Each write that a guard can cover, seen from outside: as exit code, as what is printed, and as the requests that left.
func TestEveryGuardedWriteGoesThroughTheGuardOrIsOneClearFailure(t *testing.T) {
	for _, g := range guardedCases() {
		operation := "Microsoft.RecoveryServices/vaults" + g.operation
		named := `"resourceGuardOperationRequests":["` + theGuard + "/" + g.request + `/default"]`
		check := func(t *testing.T, seen guardedRun, code int, header string) {
			t.Helper()
			own := g.guarded(seen)
			if seen.code != code || len(own) != 1 || !strings.Contains(own[0].body, named) || own[0].auxiliary != header {
				t.Errorf("exit code %d, want %d; guarded writes, of which one names the request with the token %q: %+v\n%s%s", seen.code, code, header, own, seen.stdout, seen.stderr)
			}
			for _, w := range seen.writes {
				if !slices.Contains(own, w) && (strings.Contains(w.body, "resourceGuardOperationRequests") || w.auxiliary != "") {
					t.Errorf("another write names a guard's request, or carries a token of its tenant: %+v", w)
				}
			}
			if want := map[bool]int{true: 1}[header != ""]; len(seen.withToken) != want {
				t.Errorf("the token of the guard's tenant went with %q", seen.withToken)
			}
			if strings.Contains(seen.stdout+seen.stderr, "guards-token") {
				t.Errorf("the token is printed:\n%s%s", seen.stdout, seen.stderr)
			}
			// What needs the vault waits for the vault; all else goes on.
			goesOn := g.args == nil && (code == exitOK || g.vault == "")
			if isProtected := slices.ContainsFunc(seen.writes, func(w recordedWrite) bool { return strings.HasSuffix(w.path, ";new") }); isProtected != goesOn {
				t.Errorf("the other machine is protected: %v\n%s", isProtected, seen.stdout)
			}
		}
		refused := func(t *testing.T, seen guardedRun) {
			t.Helper()
			if !strings.Contains(seen.stdout, "resource guard "+theGuard+" did not let "+operation+" through: ") ||
				!strings.Contains(seen.stdout, "owner grants Backup MUA Operator or Contributor on the guard") {
				t.Errorf("guard, operation and whom to ask:\n%s%s", seen.stdout, seen.stderr)
			}
		}
		t.Run(g.name+"/allowed", func(t *testing.T) {
			t.Parallel()
			check(t, g.run(t, `{}`, ""), exitOK, "")
		})
		t.Run(g.name+"/denied", func(t *testing.T) {
			t.Parallel()
			seen := g.run(t, `{"denied":true}`, "")
			check(t, seen, exitUnfinished, "")
			refused(t, seen)
		})
		t.Run(g.name+"/another tenant", func(t *testing.T) {
			t.Parallel()
			check(t, g.run(t, `{"tenant":"`+guardsTenant+`"}`, "guards-token"), exitOK, "Bearer guards-token")
		})
		t.Run(g.name+"/another tenant without its token", func(t *testing.T) {
			t.Parallel()
			seen := g.run(t, `{"tenant":"`+guardsTenant+`"}`, "")
			check(t, seen, exitUnfinished, "")
			refused(t, seen)
		})
	}
}
