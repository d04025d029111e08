package conformance

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/arm"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/cloud"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/compute/armcompute/v7"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/recoveryservices/armrecoveryservices"
	backup "github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/recoveryservices/armrecoveryservicesbackup/v5"

	"github.com/azbackup/azbackup/internal/simulator"
)

// Names in the demo's estate.
const (
	tenant       = "22222222-2222-2222-2222-222222222222"
	subscription = "11111111-1111-1111-1111-111111111111"
	group        = "rg-backup"
	vault        = "rsv-weu-prod"
	fabric       = "Azure"
	secret       = "not-a-secret"

	vmFilter   = "backupManagementType eq 'AzureIaasVM'"
	itemFilter = "backupManagementType eq 'AzureIaasVM' and itemType eq 'VM'"
)

// sdk is the Azure SDK for Go, signed in at a simulator over TLS, as at any Azure cloud.
type sdk struct {
	t          *testing.T
	sim        *simulator.Server
	credential azcore.TokenCredential
	options    *arm.ClientOptions
	backup     *backup.ClientFactory
}

func dial(t *testing.T, s simulator.Settings) *sdk {
	t.Helper()
	f, err := os.Open("../../examples/estate.json")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	estate, err := simulator.Read(f)
	if err != nil {
		t.Fatal(err)
	}
	s.RetryAfter, s.RequireToken, s.ClientSecret = new(int), true, secret
	sim, err := simulator.New(estate, simulator.Options{Settings: s})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewTLSServer(sim)
	t.Cleanup(server.Close)

	options := policy.ClientOptions{
		Cloud: cloud.Configuration{
			ActiveDirectoryAuthorityHost: server.URL,
			Services: map[cloud.ServiceName]cloud.ServiceConfiguration{
				cloud.ResourceManager: {Audience: server.URL, Endpoint: server.URL},
			},
		},
		Transport: server.Client(),
		Retry:     policy.RetryOptions{MaxRetries: -1}, // a reply that needs a retry is a mistake here
	}
	credential, err := azidentity.NewClientSecretCredential(tenant, "conformance", secret,
		&azidentity.ClientSecretCredentialOptions{ClientOptions: options, DisableInstanceDiscovery: true})
	if err != nil {
		t.Fatal(err)
	}
	c := &sdk{t: t, sim: sim, credential: credential, options: &arm.ClientOptions{ClientOptions: options}}
	c.backup, err = backup.NewClientFactory(subscription, credential, c.options)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func (c *sdk) vaults() *armrecoveryservices.VaultsClient {
	c.t.Helper()
	client, err := armrecoveryservices.NewVaultsClient(subscription, c.credential, c.options)
	if err != nil {
		c.t.Fatal(err)
	}
	return client
}

func (c *sdk) machines() *armcompute.VirtualMachinesClient {
	c.t.Helper()
	client, err := armcompute.NewVirtualMachinesClient(subscription, c.credential, c.options)
	if err != nil {
		c.t.Fatal(err)
	}
	return client
}

// everything reads a list to its last page.
func everything[Page, T any](t *testing.T, pager *runtime.Pager[Page], values func(Page) []*T) []*T {
	t.Helper()
	var all []*T
	for pager.More() {
		page, err := pager.NextPage(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, values(page)...)
	}
	return all
}

// capture returns a context that keeps the response: half of the SDK's calls return no headers (docs/azure.md §15).
func capture(t *testing.T) (context.Context, func() *http.Response) {
	t.Helper()
	var response *http.Response
	return policy.WithCaptureResponse(t.Context(), &response), func() *http.Response { return response }
}

// accepted returns the headers of a 202.
func accepted(t *testing.T, r *http.Response) http.Header {
	t.Helper()
	if r.StatusCode != http.StatusAccepted {
		t.Fatalf("status %s, want 202", r.Status)
	}
	return r.Header
}

// operationID returns the last segment of the URL in a header, the parameter of the SDK's calls for operations.
func operationID(t *testing.T, h http.Header, name string) string {
	t.Helper()
	u, err := url.Parse(h.Get(name))
	if err != nil || u.Path == "" {
		t.Fatalf("header %s is %q: %v", name, h.Get(name), err)
	}
	return path.Base(u.Path)
}

// until polls until done returns true; operations here take tenths of a second.
func until(t *testing.T, what string, done func() bool) {
	t.Helper()
	deadline := time.Now().Add(20 * time.Second)
	for !done() {
		if time.Now().After(deadline) {
			t.Fatalf("%s never ended", what)
		}
		time.Sleep(20 * time.Millisecond)
	}
}

func isStatus(err error, status int) bool {
	var refused *azcore.ResponseError
	return errors.As(err, &refused) && refused.StatusCode == status
}
