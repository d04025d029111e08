package audit

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/azbackup/azbackup/config"
	"github.com/azbackup/azbackup/internal/azure"
	"github.com/azbackup/azbackup/internal/azure/arm"
	"github.com/azbackup/azbackup/plan"
)

// Every field of every body is changed, one at a time, in every way that makes it differ from Azure's form: the result
// is the right state, unknown, or a gap; no VM gets a better state than its own, and no additional write is planned.

// oddity is one way to change a value.
type oddity struct {
	how   string
	apply func(old any) (odd any, ok bool)
}

const missing = "\x00missing"

func oddities() []oddity {
	always := func(v any) func(any) (any, bool) { return func(any) (any, bool) { return v, true } }
	onText := func(f func(string) any) func(any) (any, bool) {
		return func(old any) (any, bool) {
			s, ok := old.(string)
			return f(s), ok
		}
	}
	return []oddity{
		{"missing", always(missing)},
		{"null", always(nil)},
		{"a list", func(old any) (any, bool) { _, is := old.([]any); return []any{}, !is }},
		{"a list of it", func(old any) (any, bool) { return []any{old}, true }},
		{"an object", func(old any) (any, bool) { _, is := old.(map[string]any); return map[string]any{"x": 1}, !is }},
		{"a number", func(old any) (any, bool) { _, is := old.(float64); return 7, !is }},
		{"a flag", func(old any) (any, bool) { _, is := old.(bool); return true, !is }},
		{"the text of it", func(old any) (any, bool) {
			switch old := old.(type) {
			case bool, float64:
				return fmt.Sprint(old), true
			default:
				return nil, false
			}
		}},
		{"empty", onText(func(string) any { return "" })},
		{"upper case", onText(func(s string) any { return strings.ToUpper(s) })},
		{"lower case", onText(func(s string) any { return strings.ToLower(s) })},
		{"another word", onText(func(string) any { return "Dancing" })},
		{"huge", onText(func(string) any { return strings.Repeat("x", 5000) })},
		{"huge", func(old any) (any, bool) { _, is := old.(float64); return 1e15, is }},
		{"negative", func(old any) (any, bool) { _, is := old.(float64); return -3, is }},
		{"the future", onText(func(string) any { return "2941-01-01T00:00:00Z" })},
		{"the past", onText(func(string) any { return "1999-01-01T00:00:00Z" })},
		{"no time yet", onText(func(string) any { return "0001-01-01T00:00:00" })},
	}
}

// paths returns all paths in a document, with dots.
func paths(at string, v any) []string {
	var out []string
	switch v := v.(type) {
	case map[string]any:
		for _, c := range slices.Sorted(maps.Keys(v)) {
			out = append(out, at+"."+c)
			out = append(out, paths(at+"."+c, v[c])...)
		}
	case []any:
		for i := range v {
			out = append(out, paths(at+"."+strconv.Itoa(i), v[i])...)
		}
	}
	return out
}

// changed returns a copy of a document with the value at a path changed; false = nothing changed.
func changed(doc json.RawMessage, path string, how oddity) (json.RawMessage, bool) {
	var v any
	if json.Unmarshal(doc, &v) != nil {
		panic("no JSON")
	}
	keys := strings.Split(strings.TrimPrefix(path, "."), ".")
	at := v
	for _, c := range keys[:len(keys)-1] {
		at = child(at, c)
	}
	last := keys[len(keys)-1]
	odd, ok := how.apply(child(at, last))
	if !ok {
		return nil, false
	}
	switch at := at.(type) {
	case map[string]any:
		if at[last] = odd; odd == missing {
			delete(at, last)
		}
	case []any:
		i, _ := strconv.Atoi(last)
		if at[i] = odd; odd == missing {
			at[i] = nil
		}
	}
	return json.RawMessage(mustJSON(v)), true
}

func child(v any, key string) any {
	switch v := v.(type) {
	case map[string]any:
		return v[key]
	case []any:
		if i, err := strconv.Atoi(key); err == nil {
			return v[i]
		}
	}
	return nil
}

