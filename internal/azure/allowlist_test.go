package azure

import (
	"errors"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/azbackup/azbackup/internal/azure/arm"
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
	return c.arm.URL(vaultID+"/backupFabrics/Azure/protectionContainers/c;x;y/protectedItems/vm;x;y", apiBackup)
}

// writes returns one request of each kind that changes something, and some that no command may send.
func writes(c *Client) map[string]arm.Request {
	return map[string]arm.Request{
		"put vault":     {Method: http.MethodPut, URL: c.arm.URL(vaultID, apiVault)},
		"patch vault":   {Method: http.MethodPatch, URL: c.arm.URL(vaultID, apiVault)},
		"put policy":    {Method: http.MethodPut, URL: c.arm.URL(vaultID+"/backupPolicies/p", apiBackup)},
		"refresh":       {Method: http.MethodPost, URL: c.arm.URL(vaultID+"/backupFabrics/Azure/refreshContainers", apiBackup)},
		"put item":      {Method: http.MethodPut, URL: itemURL(c)},
		"post backup":   {Method: http.MethodPost, URL: strings.Replace(itemURL(c), "?", "/backup?", 1)},
		"post restore":  {Method: http.MethodPost, URL: strings.Replace(itemURL(c), "?", "/recoveryPoints/1/restore?", 1)},
		"check restore": {Method: http.MethodPost, URL: c.arm.URL(vaultID+"/backupTriggerValidateOperation", apiBackup)},
		"delete disk":   {Method: http.MethodDelete, URL: c.arm.URL(disksPath+"/d", apiDisks)},
		"delete item":   {Method: http.MethodDelete, URL: itemURL(c)},
		"delete vault":  {Method: http.MethodDelete, URL: c.arm.URL(vaultID, apiVault)},
		"delete policy": {Method: http.MethodDelete, URL: c.arm.URL(vaultID+"/backupPolicies/p", apiBackup)},
		"unlock delete": {Method: http.MethodPost, URL: c.arm.URL(vaultID+"/backupResourceGuardProxies/VaultProxy/unlockDelete", apiBackup)},
		"register":      {Method: http.MethodPost, URL: c.arm.URL("/subscriptions/"+sub+"/providers/Microsoft.RecoveryServices/register", apiVault)},
		"put vm":        {Method: http.MethodPut, URL: c.arm.URL(vm1, apiCompute)},
		"cancel job":    {Method: http.MethodPost, URL: c.arm.URL(vaultID+"/backupJobs/j/cancel", apiBackup)},
		"trigger stop":  {Method: http.MethodPost, URL: strings.Replace(itemURL(c), "?", "/restore?", 1)},
		"dots":          {Method: http.MethodPut, URL: "https://arm.test" + vaultID + "/backupPolicies/..?api-version=1"},
		"hidden dots":   {Method: http.MethodPut, URL: "https://arm.test" + vaultID + "/backupPolicies/%2e%2e?api-version=1"},
		"hidden slash":  {Method: http.MethodPut, URL: "https://arm.test" + vaultID + "/backupPolicies/p%2f..%2f..?api-version=1"},
		"backslash":     {Method: http.MethodPut, URL: "https://arm.test" + vaultID + "/backupPolicies/p%5c..?api-version=1"},
		"double slash":  {Method: http.MethodPut, URL: "https://arm.test" + "/" + vaultID + "/backupPolicies/p?api-version=1"},
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
			r.Class = quota.Write
			before := len(f.sent)
			_, err := c.arm.Do(t.Context(), r)
			if len(f.sent) > before {
				got = append(got, name)
				continue
			}
			if refused, ok := errors.AsType[*arm.RefusedError](err); !ok || strings.Contains(err.Error(), token) {
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
			if _, err := c.checkAllowed(http.MethodPost, mustURL(t, c.arm.URL(path, apiBackup))); (err == nil) != isAllowed {
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
