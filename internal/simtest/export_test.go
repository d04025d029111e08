package simtest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/azbackup/azbackup/config"
	"github.com/azbackup/azbackup/internal/armid"
	"github.com/azbackup/azbackup/internal/azure"
	"github.com/azbackup/azbackup/internal/azure/arm"
	"github.com/azbackup/azbackup/internal/export"
	"github.com/azbackup/azbackup/internal/simulator"
	"github.com/azbackup/azbackup/plan"
)

// Whatever policies a vault holds, in every JSON form: the exported file is accepted, and a plan from a new read of
// the estate has nothing to do and no gaps.
func TestThePlanOverAnExportIsEmptyWhateverPoliciesTheVaultsHold(t *testing.T) {
	recorded := recordedPolicies(t)
	dir := t.TempDir()
	managed, unmanaged := 0, 0
	rapid.Check(t, func(t *rapid.T) {
		estate := &exportedEstate{}
		for i := range rapid.IntRange(1, 4).Draw(t, "policies") {
			name := fmt.Sprintf("policy-%d", i)
			properties := drawWirePolicy(t)
			if len(recorded) > 0 && rapid.IntRange(0, 3).Draw(t, "recorded") == 0 {
				properties = rapid.SampledFrom(recorded).Draw(t, "recording")
			}
			estate.add("weu", name, properties)
			switch rapid.IntRange(0, 4).Draw(t, "sibling") {
			case 0:
				estate.add("sibling", name, properties)
			case 1:
				estate.add("sibling", name, drawWirePolicy(t))
			}
		}
		server := estate.serve(t)
		first := discoverEstate(t, server, plan.Scope{Subscriptions: []string{agreeSub}, AllVaults: true, Elsewhere: true})
		manage := rapid.IntRange(0, 3).Draw(t, "manage") > 0
		r, err := export.Export(first, export.Options{Manage: manage, Subscriptions: []string{agreeSub}})
		if err != nil {
			t.Fatal(err)
		}
		c, text := loadExported(t, dir, r)
		p := plan.Make(c, discoverEstate(t, server, plan.ScopeOf(c)), plan.Options{Now: agreeNow})
		if len(p.Changes) > 0 || !p.Complete {
			t.Fatalf("complete: %t, to do: %s\ngaps: %v\n%s", p.Complete, describeChanges(p.Changes), p.Gaps, text)
		}
		for _, vm := range first.VMs {
			if i, ok := c.Match(vm.Target()); !ok || c.Rules[i].Protect != config.ProtectOn {
				t.Fatalf("%s is backed up, and its rule is %d, %t\n%s", vm.Name, i, ok, text)
			}
		}
		for _, policy := range c.Policies {
			told := slices.ContainsFunc(r.Comments, func(s string) bool {
				return strings.HasPrefix(s, "not managed: policy "+policy.Name+" ") || strings.HasPrefix(s, "not managed: policy "+policy.Name+":")
			})
			switch {
			case policy.Manage:
				managed++
			case manage:
				unmanaged++
				if !told {
					t.Fatalf("policy %s is not managed, and no comment says why\n%s", policy.Name, text)
				}
			}
		}
	})
	t.Logf("%d policies were managed, %d were not", managed, unmanaged)
	if !testing.Short() && (managed < 10 || unmanaged < 10) { // few draws may be of one kind
		t.Error("the property held for too few policies of one kind")
	}
}

// wireObject is a JSON object.
type wireObject = map[string]any

