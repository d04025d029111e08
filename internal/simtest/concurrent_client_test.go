package simtest

import (
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"

	"github.com/azbackup/azbackup/internal/armid"
	"github.com/azbackup/azbackup/internal/simulator"
)

// concurrentClient is another client that changes the same vaults, policies and items, possibly just before any
// request. It makes every change that an operator can make in the portal. The server's lock guards it.
type concurrentClient struct {
	*scenario
	r           *rand.Rand
	probability float64 // of an action before a request
	active      bool
	actionCount int
	bodies      map[armid.Key]json.RawMessage // the current bodies, by id
	tell        func(format string, args ...any)
}

func newConcurrentClient(s *scenario) *concurrentClient {
	c := &concurrentClient{scenario: s, r: rand.New(rand.NewPCG(s.seed, 0xc011ea9e)), bodies: map[armid.Key]json.RawMessage{}}
	c.probability = []float64{0.02, 0.05, 0.15}[c.r.IntN(3)]
	var all map[string]json.RawMessage
	decode(json.RawMessage(s.estate), &all)
	for _, section := range []string{"vaults", "policies", "protectedItems"} {
		var list []json.RawMessage
		decode(all[section], &list)
		for _, body := range list {
			c.bodies[idOf(body)] = body
		}
	}
	return c
}

// observe records an effect.
func (c *concurrentClient) observe(e simulator.Effect) {
	if e.After == nil {
		delete(c.bodies, idOf(e.Before))
		return
	}
	c.bodies[idOf(e.After)] = e.After
}

// actionsBefore returns the client's changes before a request: mostly none.
func (c *concurrentClient) actionsBefore(r *http.Request) []simulator.ConcurrentClient {
	chance := c.probability
	if strings.HasPrefix(r.URL.Path, "/_simulator/") {
		chance = 1 // no other program is running
	}
	if !c.active || c.r.Float64() >= chance {
		return nil
	}
	for range 5 {
		kinds := []func() (simulator.ConcurrentClient, bool){
			c.changePolicy, c.changePolicy, c.makePolicy, c.changeVault, c.changeVault, c.changeVault, c.makeVault,
			c.moveItem, c.moveItem, c.filterDisks, c.filterDisks, c.stopItem, c.resumeItem, c.deleteItem, c.undeleteItem, c.protectVM,
		}
		if a, can := kinds[c.r.IntN(len(kinds))](); can {
			c.actionCount++
			c.tell("other client: %s %s %s", a.Method, a.Path, a.Body)
			return []simulator.ConcurrentClient{a}
		}
	}
	return nil
}

// ids returns the ids of a kind, in a fixed order.
func (c *concurrentClient) ids(part string) []armid.Key {
	var out []armid.Key
	for _, id := range slices.Sorted(maps.Keys(c.bodies)) {
		if strings.Contains(string(id), part) {
			out = append(out, id)
		}
	}
	return out
}

func (c *concurrentClient) vaults() []armid.Key {
	return slices.DeleteFunc(slices.Sorted(maps.Keys(c.bodies)), func(id armid.Key) bool {
		return string(id) != armid.VaultOf(string(id))
	})
}

func choose[T any](r *rand.Rand, of []T) (T, bool) {
	if len(of) == 0 {
		var none T
		return none, false
	}
	return of[r.IntN(len(of))], true
}

func pick[T any](r *rand.Rand, of ...T) T { return of[r.IntN(len(of))] }

type properties = map[string]any

func (c *concurrentClient) put(id string, props properties) simulator.ConcurrentClient {
	return c.send(http.MethodPut, id, map[string]any{"properties": props})
}

func (c *concurrentClient) send(method, id string, body any) simulator.ConcurrentClient {
	raw, err := json.Marshal(body)
	if err != nil {
		panic(err)
	}
	version := "2025-08-01"
	return simulator.ConcurrentClient{Method: method, Path: id + "?api-version=" + version, Body: raw}
}

// propertiesOf returns a resource's id as it is spelled, and its properties.
func (c *concurrentClient) propertiesOf(id armid.Key) (string, properties) {
	var w struct {
		ID         string
		Properties properties
	}
	decode(c.bodies[id], &w)
	return w.ID, w.Properties
}

// daily returns the properties of a policy with a backup a day.
func daily(at string, days, instant int) properties {
	times := []string{"1999-04-28T" + at + ":00Z"}
	return properties{
		"backupManagementType": "AzureIaasVM", "timeZone": "UTC", "instantRpRetentionRangeInDays": instant,
		"schedulePolicy": properties{"schedulePolicyType": "SimpleSchedulePolicy", "scheduleRunFrequency": "Daily", "scheduleRunTimes": times},
		"retentionPolicy": properties{"retentionPolicyType": "LongTermRetentionPolicy", "dailySchedule": properties{
			"retentionTimes": times, "retentionDuration": properties{"count": days, "durationType": "Days"},
		}},
	}
}

