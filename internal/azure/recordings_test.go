package azure

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/azbackup/azbackup/internal/armid"
	"github.com/azbackup/azbackup/internal/azure/arm"
	"github.com/azbackup/azbackup/internal/azure/quota"
	"github.com/azbackup/azbackup/internal/azure/wire"
	"github.com/azbackup/azbackup/plan"
)

// exchange is one recorded request to the real service, with its answer.
type exchange struct {
	N        int               `json:"n"`
	Method   string            `json:"method"`
	URL      string            `json:"url"`
	Request  json.RawMessage   `json:"request_body"`
	Status   int               `json:"status"`
	Headers  map[string]string `json:"headers"`
	Response json.RawMessage   `json:"response_body"`

	path  string // folded: lower case, "%3B" decoded to ";"
	query url.Values
	raw   string // the raw query
}

// cassettes reads the recordings next to the repository, or skips the test with a message.
func cassettes(t *testing.T) map[string][]exchange {
	t.Helper()
	dir := filepath.Join("..", "..", "..", "shared", "recordings")
	out := map[string][]exchange{}
	for _, name := range []string{"item", "policy", "softdelete", "scenario", "job"} {
		data, err := os.ReadFile(filepath.Join(dir, "test_backup_"+name+".json"))
		if err != nil {
			t.Skipf("NOT TESTED against the real service: its recordings are not here (%v)", err)
		}
		var list []exchange
		if err := json.Unmarshal(data, &list); err != nil {
			t.Fatal(name, err)
		}
		for i := range list {
			u, err := url.Parse(list[i].URL)
			if err != nil {
				t.Fatal(name, list[i].N, err)
			}
			list[i].path, list[i].query, list[i].raw = foldPath(u), u.Query(), u.RawQuery
		}
		out[name] = list
	}
	return out
}

func foldPath(u *url.URL) string { return string(armid.Of(u.Path)) }

// The subjects of the recorded reads, by the shape of their paths.
const inVault = `^/subscriptions/[^/]+/resourcegroups/[^/]+/providers/microsoft\.recoveryservices/vaults/[^/]+`

var shapes = map[string]*regexp.Regexp{
	"vault":       regexp.MustCompile(inVault + `$`),
	"policies":    regexp.MustCompile(inVault + `/backuppolicies$`),
	"policy":      regexp.MustCompile(inVault + `/backuppolicies/[^/]+$`),
	"items":       regexp.MustCompile(inVault + `/backupprotecteditems$`),
	"item":        regexp.MustCompile(inVault + `/backupfabrics/azure/protectioncontainers/[^/]+/protecteditems/[^/]+$`),
	"protectable": regexp.MustCompile(inVault + `/backupprotectableitems$`),
	"jobs":        regexp.MustCompile(inVault + `/backupjobs$`),
	"job":         regexp.MustCompile(inVault + `/backupjobs/[^/]+$`),
	"vm":          regexp.MustCompile(`^/subscriptions/[^/]+/resourcegroups/[^/]+/providers/microsoft\.compute/virtualmachines/[^/]+$`),
}

func (e exchange) is(shape string) bool {
	return e.Method == http.MethodGet && e.Status == http.StatusOK && shapes[shape].MatchString(e.path)
}

// serves answers with the recorded body, byte for byte.
func (e exchange) serves(w http.ResponseWriter, _ *http.Request) {
	for k, v := range e.Headers {
		if k != "content-length" && k != "date" { // a moment holds documents of later exchanges, too
			w.Header().Set(k, v)
		}
	}
	w.WriteHeader(e.Status)
	if string(e.Response) != "null" {
		_, _ = w.Write(e.Response)
	}
}

// moment is the recorded state of a vault at one exchange of a cassette.
type moment struct {
	vault, items, protectable exchange
	policies, jobs, vms       map[string]json.RawMessage // the latest documents, by path
}

func momentAt(list []exchange, n int) moment {
	m := moment{policies: map[string]json.RawMessage{}, jobs: map[string]json.RawMessage{}, vms: map[string]json.RawMessage{}}
	for _, e := range list[:n+1] {
		switch {
		case e.is("vault"):
			m.vault = e
		case e.is("items"):
			m.items = e
		case e.is("protectable"):
			m.protectable = e
		case e.is("policy"):
			m.policies[e.path] = e.Response
		case e.is("policies"):
			m.policies = elements(e.Response)
		case e.is("jobs") && len(e.query) == 1:
			m.jobs = elements(e.Response)
		case e.is("job"):
			m.jobs[e.path] = e.Response
		case e.is("vm"):
			m.vms[e.path] = e.Response
		}
	}
	return m
}

