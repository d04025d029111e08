package simtest

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/azbackup/azbackup/apply"
	"github.com/azbackup/azbackup/internal/armid"
	"github.com/azbackup/azbackup/internal/simulator"
)

// concurrentChange is a plan, another client's actions after it was made, and the permitted outcomes of its changes.
type concurrentChange struct {
	estate func(e *estate)
	yaml   string // the file's content besides the vault and the default policies
	faults []simulator.Fault
	// actions are the other client's requests: method, path below the vault (or the item of the VM, for "vm"), and
	// body.
	actions []clientAction
	// later is the delay of the approval after that.
	later time.Duration
	// isUnasked applies without asking: the plan's own read is as young as the approval.
	isUnasked bool
	want      map[string]string // by action: outcome, or outcome and code
	message   string            // part of some result's message
	policy    map[string]int    // days afterwards
	item      itemState         // afterwards; zero = not checked
	tags      string
	writes    int // ours
}

type clientAction struct{ method, path, body string }

var (
	mwVault = armid.Vault(subscriptionID(1), "rg-backup", "v1")
	mwVM    = armid.VM(subscriptionID(1), "RG-App", "vm1")
	mwItem  = mwVault + "/backupFabrics/Azure/protectionContainers/IaasVMContainer;iaasvmcontainerv2;rg-app;vm1/protectedItems/VM;iaasvmcontainerv2;rg-app;vm1"
)

// putItemAction returns the other client's PUT of the item: under a policy, or with other properties.
func putItemAction(more string) clientAction {
	return clientAction{"PUT", mwItem, `{"properties":{"protectedItemType":"Microsoft.Compute/virtualMachines","sourceResourceId":"` + mwVM + `",` + more + `}}`}
}

func movePolicyAction(policy string) clientAction {
	return putItemAction(fmt.Sprintf(`"policyId":%q`, armid.Policy(mwVault, policy)))
}

var stopAction = putItemAction(`"policyId":"","protectionState":"ProtectionStopped"`)

// putPolicyAction returns the other client's PUT of a policy that keeps points for the given days.
func putPolicyAction(name string, days int) clientAction {
	var e estate
	e.addPolicy(mwVault, name, days)
	return clientAction{"PUT", armid.Policy(mwVault, name), e.policies[0]}
}

func managed(days int) string {
	return fmt.Sprintf("policies:\n  - {name: daily, manage: true, vaults: [v1], tier: Standard, timeZone: UTC, schedule: {daily: {at: \"22:00\"}}, instantRestoreDays: 2, retention: {days: %d}}\n", days)
}

func ruled(rule string) string {
	return "policies:\n  - {name: daily}\nvms:\n  - {name: all, match: {names: [vm1]}, " + rule + "}\n"
}

func withItem(s itemState) func(*estate) {
	return func(e *estate) {
		e.addPolicy(mwVault, "daily", 60)
		e.addPolicy(mwVault, "short", 30)
		e.addPolicy(mwVault, "long", 400)
		if s.state != "" {
			s.lastPoint = time.Date(1999, 12, 30, 22, 30, 0, 0, time.UTC)
			e.addItem(mwVault, mwVM, s)
		}
	}
}

func withPolicy(days int) func(*estate) {
	return func(e *estate) {
		e.addPolicy(mwVault, "daily", days)
		e.addItem(mwVault, mwVM, itemState{state: "Protected", policy: "daily", lastPoint: time.Date(1999, 12, 30, 22, 30, 0, 0, time.UTC)})
	}
}

func workload(name string) string {
	return fmt.Sprintf(`{"id":%q,"name":%q,"type":"Microsoft.RecoveryServices/vaults/backupPolicies","properties":{"backupManagementType":"AzureWorkload",`+
		`"workLoadType":"SQLDataBase","settings":{"timeZone":"UTC"},"subProtectionPolicy":[]}}`, armid.Policy(mwVault, name), name)
}