// drawWirePolicy draws the properties of a policy for VMs: values that Azure accepts, with its odd and old spellings,
// and a few that only a later version could write.
func drawWirePolicy(t *rapid.T) wireObject {
	oneOf := func(label string, words ...string) string { return rapid.SampledFrom(words).Draw(t, label) }
	at := rapid.SampledFrom([]string{
		"2024-01-01T22:00:00Z", "2024-01-01T22:00:00Z", "2026-09-30T00:30:00.000Z", "2026-09-30T00:30:00.000Z", "23:00:00Z", "2026-01-01T16:15:00Z",
	}).Draw(t, "at")
	enhanced := rapid.Bool().Draw(t, "enhanced")
	p := wireObject{"backupManagementType": "AzureIaasVM", "protectedItemsCount": 0, "instantRPDetails": wireObject{}}
	if zone := oneOf("zone", "UTC", "UTC", "UTC", "Tokyo Standard Time", "W. Europe Standard Time", "utc", "W. Europe Standard Time", "Tokyo Standard Time", "UTC-11", "Mid-Atlantic Standard Time",
		"Kamchatka Standard Time", "Mexico Standard Time", "Europe/Berlin", "CET", "", "absent"); zone != "absent" {
		p["timeZone"] = zone
	}
	frequency := oneOf("frequency", "Daily", "Daily", "Weekly")
	if enhanced {
		frequency = oneOf("frequency of an Enhanced one", "Daily", "Weekly", "Hourly", "Hourly", "Monthly")
		p["policyType"] = "V2"
	} else if rapid.Bool().Draw(t, "saysV1") {
		p["policyType"] = "V1"
	}
	runs := drawWords(t, "runs", "Sunday", "Wednesday", "Saturday")
	p["schedulePolicy"] = wireSchedule(t, enhanced, frequency, at, runs)
	p["retentionPolicy"] = drawWireRetention(t, frequency, at, runs)
	if days := rapid.SampledFrom([]int{5, 5, 5, 5, 5, 2, 2, 1, 7, 30, 0, 31, -1}).Draw(t, "instantDays"); days >= 0 {
		p["instantRpRetentionRangeInDays"] = days
	}
	if mode := oneOf("consistency", "", "", "", "", "OnlyCrashConsistent", "OnlyCrashConsistent", "Other"); mode != "" {
		p["snapshotConsistencyType"] = mode
	}
	if oneOf("group", "", "", "", "said") != "" {
		p["instantRPDetails"] = wireObject{"azureBackupRGNamePrefix": oneOf("prefix", "rp-", "a b", "${X}"), "azureBackupRGNameSuffix": oneOf("suffix", "", "-weu")}
	}
	if tier := rapid.SampledFrom([]wireObject{
		nil, nil, nil, nil,
		{"tieringMode": "TierRecommended", "duration": 0, "durationType": "Invalid"},
		{"tieringMode": "DoNotTier", "duration": 0, "durationType": "Invalid"},
		{"tieringMode": "TierAfter", "duration": 3, "durationType": "Months"},
		{"tieringMode": "TierAfter", "duration": 90, "durationType": "Days"},
		{"tieringMode": "TierAfter", "duration": 1, "durationType": "Months"},
		{"tieringMode": "TierTomorrow"},
	}).Draw(t, "tier"); tier != nil {
		p["tieringPolicy"] = wireObject{"ArchivedRP": tier}
	}
	return p
}

func wireSchedule(t *rapid.T, enhanced bool, frequency, at string, runs []string) wireObject {
	times := []string{at}
	if rapid.IntRange(0, 9).Draw(t, "twice") == 0 {
		times = append(times, "2024-01-01T04:00:00Z")
	}
	if !enhanced {
		s := wireObject{"schedulePolicyType": "SimpleSchedulePolicy", "scheduleRunFrequency": frequency, "scheduleRunTimes": times, "scheduleWeeklyFrequency": 0}
		if frequency == "Weekly" {
			s["scheduleRunDays"] = runs
		}
		return s
	}
	s := wireObject{"schedulePolicyType": "SimpleSchedulePolicyV2", "scheduleRunFrequency": frequency}
	switch frequency {
	case "Daily":
		s["dailySchedule"] = wireObject{"scheduleRunTimes": times}
	case "Weekly":
		s["weeklySchedule"] = wireObject{"scheduleRunTimes": times, "scheduleRunDays": runs}
	case "Hourly":
		s["hourlySchedule"] = wireObject{
			"interval": rapid.SampledFrom([]int{4, 4, 6, 8, 12, 5}).Draw(t, "interval"), "scheduleWindowStartTime": at,
			"scheduleWindowDuration": rapid.SampledFrom([]int{24, 24, 24, 12, 4, 16, 10}).Draw(t, "window"),
		}
	}
	return s
}