// weekly returns the properties of a policy with a backup a week.
func weekly(at string, weeks int) properties {
	p := daily(at, 7, 5)
	p["schedulePolicy"].(properties)["scheduleRunFrequency"] = "Weekly"
	p["schedulePolicy"].(properties)["scheduleRunDays"] = []string{"Sunday"}
	p["retentionPolicy"] = properties{"retentionPolicyType": "LongTermRetentionPolicy", "weeklySchedule": weeksKept(at, weeks)}
	return p
}

func weeksKept(at string, weeks int) properties {
	return properties{
		"daysOfTheWeek": []string{"Sunday"}, "retentionTimes": []string{"1999-04-28T" + at + ":00Z"},
		"retentionDuration": properties{"count": weeks, "durationType": "Weeks"},
	}
}

// changePolicy changes retention, schedule or the days of instant restore of a policy, or adds weekly retention.
func (c *concurrentClient) changePolicy() (simulator.ConcurrentClient, bool) {
	id, is := choose(c.r, c.ids("/backuppolicies/"))
	if !is {
		return simulator.ConcurrentClient{}, false
	}
	spelled, now := c.propertiesOf(id)
	f := policyFields(c.bodies[id])
	if f["kind"] != "" || !strings.Contains(f["schedule"], "Daily") {
		return c.put(spelled, daily("22:00", 30, 2)), f["kind"] == ""
	}
	days, instant, at := 30, 2, f["schedule"][len("[Daily "):len("[Daily 22:00")]
	_, _ = fmt.Sscan(strings.Trim(f["days"], "[]"), &days)
	_, _ = fmt.Sscan(f["instant"], &instant)
	switch c.r.IntN(8) {
	case 0, 1, 2:
		days = pick(c.r, 7, 10, 14, 20, 30, 45, 60, 90, 400)
	case 3:
		days += pick(c.r, -3, 5, 30)
	case 4:
		at = pick(c.r, "20:00", "22:00", "23:30")
	case 5:
		instant = pick(c.r, 1, 2, 3, 5)
	case 6:
		p := daily(at, days, instant)
		p["retentionPolicy"].(properties)["weeklySchedule"] = weeksKept(at, pick(c.r, 4, 12, 52))
		return c.put(spelled, p), true
	case 7:
		return c.put(spelled, weekly(at, pick(c.r, 4, 52))), true
	}
	p := daily(at, max(days, 7), instant)
	p["timeZone"] = now["timeZone"]
	return c.put(spelled, p), true
}

// makePolicy creates a policy under a name from the file, sometimes for another workload than VMs.
func (c *concurrentClient) makePolicy() (simulator.ConcurrentClient, bool) {
	vault, is := choose(c.r, c.vaults())
	if !is {
		return simulator.ConcurrentClient{}, false
	}
	id := armid.Policy(string(vault), pick(c.r, "daily", "long", "made"))
	if c.bodies[armid.Of(id)] != nil {
		return simulator.ConcurrentClient{}, false
	}
	p := daily("21:00", pick(c.r, 7, 30, 3650), 2)
	switch c.r.IntN(4) {
	case 0:
		p = properties{"backupManagementType": "AzureWorkload", "workLoadType": "SQLDataBase", "settings": properties{"timeZone": "UTC"}}
	case 1:
		p["backupManagementType"] = "azureIaaSVM"
	}
	return c.put(id, p), true
}

// changeVault changes one of a vault's settings.
func (c *concurrentClient) changeVault() (simulator.ConcurrentClient, bool) {
	id, is := choose(c.r, c.vaults())
	if !is {
		return simulator.ConcurrentClient{}, false
	}
	var w struct{ Tags map[string]string }
	decode(c.bodies[id], &w)
	patch := map[string]any{}
	switch c.r.IntN(6) {
	case 0:
		patch["properties"] = properties{"securitySettings": properties{"immutabilitySettings": properties{"state": pick(c.r, "Disabled", "Unlocked")}}}
	case 1, 2:
		patch["properties"] = properties{"securitySettings": properties{"softDeleteSettings": properties{
			"softDeleteState": "AlwaysON", "softDeleteRetentionPeriodInDays": pick(c.r, 14, 20, 30, 180),
		}}}
	case 3:
		patch["properties"] = properties{"publicNetworkAccess": pick(c.r, "Enabled", "Disabled")}
	default:
		tags := maps.Clone(w.Tags)
		if tags == nil {
			tags = map[string]string{}
		}
		tags[pick(c.r, "owner", "costCentre", "Team")] = pick(c.r, "platform", "finance", "42")
		patch["tags"] = tags
	}
	return c.send(http.MethodPatch, string(id), patch), true
}

// makeVault creates a vault that the file names.
func (c *concurrentClient) makeVault() (simulator.ConcurrentClient, bool) {
	var missing []string
	for _, id := range c.wanted {
		if c.bodies[armid.Of(id)] == nil {
			missing = append(missing, id)
		}
	}
	id, is := choose(c.r, missing)
	if !is {
		return simulator.ConcurrentClient{}, false
	}
	return c.send(http.MethodPut, id, map[string]any{
		"location": "westeurope", "sku": properties{"name": "Standard"}, "tags": map[string]string{"owner": "finance"},
		"properties": properties{"publicNetworkAccess": "Disabled", "securitySettings": properties{
			"immutabilitySettings": properties{"state": "Unlocked"},
			"softDeleteSettings":   properties{"softDeleteState": "AlwaysON", "softDeleteRetentionPeriodInDays": 180},
		}},
	}), true
}

