package azure

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/azbackup/azbackup/apply"
	"github.com/azbackup/azbackup/internal/armid"
	"github.com/azbackup/azbackup/internal/azure/arm"
	"github.com/azbackup/azbackup/internal/azure/quota"
	"github.com/azbackup/azbackup/plan"
)

const guardID = "/subscriptions/" + sub2 + "/resourceGroups/rg-sec/providers/Microsoft.DataProtection/resourceGuards/mua"

// guardedStop is a stop that names a guard's request.
func guardedStop() plan.Change {
	return plan.Change{
		ID: "stop:" + vm1, Action: plan.Stop, Target: vm1, Vault: vaultID, After: &plan.State{State: plan.StateProtectionStopped},
		ResourceGuard: []plan.GuardRequest{{
			Guard: guardID, Operation: "Microsoft.RecoveryServices/vaults/backupFabrics/protectionContainers/protectedItems/write#stopProtectionWithRetainData",
			Request: guardID + "/deleteProtectedItemRequests/default",
		}},
	}
}

func TestATokenOfAGuardsTenantGoesWithTheGuardedWriteAlone(t *testing.T) {
	f := newFake()
	accepted := func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusAccepted) }
	vm, err := armid.ParseVM(vm1)
	if err != nil {
		t.Fatal(err)
	}
	f.on("PUT", armid.ProtectedItem(vaultID, vm), accepted).on("GET", "/subscriptions", says(200, `{"value":[]}`))
	c := newClient(t, CommandApply, arm.Options{
		Endpoint: "https://arm.test", AccessToken: token, Transport: inProcess{f},
		AuxiliaryTenants: []string{"a", "b"}, AuxiliaryToken: "second",
	})
	if _, err := c.Start(t.Context(), guardedStop()); err != nil {
		t.Fatal(err)
	}
	protect := plan.Change{ID: "protect:" + vm1, Action: plan.Protect, Target: vm1, Vault: vaultID, After: &plan.State{Policy: vaultID + "/backupPolicies/daily"}}
	if _, err := c.Start(t.Context(), protect); err != nil {
		t.Logf("the other write: %v", err) // whatever its end: what was sent counts
	}
	if _, err := c.FindSubscriptions(t.Context(), plan.SubscriptionSearch{}); err != nil {
		t.Fatal(err)
	}
	guarded := 0
	for _, r := range f.sent {
		isGuarded := r.method == http.MethodPut && strings.Contains(r.body, `"resourceGuardOperationRequests":["`+guardID+`/deleteProtectedItemRequests/default"]`)
		header := r.header.Get("x-ms-authorization-auxiliary")
		if isGuarded {
			guarded++
		}
		if isGuarded != (header == "Bearer second, Bearer second") || !isGuarded && header != "" {
			t.Errorf("%s %s: auxiliary header %q", r.method, r.path, header)
		}
	}
	if guarded != 1 || len(f.sent) < 3 {
		t.Errorf("%d guarded of %d requests", guarded, len(f.sent))
	}
}

// Every request that any command may send is sent, with and without a guard's request in its body: the tokens of the
// guards' tenants go with the writes that name one, and with no other request.
func TestNoRequestButAGuardedWriteCanCarryTheTokenOfAGuardsTenant(t *testing.T) {
	const named = `{"properties":{"resourceGuardOperationRequests":["` + guardID + `/stopRequests/default"]}}`
	bodies := map[string]any{
		"no body": nil, "a body": json.RawMessage(`{"properties":{"policyId":""}}`), "an empty list": json.RawMessage(`{"properties":{"resourceGuardOperationRequests":[]}}`),
		"a name elsewhere": json.RawMessage(`{"resourceGuardOperationRequests":["x"],"tags":{"resourceGuardOperationRequests":"x"}}`), "a name": json.RawMessage(named),
	}
	f := newFake()
	guarded, total := 0, 0
	for _, route := range allowedRoutes() {
		commands := route.writers
		if route.isRead() {
			commands = Commands()
		}
		for _, command := range commands {
			c := newClient(t, command, arm.Options{
				Endpoint: "https://arm.test", AccessToken: token, Transport: inProcess{f},
				AuxiliaryTenants: []string{"a"}, AuxiliaryToken: "second",
			})
			for what, body := range bodies {
				r := arm.Request{Op: "x", Method: route.method, URL: c.arm.URL(strings.ReplaceAll(route.path, "*", sub), apiBackup), Body: body, Class: quota.Other}
				if !route.isRead() {
					r.Class = quota.Write
				}
				before := len(f.sent)
				c.arm.Do(t.Context(), r)
				if len(f.sent) == before {
					t.Errorf("%s %s of %s was not sent", route.method, route.path, command)
				}
				for _, sent := range f.sent[before:] {
					total++
					isGuarded := !route.isRead() && what == "a name"
					want := map[bool]string{true: "Bearer second"}[isGuarded]
					if isGuarded {
						guarded++
					}
					if got := sent.header.Get("x-ms-authorization-auxiliary"); got != want {
						t.Errorf("%s of %s, %s: auxiliary header %q, want %q", route.kind, command, what, got, want)
					}
				}
			}
		}
	}
	if guarded < 10 || total < 100 {
		t.Errorf("%d guarded writes of %d requests: the test sends less than it should", guarded, total)
	}
}

func TestAGuardsRefusalNamesGuardAndOperation(t *testing.T) {
	for name, c := range map[string]struct {
		status  int
		message string
		named   bool
	}{
		"forbidden":                 {403, "no", true},
		"bad request that names it": {400, "not for " + strings.ToUpper(guardID), true},
		"another bad request":       {400, "the body is wrong", false},
		"conflict":                  {409, "not for " + guardID, false},
	} {
		err := guardError(guardedStop(), &apply.Error{Status: c.status, Code: "X", Message: c.message})
		if got := strings.Contains(err.Error(), "resource guard "+guardID+" did not let Microsoft.RecoveryServices/"); got != c.named || !strings.Contains(err.Error(), c.message) {
			t.Errorf("%s: %v", name, err)
		}
	}
	plain := &apply.Error{Status: 403, Message: "no"}
	if err := guardError(plan.Change{}, plain); err != error(plain) { //nolint:errorlint // the very same
		t.Errorf("without a guard: %v", err)
	}
}