// isWhatItSays reports whether the changed body is another valid response: a VM without tags, a policy without a
// monthly retention, another time of day. Its content is then the truth.
func isWhatItSays(class, path, how string) bool {
	absent := slices.Contains([]string{"missing", "null"}, how)
	word := slices.Contains([]string{"empty", "upper case", "lower case", "another word", "the future", "the past", "no time yet"}, how)
	clock := how == "the future" || how == "the past" || how == "no time yet"
	switch {
	case class == "vm" && (path == ".tags" || strings.HasPrefix(path, ".tags.")):
		return how == "missing" || absent && path == ".tags" || how == "an object" && path == ".tags" || word
	case class == "vault" && (path == ".tags" || strings.HasPrefix(path, ".tags.")):
		return how == "missing" || absent && path == ".tags" || word
	case class == "vault":
		return absent || how == "empty" || how == "an object" // absent, and so not managed as before
	case class == "policy" && (strings.HasSuffix(path, "Times.0") || strings.HasSuffix(path, "WindowStartTime")):
		return clock
	case class == "policy" && strings.HasSuffix(path, ".timeZone"):
		return word // another zone
	case class == "policy":
		for _, optional := range []string{".snapshotConsistencyType", ".weeklySchedule", ".monthlySchedule", ".yearlySchedule", ".tieringPolicy", ".tieringPolicy.ArchivedRP", ".instantRPDetails", ".policyType"} {
			if strings.HasSuffix(path, optional) {
				return absent || how == "empty" || how == "an object"
			}
		}
		return strings.HasSuffix(path, "tieringMode") && (absent || how == "empty") || strings.Contains(path, ".instantRPDetails.") && (absent || word)
	case class == "job":
		return path == ".properties.containerName" && word // of another item
	case class == "item" && path == ".properties.lastRecoveryPoint":
		return absent || how == "empty" || how == "the past" || how == "no time yet" // a backup too many does no harm
	case class == "item":
		return strings.HasPrefix(path, ".properties.extendedProperties") && absent
	}
	return false
}

// stateRank orders states by how well the VM is protected.
func stateRank(s State) int { return slices.Index(States(), s) }

// specimen is an estate whose bodies are changed one at a time.
type specimen struct {
	scope plan.Scope
	file  *config.Config
	now   time.Time
	docs  []document
	rest  armPages
}

// document is one body: an element of the list at a path, or the whole response there.
type document struct {
	kind string
	path string
	list bool
	body json.RawMessage
	// only are the keys of its properties that are changed; nil = all.
	only []string
}

func (d document) changes(path string) bool {
	key, _, _ := strings.Cut(strings.TrimPrefix(path, ".properties."), ".")
	return d.only == nil || strings.HasPrefix(path, ".properties.") && slices.Contains(d.only, key)
}

func (s specimen) look(t *testing.T, docs []document) (plan.Observed, plan.Plan, Result) {
	t.Helper()
	a := maps.Clone(s.rest)
	lists := map[string][]any{}
	for _, d := range docs {
		if !d.list {
			a[strings.ToLower(d.path)] = string(d.body)
			continue
		}
		lists[strings.ToLower(d.path)] = append(lists[strings.ToLower(d.path)], d.body)
	}
	for path, rows := range lists {
		a[path] = list(rows...)
	}
	client, err := azure.New(azure.CommandAudit, arm.Options{
		Endpoint: "https://arm.invalid", AccessToken: "token", Transport: a,
		Now: func() time.Time { return s.now },
	})
	if err != nil {
		t.Fatal(err)
	}
	o, err := client.Discover(t.Context(), s.scope)
	if err != nil {
		t.Fatal(err)
	}
	return o, plan.Make(s.file, o, plan.Options{Now: s.now}), Assess(s.file, o, Options{Now: s.now})
}

