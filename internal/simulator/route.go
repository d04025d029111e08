package simulator

import (
	"net/http"
	"net/url"
	"strings"

	"github.com/azbackup/azbackup/internal/simulator/quota"
	"github.com/azbackup/azbackup/internal/simulator/reply"
	"github.com/azbackup/azbackup/internal/simulator/signin"
)

// route is one request shape the simulator handles. In a pattern, "{x}" is any one segment; the rest is compared
// without case (docs/azure.md §0.4, §33.16-33.18).
type route struct {
	method  string
	pattern string
	// kind names the route in statistics, faults and logs.
	kind string
	// action is the Recovery Services action whose hourly budget a request consumes; empty: none (docs/azure.md §12).
	action string
	handle func(*requestContext) reply.Reply
	// isRead reports that the request changes nothing though it is no GET.
	isRead bool
	// isPublic reports that the route needs no token and no api-version: it is not ARM's.
	isPublic bool

	segments []string
}

const (
	inSub    = "/subscriptions/{sub}"
	inGroup  = inSub + "/resourcegroups/{group}"
	compute  = "/providers/microsoft.compute/virtualmachines"
	disks    = "/providers/microsoft.compute/disks"
	accounts = "/providers/microsoft.storage/storageaccounts"
	rsv      = "/providers/microsoft.recoveryservices"
	inVault  = inGroup + rsv + "/vaults/{vault}"
	fabric   = inVault + "/backupfabrics/{fabric}"
	inItem   = fabric + "/protectioncontainers/{container}/protecteditems/{item}"
)

const rsAction = quota.ActionPrefix