func elements(body json.RawMessage) map[string]json.RawMessage {
	var list struct{ Value []json.RawMessage }
	if err := json.Unmarshal(body, &list); err != nil {
		panic(err)
	}
	out := map[string]json.RawMessage{}
	for _, v := range list.Value {
		out[string(armid.Of(naive(v, "id")))] = v
	}
	return out
}

// naive reads one string from a body, without any of the code under test.
func naive(body json.RawMessage, path ...string) string {
	var v any
	if json.Unmarshal(body, &v) != nil {
		return ""
	}
	for _, p := range path {
		m, _ := v.(map[string]any)
		v = m[p]
	}
	if v == nil {
		return ""
	}
	return fmt.Sprint(v)
}

func listOf(docs map[string]json.RawMessage) http.HandlerFunc {
	var all []string
	for _, k := range sortedKeys(docs) {
		all = append(all, string(docs[k]))
	}
	return lists(all...)
}

// serve serves a moment over real HTTP.
func (m moment) serve(t *testing.T) (*Client, plan.Scope) {
	t.Helper()
	vault := m.vault.path
	subscription := armid.SubscriptionOf(vault)
	f := newFake().
		on("GET", vault, m.vault.serves).
		on("GET", vault+"/backupProtectedItems", m.items.serves).
		on("GET", vault+"/backupProtectableItems", m.protectable.serves).
		on("GET", vault+"/backupPolicies", listOf(m.policies)).
		on("GET", vault+"/backupJobs", listOf(m.jobs)).
		on("GET", vault+"/backupResourceGuardProxies", lists()).
		on("GET", "/subscriptions/"+subscription+"/providers/Microsoft.Compute/virtualMachines", listOf(m.vms)).
		on("GET", "/subscriptions/"+subscription+"/providers/Microsoft.RecoveryServices/vaults", lists(string(m.vault.Response)))
	srv := httptest.NewServer(f)
	t.Cleanup(srv.Close)
	return newClient(t, CommandPlan, arm.Options{Endpoint: srv.URL, AccessToken: token}), plan.Scope{
		Subscriptions: []string{subscription}, Vaults: []plan.VaultRef{{ID: vault}}, Elsewhere: true, Protectable: true, Guards: true,
	}
}

// summary describes an item: VM, state, policy, disks.
func summary(it plan.Item) string {
	state := it.State
	if it.SoftDeleted {
		state = "soft-deleted, purged " + it.PurgeAt.Format(time.DateOnly)
	}
	if !it.LastRecoveryPoint.IsZero() {
		state += ", has a point"
	}
	return fmt.Sprintf("%s: %s, policy %q, disks %v", it.VM[len(it.VM)-6:], state, it.PolicyName, it.Disks)
}

// recorded lists, by cassette and exchange, the items in the recorded lists as a person reads them.
var recorded = map[string]map[int][]string{
	"item": {
		84:  {`000003: IRPending, policy "DefaultPolicy", disks <nil>`, `000004: IRPending, policy "DefaultPolicy", disks <nil>`},
		100: {`000003: IRPending, policy "clitest-item000007", disks <nil>`, `000004: IRPending, policy "DefaultPolicy", disks <nil>`},
		126: {`000003: IRPending, policy "clitest-item000007", disks <nil>`},
	},
	"policy": {
		81:  {`000005: IRPending, policy "DefaultPolicy", disks <nil>`, `000006: IRPending, policy "DefaultPolicy", disks <nil>`},
		118: {`000006: IRPending, policy "DefaultPolicy", disks <nil>`},
	},
	"softdelete": {
		48: {`000003: IRPending, policy "DefaultPolicy", disks <nil>`},
		55: {`000003: soft-deleted, purged 2024-05-12, policy "", disks <nil>`},
		66: {`000003: ProtectionStopped, policy "", disks <nil>`},
	},
	"scenario": {
		44:  {`000003: IRPending, policy "DefaultPolicy", disks <nil>`},
		132: {`000003: Protected, has a point, policy "DefaultPolicy", disks <nil>`},
		224: {`000003: ProtectionStopped, has a point, policy "", disks <nil>`},
		231: {`000003: Protected, has a point, policy "DefaultPolicy", disks <nil>`},
	},
	"job": {
		44:  {`000003: IRPending, policy "DefaultPolicy", disks <nil>`},
		131: {`000003: Protected, has a point, policy "DefaultPolicy", disks <nil>`},
	},
}