// writesOf returns the changes that a plan would make, a line each.
func writesOf(p plan.Plan) map[string]bool {
	out := map[string]bool{}
	for _, c := range p.Changes {
		if c.Action != plan.Blocked && c.Action != plan.Refresh {
			out[string(c.Action)+" "+strings.ToLower(c.Target)+" "+strings.ToLower(mustJSON(c.After))] = true
		}
	}
	return out
}

// tryAll changes every field of the specimen and returns how many changes were tried.
func (s specimen) tryAll(t *testing.T, wantStates map[State]bool) int {
	t.Helper()
	o, p, truth := s.look(t, s.docs)
	if len(o.Gaps) > 0 {
		t.Fatalf("the specimen has gaps: %+v", o.Gaps)
	}
	states := map[string]State{}
	for _, vm := range truth.VMs {
		states[strings.ToLower(vm.ID)] = vm.State
		delete(wantStates, vm.State)
	}
	if len(wantStates) > 0 {
		t.Fatalf("no VM of the specimen is %v: %v", wantStates, states)
	}
	writes, tried := writesOf(p), 0
	for i, d := range s.docs {
		var v any
		if err := json.Unmarshal(d.body, &v); err != nil {
			t.Fatal(err)
		}
		for _, path := range paths("", v) {
			if !d.changes(path) {
				continue
			}
			for _, how := range oddities() {
				odd, ok := changed(d.body, path, how)
				if !ok {
					continue
				}
				tried++
				docs := slices.Clone(s.docs)
				docs[i].body = odd
				o, p, r := s.look(t, docs)
				what := fmt.Sprintf("%s%s: %s", d.kind, path, how.how)
				s.judge(t, what, isWhatItSays(d.kind, path, how.how), writes, states, o, p, r)
			}
		}
	}
	return tried
}

func (s specimen) judge(t *testing.T, what string, said bool, writes map[string]bool, states map[string]State, o plan.Observed, p plan.Plan, r Result) {
	t.Helper()
	for w := range writesOf(p) {
		if !writes[w] && !said {
			t.Errorf("%s: would write %s", what, w)
		}
	}
	if p.Complete != (len(o.Gaps) == 0) {
		t.Errorf("%s: %d gaps, complete %v", what, len(o.Gaps), p.Complete)
	}
	seen := map[string]bool{}
	for _, vm := range r.VMs {
		id := strings.ToLower(vm.ID)
		seen[id] = true
		was, is := states[id], vm.State
		better := is != Unknown && stateRank(is) > stateRank(was) || is != was && is != Unknown && (is.IsLeftOut() || !was.IsCovered() && is.IsCovered())
		if better && !said {
			t.Errorf("%s: %s is %s, was %s (%s)", what, vm.Name, is, was, vm.Because)
		}
		if is == Unknown && vm.Because == "" {
			t.Errorf("%s: %s is unknown without a word", what, vm.Name)
		}
	}
	for id := range states {
		if !seen[id] && len(o.Gaps) == 0 {
			t.Errorf("%s: %s is gone without a gap", what, id)
		}
	}
}

const mutationFile = `
vaults:
  - {name: rsv1, resourceGroup: rg-backup, location: westeurope, manage: true, unmatched: stop, redundancy: GeoRedundant, crossRegionRestore: false,
     softDeleteDays: 14, publicNetworkAccess: true, tags: {owner: platform}}
policies:
  - {name: daily, manage: true, tier: Standard, timeZone: UTC, schedule: {daily: {at: "22:00"}}, instantRestoreDays: 2, retention: {days: 30}}
  - name: rich
    manage: true
    tier: Enhanced
    timeZone: UTC
    schedule: {hourly: {every: 4h, from: "08:00", window: 12h}}
    instantRestoreDays: 2
    retention: {days: 30, weeks: {keep: 12, days: [Sunday]}, months: {keep: 36, weeks: [First], days: [Sunday]}, years: {keep: 7, months: [January], dates: [1, last]}}
    archive: {afterMonths: 3}
    consistency: crash
vms:
  - {name: prod, match: {tags: {env: prod}}, policy: daily, vault: rsv1, backup: {ifOlderThan: 24h}}
  - {name: rich, match: {tags: {env: rich}}, policy: rich, vault: rsv1}
  - {name: quiet, match: {tags: {env: dev}}, protect: stopped}
`