func drawWireRetention(t *rapid.T, frequency, at string, runs []string) wireObject {
	keep := func(count int, unit string) wireObject {
		return wireObject{"retentionTimes": []string{at}, "retentionDuration": wireObject{"count": count, "durationType": unit}}
	}
	count := func(label string, counts ...int) int { return rapid.SampledFrom(counts).Draw(t, label) }
	some := func(label string) bool { return rapid.Bool().Draw(t, label) }
	r := wireObject{"retentionPolicyType": "LongTermRetentionPolicy"}
	if (frequency != "Weekly") != (rapid.IntRange(0, 9).Draw(t, "oddDaily") == 0) {
		r["dailySchedule"] = keep(count("days", 30, 30, 7, 9999, 180, 180, 5), "Days")
	}
	if frequency == "Weekly" || some("weekly") {
		r["weeklySchedule"] = keep(count("weeks", 4, 12, 5163), "Weeks")
		r["weeklySchedule"].(wireObject)["daysOfTheWeek"] = runs
		if rapid.IntRange(0, 5).Draw(t, "otherDays") == 0 {
			r["weeklySchedule"].(wireObject)["daysOfTheWeek"] = []string{"Monday"}
		}
	}
	periodic := func(label string, into wireObject) {
		if some(label + "ByDate") {
			into["retentionScheduleFormatType"] = "Daily"
			into["retentionScheduleDaily"] = wireObject{"daysOfTheMonth": rapid.SampledFrom([][]wireObject{
				{{"date": 1, "isLast": false}}, {{"date": 0, "isLast": true}}, {{"date": 15}, {"date": 1}, {"date": 0, "isLast": true}}, {{"date": 31}}, {{"date": 29}, {"date": 28}},
			}).Draw(t, label+"Dates")}
			return
		}
		into["retentionScheduleFormatType"] = "Weekly"
		into["retentionScheduleWeekly"] = wireObject{"daysOfTheWeek": runs, "weeksOfTheMonth": drawWords(t, label+"Weeks", "First", "Third", "Last")}
	}
	if some("monthly") {
		months := keep(count("months", 12, 3, 60, 1188), "Months")
		periodic("monthly", months)
		r["monthlySchedule"] = months
	}
	if some("yearly") {
		years := keep(count("years", 1, 7, 99), "Years")
		years["monthsOfYear"] = drawWords(t, "monthsOfYear", "January", "June", "December")
		periodic("yearly", years)
		r["yearlySchedule"] = years
	}
	return r
}

func drawWords(t *rapid.T, label string, words ...string) []string {
	return rapid.SliceOfNDistinct(rapid.SampledFrom(words), 1, len(words), rapid.ID[string]).Draw(t, label)
}

// exportedEstate is an estate with a machine under each policy.
type exportedEstate struct {
	vms, vaults, policies, items []wireObject
}

func (e *exportedEstate) add(vault, policy string, properties wireObject) {
	id := agreeVault(vault)
	if !slices.ContainsFunc(e.vaults, func(v wireObject) bool { return v["id"] == id }) {
		e.vaults = append(e.vaults, wireObject{
			"id": id, "name": vault, "type": "Microsoft.RecoveryServices/vaults", "location": regionOfVault(vault),
			"sku": wireObject{"name": "Standard"}, "properties": wireObject{"provisioningState": "Succeeded"},
		})
	}
	e.policies = append(e.policies, wireObject{
		"id": armid.Policy(id, policy), "name": policy, "type": "Microsoft.RecoveryServices/vaults/backupPolicies", "properties": properties,
	})
	name := vault + "-" + policy
	vm, err := armid.ParseVM(armid.VM(agreeSub, "rg-app", name))
	if err != nil {
		panic(err)
	}
	e.vms = append(e.vms, wireObject{
		"id": armid.VM(agreeSub, "rg-app", name), "name": name, "type": "Microsoft.Compute/virtualMachines", "location": regionOfVault(vault),
		"properties": wireObject{"provisioningState": "Succeeded"},
	})
	e.items = append(e.items, wireObject{
		"id": armid.ProtectedItem(id, vm), "name": "VM;iaasvmcontainerv2;rg-app;" + name, "type": "Microsoft.RecoveryServices/vaults/backupFabrics/protectionContainers/protectedItems",
		"properties": wireObject{
			"protectedItemType": "Microsoft.Compute/virtualMachines", "backupManagementType": "AzureIaasVM", "workloadType": "VM", "friendlyName": name,
			"sourceResourceId": armid.VM(agreeSub, "rg-app", name), "virtualMachineId": armid.VM(agreeSub, "rg-app", name), "containerName": "iaasvmcontainerv2;rg-app;" + name,
			"protectionState": "Protected", "policyId": armid.Policy(id, policy), "policyName": policy, "lastBackupStatus": "Completed",
		},
	})
}

