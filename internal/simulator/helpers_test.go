package simulator

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/azbackup/azbackup/internal/simulator/rawjson"
	"github.com/azbackup/azbackup/internal/simulator/settings"
	"github.com/azbackup/azbackup/internal/simulator/state"
)

const (
	testSub   = "11111111-1111-1111-1111-111111111111"
	testVault = "/subscriptions/" + testSub + "/resourceGroups/rg-backup/providers/Microsoft.RecoveryServices/vaults/vault1"
	testAPI   = "2025-02-01"
)

func vmID(name string) string {
	return "/subscriptions/" + testSub + "/resourceGroups/RG-App/providers/Microsoft.Compute/virtualMachines/" + name
}

// itemPath returns the path of a VM's item, in the spelling of the Azure SDKs.
func itemPath(name string) string {
	tail := "iaasvmcontainerv2%3Brg-app%3B" + name
	return testVault + "/backupFabrics/Azure/protectionContainers/IaasVMContainer%3B" + tail + "/protectedItems/vm%3B" + tail
}

func vmBody(name, location string) string {
	return fmt.Sprintf(`{"name":%q,"id":%q,"type":"Microsoft.Compute/virtualMachines","location":%q,"tags":{"env":"prod"},`+
		`"properties":{"vmId":"x","hardwareProfile":{"vmSize":"Standard_D2s_v5"},"provisioningState":"Succeeded",`+
		`"storageProfile":{"osDisk":{"osType":"Linux","managedDisk":{"storageAccountType":"Premium_LRS"}},"dataDisks":[]}}}`,
		name, vmID(name), location)
}

