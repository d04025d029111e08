package azure

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/azbackup/azbackup/internal/azure/arm"
)

// Command is the command that the client works for: it decides which requests the client may send.
type Command string

// The commands that talk to Azure. All but Apply, Backup, Restore and RestoreTest only read.
const (
	CommandPlan        Command = "plan"
	CommandApply       Command = "apply"
	CommandAudit       Command = "audit"
	CommandExplain     Command = "explain"
	CommandExport      Command = "export"
	CommandSnapshot    Command = "snapshot"
	CommandBackup      Command = "backup"
	CommandPoints      Command = "points"
	CommandRestore     Command = "restore"
	CommandRestoreTest Command = "restore-test"
)

// route is one shape of request that this program sends. In path, "*" stands for one segment; letter case is ignored
// (docs/azure.md §0.4).
type route struct {
	kind   string // the name under which [Client.Requests] counts it
	method string
	path   string
	// writers are the commands that may send it; nil = every command (it only reads).
	writers []Command
	// senders are the commands whose role has the right to it; nil = its writers, or every command. See [Rights].
	senders []Command
	// linked are rights that the service requires on other resources than the one of the path.
	linked []linkedRight
}

const (
	subscriptionPath = "/subscriptions/*"
	groupPath        = subscriptionPath + "/resourceGroups/*"
	vaultPath        = groupPath + "/providers/Microsoft.RecoveryServices/vaults/*"
	fabricPath       = vaultPath + "/backupFabrics/Azure"
	itemPath         = fabricPath + "/protectionContainers/*/protectedItems/*"
	policyPath       = vaultPath + "/backupPolicies/*"
)

// allowedRoutes returns the allow-list of docs/design.md §6. A GET that is not listed is allowed, as "other". Any other
// request that is not listed is refused, except the DELETE of a disk that [Client.PermitCleanUp] permitted.
func allowedRoutes() []route {
	apply, tests := []Command{CommandApply}, []Command{CommandApply, CommandRestoreTest}
	restore, followers := []Command{CommandRestore, CommandRestoreTest}, []Command{CommandApply, CommandBackup, CommandRestore, CommandRestoreTest}
	testReaders := append([]Command{TestReads}, restore...)
	planners := []Command{CommandPlan, CommandApply, CommandExplain, CommandSnapshot}
	seers := []Command{CommandPlan, CommandApply, CommandAudit, CommandExplain}
	jobReaders := slices.DeleteFunc(append(Commands(), CommandRestoreTest), func(c Command) bool { return c == CommandExport })
	// Commands that only need the names of subscriptions work without them where the identity may not list them.
	inventory := []Command{CommandAudit, CommandExport, CommandSnapshot, CommandBackup, CommandPoints, CommandRestore, CommandRestoreTest, Organisation}
	return []route{
		{kind: "subscriptions", method: http.MethodGet, path: "/subscriptions", senders: inventory},
		{kind: "subscription", method: http.MethodGet, path: subscriptionPath, senders: []Command{Organisation}},
		{kind: "management groups", method: http.MethodGet, path: "/providers/Microsoft.Management/managementGroups/*/descendants", senders: []Command{Organisation}},
		{kind: "resource groups", method: http.MethodGet, path: subscriptionPath + "/resourceGroups", senders: []Command{CommandSnapshot}},
		{kind: "virtual machines", method: http.MethodGet, path: subscriptionPath + "/providers/Microsoft.Compute/virtualMachines"},
		{kind: "virtual machine", method: http.MethodGet, path: groupPath + "/providers/Microsoft.Compute/virtualMachines/*"},
		{kind: "vaults", method: http.MethodGet, path: subscriptionPath + "/providers/Microsoft.RecoveryServices/vaults"},
		{kind: "vault", method: http.MethodGet, path: vaultPath},
		{kind: "policies", method: http.MethodGet, path: vaultPath + "/backupPolicies"},
		{kind: "policy", method: http.MethodGet, path: policyPath},
		{kind: "protected items", method: http.MethodGet, path: vaultPath + "/backupProtectedItems"},
		{kind: "protected item", method: http.MethodGet, path: itemPath, senders: apply},
		{kind: "protectable items", method: http.MethodGet, path: vaultPath + "/backupProtectableItems", senders: planners},
		{kind: "jobs", method: http.MethodGet, path: vaultPath + "/backupJobs", senders: jobReaders},
		{kind: "job", method: http.MethodGet, path: vaultPath + "/backupJobs/*", senders: jobReaders},
		{kind: "resource guards", method: http.MethodGet, path: vaultPath + "/backupResourceGuardProxies", senders: planners},
		{kind: "recovery points", method: http.MethodGet, path: itemPath + "/recoveryPoints", senders: []Command{CommandPlan, CommandApply, CommandSnapshot, CommandPoints, CommandRestore, CommandRestoreTest, TestReads}},
		{kind: "recovery point", method: http.MethodGet, path: itemPath + "/recoveryPoints/*", senders: testReaders},
		{kind: "resource group", method: http.MethodGet, path: groupPath, senders: testReaders},
		{kind: "disks", method: http.MethodGet, path: groupPath + "/providers/Microsoft.Compute/disks", senders: testReaders},
		{kind: "disk", method: http.MethodGet, path: groupPath + "/providers/Microsoft.Compute/disks/*", senders: testReaders},
		{kind: "storage accounts", method: http.MethodGet, path: subscriptionPath + "/providers/Microsoft.Storage/storageAccounts", senders: testReaders},
		{kind: "storage account", method: http.MethodGet, path: groupPath + "/providers/Microsoft.Storage/storageAccounts/*", senders: testReaders},
		{kind: "operation", method: http.MethodGet, path: itemPath + "/operationsStatus/*", senders: followers},
		{kind: "operation", method: http.MethodGet, path: itemPath + "/operationResults/*", senders: followers},
		{kind: "operation", method: http.MethodGet, path: vaultPath + "/backupOperations/*", senders: followers},
		{kind: "operation", method: http.MethodGet, path: vaultPath + "/backupOperationResults/*", senders: followers},
		{kind: "operation", method: http.MethodGet, path: fabricPath + "/operationResults/*", senders: apply},
		{kind: "operation", method: http.MethodGet, path: fabricPath + "/operationsStatus/*", senders: apply},
		{kind: "operation", method: http.MethodGet, path: policyPath + "/operations/*", senders: apply},
		{kind: "operation", method: http.MethodGet, path: policyPath + "/operationResults/*", senders: apply},
		{kind: "operation", method: http.MethodGet, path: vaultPath + "/operationStatus/*", senders: apply},
		{kind: "operation", method: http.MethodGet, path: vaultPath + "/operationResults/*", senders: apply},
		{kind: "operation", method: http.MethodGet, path: vaultPath + "/backupValidateOperationsStatuses/*", senders: []Command{CommandRestoreTest}},

		{kind: "backup status", method: http.MethodPost, path: subscriptionPath + "/providers/Microsoft.RecoveryServices/locations/*/backupStatus", senders: seers},
		// Resource Graph writes nothing, but its answers lag: no command that writes, or plans writes, may query it.
		{kind: "resource graph", method: http.MethodPost, path: "/providers/Microsoft.ResourceGraph/resources", writers: []Command{CommandAudit}},

		{kind: "write vault", method: http.MethodPut, path: vaultPath, writers: apply},
		{kind: "write vault", method: http.MethodPatch, path: vaultPath, writers: apply},
		{kind: "write policy", method: http.MethodPut, path: policyPath, writers: apply},
		{kind: "refresh", method: http.MethodPost, path: fabricPath + "/refreshContainers", writers: apply},
		{kind: "write item", method: http.MethodPut, path: itemPath, writers: apply, linked: protectRights()},
		{kind: "start backup", method: http.MethodPost, path: itemPath + "/backup", writers: []Command{CommandApply, CommandBackup}},
		{kind: "start restore", method: http.MethodPost, path: itemPath + "/recoveryPoints/*/restore", writers: append([]Command{CommandRestore}, tests...), senders: restore, linked: restoreRights()},
		{kind: "check restore", method: http.MethodPost, path: vaultPath + "/backupTriggerValidateOperation", writers: tests, senders: []Command{CommandRestoreTest}, linked: cleanUpRights()},
	}
}

