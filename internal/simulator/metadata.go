package simulator

import (
	"cmp"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/azbackup/azbackup/internal/simulator/ids"
	"github.com/azbackup/azbackup/internal/simulator/rawjson"
	"github.com/azbackup/azbackup/internal/simulator/reply"
	"github.com/azbackup/azbackup/internal/simulator/state"
)

// metadata returns the endpoints of this cloud: an array up to 2019-05-01, one object from 2022-09-01.
func (rc *requestContext) metadata() reply.Reply {
	suffixes := rawjson.NewObject("azureDataLakeStoreFileSystem", "azuredatalakestore.net", "acrLoginServer", "azurecr.io",
		"sqlServerHostname", "database.windows.net", "azureDataLakeAnalyticsCatalogAndJob", "azuredatalakeanalytics.net",
		"keyVaultDns", "vault.azure.net", "storage", "core.windows.net", "azureFrontDoorEndpointSuffix", "azurefd.net",
		"storageSyncEndpointSuffix", "afs.azure.net", "mhsmDns", "managedhsm.azure.net", "mysqlServerEndpoint", "mysql.database.azure.com",
		"postgresqlServerEndpoint", "postgres.database.azure.com", "mariadbServerEndpoint", "mariadb.database.azure.com",
		"synapseAnalytics", "dev.azuresynapse.net", "attestationEndpoint", "attest.azure.net")
	o := rawjson.NewObject(
		"portal", "https://portal.azure.com",
		"authentication", rawjson.NewObject("loginEndpoint", rc.signIn().Authority(), "audiences", []string{"https://management.core.windows.net/", "https://management.azure.com/"},
			"tenant", "common", "identityProvider", "AAD"),
		"media", "https://rest.media.azure.net",
		"graphAudience", "https://graph.windows.net/",
		"graph", "https://graph.windows.net/",
		"name", rc.st.CloudName(),
		"suffixes", suffixes,
		"batch", "https://batch.core.windows.net/",
		"resourceManager", rc.base+"/",
		"vmImageAliasDoc", "https://raw.githubusercontent.com/Azure/azure-rest-api-specs/main/arm-compute/quickstart-templates/aliases.json",
		"activeDirectoryDataLake", "https://datalake.azure.net/",
		"sqlManagement", "https://management.core.windows.net:8443/",
		"microsoftGraphResourceId", "https://graph.microsoft.com/",
		"appInsightsResourceId", "https://api.applicationinsights.io",
		"appInsightsTelemetryChannelResourceId", "https://dc.applicationinsights.azure.com/v2/track",
		"attestationResourceId", "https://attest.azure.net",
		"synapseAnalyticsResourceId", "https://dev.azuresynapse.net",
		"logAnalyticsResourceId", "https://api.loganalytics.io",
		"ossrDbmsResourceId", "https://ossrdbms-aad.database.windows.net",
		"gallery", "https://gallery.azure.com/",
	)
	if rc.version >= "2022-09-01" {
		return reply.OK(o.Bytes())
	}
	return reply.OK(rawjson.Encode([]rawjson.Object{o}))
}

func (rc *requestContext) listSubscriptions() reply.Reply {
	return rc.list("groups", each(rc.st.Subscriptions, "", func(*state.OpaqueResource) bool { return true }, func(l *state.OpaqueResource) []byte { return rc.st.Read(l.Body) }))
}

func (rc *requestContext) getSubscription() reply.Reply {
	return reply.OK(rc.st.Read(rc.st.Subscriptions.Get(ids.Key(rc.params["sub"])).Body)) // dispatch found it
}

func (rc *requestContext) listTenants() reply.Reply {
	t := cmp.Or(rc.st.Tenant, "00000000-0000-0000-0000-000000000000")
	return reply.OK(rawjson.NewObject("value", []rawjson.Object{rawjson.NewObject("id", "/tenants/"+t, "tenantId", t, "tenantCategory", "Home", "displayName", t)}).Bytes())
}

func (rc *requestContext) listLocations() reply.Reply {
	seen := map[string]bool{}
	rc.st.VMs.Group(ids.Key(rc.params["sub"]), 0, func(_ int, v *state.VM) bool { seen[v.Region] = true; return true })
	rc.st.Vaults.Group(ids.Key(rc.params["sub"]), 0, func(_ int, v *state.Vault) bool { seen[v.Region] = true; return true })
	out := []rawjson.Object{}
	for _, name := range slices.Sorted(maps.Keys(seen)) {
		out = append(out, rawjson.NewObject("id", "/subscriptions/"+rc.params["sub"]+"/locations/"+name, "name", name, "type", "Region", "displayName", name))
	}
	return reply.OK(rawjson.NewObject("value", out).Bytes())
}

// providers returns the namespaces a subscription can be registered for.
func providers() []string {
	return []string{"Microsoft.Compute", "Microsoft.RecoveryServices", "Microsoft.ResourceGraph", "Microsoft.Resources", "Microsoft.Network", "Microsoft.Storage"}
}

func (rc *requestContext) providerBody(namespace string) rawjson.Object {
	state := "Registered"
	if !rc.st.IsRegistered(ids.Key(rc.params["sub"]), namespace, rc.s.set) {
		state = "NotRegistered"
	}
	return rawjson.NewObject("id", "/subscriptions/"+rc.params["sub"]+"/providers/"+namespace, "namespace", namespace,
		"registrationPolicy", "RegistrationRequired", "registrationState", state, "resourceTypes", []string{})
}

func (rc *requestContext) listProviders() reply.Reply {
	out := []rawjson.Object{}
	for _, p := range providers() {
		out = append(out, rc.providerBody(p))
	}
	return reply.OK(rawjson.NewObject("value", out).Bytes())
}

func (rc *requestContext) getProvider() reply.Reply {
	return reply.OK(rc.providerBody(rc.namespace()).Bytes())
}

func (rc *requestContext) namespace() string {
	for _, p := range providers() {
		if strings.EqualFold(p, rc.params["namespace"]) {
			return p
		}
	}
	return rc.params["namespace"]
}

// registerProvider registers at once; Azure takes a minute in the state Registering.
func (rc *requestContext) registerProvider() reply.Reply {
	k := ids.Key(rc.params["sub"]) + "/" + ids.Key(rc.namespace())
	if rc.st.Service.Registered == nil {
		rc.st.Service.Registered = map[string]time.Time{}
	}
	rc.st.Service.Registered[k] = rc.now
	rc.st.MarkDirty()
	return reply.OK(rc.providerBody(rc.namespace()).Bytes())
}

// notRegisteredReply returns ARM's reply to a write in a subscription that is not registered for the provider
// (docs/azure.md §33.41).
func (rc *requestContext) notRegisteredReply(namespace string) *reply.Reply {
	if rc.st.IsRegistered(ids.Key(rc.params["sub"]), namespace, rc.s.set) {
		return nil
	}
	r := reply.ARMError(http.StatusConflict, "MissingSubscriptionRegistration",
		"The subscription is not registered to use namespace '%s'. See https://aka.ms/rps-not-found for how to register subscriptions.", namespace)
	return &r
}