// estate returns a vault with its default policies and VMs VM1 … VM3 that no refresh has discovered yet, plus extra
// keys.
func estate(t testing.TB, extra ...string) *state.Estate {
	t.Helper()
	parts := append([]string{
		`"format_version":"1"`, `"taken":"2024-05-13T10:00:00Z"`, `"cloud":"AzurePublic"`, `"tenant":"22222222-2222-2222-2222-222222222222"`,
		`"subscriptions":["` + testSub + `"]`,
		`"virtualMachines":[` + vmBody("VM1", "westeurope") + `,` + vmBody("VM2", "westeurope") + `,` + vmBody("VM3", "West Europe") + `,` + vmBody("far", "northeurope") + `]`,
		`"vaults":[{"location":"westeurope","name":"vault1","etag":"W/\"x\"","properties":{"provisioningState":"Succeeded",` +
			`"securitySettings":{"immutabilitySettings":null,"softDeleteSettings":{"softDeleteRetentionPeriodInDays":14,"softDeleteState":"AlwaysON","enhancedSecurityState":"Enabled"}},` +
			`"redundancySettings":{"standardTierStorageRedundancy":"GeoRedundant","crossRegionRestore":"Disabled"}},` +
			`"id":"` + testVault + `","type":"Microsoft.RecoveryServices/vaults","sku":{"name":"Standard"}}]`,
		`"policies":[` + policyJSON("daily", "") + `,` + policyJSON("other", "") + `,` + policyJSON("enhanced", "V2") + `]`,
	}, extra...)
	e, err := state.Read(strings.NewReader("{" + strings.Join(parts, ",\n") + "}"))
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func policyJSON(name, tier string) string {
	return `{"id":"` + testVault + `/backupPolicies/` + name + `","name":"` + name + `","type":"Microsoft.RecoveryServices/vaults/backupPolicies","properties":` +
		policyProps(tier) + `}`
}

func policyProps(tier string) string {
	schedule := `{"schedulePolicyType":"SimpleSchedulePolicy","scheduleRunFrequency":"Daily","scheduleRunTimes":["1999-04-28T16:30:00.000Z"],"scheduleWeeklyFrequency":0}`
	kind := ""
	if tier == "V2" {
		schedule = `{"schedulePolicyType":"SimpleSchedulePolicyV2","scheduleRunFrequency":"Daily","dailySchedule":{"scheduleRunTimes":["1999-04-28T16:30:00.000Z"]}}`
		kind = `"policyType":"V2",`
	}
	return `{"backupManagementType":"AzureIaasVM",` + kind + `"instantRPDetails":{},"schedulePolicy":` + schedule + `,` +
		`"retentionPolicy":{"retentionPolicyType":"LongTermRetentionPolicy","dailySchedule":{"retentionTimes":["1999-04-28T16:30:00.000Z"],` +
		`"retentionDuration":{"count":30,"durationType":"Days"}}},"instantRpRetentionRangeInDays":2,"timeZone":"UTC","protectedItemsCount":7}`
}

// client is an HTTP client of one server.
type client struct {
	t    testing.TB
	http http.Client
	s    *Server
	base string
}

func serve(t testing.TB, e *state.Estate, o Options) *client {
	t.Helper()
	s, err := New(e, o)
	if err != nil {
		t.Fatal(err)
	}
	return &client{t: t, http: http.Client{Transport: s.Transport()}, s: s, base: "https://management.azure.com"}
}

// quick returns settings with short, fixed durations.
func quick() settings.Settings {
	return settings.Settings{Durations: map[string]settings.Range{"": settings.Fixed(10 * time.Second)}}
}

type answered struct {
	status int
	header http.Header
	body   []byte
}

func (a answered) code() string { return rawjson.TextAt(a.body, "error", "code") }

func (c *client) try(method, url, body string) (answered, error) {
	c.t.Helper()
	if strings.HasPrefix(url, "/") {
		sep := "?"
		if strings.Contains(url, "?") {
			sep = "&"
		}
		if !strings.Contains(url, "api-version=") {
			url += sep + "api-version=" + testAPI
		}
		url = c.base + url
	}
	r, err := http.NewRequestWithContext(c.t.Context(), method, url, strings.NewReader(body))
	if err != nil {
		c.t.Fatal(err)
	}
	resp, err := c.http.Do(r)
	if err != nil {
		return answered{}, err
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	return answered{resp.StatusCode, resp.Header, raw}, err
}

func (c *client) do(method, url, body string, want int) answered {
	c.t.Helper()
	a, err := c.try(method, url, body)
	if err != nil {
		c.t.Fatalf("%s %s: %v", method, url, err)
	}
	if a.status != want {
		c.t.Fatalf("%s %s: status %d, want %d: %s", method, url, a.status, want, a.body)
	}
	if len(a.body) > 0 && !json.Valid(a.body) {
		c.t.Fatalf("%s %s: not JSON: %s", method, url, a.body)
	}
	return a
}

func (c *client) get(url string) answered { c.t.Helper(); return c.do("GET", url, "", 200) }

// values returns the elements of a list's reply.
func values(a answered) []json.RawMessage {
	var page struct{ Value []json.RawMessage }
	_ = json.Unmarshal(a.body, &page)
	return page.Value
}

func protectBody(name, policy string) string {
	return `{"properties":{"protectedItemType":"Microsoft.Compute/virtualMachines","sourceResourceId":"` + vmID(name) +
		`","policyId":"` + testVault + `/backupPolicies/` + policy + `"}}`
}

func stateBody(name, state, more string) string {
	return `{"properties":{"protectedItemType":"Microsoft.Compute/virtualMachines","sourceResourceId":"` + vmID(name) +
		`","policyId":"","protectionState":"` + state + `"` + more + `}}`
}

// follow polls Azure-AsyncOperation to the end and returns the last body.
func (c *client) follow(a answered) answered {
	c.t.Helper()
	url := a.header.Get("Azure-AsyncOperation")
	for range 100 {
		p := c.get(url)
		if rawjson.TextAt(p.body, "status") != "InProgress" {
			return p
		}
		time.Sleep(5 * time.Second)
	}
	c.t.Fatalf("operation %s never ended", url)
	return answered{}
}

// protect protects a VM and waits for it.
func (c *client) protect(name, policy string) {
	c.t.Helper()
	a := c.follow(c.do("PUT", itemPath(name), protectBody(name, policy), 202))
	if rawjson.TextAt(a.body, "status") != "Succeeded" {
		c.t.Fatalf("protecting %s: %s", name, a.body)
	}
}

func (c *client) props(name string) json.RawMessage {
	c.t.Helper()
	return rawjson.RawAt(c.get(itemPath(name)).body, "properties")
}

func bubble(t *testing.T, f func(t *testing.T)) {
	t.Helper()
	synctest.Test(t, f)
}

func equalJSON(t *testing.T, got, want []byte) {
	t.Helper()
	var a, b bytes.Buffer
	_ = json.Compact(&a, got)
	_ = json.Compact(&b, want)
	if a.String() != b.String() {
		t.Errorf("got  %s\nwant %s", a.String(), b.String())
	}
}
