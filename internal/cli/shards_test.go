package cli

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/azbackup/azbackup/apply"
	"github.com/azbackup/azbackup/config"
	"github.com/azbackup/azbackup/internal/report"
	"github.com/azbackup/azbackup/plan"
)

// organisation is a simulated estate of several subscriptions, in which the same names occur in each of them.
type organisation struct {
	t   *testing.T
	bin string
	dir string // with all.yaml, large.yaml and estate.json
	url string
}

// shardsOfOrganisation is how many shards its runs have; at least one of them has several subscriptions and one has none.
const shardsOfOrganisation = 4

func organisationIDs() []string {
	var ids []string
	for i := range 7 {
		ids = append(ids, fmt.Sprintf("1000000%d-0000-4000-8000-000000000000", i))
	}
	return ids
}

const organisationConfig = `version: 1
subscriptions: all
vaults:
  - {match: {names: [rsv]}}
policies:
  - {name: daily, vaults: [rsv]}
vms:
  - {name: retired, match: {tags: {lifecycle: retired}}, protect: stopped}
  - {name: prod, match: {tags: {env: prod}}, policy: daily}
settings: {refresh: never, guards: {maxStops: 100%, minSubscriptions: LEAST}}
`

// newOrganisation writes the estate and its configs, and serves it over HTTP; faults may be nil.
func newOrganisation(t *testing.T, faults string) *organisation {
	t.Helper()
	o := &organisation{t: t, bin: program(t), dir: t.TempDir()}
	var subs, vms, vaults, policies, items []string
	body := func(list *[]string, format string, args ...any) {
		*list = append(*list, fmt.Sprintf(format, args...))
	}
	for i, sub := range organisationIDs() {
		scope := "/subscriptions/" + sub
		body(&subs, `{"id":%q,"subscriptionId":%q,"tenantId":"22222222-2222-2222-2222-222222222222","displayName":"Team %c","state":"Enabled","managedByTenants":[]}`, scope, sub, 'A'+i)
		vault := scope + "/resourceGroups/rg-backup/providers/Microsoft.RecoveryServices/vaults/rsv"
		body(&vaults, `{"id":%q,"name":"rsv","type":"Microsoft.RecoveryServices/vaults","location":"westeurope","tags":{},"sku":{"name":"Standard"},"properties":{"provisioningState":"Succeeded"}}`, vault)
		body(&policies, `{"id":%q,"name":"daily","type":"Microsoft.RecoveryServices/vaults/backupPolicies","properties":{"backupManagementType":"AzureIaasVM","schedulePolicy":{"schedulePolicyType":"SimpleSchedulePolicy","scheduleRunFrequency":"Daily","scheduleRunTimes":["2024-01-01T22:00:00Z"]},"retentionPolicy":{"retentionPolicyType":"LongTermRetentionPolicy","dailySchedule":{"retentionTimes":["2024-01-01T22:00:00Z"],"retentionDuration":{"count":30,"durationType":"Days"}}},"instantRpRetentionRangeInDays":2,"timeZone":"UTC"}}`, vault+"/backupPolicies/daily")
		for j, name := range []string{"new", "web", "old", "stale"} {
			if (i+j)%5 == 4 {
				continue // not every team has each of them
			}
			id := scope + "/resourceGroups/rg-app/providers/Microsoft.Compute/virtualMachines/" + name
			tags := `{"env":"prod"}`
			if name == "old" {
				tags = `{"env":"prod","lifecycle":"retired"}`
			}
			body(&vms, `{"id":%q,"name":%q,"type":"Microsoft.Compute/virtualMachines","location":"westeurope","tags":%s,"properties":{"provisioningState":"Succeeded"}}`, id, name, tags)
			last := "2026-11-20T02:00:00Z"
			if name == "stale" {
				last = "2026-11-1" + fmt.Sprint(i) + "T02:00:00Z"
			}
			if name != "new" {
				body(&items, `{"id":"%[1]s/backupFabrics/Azure/protectionContainers/IaasVMContainer;iaasvmcontainerv2;rg-app;%[2]s/protectedItems/VM;iaasvmcontainerv2;rg-app;%[2]s","name":"VM;iaasvmcontainerv2;rg-app;%[2]s","type":"Microsoft.RecoveryServices/vaults/backupFabrics/protectionContainers/protectedItems","properties":{"protectedItemType":"Microsoft.Compute/virtualMachines","backupManagementType":"AzureIaasVM","workloadType":"VM","friendlyName":"%[2]s","containerName":"iaasvmcontainerv2;rg-app;%[2]s","sourceResourceId":"%[3]s","policyId":"%[1]s/backupPolicies/daily","policyName":"daily","protectionState":"Protected","protectionStatus":"Healthy","healthStatus":"Passed","lastBackupStatus":"Completed","lastBackupTime":"%[4]s","lastRecoveryPoint":"%[4]s"}}`, vault, name, id, last)
			}
		}
	}
	section := func(name string, list []string) string {
		return fmt.Sprintf("%q:[\n%s\n]", name, strings.Join(list, ",\n"))
	}
	estate := `{"format_version":"1","taken":"2026-11-20T06:00:00Z","cloud":"AzurePublic","tenant":"22222222-2222-2222-2222-222222222222",` + "\n" +
		strings.Join([]string{
			section("subscriptions", subs), section("virtualMachines", vms), section("vaults", vaults), section("policies", policies),
			section("protectedItems", items), `"settings":{"durations":{"":"50ms"},"retryAfter":1,"faults":[` + faults + `]}`,
		}, ",\n") + "}\n"
	o.write("estate.json", estate)
	o.write("all.yaml", strings.Replace(organisationConfig, "LEAST", "7", 1))
	o.write("large.yaml", strings.Replace(organisationConfig, "LEAST", "9", 1))
	o.url = azureAt(t, o.bin, o.dir)
	return o
}