// routes returns every request shape the simulator handles.
func routes() []*route {
	list := []*route{
		{method: "GET", pattern: inSub + compute, kind: "vms.list", handle: (*requestContext).listVMs},
		{method: "GET", pattern: inGroup + compute, kind: "vms.list", handle: (*requestContext).listVMs},
		{method: "GET", pattern: inGroup + compute + "/{vm}", kind: "vm.get", handle: (*requestContext).getVM},
		{method: "GET", pattern: inSub + disks, kind: "disks.list", handle: (*requestContext).listDisks},
		{method: "GET", pattern: inGroup + disks, kind: "disks.list", handle: (*requestContext).listDisks},
		{method: "GET", pattern: inGroup + disks + "/{disk}", kind: "disk.get", handle: (*requestContext).getDisk},
		{method: "DELETE", pattern: inGroup + disks + "/{disk}", kind: "disk.delete", handle: (*requestContext).deleteDisk},
		{method: "GET", pattern: inSub + "/providers/microsoft.compute/locations/{location}/diskoperations/{op}", kind: "disk.status", handle: (*requestContext).diskOperation},
		{method: "GET", pattern: inSub + accounts, kind: "accounts.list", handle: (*requestContext).listAccounts},
		{method: "GET", pattern: inGroup + accounts, kind: "accounts.list", handle: (*requestContext).listAccounts},
		{method: "GET", pattern: inGroup + accounts + "/{account}", kind: "account.get", handle: (*requestContext).getAccount},
		{method: "GET", pattern: inGroup + "/providers/microsoft.classicstorage/storageaccounts/{account}", kind: "account.get", handle: (*requestContext).getClassicAccount},

		{method: "GET", pattern: inSub + rsv + "/vaults", kind: "vaults.list", handle: (*requestContext).listVaults},
		{method: "GET", pattern: inGroup + rsv + "/vaults", kind: "vaults.list", handle: (*requestContext).listVaults},
		{method: "GET", pattern: inVault, kind: "vault.get", handle: (*requestContext).getVault},
		{method: "PUT", pattern: inVault, kind: "vault.put", action: rsAction + "write", handle: (*requestContext).putVault},
		{method: "PATCH", pattern: inVault, kind: "vault.patch", action: rsAction + "write", handle: (*requestContext).patchVault},
		{method: "DELETE", pattern: inVault, kind: "vault.delete", action: rsAction + "delete", handle: (*requestContext).deleteVault},
		{method: "GET", pattern: inVault + "/operationstatus/{op}", kind: "vault.status", handle: (*requestContext).vaultStatus},
		{method: "GET", pattern: inVault + "/operationresults/{op}", kind: "vault.result", handle: (*requestContext).vaultResult},

		{method: "GET", pattern: inVault + "/backuppolicies", kind: "policies.list", action: rsAction + "backupPolicies/read", handle: (*requestContext).listPolicies},
		{method: "GET", pattern: inVault + "/backuppolicies/{policy}", kind: "policy.get", action: rsAction + "backupPolicies/read", handle: (*requestContext).getPolicy},
		{method: "PUT", pattern: inVault + "/backuppolicies/{policy}", kind: "policy.put", handle: (*requestContext).putPolicy},
		{method: "DELETE", pattern: inVault + "/backuppolicies/{policy}", kind: "policy.delete", handle: (*requestContext).deletePolicy},
		{method: "GET", pattern: inVault + "/backuppolicies/{policy}/operations/{op}", kind: "policy.status", action: rsAction + "backupPolicies/operations/read", handle: (*requestContext).getStatus},
		{method: "GET", pattern: inVault + "/backuppolicies/{policy}/operationresults/{op}", kind: "policy.result", action: rsAction + "backupPolicies/operationResults/read", handle: (*requestContext).getResult},

		{method: "GET", pattern: inVault + "/backupprotecteditems", kind: "items.list", action: rsAction + "backupProtectedItems/read", handle: (*requestContext).listItems},
		{method: "GET", pattern: inItem, kind: "item.get", action: rsAction + "backupFabrics/protectionContainers/protectedItems/read", handle: (*requestContext).getItem},
		{method: "PUT", pattern: inItem, kind: "item.put", handle: (*requestContext).putItem},
		{method: "DELETE", pattern: inItem, kind: "item.delete", handle: (*requestContext).deleteItem},
		{method: "POST", pattern: inItem + "/backup", kind: "item.backup", handle: (*requestContext).backup},
		{method: "GET", pattern: inItem + "/operationsstatus/{op}", kind: "item.status", action: rsAction + "backupFabrics/protectionContainers/protectedItems/operationsStatus/read", handle: (*requestContext).getStatus},
		{method: "GET", pattern: inItem + "/operationresults/{op}", kind: "item.result", action: rsAction + "backupFabrics/protectionContainers/protectedItems/operationResults/read", handle: (*requestContext).getResult},
		{method: "GET", pattern: inItem + "/recoverypoints", kind: "points.list", action: rsAction + "backupFabrics/protectionContainers/protectedItems/recoveryPoints/read", handle: (*requestContext).listPoints},
		{method: "GET", pattern: inItem + "/recoverypoints/{point}", kind: "point.get", action: rsAction + "backupFabrics/protectionContainers/protectedItems/recoveryPoints/read", handle: (*requestContext).getPoint},
		{method: "POST", pattern: inItem + "/recoverypoints/{point}/restore", kind: "item.restore", handle: (*requestContext).restore},

		{method: "POST", pattern: inVault + "/backuptriggervalidateoperation", kind: "restore.validate", isRead: true, handle: (*requestContext).validateRestore},
		{method: "GET", pattern: inVault + "/backupvalidateoperationsstatuses/{op}", kind: "validate.status", action: rsAction + "backupValidateOperationsStatuses/read", handle: (*requestContext).getStatus},
		{method: "GET", pattern: inVault + "/backupvalidateoperationresults/{op}", kind: "validate.result", action: rsAction + "backupValidateOperationResults/read", handle: (*requestContext).getResult},

		{method: "GET", pattern: inVault + "/backupoperations/{op}", kind: "backupOperation.status", action: rsAction + "backupOperations/read", handle: (*requestContext).getStatus},
		{method: "GET", pattern: inVault + "/backupoperationresults/{op}", kind: "backupOperation.result", action: rsAction + "backupOperationResults/read", handle: (*requestContext).getResult},

		{method: "GET", pattern: inVault + "/backupprotectableitems", kind: "protectable.list", action: rsAction + "backupProtectableItems/read", handle: (*requestContext).listProtectable},
		{method: "POST", pattern: fabric + "/refreshcontainers", kind: "refresh", handle: (*requestContext).refresh},
		{method: "GET", pattern: fabric + "/operationsstatus/{op}", kind: "refresh.status", action: rsAction + "backupFabrics/operationsStatus/read", handle: (*requestContext).getStatus},
		{method: "GET", pattern: fabric + "/operationresults/{op}", kind: "refresh.result", action: rsAction + "backupFabrics/operationResults/read", handle: (*requestContext).getResult},

		{method: "GET", pattern: inVault + "/backupjobs", kind: "jobs.list", action: rsAction + "backupJobs/read", handle: (*requestContext).listJobs},
		{method: "GET", pattern: inVault + "/backupjobs/{job}", kind: "job.get", action: rsAction + "backupJobs/read", handle: (*requestContext).getJob},
		{method: "POST", pattern: inVault + "/backupjobs/{job}/cancel", kind: "job.cancel", handle: (*requestContext).cancelJob},
		{method: "GET", pattern: inVault + "/backupjobs/{job}/operationsstatus/{op}", kind: "job.status", action: rsAction + "backupJobs/operationsStatus/read", handle: (*requestContext).getStatus},
		{method: "GET", pattern: inVault + "/backupjobs/{job}/operationresults/{op}", kind: "job.result", action: rsAction + "backupJobs/operationResults/read", handle: (*requestContext).getResult},

		{method: "GET", pattern: inVault + "/backupprotectioncontainers", kind: "containers.list", action: rsAction + "backupProtectionContainers/read", handle: (*requestContext).listContainers},
		{method: "GET", pattern: inVault + "/backupdeletedprotectioncontainers", kind: "containers.deleted", handle: (*requestContext).listDeletedContainers},
		{method: "GET", pattern: inVault + "/backupusagesummaries", kind: "usage", action: rsAction + "backupUsageSummaries/read", handle: (*requestContext).listUsage},
		{method: "GET", pattern: inVault + "/backupresourceguardproxies", kind: "guards.list", handle: (*requestContext).listGuards},
		{method: "GET", pattern: inVault + "/backupconfig/vaultconfig", kind: "vaultconfig.get", action: rsAction + "backupconfig/read", handle: (*requestContext).getVaultConfig},
		{method: "PATCH", pattern: inVault + "/backupconfig/vaultconfig", kind: "vaultconfig.write", handle: (*requestContext).writeVaultConfig},
		{method: "PUT", pattern: inVault + "/backupconfig/vaultconfig", kind: "vaultconfig.write", handle: (*requestContext).writeVaultConfig},
		{method: "GET", pattern: inVault + "/backupstorageconfig/vaultstorageconfig", kind: "storageconfig.get", action: rsAction + "backupstorageconfig/read", handle: (*requestContext).getStorageConfig},
		{method: "PATCH", pattern: inVault + "/backupstorageconfig/vaultstorageconfig", kind: "storageconfig.write", handle: (*requestContext).writeStorageConfig},
		{method: "PUT", pattern: inVault + "/backupstorageconfig/vaultstorageconfig", kind: "storageconfig.write", handle: (*requestContext).writeStorageConfig},
		{method: "GET", pattern: inVault + "/backupencryptionconfigs/backupresourceencryptionconfig", kind: "encryptionconfig.get", action: rsAction + "backupEncryptionConfigs/read", handle: (*requestContext).getEncryptionConfig},
		{method: "GET", pattern: inVault + "/replicationvaultsettings/{setting}", kind: "replicationsettings.get", handle: (*requestContext).getReplicationSettings},

		{method: "POST", pattern: inVault + "/backupresourceguardproxies/{guard}/unlockdelete", kind: "guard.unlock", handle: (*requestContext).unlockDelete},

		{method: "POST", pattern: inSub + rsv + "/locations/{location}/backupstatus", kind: "backupStatus", isRead: true, handle: (*requestContext).backupStatus},
		{method: "POST", pattern: inSub + rsv + "/locations/{location}/backupprevalidateprotection", kind: "preValidate", isRead: true, handle: (*requestContext).preValidate},
		{method: "POST", pattern: inSub + rsv + "/locations/{location}/backupvalidatefeatures", kind: "validateFeatures", isRead: true, handle: (*requestContext).validateFeatures},
	}
	list = append(list, commonRoutes()...)
	for _, r := range list {
		r.segments = strings.Split(r.pattern, "/")[1:]
	}
	return list
}