// isRead reports whether a request changes nothing, whatever its method.
func (r route) isRead() bool { return r.writers == nil }

// router indexes routes by their number of segments, so that a look-up costs a few comparisons.
type router map[int][]routePattern

type routePattern struct {
	route
	segments []string
}

func newRouter() router {
	r := router{}
	for _, rt := range allowedRoutes() {
		s := strings.Split(rt.path, "/")[1:]
		r[len(s)] = append(r[len(s)], routePattern{route: rt, segments: s})
	}
	return r
}

// find returns the route of a request. Only a GET may match no listed route.
func (r router) find(method string, u *url.URL) (route, bool) {
	segments, ok := pathSegments(u)
	if !ok {
		return route{}, false
	}
	for _, p := range r[len(segments)] {
		if p.method == method && p.matches(segments) {
			return p.route, true
		}
	}
	return route{kind: "other", method: method}, method == http.MethodGet
}

func (p routePattern) matches(segments []string) bool {
	for i, s := range p.segments {
		if s != "*" && !strings.EqualFold(s, segments[i]) {
			return false
		}
	}
	return true
}

// pathSegments splits a path as the service does: "%3B" is ";". It returns false where a segment could make the service
// read another path: an empty one, a dot segment, an encoded slash. One trailing slash is allowed, because the service
// uses it itself (docs/azure.md §33.24).
func pathSegments(u *url.URL) ([]string, bool) {
	path := strings.TrimSuffix(strings.TrimPrefix(u.EscapedPath(), "/"), "/")
	segments := strings.Split(path, "/")
	for i, s := range segments {
		plain, err := url.PathUnescape(s)
		if err != nil || plain == "" || plain == "." || plain == ".." || strings.ContainsAny(plain, "/\\") {
			return nil, false
		}
		segments[i] = plain
	}
	return segments, true
}

// allow returns the kind of a request; a request that the command may not send is an [*arm.RefusedError].
func (c *Client) allow(method string, u *url.URL) (kind string, err error) {
	r, err := c.checkAllowed(method, u)
	return r.kind, err
}

// checkAllowed returns the route of a request, or an [*arm.RefusedError] where the command may not send it.
func (c *Client) checkAllowed(method string, u *url.URL) (route, error) {
	if method == http.MethodDelete && c.deletable.permits(u) {
		return route{kind: "delete disk", method: method, writers: []Command{c.command}}, nil
	}
	r, ok := c.router.find(method, u)
	if !ok || !r.isRead() && !slices.Contains(r.writers, c.command) {
		return route{}, &arm.RefusedError{
			Method: method, Where: u.Path,
			Why: fmt.Sprintf("%q does not send such requests", c.command),
		}
	}
	return r, nil
}