func TestRecordedEstatesAreUnderstood(t *testing.T) {
	all := cassettes(t)
	for _, name := range sortedKeys(all) {
		t.Run(name, func(t *testing.T) {
			listed, met := 0, 0
			for n, e := range all[name] {
				if !e.is("items") {
					continue
				}
				listed++
				m := momentAt(all[name], n)
				c, s := m.serve(t)
				o := discover(t, c, s)
				if len(o.Gaps) != 0 || len(o.Vaults) != 1 || len(o.VMs) != len(m.vms) || len(o.Jobs) != len(m.jobs) {
					t.Fatalf("%d: gaps %+v, %d vaults, %d VMs of %d, %d jobs of %d", n, o.Gaps, len(o.Vaults), len(o.VMs), len(m.vms), len(o.Jobs), len(m.jobs))
				}
				sameItems(t, n, e.Response, o.Items)
				samePolicies(t, n, m.policies, o.Policies)
				var words []string
				for _, it := range o.Items {
					words = append(words, summary(it))
				}
				if want, ok := recorded[name][n]; ok {
					if d := cmp.Diff(want, words); d != "" {
						t.Errorf("%d: %s", n, d)
					}
					met++
				}
			}
			if met != len(recorded[name]) || listed == 0 {
				t.Errorf("%d lists, %d of %d met", listed, met, len(recorded[name]))
			}
			t.Logf("%d moments", listed)
		})
	}
}

// sameItems compares the items that discovery made of a list with a plain reading of it.
func sameItems(t *testing.T, n int, body json.RawMessage, got []plan.Item) {
	t.Helper()
	raw := elements(body)
	if len(raw) != len(got) {
		t.Errorf("%d: %d items of %d", n, len(got), len(raw))
	}
	for _, it := range got {
		b := raw[string(armid.Of(it.ID))]
		want := []string{
			naive(b, "properties", "sourceResourceId"), naive(b, "properties", "protectionState"), naive(b, "properties", "policyId"),
			naive(b, "properties", "policyName"), naive(b, "properties", "containerName"), naive(b, "properties", "lastBackupStatus"),
			naive(b, "properties", "healthStatus"), fmt.Sprint(naive(b, "properties", "isScheduledForDeferredDelete") == "true"),
			fmt.Sprint(strings.Contains(string(b), "diskLunList")), fmt.Sprint(naive(b, "properties", "lastRecoveryPoint") != ""),
		}
		have := []string{
			it.VM, it.State, it.PolicyID, it.PolicyName, it.Container, it.LastBackupStatus, it.Health, fmt.Sprint(it.SoftDeleted),
			fmt.Sprint(it.Disks != nil), fmt.Sprint(!it.LastRecoveryPoint.IsZero()),
		}
		if d := cmp.Diff(want, have); d != "" {
			t.Errorf("%d: %s: %s", n, it.ID, d)
		}
	}
}

func samePolicies(t *testing.T, n int, raw map[string]json.RawMessage, got []plan.Policy) {
	t.Helper()
	forVMs := 0
	for _, b := range raw {
		if naive(b, "properties", "backupManagementType") == "AzureIaasVM" {
			forVMs++
		}
	}
	if forVMs != len(got) || forVMs == 0 {
		t.Errorf("%d: %d policies of %d", n, len(got), forVMs)
	}
	for _, p := range got {
		b := string(raw[string(armid.Of(p.ID))])
		enhanced := strings.Contains(b, "SimpleSchedulePolicyV2")
		if p.Unreadable != "" || (p.Spec.Tier == "Enhanced") != enhanced || p.Spec.TimeZone != "UTC" ||
			!strings.Contains(b, "T"+p.Spec.Schedule.At+":00Z") || fmt.Sprint(p.Spec.Retention.Days) != naive(raw[string(armid.Of(p.ID))],
			"properties", "retentionPolicy", "dailySchedule", "retentionDuration", "count") || p.Spec.Schedule.Frequency == "" {
			t.Errorf("%d: %s is read as %+v out of %s", n, p.Name, p, b)
		}
	}
}