// commonRoutes returns the routes of Azure Resource Manager itself, of Resource Graph, of signing in and of the
// simulator.
func commonRoutes() []*route {
	return []*route{
		{method: "GET", pattern: "/subscriptions", kind: "subscriptions.list", handle: (*requestContext).listSubscriptions},
		{method: "GET", pattern: inSub, kind: "subscription.get", handle: (*requestContext).getSubscription},
		{method: "GET", pattern: inSub + "/locations", kind: "locations.list", handle: (*requestContext).listLocations},
		{method: "GET", pattern: "/tenants", kind: "tenants.list", handle: (*requestContext).listTenants},
		{method: "GET", pattern: inSub + "/resourcegroups", kind: "groups.list", handle: (*requestContext).listGroups},
		{method: "GET", pattern: inGroup, kind: "group.get", handle: (*requestContext).getGroup},
		{method: "HEAD", pattern: inGroup, kind: "group.head", handle: (*requestContext).headGroup},
		{method: "PUT", pattern: inGroup, kind: "group.put", handle: (*requestContext).putGroup},
		{method: "DELETE", pattern: inGroup, kind: "group.delete", handle: (*requestContext).deleteGroup},
		{method: "GET", pattern: inGroup + "/resources", kind: "resources.list", handle: (*requestContext).listResources},
		{method: "GET", pattern: inSub + "/providers", kind: "providers.list", handle: (*requestContext).listProviders},
		{method: "GET", pattern: inSub + "/providers/{namespace}", kind: "provider.get", handle: (*requestContext).getProvider},
		{method: "POST", pattern: inSub + "/providers/{namespace}/register", kind: "provider.register", handle: (*requestContext).registerProvider},

		{method: "GET", pattern: "/providers/microsoft.management/managementgroups/{management}/descendants", kind: "descendants.list", handle: (*requestContext).listDescendants},

		{method: "POST", pattern: "/providers/microsoft.resourcegraph/resources", kind: "graph.query", isRead: true, handle: (*requestContext).queryGraph},

		{method: "GET", pattern: "/metadata/endpoints", kind: "metadata", handle: (*requestContext).metadata, isPublic: true},
		{method: "GET", pattern: "/common/discovery/instance", kind: "signin.discovery", handle: atSignIn(signin.Request.InstanceDiscovery), isPublic: true},
		{method: "GET", pattern: "/{tenant}/v2.0/.well-known/openid-configuration", kind: "signin.discovery", handle: atSignIn(signin.Request.OpenIDConfiguration), isPublic: true},
		{method: "GET", pattern: "/{tenant}/.well-known/openid-configuration", kind: "signin.discovery", handle: atSignIn(signin.Request.OpenIDConfiguration), isPublic: true},
		{method: "GET", pattern: "/{tenant}/discovery/v2.0/keys", kind: "signin.keys", handle: atSignIn(signin.Request.EmptyKeySet), isPublic: true},
		{method: "POST", pattern: "/{tenant}/oauth2/v2.0/token", kind: "signin.token", handle: atSignIn(signin.Request.Token), isPublic: true, isRead: true},
		{method: "GET", pattern: "/msi/token", kind: "signin.identity", handle: atSignIn(signin.Request.Identity), isPublic: true},
		{method: "POST", pattern: "/{tenant}/oauth2/token", kind: "signin.token", handle: atSignIn(signin.Request.Token), isPublic: true, isRead: true},

		{method: "GET", pattern: "/_simulator/state", kind: "simulator", handle: (*requestContext).adminState, isPublic: true},
		{method: "GET", pattern: "/_simulator/stats", kind: "simulator", handle: (*requestContext).adminStats, isPublic: true},
	}
}

