package azure

import (
	"errors"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/azbackup/azbackup/internal/azure/quota"
)

func TestAPathThatTheServiceMightReadOtherwiseIsNotUsed(t *testing.T) {
	for path, want := range map[string]string{
		"/a/b": "a b", "/a/b/": "a b", "/a%3Bb/c": "a;b c",
		"/a//b": "", "/a/./b": "", "/a/../b": "", "/a/%2e%2e/b": "", "/a/b%2Fc": "", "/a/b%5Cc": "", "/": "",
	} {
		u, err := url.Parse("https://arm.test" + path)
		if err != nil {
			t.Fatal(err)
		}
		segments, ok := pathSegments(u)
		if got := strings.Join(segments, " "); got != want || ok != (want != "") {
			t.Errorf("%s: %q, %t", path, got, ok)
		}
	}
}

func itemURL(c *Client) string {
	return c.arm.buildURL(vaultID+"/backupFabrics/Azure/protectionContainers/c;x;y/protectedItems/vm;x;y", apiBackup)
}

// writes returns one request of each kind that changes something, and some that no command may send.
func writes(c *Client) map[string]request {
	return map[string]request{
		"put vault":     {method: http.MethodPut, url: c.arm.buildURL(vaultID, apiVault)},
		"patch vault":   {method: http.MethodPatch, url: c.arm.buildURL(vaultID, apiVault)},
		"put policy":    {method: http.MethodPut, url: c.arm.buildURL(vaultID+"/backupPolicies/p", apiBackup)},
		"refresh":       {method: http.MethodPost, url: c.arm.buildURL(vaultID+"/backupFabrics/Azure/refreshContainers", apiBackup)},
		"put item":      {method: http.MethodPut, url: itemURL(c)},
		"post backup":   {method: http.MethodPost, url: strings.Replace(itemURL(c), "?", "/backup?", 1)},
		"post restore":  {method: http.MethodPost, url: strings.Replace(itemURL(c), "?", "/recoveryPoints/1/restore?", 1)},
		"check restore": {method: http.MethodPost, url: c.arm.buildURL(vaultID+"/backupTriggerValidateOperation", apiBackup)},
		"delete disk":   {method: http.MethodDelete, url: c.arm.buildURL(disksPath+"/d", apiDisks)},
		"delete item":   {method: http.MethodDelete, url: itemURL(c)},
		"delete vault":  {method: http.MethodDelete, url: c.arm.buildURL(vaultID, apiVault)},
		"delete policy": {method: http.MethodDelete, url: c.arm.buildURL(vaultID+"/backupPolicies/p", apiBackup)},
		"unlock delete": {method: http.MethodPost, url: c.arm.buildURL(vaultID+"/backupResourceGuardProxies/VaultProxy/unlockDelete", apiBackup)},
		"register":      {method: http.MethodPost, url: c.arm.buildURL("/subscriptions/"+sub+"/providers/Microsoft.RecoveryServices/register", apiVault)},
		"put vm":        {method: http.MethodPut, url: c.arm.buildURL(vm1, apiCompute)},
		"cancel job":    {method: http.MethodPost, url: c.arm.buildURL(vaultID+"/backupJobs/j/cancel", apiBackup)},
		"trigger stop":  {method: http.MethodPost, url: strings.Replace(itemURL(c), "?", "/restore?", 1)},
		"dots":          {method: http.MethodPut, url: "https://arm.test" + vaultID + "/backupPolicies/..?api-version=1"},
		"hidden dots":   {method: http.MethodPut, url: "https://arm.test" + vaultID + "/backupPolicies/%2e%2e?api-version=1"},
		"hidden slash":  {method: http.MethodPut, url: "https://arm.test" + vaultID + "/backupPolicies/p%2f..%2f..?api-version=1"},
		"backslash":     {method: http.MethodPut, url: "https://arm.test" + vaultID + "/backupPolicies/p%5c..?api-version=1"},
		"double slash":  {method: http.MethodPut, url: "https://arm.test" + "/" + vaultID + "/backupPolicies/p?api-version=1"},
	}
}

func TestACommandSendsOnlyItsOwnWrites(t *testing.T) {
	allowed := map[Command][]string{
		CommandApply:       {"check restore", "patch vault", "post backup", "post restore", "put item", "put policy", "put vault", "refresh"},
		CommandBackup:      {"post backup"},
		CommandRestore:     {"post restore"},
		CommandRestoreTest: {"check restore", "post restore"},
		CommandPoints:      nil,
		CommandPlan:        nil, CommandAudit: nil, CommandExplain: nil, CommandExport: nil, CommandSnapshot: nil, "": nil, "APPLY": nil,
	}
	for command, want := range allowed {
		f := newFake()
		c := f.client(t, command)
		var got []string
		for _, name := range sortedKeys(writes(c)) {
			r := writes(c)[name]
			r.class = quota.Write
			before := len(f.sent)
			_, err := c.arm.do(t.Context(), r)
			if len(f.sent) > before {
				got = append(got, name)
				continue
			}
			if refused, ok := errors.AsType[*RefusedError](err); !ok || strings.Contains(err.Error(), token) {
				t.Errorf("%s, %s: got %v (%v), want a RefusedError", command, name, err, refused)
			}
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("what %q sent (-want +got):\n%s", command, d)
		}
	}
}

func TestNoRouteDeletes(t *testing.T) {
	for _, r := range allowedRoutes() {
		if r.method == http.MethodDelete {
			t.Errorf("%s deletes", r.path)
		}
	}
}

func TestReadsByPostAreAllowed(t *testing.T) {
	f := newFake()
	for _, command := range Commands() {
		c := f.client(t, command)
		for path, isAllowed := range map[string]bool{
			"/subscriptions/" + sub + "/providers/Microsoft.RecoveryServices/locations/westeurope/backupStatus": true,
			"/providers/Microsoft.ResourceGraph/resources":                                                      command == CommandAudit, // its answers lag
		} {
			if _, err := c.checkAllowed(http.MethodPost, mustURL(t, c.arm.buildURL(path, apiBackup))); (err == nil) != isAllowed {
				t.Errorf("%s: %s: %v", command, path, err)
			}
		}
	}
}

func mustURL(t *testing.T, s string) *url.URL {
	t.Helper()
	u, err := url.Parse(s)
	if err != nil {
		t.Fatal(err)
	}
	return u
}
