package plan

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/azbackup/azbackup/config"
)

func TestAGuardIsUsableOnlyByARequestThatItLists(t *testing.T) {
	const guard, other = "/g/mua", "/g/other"
	op := func(guard, word, request string) GuardedOperation {
		return GuardedOperation{guard, "Microsoft.RecoveryServices/vaults" + word, request}
	}
	stop := "/backupFabrics/protectionContainers/protectedItems/write#stopProtectionWithRetainData"
	for name, c := range map[string]struct {
		guards     []string
		operations []GuardedOperation
		requests   int
		unusable   bool
	}{
		"listed":                           {[]string{guard}, []GuardedOperation{op(guard, stop, "/r1")}, 1, false},
		"listed without case":              {[]string{"/G/MUA"}, []GuardedOperation{op(guard, "/BACKUPFABRICS/protectionContainers/protectedItems/write#stopprotectionwithretaindata", "/r1")}, 1, false},
		"another operation":                {[]string{guard}, []GuardedOperation{op(guard, "/backupPolicies/write", "/r1")}, 0, false},
		"operations that a plan never has": {[]string{guard}, []GuardedOperation{op(guard, "/backupSecurityPIN/action", "/r1"), op(guard, "/write#modifyEncryptionSettings", "/r2")}, 0, false},
		"listed without a request":         {[]string{guard}, []GuardedOperation{op(guard, stop, "")}, 0, true},
		"a word that is not known":         {[]string{guard}, []GuardedOperation{op(guard, "/new/action", "/r1")}, 0, true},
		"no operation listed":              {[]string{guard}, nil, 0, true},
		"two guards":                       {[]string{guard, other}, []GuardedOperation{op(guard, stop, "/r1"), op(other, stop, "/r2")}, 2, false},
		"no guard":                         {nil, nil, 0, false},
	} {
		v := &Vault{ResourceGuards: c.guards, GuardedOperations: c.operations}
		requests, unusable := v.guardsOf(guardItemStop)
		if len(requests) != c.requests || (unusable != "") != c.unusable {
			t.Errorf("%s: %v, %q", name, requests, unusable)
		}
	}
}

func TestABlockedChangeNamesTheGuardThatStandsInItsWay(t *testing.T) {
	const guard = "/subscriptions/s/resourceGroups/rg/providers/Microsoft.DataProtection/resourceGuards/mua"
	for name, c := range map[string]struct {
		operations []GuardedOperation
		want       string
	}{
		"covers it":            {[]GuardedOperation{{guard, guardPrefix + guardItemStop, "/r1"}}, "mua"},
		"lists no request":     {[]GuardedOperation{{guard, guardPrefix + guardItemStop, ""}}, "mua"},
		"lists no operation":   {nil, "mua"},
		"an unknown operation": {[]GuardedOperation{{guard, "Microsoft.RecoveryServices/vaults/new/action", "/r1"}}, "mua, with the operation Microsoft.RecoveryServices/vaults/new/action"},
	} {
		v := &vaultPlan{conf: &config.Vault{}, observed: &Vault{ResourceGuards: []string{guard}, GuardedOperations: c.operations}}
		reason, detail := (&planner{}).whyGuardRefuses(v, guardItemStop)
		if reason != ReasonResourceGuard || detail != c.want {
			t.Errorf("a guard that %s: %s, %q, want %q", name, reason, detail, c.want)
		}
	}
}

func TestEachGuardedWriteNamesTheOperationOfItsKind(t *testing.T) {
	days := 14
	for _, c := range []struct {
		change Change
		want   []string
	}{
		{Change{Action: Modify}, []string{guardItemWrite}},
		{Change{Action: Resume}, []string{guardItemWrite}},
		{Change{Action: Undelete}, []string{guardItemWrite}},
		{Change{Action: Stop}, []string{guardItemStop}},
		{Change{Action: UpdatePolicy}, []string{guardPolicyWrite}},
		{Change{Action: Restore}, []string{guardRestore}},
		{Change{Action: RestoreTest}, []string{guardRestore}},
		{Change{Action: UpdateVault, After: &State{Vault: &VaultSettings{SoftDeleteDays: &days, Immutability: immutabilityOff}}}, []string{guardSoftDelete, guardImmutability}},
		{Change{Action: UpdateVault, After: &State{Vault: &VaultSettings{Redundancy: redundancyGeo}}}, nil},
		{Change{Action: Protect}, nil},
		{Change{Action: CreatePolicy}, nil},
		{Change{Action: Backup}, nil},
	} {
		if diff := cmp.Diff(c.want, guardedBy(&c.change)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.change.Action, diff)
		}
	}
}

func TestGuardsThatWereNotReadTakeNoOtherGapFromAPlanOfRestores(t *testing.T) {
	points, guards := Gap{Kind: GapPoints, Target: "/vm1"}, Gap{Kind: GapGuards, Vault: "/v1"}
	for name, c := range map[string]struct{ plan, observed, want []Gap }{
		"beside the points":   {[]Gap{points}, []Gap{guards}, []Gap{points, guards}},
		"known already":       {[]Gap{guards, points}, []Gap{guards}, []Gap{guards, points}},
		"all was read":        {[]Gap{}, nil, []Gap{}},
		"only the guards not": {[]Gap{}, []Gap{guards}, []Gap{guards}},
	} {
		p := WithGuardRequests(Plan{Gaps: c.plan, Complete: len(c.plan) == 0}, Observed{Gaps: c.observed}, func(string) bool { return true })
		if diff := cmp.Diff(c.want, p.Gaps); diff != "" || p.Complete != (len(c.want) == 0) {
			t.Errorf("%s: complete %v (-want +got):\n%s", name, p.Complete, diff)
		}
	}
}

func TestAChangeNamesTheRequestsOfItsVaultWhereTheFileUsesThem(t *testing.T) {
	const guard = "/g/mua"
	observed := Observed{Vaults: []Vault{
		{ID: "/v1", ResourceGuards: []string{guard}, GuardedOperations: []GuardedOperation{{guard, guardPrefix + guardItemStop, "/r1"}}},
		{ID: "/v2", ResourceGuards: []string{guard}, GuardedOperations: []GuardedOperation{{guard, guardPrefix + guardItemStop, "/r2"}}},
	}}
	p := Plan{Changes: []Change{
		{Action: Stop, Vault: "/V1"}, {Action: Protect, Vault: "/v1"}, {Action: Stop, Vault: "/v2"}, {Action: Stop, Vault: "/unread"},
	}}
	p = WithGuardRequests(p, observed, func(vault string) bool { return vault != "/v2" })
	for i, want := range [][]string{{"/r1"}, nil, nil, nil} {
		var got []string
		for _, r := range p.Changes[i].ResourceGuard {
			got = append(got, r.Request)
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("%s in %s (-want +got):\n%s", p.Changes[i].Action, p.Changes[i].Vault, d)
		}
	}
}