func (o *organisation) write(name, text string) {
	o.t.Helper()
	if err := os.WriteFile(filepath.Join(o.dir, name), []byte(text), 0o600); err != nil {
		o.t.Fatal(err)
	}
}

func (o *organisation) read(name string) []byte {
	o.t.Helper()
	data, err := os.ReadFile(filepath.Join(o.dir, name))
	if err != nil {
		o.t.Fatal(err)
	}
	return data
}

// run runs azbackup and returns its exit code; its output is logged where the test fails.
func (o *organisation) run(env []string, args ...string) int {
	o.t.Helper()
	cmd := exec.CommandContext(o.t.Context(), o.bin, args...) //nolint:gosec // this program
	cmd.Dir = o.dir
	cmd.Env = slices.Concat(os.Environ(), []string{"XDG_CACHE_HOME=" + o.dir, "HOME=" + o.dir, accessToken + "=test"}, env)
	out, err := cmd.CombinedOutput()
	o.t.Logf("%s %q: %v\n%s", env, args, err, out)
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		return exit.ExitCode()
	}
	if err != nil {
		o.t.Error(err)
		return -1
	}
	return 0
}

// runShards runs a command as the pods of a Kubernetes Indexed Job do, all at the same time, and returns the JSON files
// and the exit codes, by shard.
func (o *organisation) runShards(name string, args ...string) (files []string, codes []int) {
	o.t.Helper()
	var all sync.WaitGroup
	codes = make([]int, shardsOfOrganisation)
	for i := range shardsOfOrganisation {
		file := fmt.Sprintf("%s-%d.json", name, i)
		files = append(files, file)
		all.Go(func() {
			codes[i] = o.run([]string{fmt.Sprintf("JOB_COMPLETION_INDEX=%d", i)},
				slices.Concat(args, []string{"--endpoint", o.url, "--shard", fmt.Sprintf("auto/%d", shardsOfOrganisation), "--output", "json=" + file})...)
		})
	}
	all.Wait()
	return files, codes
}

// withoutRequestIDs leaves out what Azure gives to each request anew.
func withoutRequestIDs(data []byte) string {
	return regexp.MustCompile(`"request_id": "[^"]*"`).ReplaceAllString(string(data), `"request_id": "-"`)
}

func TestTheShardsOfTheTestAreOfAllSizes(t *testing.T) {
	sizes := make([]int, shardsOfOrganisation)
	for _, id := range organisationIDs() {
		for i := range sizes {
			if (config.Shard{Index: i + 1, Count: shardsOfOrganisation}).Has(id) {
				sizes[i]++
			}
		}
	}
	if slices.Max(sizes) < 2 || slices.Min(sizes) != 0 {
		t.Errorf("%v", sizes)
	}
}