// isWrite reports whether a client's request may change the estate.
func (r *route) isWrite() bool {
	return r != nil && r.method != http.MethodGet && r.method != http.MethodHead && !r.isRead
}

// splitPath decodes a path and cuts it at its slashes; a trailing slash does not count (docs/azure.md §33.24).
func splitPath(escaped string) ([]string, bool) {
	escaped = strings.TrimSuffix(escaped, "/")
	if !strings.HasPrefix(escaped, "/") {
		return nil, escaped == ""
	}
	parts := strings.Split(escaped[1:], "/")
	for i, p := range parts {
		decoded, err := url.PathUnescape(p)
		if err != nil || decoded == "" {
			return nil, false
		}
		parts[i] = decoded
	}
	return parts, true
}

// findRoute finds the route for a request. known reports that the path exists, with another method if the route is
// nil.
func (s *Server) findRoute(method string, parts []string) (found *route, params map[string]string, known bool) {
	for _, r := range s.routes {
		if p, ok := r.params(parts); ok {
			if r.method == method {
				return r, p, true
			}
			known = true
		}
	}
	return nil, nil, known
}

func (r *route) params(parts []string) (map[string]string, bool) {
	if len(parts) != len(r.segments) {
		return nil, false
	}
	for i, seg := range r.segments {
		if seg[0] != '{' && !strings.EqualFold(seg, parts[i]) {
			return nil, false
		}
	}
	params := map[string]string{}
	for i, seg := range r.segments {
		if seg[0] == '{' {
			params[seg[1:len(seg)-1]] = parts[i]
		}
	}
	return params, true
}

// kinds are the names of the routes.
func kinds() map[string]bool {
	all := map[string]bool{}
	for _, r := range routes() {
		all[r.kind] = true
	}
	return all
}