// item chooses an item in a state and marks its machine.
func (c *concurrentClient) item(states ...string) (id string, m *machine, f fields) {
	var fit []armid.Key
	for _, id := range c.ids("/protecteditems/") {
		if slices.Contains(states, itemFields(c.bodies[id])["state"]) {
			fit = append(fit, id)
		}
	}
	key, is := choose(c.r, fit)
	if !is {
		return "", nil, nil
	}
	f = itemFields(c.bodies[key])
	for _, m = range c.machines {
		if string(armid.Of(m.id)) == f["vm"] {
			m.isTouched = true
			return string(key), m, f
		}
	}
	panic("an item of no machine")
}

// putItem changes an item; a quarter of these operations take the usual time.
func (c *concurrentClient) putItem(id string, m *machine, props properties) (simulator.ConcurrentClient, bool) {
	props["protectedItemType"], props["sourceResourceId"] = "Microsoft.Compute/virtualMachines", m.id
	a := c.put(id, props)
	a.Slow = c.r.IntN(4) == 0
	return a, true
}

func (c *concurrentClient) policyIn(id string) (string, bool) {
	key, is := choose(c.r, c.ids(strings.ToLower(armid.VaultOf(id))+"/backuppolicies/"))
	return string(key), is
}

func (c *concurrentClient) moveItem() (simulator.ConcurrentClient, bool) {
	return c.moveTo(stateActive)
}

func (c *concurrentClient) resumeItem() (simulator.ConcurrentClient, bool) {
	return c.moveTo(stateStopped)
}

// moveTo puts an item into this state under some policy of its vault, without changing its disks.
func (c *concurrentClient) moveTo(state string) (simulator.ConcurrentClient, bool) {
	id, m, f := c.item(state)
	policy, is := c.policyIn(id)
	if m == nil || !is {
		return simulator.ConcurrentClient{}, false
	}
	return c.putItem(id, m, withDisks(properties{"policyId": policy}, f["disks"]))
}

// withDisks adds a disk filter to a PUT, as a client that keeps the filter does.
func withDisks(p properties, words string) properties {
	filter := any(nil)
	if words != "" {
		luns := []int{}
		for s := range strings.FieldsSeq(strings.Trim(words[strings.Index(words, "["):], "[]")) {
			luns = append(luns, int(s[0]-'0'))
		}
		filter = properties{"isInclusionList": strings.HasPrefix(words, "only"), "diskLunList": luns}
	}
	p["extendedProperties"] = properties{"diskExclusionProperties": filter}
	return p
}

func (c *concurrentClient) filterDisks() (simulator.ConcurrentClient, bool) {
	id, m, f := c.item(stateActive)
	if m == nil {
		return simulator.ConcurrentClient{}, false
	}
	words := pick(c.r, "", describeDisks(true, []int{0}), describeDisks(true, []int{0, 1}), describeDisks(false, []int{1}), describeDisks(true, nil))
	return c.putItem(id, m, withDisks(properties{"policyId": f["policy"]}, words))
}

func (c *concurrentClient) stopItem() (simulator.ConcurrentClient, bool) {
	id, m, _ := c.item(stateActive)
	if m == nil {
		return simulator.ConcurrentClient{}, false
	}
	return c.putItem(id, m, properties{"policyId": "", "protectionState": "ProtectionStopped"})
}

func (c *concurrentClient) deleteItem() (simulator.ConcurrentClient, bool) {
	id, m, _ := c.item(stateActive, stateStopped)
	if m == nil {
		return simulator.ConcurrentClient{}, false
	}
	return c.send(http.MethodDelete, id, nil), true
}

func (c *concurrentClient) undeleteItem() (simulator.ConcurrentClient, bool) {
	id, m, _ := c.item(stateDeleted)
	if m == nil {
		return simulator.ConcurrentClient{}, false
	}
	return c.putItem(id, m, properties{"policyId": "", "protectionState": "ProtectionStopped", "isRehydrate": true})
}

// protectVM protects a machine that has no item in one of the vaults.
func (c *concurrentClient) protectVM() (simulator.ConcurrentClient, bool) {
	m := c.machines[c.r.IntN(len(c.machines))]
	vault, is := choose(c.r, slices.DeleteFunc(c.vaults(), func(id armid.Key) bool {
		return !strings.EqualFold(armid.SubscriptionOf(string(id)), armid.SubscriptionOf(m.id))
	}))
	policy, there := c.policyIn(string(vault))
	if !is || !there || len(c.ids(";"+strings.ToLower(m.id[strings.LastIndex(m.id, "/")+1:])+"/")) > 0 {
		return simulator.ConcurrentClient{}, false
	}
	m.isTouched = true
	id, _, _ := strings.Cut(itemPath(string(vault), m), "?")
	return c.putItem(id, m, properties{"policyId": policy})
}