// listed makes the list of policies differ from the actual policies.
func listed(entries string) []simulator.Fault {
	return []simulator.Fault{{Name: "odd list", Kind: "policies.list", Status: 200, Times: -1, Body: `{"value":[` + entries + `]}`, ContentType: "application/json"}}
}

func concurrentChanges() map[string]concurrentChange {
	const moved, failed = "Protected", "failed ChangedMeanwhile"
	short := itemState{state: moved, policy: "short"}
	stopped := itemState{state: "ProtectionStopped"}
	daily := ruled("policy: daily")
	return map[string]concurrentChange{
		"a policy that another client made longer still": {
			estate: withPolicy(30), yaml: managed(60), actions: []clientAction{putPolicyAction("daily", 90)},
			want: map[string]string{"update-policy": failed}, message: "retention.days was 30, is now 90 (wanted 60)", policy: map[string]int{"daily": 90},
		},
		"the same without anybody asked": {
			estate: withPolicy(30), yaml: managed(60), actions: []clientAction{putPolicyAction("daily", 90)}, isUnasked: true,
			want: map[string]string{"update-policy": failed}, policy: map[string]int{"daily": 90},
		},
		"a policy that another client brought there": {
			estate: withPolicy(30), yaml: managed(60), actions: []clientAction{putPolicyAction("daily", 60)},
			want: map[string]string{"update-policy": "already"}, policy: map[string]int{"daily": 60},
		},
		"a cut of a policy that got its first item": {
			estate: func(e *estate) { e.addPolicy(mwVault, "daily", 60) }, yaml: managed(30), actions: []clientAction{movePolicyAction("daily")},
			want: map[string]string{"update-policy": failed}, message: "items was 0, is now 1", policy: map[string]int{"daily": 60},
		},
		"an item moved to a policy of 400 days": {
			estate: withItem(short), yaml: daily, actions: []clientAction{movePolicyAction("long")},
			want: map[string]string{"modify": failed}, message: "policy was short, is now long (wanted daily); by job ", item: itemState{state: moved, policy: "long"},
		},
		"an item stopped on purpose": {
			estate: withItem(short), yaml: daily, actions: []clientAction{stopAction},
			want: map[string]string{"modify": failed}, message: "(DisableBackup, started ", item: stopped,
		},
		"an item moved where the file wants it": {
			estate: withItem(short), yaml: daily, actions: []clientAction{movePolicyAction("daily")},
			want: map[string]string{"modify": "already"}, item: itemState{state: moved, policy: "daily"},
		},
		"a disk filter where the file says nothing of disks": {
			estate: withItem(short), yaml: daily,
			actions: []clientAction{putItemAction(fmt.Sprintf(`"policyId":%q,"extendedProperties":{"diskExclusionProperties":{"diskLunList":[1],"isInclusionList":true}}`, armid.Policy(mwVault, "short")))},
			want:    map[string]string{"modify": "done"}, message: "its disks were set to include 1 meanwhile", writes: 1,
			item: itemState{state: moved, policy: "daily", disks: "include 1"},
		},
		"a disk filter where the file says which": {
			estate: withItem(short), yaml: ruled("policy: daily, disks: {include: [0]}"),
			actions: []clientAction{putItemAction(fmt.Sprintf(`"policyId":%q,"extendedProperties":{"diskExclusionProperties":{"diskLunList":[1],"isInclusionList":true}}`, armid.Policy(mwVault, "short")))},
			want:    map[string]string{"modify": failed}, message: "disks was all, is now include 1 (wanted include 0)",
			item: itemState{state: moved, policy: "short", disks: "include 1"},
		},
		"a machine protected under another policy": {
			estate: withItem(itemState{}), yaml: daily, actions: []clientAction{movePolicyAction("long")},
			want: map[string]string{"protect": failed}, message: "policy was not there, is now long (wanted daily)", item: itemState{state: "IRPending", policy: "long"},
		},
		"a machine protected as wanted": {
			estate: withItem(itemState{}), yaml: daily, actions: []clientAction{movePolicyAction("daily")},
			want: map[string]string{"protect": "already"}, item: itemState{state: "IRPending", policy: "daily"},
		},
		"a stopped item resumed under another policy, nobody asked": {
			estate: withItem(stopped), yaml: daily, actions: []clientAction{movePolicyAction("long")}, isUnasked: true,
			want: map[string]string{"resume": failed}, message: "; by job ", item: itemState{state: moved, policy: "long"},
		},
		"a machine that another client protected with all its disks": {
			estate: withItem(itemState{}), yaml: ruled("policy: daily, disks: {include: [0]}"), actions: []clientAction{movePolicyAction("daily")},
			want: map[string]string{"protect": failed}, message: "disks", item: itemState{state: "IRPending", policy: "daily"},
		},
		"a stopped item without points resumed under another policy, nobody asked": {
			estate: func(e *estate) {
				withItem(itemState{})(e)
				e.addItem(mwVault, mwVM, stopped)
			}, yaml: daily, actions: []clientAction{movePolicyAction("long")}, isUnasked: true,
			want: map[string]string{"resume": failed}, item: itemState{state: "IRPending", policy: "long"},
		},
		"an item to stop that another client moved, nobody asked": {
			estate: withItem(short), yaml: ruled("protect: stopped"), actions: []clientAction{movePolicyAction("long")}, isUnasked: true,
			want: map[string]string{"stop": failed}, message: "policy was short, is now long", item: itemState{state: moved, policy: "long"},
		},
		"an item to stop that another client stopped, nobody asked": {
			estate: withItem(short), yaml: ruled("protect: stopped"), actions: []clientAction{stopAction}, isUnasked: true,
			want: map[string]string{"stop": "already"}, item: stopped,
		},
		"an item to stop whose disks were set, nobody asked": {
			estate: withItem(short), yaml: ruled("protect: stopped"), isUnasked: true,
			actions: []clientAction{putItemAction(fmt.Sprintf(`"policyId":%q,"extendedProperties":{"diskExclusionProperties":{"diskLunList":[1],"isInclusionList":true}}`, armid.Policy(mwVault, "short")))},
			want:    map[string]string{"stop": "done"}, message: "its disks were set to include 1 meanwhile", item: itemState{state: "ProtectionStopped", disks: "include 1"}, writes: 1,
		},
		"a policy to resume under, made shorter, nobody asked": {
			estate: withItem(stopped), yaml: daily, actions: []clientAction{putPolicyAction("daily", 10)}, isUnasked: true,
			want: map[string]string{"resume": failed}, message: "policy daily was schedule daily at 22:00, instantRestoreDays 2, retention.days 60, is now", item: stopped,
		},
		"a policy to leave, made longer, nobody asked": {
			estate: withItem(itemState{state: moved, policy: "long"}), yaml: daily, actions: []clientAction{putPolicyAction("long", 1000)}, isUnasked: true,
			want: map[string]string{"modify": failed}, message: "retention.days 1000 (wanted", item: itemState{state: moved, policy: "long"},
		},
		"a policy to go to, made shorter": {
			estate: withItem(short), yaml: daily, actions: []clientAction{putPolicyAction("daily", 10)},
			want: map[string]string{"modify": failed}, message: "retention.days 10 (wanted", item: short,
		},
		"a policy to go to, made shorter a while ago, nobody asked": {
			estate: withItem(short), yaml: daily, actions: []clientAction{putPolicyAction("daily", 10)}, later: 5 * time.Minute, isUnasked: true,
			want: map[string]string{"modify": failed}, message: "retention.days 10 (wanted", item: short,
		},
		"a deleted item brought back and resumed, nobody asked": {
			estate: withItem(itemState{state: "ProtectionStopped", softDeleted: true}), yaml: daily, isUnasked: true,
			actions: []clientAction{putItemAction(`"policyId":"","protectionState":"ProtectionStopped","isRehydrate":true`), movePolicyAction("long")},
			want:    map[string]string{"undelete": "already", "resume": failed}, item: itemState{state: moved, policy: "long"},
		},
		"a deleted item that nobody touched": {
			estate: withItem(itemState{state: "ProtectionStopped", softDeleted: true}), yaml: daily,
			want: map[string]string{"undelete": "done", "resume": "done"}, item: itemState{state: moved, policy: "daily"}, writes: 2,
		},
		"a policy made by another client": {
			estate: func(*estate) {}, yaml: managed(30), actions: []clientAction{putPolicyAction("daily", 3650)},
			want: map[string]string{"create-policy": failed}, message: "retention.days was not there, is now 3650 (wanted 30)", policy: map[string]int{"daily": 3650},
		},
		"a policy made by another client as wanted": {
			estate: func(*estate) {}, yaml: managed(30), actions: []clientAction{putPolicyAction("daily", 30)},
			want: map[string]string{"create-policy": "already"}, policy: map[string]int{"daily": 30},
		},
		"a policy that is not listed yet": {
			estate: withPolicy(3650), yaml: managed(30), faults: listed(""),
			want: map[string]string{"create-policy": failed}, policy: map[string]int{"daily": 3650},
		},
		"a policy of another workload": {
			estate: func(e *estate) { e.policies = append(e.policies, workload("daily")) }, yaml: managed(30),
			want: map[string]string{"create-policy": failed}, message: "not for VMs",
		},
		"a policy whose list entry is null":                {estate: withPolicy(3650), yaml: managed(30), faults: listed(fmt.Sprintf(`{"id":%q,"name":"daily","properties":null}`, armid.Policy(mwVault, "daily"))), policy: map[string]int{"daily": 3650}},
		"a policy whose list entry has a letter otherwise": {estate: withPolicy(3650), yaml: managed(30), faults: listed(fmt.Sprintf(`{"id":%q,"name":"daily","properties":{"backupManagementType":"azureIaasVM"}}`, armid.Policy(mwVault, "daily"))), policy: map[string]int{"daily": 3650}},
		"a policy that cannot be read": {
			estate: withPolicy(30), yaml: managed(60), faults: []simulator.Fault{{Name: "denied", Kind: "policy.get", Status: 403, Code: "AuthorizationFailed", Times: -1}},
			want: map[string]string{"update-policy": "failed AuthorizationFailed"}, message: "it was not written, because it could not be read", policy: map[string]int{"daily": 30},
		},
		"tags of a vault that another client set": {
			estate: func(*estate) {}, yaml: "    tags: {owner: me}\n", actions: []clientAction{{"PATCH", mwVault, `{"tags":{"cost":"42"}}`}},
			want: map[string]string{"update-vault": "done"}, tags: `{"cost":"42","owner":"me"}`, writes: 1,
		},
		"days of soft delete that another client set": {
			estate: func(*estate) {}, yaml: "    softDeleteDays: 30\n", actions: []clientAction{{"PATCH", mwVault, `{"properties":{"securitySettings":{"softDeleteSettings":{"softDeleteState":"AlwaysON","softDeleteRetentionPeriodInDays":90}}}}`}},
			want: map[string]string{"update-vault": failed}, message: "softDeleteDays was 14, is now 90 (wanted 30)",
		},
	}
}