// ownSpecimen returns VMs in every state, a vault with all its settings, and policies with all their fields.
func ownSpecimen(t *testing.T) specimen {
	t.Helper()
	now := mustTime(t, "2026-11-24T06:00:00Z")
	s := specimen{file: caseConfig(t, mutationFile), now: now, rest: armPages{}}
	s.scope = scopeOf(s.file)
	s.scope.AllVaults, s.scope.Hidden, s.scope.Elsewhere = false, false, true
	add := func(class, path string, list bool, doc any) {
		s.docs = append(s.docs, document{kind: class, path: path, list: list, body: json.RawMessage(mustJSON(doc))})
	}
	vault := vaultBody("rsv1", "westeurope")
	vault["tags"] = body{"owner": "platform", "team": "b"}
	vault["properties"].(body)["securitySettings"].(body)["immutabilitySettings"] = body{"state": "Unlocked"}
	add("vault", vaultID+"/rsv1", false, vault)
	s.rest[strings.ToLower("/subscriptions/"+sub+"/providers/Microsoft.RecoveryServices/vaults")] = list(vault)
	add("policy", vaultID+"/rsv1/backupPolicies", true, policyBody("rsv1", "daily", `"scheduleRunFrequency":"Daily","scheduleRunTimes":["2024-04-28T22:00:00Z"]`,
		`"dailySchedule":{"retentionTimes":["2024-04-28T22:00:00Z"],"retentionDuration":{"count":30,"durationType":"Days"}}`, ""))
	rich := policyBody("rsv1", "rich", `"scheduleRunFrequency":"Hourly","hourlySchedule":{"interval":4,"scheduleWindowStartTime":"2024-04-28T08:00:00Z","scheduleWindowDuration":12}`,
		`"dailySchedule":{"retentionDuration":{"count":30,"durationType":"Days"}},
		"weeklySchedule":{"daysOfTheWeek":["Sunday"],"retentionDuration":{"count":12,"durationType":"Weeks"}},
		"monthlySchedule":{"retentionScheduleFormatType":"Weekly","retentionScheduleWeekly":{"daysOfTheWeek":["Sunday"],"weeksOfTheMonth":["First"]},"retentionDuration":{"count":36,"durationType":"Months"}},
		"yearlySchedule":{"retentionScheduleFormatType":"Daily","monthsOfYear":["January"],"retentionScheduleDaily":{"daysOfTheMonth":[{"date":1,"isLast":false},{"date":0,"isLast":true}]},"retentionDuration":{"count":7,"durationType":"Years"}}`, "V2")
	rich = json.RawMessage(strings.Replace(string(rich), `"timeZone"`, `"snapshotConsistencyType":"OnlyCrashConsistent","tieringPolicy":{"ArchivedRP":{"tieringMode":"TierAfter","duration":3,"durationType":"Months"}},"timeZone"`, 1))
	add("policy", vaultID+"/rsv1/backupPolicies", true, rich)
	at := func(hours int) string {
		return now.Add(-time.Duration(hours) * time.Hour).Format("2006-01-02T15:04:05.0000000Z")
	}
	for _, vm := range []struct {
		name, env string
		item      body
	}{
		{"fine", "prod", body{}},
		{"first", "rich", body{"protectionState": "IRPending", "lastBackupStatus": "", "lastBackupTime": "2001-01-01T00:00:00Z", "lastRecoveryPoint": missing}},
		{"broken", "rich", body{"lastBackupStatus": "Failed", "healthStatus": "ActionRequired"}},
		{"error", "rich", body{"protectionState": "ProtectionError", "lastBackupStatus": "Failed"}},
		{"old", "prod", body{"lastRecoveryPoint": at(80), "lastBackupTime": at(80)}},
		{"disks", "rich", body{"extendedProperties": body{"diskExclusionProperties": body{"diskLunList": []int{0, 1}, "isInclusionList": true}}}},
		{"halted", "dev", body{"protectionState": "ProtectionStopped", "policyId": "", "policyName": ""}},
		{"paused", "none", body{"protectionState": "BackupsSuspended"}},
		{"deleted", "none", body{
			"protectionState": "ProtectionStopped", "policyId": "", "policyName": "", "isScheduledForDeferredDelete": true,
			"deferredDeleteTimeInUTC": at(48), "deferredDeleteTimeRemaining": "11.23:00:00", "softDeleteRetentionPeriod": 14,
		}},
		{"lost", "prod", body{
			"protectionState": "ProtectionStopped", "policyId": "", "policyName": "", "isScheduledForDeferredDelete": true,
			"deferredDeleteTimeInUTC": at(48), "deferredDeleteTimeRemaining": "11.23:00:00", "softDeleteRetentionPeriod": 14,
		}},
		{"bare", "prod", nil},
	} {
		machine := vmBody("RG-App", vm.name, "westeurope", "2024-01-02T03:04:05.6+00:00", map[string]string{"env": vm.env})
		if vm.name == "fine" || vm.name == "bare" { // the other VMs have fewer fields, which saves time
			machine["properties"].(body)["storageProfile"] = body{
				"imageReference": body{"publisher": "Canonical"},
				"osDisk":         body{"osType": "Linux", "managedDisk": body{"storageAccountType": "Premium_LRS"}},
				"dataDisks":      []any{body{"lun": 0, "diskSizeGB": 64, "managedDisk": body{"storageAccountType": "Premium_LRS"}}},
			}
		}
		add("vm", vmList, true, machine)
		if vm.name != "fine" && vm.name != "bare" {
			s.docs[len(s.docs)-1].only = []string{} // the same as the other VMs
		}
		if vm.item == nil {
			continue
		}
		policy := "rich"
		if vm.env == "prod" {
			policy = "daily"
		}
		props := body{
			"backupManagementType": "AzureIaasVM", "workloadType": "VM", "protectedItemType": "Microsoft.Compute/virtualMachines",
			"sourceResourceId": machine["id"], "virtualMachineId": machine["id"], "containerName": strings.ToLower("iaasvmcontainerv2;RG-App;" + vm.name),
			"policyId": vaultID + "/rsv1/backupPolicies/" + policy, "policyName": policy, "protectionState": "Protected", "healthStatus": "Passed",
			"lastBackupStatus": "Completed", "lastBackupTime": at(5), "lastRecoveryPoint": at(5), "softDeleteRetentionPeriod": 0,
		}
		for c, v := range vm.item {
			if props[c] = v; v == missing {
				delete(props, c)
			}
		}
		add("item", vaultID+"/rsv1/backupProtectedItems", true, itemBody("rsv1", "RG-App", vm.name, props))
		if vm.name != "fine" {
			s.docs[len(s.docs)-1].only = append(slices.Collect(maps.Keys(vm.item)), "protectionState", "lastBackupStatus", "lastRecoveryPoint")
		}
	}
	add("job", vaultID+"/rsv1/backupJobs", true, body{"id": vaultID + "/rsv1/backupJobs/j1", "properties": body{
		"containerName": "iaasvmcontainerv2;rg-app;old", "entityFriendlyName": "old", "operation": "Backup", "status": "InProgress", "startTime": at(1),
		"backupManagementType": "AzureIaasVM",
	}})
	return s
}

func TestNoOddFieldIsTakenForAnAnswer(t *testing.T) {
	t.Parallel()
	tried := ownSpecimen(t).tryAll(t, map[State]bool{
		Protected: true, Pending: true, Failing: true, Stale: true, Stopped: true, Suspended: true, SoftDeleted: true, Unprotected: true,
	})
	t.Logf("%d changes tried", tried)
	if tried < 2000 {
		t.Errorf("only %d changes were tried", tried)
	}
}