func (e *exportedEstate) serve(t *rapid.T) *simulator.Server {
	text, err := json.Marshal(wireObject{
		"format_version": "1", "taken": agreeNow.Format(time.RFC3339), "cloud": "AzurePublic", "tenant": "22222222-2222-2222-2222-222222222222",
		"subscriptions":   []wireObject{{"id": "/subscriptions/" + agreeSub, "subscriptionId": agreeSub, "displayName": "one", "state": "Enabled"}},
		"virtualMachines": e.vms, "vaults": e.vaults, "policies": e.policies, "protectedItems": e.items,
	})
	if err != nil {
		t.Fatal(err)
	}
	estate, err := simulator.Read(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	server, err := simulator.New(estate, simulator.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return server
}

// loadExported writes an exported file into dir and loads it; text is what was written.
func loadExported(t *rapid.T, dir string, r export.Result) (c *config.Config, text []byte) {
	text, err := r.Config.Encode(r.Comments)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, "azbackup.yaml")
	if err := os.WriteFile(file, text, 0o600); err != nil {
		t.Fatal(err)
	}
	c, _, err = config.Load([]string{file}, func(string) (string, bool) { return "", false })
	if err != nil {
		t.Fatalf("the exported file does not load: %v\n%s", err, text)
	}
	return c, text
}

func discoverEstate(t *rapid.T, server *simulator.Server, scope plan.Scope) plan.Observed {
	client, err := azure.New(azure.CommandExport, arm.Options{
		Endpoint: "http://127.0.0.1", AccessToken: "token", Transport: server.Transport(), Version: "test",
		Now: func() time.Time { return agreeNow },
	})
	if err != nil {
		t.Fatal(err)
	}
	o, err := client.Discover(t.Context(), scope)
	if err != nil {
		t.Fatal(err)
	}
	return o
}

// recordedPolicies returns the policies for VMs from the recordings of the real service; none if the recordings are
// missing.
func recordedPolicies(t *testing.T) []wireObject {
	files, err := filepath.Glob(filepath.Join("..", "..", "..", "shared", "recordings", "test_backup_*.json"))
	if err != nil || len(files) == 0 {
		t.Logf("NOT TESTED with the policies of the real service: its recordings are not here (%v)", err)
		return nil
	}
	found := map[string]wireObject{}
	for _, file := range files {
		raw, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var exchanges []struct {
			Response any `json:"response_body"`
		}
		if err := json.Unmarshal(raw, &exchanges); err != nil {
			t.Fatal(err)
		}
		for _, x := range exchanges {
			collectPolicies(x.Response, found)
		}
	}
	if len(found) == 0 {
		t.Fatal("the recordings show no policy for VMs")
	}
	var all []wireObject
	for _, key := range slices.Sorted(maps.Keys(found)) {
		all = append(all, found[key])
	}
	return all
}

func collectPolicies(body any, found map[string]wireObject) {
	switch body := body.(type) {
	case []any:
		for _, one := range body {
			collectPolicies(one, found)
		}
	case wireObject:
		properties, _ := body["properties"].(wireObject)
		if id, _ := body["id"].(string); strings.Contains(strings.ToLower(id), "/backuppolicies/") && properties["backupManagementType"] == "AzureIaasVM" {
			text, _ := json.Marshal(properties)
			found[string(text)] = properties
			return
		}
		for _, one := range body {
			collectPolicies(one, found)
		}
	}
}
