package simulator

import (
	"net/http"
	"slices"
	"strings"
	"time"
)

// metadata tells clients where everything of this cloud is: an array up to 2019-05-01, one object from 2022-09-01.
func (c *call) metadata() reply {
	suffixes := obj("azureDataLakeStoreFileSystem", "azuredatalakestore.net", "acrLoginServer", "azurecr.io",
		"sqlServerHostname", "database.windows.net", "azureDataLakeAnalyticsCatalogAndJob", "azuredatalakeanalytics.net",
		"keyVaultDns", "vault.azure.net", "storage", "core.windows.net", "azureFrontDoorEndpointSuffix", "azurefd.net",
		"storageSyncEndpointSuffix", "afs.azure.net", "mhsmDns", "managedhsm.azure.net", "mysqlServerEndpoint", "mysql.database.azure.com",
		"postgresqlServerEndpoint", "postgres.database.azure.com", "mariadbServerEndpoint", "mariadb.database.azure.com",
		"synapseAnalytics", "dev.azuresynapse.net", "attestationEndpoint", "attest.azure.net")
	o := obj(
		"portal", "https://portal.azure.com",
		"authentication", obj("loginEndpoint", c.authority(), "audiences", []string{"https://management.core.windows.net/", "https://management.azure.com/"},
			"tenant", "common", "identityProvider", "AAD"),
		"media", "https://rest.media.azure.net",
		"graphAudience", "https://graph.windows.net/",
		"graph", "https://graph.windows.net/",
		"name", c.st.cloudName(),
		"suffixes", suffixes,
		"batch", "https://batch.core.windows.net/",
		"resourceManager", c.base+"/",
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
	if c.version >= "2022-09-01" {
		return ok(o.bytes())
	}
	return ok(encode([]object{o}))
}

// cloudName is what the metadata call the cloud.
func (e *Estate) cloudName() string {
	switch e.Cloud {
	case "AzureUSGovernment":
		return "AzureUSGovernment"
	case "AzureChina":
		return "AzureChinaCloud"
	}
	return "AzureCloud"
}

func (c *call) listSubscriptions() reply {
	return c.list("groups", each(c.st.subscriptions, "", func(*listed) bool { return true }, func(l *listed) []byte { return c.st.read(l.body) }))
}

func (c *call) getSubscription() reply {
	return ok(c.st.read(c.st.subscriptions.get(key(c.params["sub"])).body)) // dispatch found it
}

func (c *call) listTenants() reply {
	t := first(c.st.Tenant, "00000000-0000-0000-0000-000000000000")
	return ok(obj("value", []object{obj("id", "/tenants/"+t, "tenantId", t, "tenantCategory", "Home", "displayName", t)}).bytes())
}

func (c *call) listLocations() reply {
	seen := map[string]bool{}
	c.st.vms.group(key(c.params["sub"]), 0, func(_ int, v *vm) bool { seen[v.region] = true; return true })
	c.st.vaults.group(key(c.params["sub"]), 0, func(_ int, v *vault) bool { seen[v.region] = true; return true })
	out := []object{}
	for _, name := range sortedKeys(seen) {
		out = append(out, obj("id", "/subscriptions/"+c.params["sub"]+"/locations/"+name, "name", name, "type", "Region", "displayName", name))
	}
	return ok(obj("value", out).bytes())
}

func sortedKeys(set map[string]bool) []string {
	var out []string
	for k := range set {
		out = append(out, k)
	}
	slices.Sort(out)
	return out
}

// providers are the namespaces a subscription can be registered for.
func providers() []string {
	return []string{"Microsoft.Compute", "Microsoft.RecoveryServices", "Microsoft.ResourceGraph", "Microsoft.Resources", "Microsoft.Network", "Microsoft.Storage"}
}

func (c *call) providerBody(namespace string) object {
	state := "Registered"
	if !c.st.registered(key(c.params["sub"]), namespace, c.s.set) {
		state = "NotRegistered"
	}
	return obj("id", "/subscriptions/"+c.params["sub"]+"/providers/"+namespace, "namespace", namespace,
		"registrationPolicy", "RegistrationRequired", "registrationState", state, "resourceTypes", []string{})
}

func (c *call) listProviders() reply {
	out := []object{}
	for _, p := range providers() {
		out = append(out, c.providerBody(p))
	}
	return ok(obj("value", out).bytes())
}

func (c *call) getProvider() reply { return ok(c.providerBody(c.namespace()).bytes()) }

func (c *call) namespace() string {
	for _, p := range providers() {
		if strings.EqualFold(p, c.params["namespace"]) {
			return p
		}
	}
	return c.params["namespace"]
}

// registerProvider registers at once; Azure takes a minute in the state Registering.
func (c *call) registerProvider() reply {
	k := key(c.params["sub"]) + "/" + key(c.namespace())
	if c.st.memory.Registered == nil {
		c.st.memory.Registered = map[string]time.Time{}
	}
	c.st.memory.Registered[k] = c.now
	c.st.remember()
	return ok(c.providerBody(c.namespace()).bytes())
}

// registered: a subscription is, unless the settings say otherwise and nobody has registered it since.
func (st *state) registered(sub, namespace string, set Settings) bool {
	for _, n := range set.UnregisteredProviders {
		if strings.EqualFold(n, namespace) {
			_, since := st.memory.Registered[sub+"/"+key(namespace)]
			return since
		}
	}
	return true
}

// notRegistered is ARM's answer to a write in a subscription that is not registered for the provider (docs/azure.md §33.41).
func (c *call) notRegistered(namespace string) *reply {
	if c.st.registered(key(c.params["sub"]), namespace, c.s.set) {
		return nil
	}
	r := gateway(http.StatusConflict, "MissingSubscriptionRegistration",
		"The subscription is not registered to use namespace '%s'. See https://aka.ms/rps-not-found for how to register subscriptions.", namespace)
	return &r
}