func TestRecordedDocumentsAreUnderstood(t *testing.T) {
	all := cassettes(t)
	seen := map[string]int{}
	for _, name := range sortedKeys(all) {
		for _, e := range all[name] {
			f := newFake().on("GET", e.path, e.serves)
			srv := httptest.NewServer(f)
			c := newClient(t, CommandPlan, arm.Options{Endpoint: srv.URL, AccessToken: token})
			what, err := readRecorded(t, c, e)
			srv.Close()
			seen[what]++
			if err != nil {
				t.Errorf("%s %d, %s: %v", name, e.N, what, err)
			}
		}
	}
	t.Logf("read: %v", seen)
	for _, what := range []string{"vault", "policy", "policies", "item", "items", "job", "jobs", "protectable", "vm"} {
		if seen[what] == 0 {
			t.Errorf("no %s was read", what)
		}
	}
}

func readRecorded(t *testing.T, c *Client, e exchange) (what string, err error) {
	ctx, vault := t.Context(), string(armid.Of(armid.VaultOf(e.path)))
	differ := func(got, want string) {
		if err == nil && !strings.EqualFold(got, want) {
			err = fmt.Errorf("read %q, recorded %q", got, want)
		}
	}
	d := newDiscovery(c, plan.Scope{}, nil)
	switch {
	case e.is("vault"):
		d.getVault(ctx, plan.VaultRef{ID: e.path})
		if len(d.out.Vaults) != 1 {
			return "vault", fmt.Errorf("gaps %+v", d.out.Gaps)
		}
		v := d.out.Vaults[0]
		differ(v.Name+v.Location+v.Settings.Redundancy+v.ProvisioningState, naive(e.Response, "name")+naive(e.Response, "location")+
			naive(e.Response, "properties", "redundancySettings", "standardTierStorageRedundancy")+naive(e.Response, "properties", "provisioningState"))
		return "vault", err
	case e.is("policy"):
		p, _, err := parsePolicy("reading", e.Response)
		if err == nil && (p.Unreadable != "" || p.Spec.Retention.Days == 0) {
			err = fmt.Errorf("read as %+v", p)
		}
		return "policy", err
	case e.is("policies"):
		d.listPolicies(ctx, plan.Vault{ID: vault})
		differ(fmt.Sprint(len(d.out.Policies)), fmt.Sprint(strings.Count(string(e.Response), `"AzureIaasVM"`)))
		return "policies", err
	case e.is("items"):
		found, err := c.fetchItems(ctx, vault, quota.Other, nil)
		odd := slices.ContainsFunc(found.items, func(it plan.Item) bool { return it.Unreadable != "" })
		if err == nil && (len(found.items) != len(elements(e.Response)) || odd || found.nameless != nil) {
			err = fmt.Errorf("items %+v", found)
		}
		return "items", err
	case e.is("item"):
		var w wire.Item
		if _, err = c.getDocument(ctx, "reading", c.arm.URL(e.path, apiBackup), quota.Other, &w); err == nil {
			var it plan.Item
			it, err = w.ToPlan(vault, time.Now())
			differ(it.State+it.Unreadable, naive(e.Response, "properties", "protectionState"))
		}
		return "item", err
	case e.is("protectable"):
		d.listProtectable(ctx, region{}, vault)
		if len(d.out.Protectable) != 1 || len(d.out.Protectable[0].VMs) != len(elements(e.Response)) {
			err = fmt.Errorf("%+v", d.out)
		}
		return "protectable", err
	case e.is("jobs"):
		jobs, odd, err := c.fetchJobs(ctx, vault, "", quota.Other, nil)
		if err == nil && (odd != "" || len(jobs) != len(elements(e.Response)) || slices.ContainsFunc(jobs, func(j plan.Job) bool { return j.Status == "" || j.Start.IsZero() })) {
			err = fmt.Errorf("jobs %+v", jobs)
		}
		return "jobs", err
	case e.is("job"):
		j, jobErr := c.Job(ctx, e.path)
		err = jobErr
		differ(j.Operation+j.Status+j.Container, naive(e.Response, "properties", "operation")+naive(e.Response, "properties", "status")+naive(e.Response, "properties", "containerName"))
		if err == nil && (j.Start.IsZero() || j.End.IsZero() == (j.Status == "Completed")) {
			err = fmt.Errorf("times of %+v", j)
		}
		return "job", err
	case e.is("vm"):
		vm, exists, askErr := d.fetchVM(ctx, e.path)
		err = askErr
		differ(fmt.Sprint(exists)+vm.Name+vm.Location, "true"+naive(e.Response, "name")+naive(e.Response, "location"))
		if err == nil && (vm.NeedsEnhanced != "" || vm.Unsupported != "" || vm.TimeCreated.IsZero()) {
			err = fmt.Errorf("%+v", vm)
		}
		return "vm", err
	}
	return "something else", nil
}