// A change approved for one state is never written onto another.
func TestWhatOthersDidMeanwhileIsNotUndone(t *testing.T) {
	for name, m := range concurrentChanges() {
		t.Run(name, func(t *testing.T) { synctest.Test(t, func(t *testing.T) { m.check(t) }) })
	}
}

func (m concurrentChange) check(t *testing.T) {
	e := &estate{subscriptions: []string{subscriptionID(1)}}
	e.addVault(mwVault, "westeurope")
	e.addVM(mwVM, "westeurope", nil)
	m.estate(e)
	w := &requestLog{}
	server := serve(t, e.json(), simulator.Options{Log: w.log, Settings: simulator.Settings{
		UnsignedURLs: true, Faults: m.faults, Durations: map[string]simulator.Range{"": simulator.Fixed(time.Second)},
	}})
	yaml := "version: 1\nsubscriptions: [" + subscriptionID(1) + "]\nvaults:\n  - name: v1\n    resourceGroup: rg-backup\n    location: westeurope\n    manage: true\n" + m.yaml + "settings: {refresh: never}\n"
	r := newMainPath(t, yaml, server.Transport())
	planned, err := r.plan(t.Context(), t)
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range m.actions {
		sendAsConcurrentClient(t, server, a)
		time.Sleep(time.Minute)
	}
	time.Sleep(m.later)
	before := len(writeRequests(w.entries))
	o := apply.Options{Budget: planned.client, Observed: planned.observed, Now: planned.client.Now}
	if !m.isUnasked {
		o.Approved = planned.client.Now()
	}
	planned.client.SetApprovalTime(o.Approved)
	report, _ := apply.Run(t.Context(), planned.plan, planned.client, o)
	if m.want != nil {
		got, messages := map[string]string{}, ""
		for _, res := range report.Results {
			got[string(res.Action)] = strings.TrimSpace(string(res.Outcome) + " " + res.Code)
			messages += res.Message + "\n"
		}
		if fmt.Sprint(got) != fmt.Sprint(m.want) {
			t.Errorf("got %v, want %v\n%s", got, m.want, messages)
		}
		if !strings.Contains(messages, m.message) {
			t.Errorf("no result says %q:\n%s", m.message, messages)
		}
	}
	if n := len(writeRequests(w.entries)) - before; n != m.writes {
		t.Errorf("%d writes, want %d: %q", n, m.writes, writeRequests(w.entries)[before:])
	}
	m.checkEstate(t, server)
}