// The audits of the shards, merged, are the audit of all subscriptions: byte for byte, in every format, but for the ids of
// requests, because both are made as of the same time.
func TestMergedAuditsAreTheAuditOfAllSubscriptions(t *testing.T) {
	ids := organisationIDs()
	o := newOrganisation(t, `{"name":"unreadable","path":"/subscriptions/`+ids[1]+`/providers/Microsoft.Compute/virtualMachines*","times":-1,"status":403,"code":"AuthorizationFailed","message":"no"},`+
		`{"name":"hidden","path":"/subscriptions/`+ids[4]+`/*/backupProtectedItems*","times":-1,"status":403,"code":"AuthorizationFailed","message":"no"}`)
	args := []string{"audit", "-f", "large.yaml", "--as-of", "2026-11-20T06:00:00Z", "--baseline", "before.json"}
	outputs := func(name string) (files, flags []string) {
		for _, format := range report.AuditFormats() {
			files = append(files, name+"."+format)
			flags = append(flags, "--output", format+"="+name+"."+format)
		}
		return files, flags
	}
	if code := o.run(nil, "audit", "-f", "large.yaml", "--as-of", "2026-11-16T06:00:00Z", "--endpoint", o.url, "--output", "json=before.json"); code != exitIncomplete {
		t.Fatalf("the baseline: exit code %d", code)
	}
	want, flags := outputs("whole")
	if code := o.run(nil, slices.Concat(args, flags, []string{"--endpoint", o.url})...); code != exitIncomplete {
		t.Fatalf("of all subscriptions: exit code %d", code)
	}
	files, codes := o.runShards("audit", args...)
	if slices.Max(codes) != exitIncomplete {
		t.Errorf("exit codes of the shards: %v", codes)
	}
	got, flags := outputs("merged")
	slices.Reverse(files) // their order says nothing
	if code := o.run(nil, slices.Concat([]string{"report", "merge"}, files, flags)...); code != exitIncomplete {
		t.Errorf("merged: exit code %d", code)
	}
	for i := range want {
		if a, b := withoutRequestIDs(o.read(want[i])), withoutRequestIDs(o.read(got[i])); a != b {
			t.Errorf("%s differs: %s", got[i], firstDifference(a, b))
		}
	}
	whole := string(o.read("whole.json"))
	for what, n := range map[string]int{"FewerSubscriptionsThanExpected": 1, `"new": true`: -1, `(Team `: -1, `"state": "unknown"`: -1} {
		if c := strings.Count(whole, what); c == 0 || n > 0 && c != n {
			t.Errorf("%q is %d times in the audit: the test shows less than it should", what, c)
		}
	}
}

func firstDifference(a, b string) string {
	one, two := strings.Split(a, "\n"), strings.Split(b, "\n")
	for i := range min(len(one), len(two)) {
		if one[i] != two[i] {
			return fmt.Sprintf("line %d:\n%s\n%s", i+1, one[i], two[i])
		}
	}
	return fmt.Sprintf("%d and %d lines", len(one), len(two))
}

// The plans of the shards, merged, show what the plan of all subscriptions shows, under its fingerprint; nobody applies
// them as one.
func TestMergedPlansAreThePlanOfAllSubscriptions(t *testing.T) {
	o := newOrganisation(t, "")
	args := []string{"plan", "-f", "all.yaml", "--detailed-exitcode", "--all"}
	if code := o.run(nil, slices.Concat(args, []string{"--endpoint", o.url, "--output", "json=whole.json"})...); code != exitChanges {
		t.Fatalf("of all subscriptions: exit code %d", code)
	}
	files, codes := o.runShards("plan", args...)
	if !slices.Contains(codes, exitChanges) || !slices.Contains(codes, exitOK) {
		t.Errorf("exit codes of the shards: %v", codes)
	}
	if code := o.run(nil, slices.Concat([]string{"report", "merge", "--detailed-exitcode", "--all", "--output", "json=merged.json", "--output", "markdown=merged.md"}, files)...); code != exitChanges {
		t.Errorf("merged: exit code %d", code)
	}
	var whole, merged plan.Plan
	for name, p := range map[string]*plan.Plan{"whole.json": &whole, "merged.json": &merged} {
		if err := json.Unmarshal(o.read(name), p); err != nil {
			t.Fatal(err)
		}
		p.Forecast, p.Digest = plan.Forecast{}, ""
	}
	if len(merged.Shards) != shardsOfOrganisation {
		t.Errorf("merged from %+v", merged.Shards)
	}
	for _, s := range merged.Shards {
		if !bytes.Contains(o.read("merged.md"), []byte("<!-- azbackup:fingerprint:"+s.String()+" "+s.Fingerprint+" -->\n")) {
			t.Errorf("the comment has no fingerprint of %s", s.Shard)
		}
	}
	merged.Shards = nil
	if len(whole.Changes) < 10 || !reflect.DeepEqual(whole, merged) {
		t.Errorf("merged: %+v\nof all: %+v", merged, whole)
	}

	o.run(nil, slices.Concat([]string{"report", "merge", "--output", "json=saved.json"}, files)...)
	before := statsOf(t, o.url).Total()
	if code := o.run(nil, "apply", "-f", "all.yaml", "--endpoint", o.url, "saved.json"); code != exitRefused {
		t.Errorf("applying the merged plan: exit code %d", code)
	}
	if after := statsOf(t, o.url).Total(); after != before {
		t.Errorf("%d requests went out for a merged plan", after-before)
	}
}