// sendAsConcurrentClient sends a request that must be accepted.
func sendAsConcurrentClient(t *testing.T, server *simulator.Server, a clientAction) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), a.method, "http://127.0.0.1"+a.path+"?api-version=2025-08-01", strings.NewReader(a.body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer colleague")
	req.Header.Set("Content-Type", "application/json")
	resp, err := server.Transport().RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if body, _ := io.ReadAll(resp.Body); resp.StatusCode >= 300 {
		t.Fatalf("the other client's %s of %s: %s\n%s", a.method, a.path, resp.Status, body)
	}
}

// checkEstate checks the final estate.
func (m concurrentChange) checkEstate(t *testing.T, server *simulator.Server) {
	t.Helper()
	var st struct {
		state
		Vaults   []struct{ Tags json.RawMessage }
		Policies []struct {
			Name       string
			Properties struct {
				RetentionPolicy struct {
					DailySchedule struct{ RetentionDuration struct{ Count int } }
				}
			}
		}
	}
	readState(t, server, &st)
	for _, p := range st.Policies {
		if want, looked := m.policy[p.Name]; looked && p.Properties.RetentionPolicy.DailySchedule.RetentionDuration.Count != want {
			t.Errorf("policy %s keeps %+v, want %d days", p.Name, p.Properties.RetentionPolicy, want)
		}
	}
	if m.item.state != "" {
		got := itemState{}
		for _, it := range st.Items {
			got.state, got.policy, got.softDeleted = it.Properties.State, it.Properties.Policy[strings.LastIndex(it.Properties.Policy, "/")+1:], it.Properties.Deleted
			if x := it.Properties.Extended; x != nil && x.Disks != nil {
				got.disks = fmt.Sprint("include ", x.Disks.LUNs[0])
			}
		}
		if got != m.item {
			t.Errorf("the item is %+v, want %+v", got, m.item)
		}
	}
	if m.tags != "" && string(st.Vaults[0].Tags) != m.tags {
		t.Errorf("tags %s, want %s", st.Vaults[0].Tags, m.tags)
	}
}