// The shards apply side by side what one run applies, and their reports, merged, are its report.
func TestMergedAppliesAreTheApplyOfAllSubscriptions(t *testing.T) {
	t.Parallel()
	const failing = `{"name":"refused","method":"PUT","path":"/subscriptions/10000002-*/protectedItems/*;new","times":-1,"status":403,"code":"AuthorizationFailed","message":"no"}`
	sharded, alone := newOrganisation(t, failing), newOrganisation(t, failing)
	args := []string{"apply", "-f", "all.yaml", "--auto-approve"}
	if code := alone.run(nil, slices.Concat(args, []string{"--endpoint", alone.url, "--output", "json=whole.json"})...); code != exitUnfinished {
		t.Fatalf("of all subscriptions: exit code %d", code)
	}
	files, codes := sharded.runShards("apply", args...)
	if !slices.Contains(codes, exitOK) || slices.Max(codes) < exitUnfinished {
		t.Errorf("exit codes of the shards: %v", codes)
	}
	if code := sharded.run(nil, slices.Concat([]string{"report", "merge", "--output", "json=merged.json", "--output", "prometheus=merged.prom"}, files)...); code != exitUnfinished {
		t.Errorf("merged: exit code %d", code)
	}
	whole, merged := readRun(t, alone, "whole.json"), readRun(t, sharded, "merged.json")
	if len(whole.Results) < 10 || !reflect.DeepEqual(whole.Results, merged.Results) || !reflect.DeepEqual(whole.Summary, merged.Summary) {
		t.Errorf("merged: %+v\nof all: %+v", merged.Results, whole.Results)
	}
	if whole.ExitCode != merged.ExitCode || whole.Plan.Config != merged.Plan.Config {
		t.Errorf("merged: exit code %d, config %s; of all: %d, %s", merged.ExitCode, merged.Plan.Config, whole.ExitCode, whole.Plan.Config)
	}
	if a, b := statsOf(t, sharded.url).Requests["item.put"], statsOf(t, alone.url).Requests["item.put"]; a != b {
		t.Errorf("%d writes of the shards, %d of one run", a, b)
	}
	if bytes.Contains(sharded.read("merged.prom"), []byte("shard=")) || !bytes.Contains(sharded.read("merged.prom"), []byte("azbackup_last_run_exit_code 3\n")) {
		t.Errorf("metrics:\n%s", sharded.read("merged.prom"))
	}
}

// readRun reads a report without what differs from run to run.
func readRun(t *testing.T, o *organisation, name string) report.Run {
	t.Helper()
	run, err := report.ReadApply(o.read(name))
	if err != nil {
		t.Fatal(err)
	}
	for i := range run.Results {
		r := &run.Results[i]
		r.RequestID, r.Operation, r.Job, r.Started, r.Finished = "", "", "", nil, nil
		if r.Outcome == apply.Failed {
			r.Message = strings.SplitN(r.Message, "(", 2)[0]
		}
	}
	return run
}

// Four shards on one machine have a lock each: none of them waits for or fails because of another, and a run of all
// subscriptions is kept off.
func TestShardsLockEachForItself(t *testing.T) {
	path := filepath.Join(t.TempDir(), "lock")
	var unlocks []func()
	for i := 1; i <= 4; i++ {
		unlock, err := lock(path, nil, config.Shard{Index: i, Count: 4})
		if err != nil {
			t.Fatal(err)
		}
		unlocks = append(unlocks, unlock)
	}
	if _, err := lock(path, nil, config.Shard{Index: 2, Count: 4}); err == nil || exitCodeOf(err) != exitLocked {
		t.Errorf("the same shard again: %v", err)
	}
	if _, err := lock(path, nil, config.Shard{}); err == nil || exitCodeOf(err) != exitLocked {
		t.Errorf("all subscriptions beside the shards: %v", err)
	}
	for _, unlock := range unlocks {
		unlock()
	}
	unlock, err := lock(path, nil, config.Shard{})
	if err != nil {
		t.Fatal(err)
	}
	unlock()
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		t.Error("the lock is a file that stays")
	}
}
