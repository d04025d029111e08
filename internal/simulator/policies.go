package simulator

import (
	"encoding/json"
	"net/http"
	"strings"
	"time"

	"github.com/azbackup/azbackup/internal/simulator/ids"
	"github.com/azbackup/azbackup/internal/simulator/rawjson"
	"github.com/azbackup/azbackup/internal/simulator/reply"
	"github.com/azbackup/azbackup/internal/simulator/rules"
	"github.com/azbackup/azbackup/internal/simulator/state"
)

const policyType = "Microsoft.RecoveryServices/vaults/backupPolicies"

// listPolicies mixes AzureIaasVM and AzureWorkload without a filter (docs/azure.md §33.28).
func (rc *requestContext) listPolicies() reply.Reply {
	v, none := rc.vault()
	if none != nil {
		return *none
	}
	f, bad := rc.filter("backupManagementType", "workloadType", "name")
	if bad != nil {
		return *bad
	}
	keep := func(p *state.Policy) bool {
		return f.Matches(func(name string) string {
			switch strings.ToLower(name) {
			case "backupmanagementtype":
				return p.Management
			case "name":
				return p.Name
			}
			return rawjson.TextAt(rc.st.Read(p.Body), "properties", "workLoadType")
		})
	}
	// Policies are not paged: the SDK has no token for them and none was recorded (docs/azure.md §8.1).
	var bodies [][]byte
	rc.st.Policies.Group(v.Key, 0, func(_ int, p *state.Policy) bool {
		if keep(p) {
			// The list shows 0 items for every policy; only a read of the single policy counts them (7 recorded
			// lists).
			bodies = append(bodies, rawjson.Edit(rc.st.Read(p.Body), func(props *rawjson.Object) { props.Set("protectedItemsCount", 0) }, "properties"))
		}
		return true
	})
	return reply.OK(joinBodies(bodies))
}

func joinBodies(bodies [][]byte) json.RawMessage {
	out := []byte(`{"value":[`)
	for i, b := range bodies {
		if i > 0 {
			out = append(out, ',')
		}
		out = append(out, b...)
	}
	return append(out, "]}"...)
}

func (rc *requestContext) policyKey() string {
	return rc.vaultKey() + "/backuppolicies/" + ids.Key(rc.params["policy"])
}

func (rc *requestContext) getPolicy() reply.Reply {
	if _, none := rc.vault(); none != nil {
		return *none
	}
	p := rc.st.Policies.Get(rc.policyKey())
	if p == nil {
		return rc.policyNotFound()
	}
	return reply.OK(rc.policyBody(p))
}

func (rc *requestContext) policyNotFound() reply.Reply {
	return reply.Error(http.StatusNotFound, "BMSUserErrorPolicyObjectNotFound", "Backup policy '%s' was not found.", rc.params["policy"]) // UNVERIFIED code
}

// policyBody returns the stored body with the count of its items, which the service computes (docs/azure.md §8.2).
func (rc *requestContext) policyBody(p *state.Policy) []byte {
	return rawjson.Edit(rc.st.Read(p.Body), func(props *rawjson.Object) {
		props.Set("protectedItemsCount", rc.st.ItemsUnder(p))
	}, "properties")
}

// putPolicy writes all of a policy: 200 when it protects nothing, else 202 and one job an item
// (docs/azure.md §8.1, §33.15).
func (rc *requestContext) putPolicy() reply.Reply {
	v, none := rc.vault()
	if none != nil {
		return *none
	}
	if err := rawjson.CheckObject(rc.body); err != nil {
		return invalidContent(err)
	}
	sent := rawjson.Parse(rc.body).Object("properties")
	was := rc.st.Policies.Get(rc.policyKey())
	if r := rc.rules().CheckPolicy(v, rc.params["policy"], was, sent); r != nil {
		return *r
	}
	if was != nil {
		if r := rc.rules().CheckGuards(v, rules.GuardedPolicyWrite, sent, true); r != nil {
			return *r
		}
	}
	sent.Del("resourceGuardOperationRequests")
	if r := rc.consumeDailyLimit("policy-writes", v); r != nil {
		return *r
	}
	body := rc.storedPolicy(was, sent)
	items := []*state.Item(nil)
	if was != nil {
		items = rc.st.ProtectedBy(was)
	}
	if len(items) == 0 {
		return reply.OK(rc.policyBody(rc.st.PutPolicy(body)))
	}
	return rc.acceptedReply(rc.startPolicyOp(v, was, body, items))
}

// startPolicyOp starts one ConfigureBackup job for each item (docs/azure.md §8.1).
func (rc *requestContext) startPolicyOp(v *state.Vault, p *state.Policy, body json.RawMessage, items []*state.Item) *state.Operation {
	id := rc.guid("policy operation")
	op := &state.Operation{
		ID: id, Action: state.ActPolicy, Vault: v.Key, Target: p.Key, Version: rc.version, State: state.InProgress,
		StatusPath: rc.path + "/operations/" + id, ResultPath: rc.path + "/operationResults/" + id,
		Started: rc.now, Ends: rc.now.Add(rc.s.sampleDuration("policy", p.Key)), Request: body,
	}
	for _, it := range items {
		op.Jobs = append(op.Jobs, rc.startJob(v, it.Friendly, it.ContainerKey, "ConfigureBackup", "Policy Name", p.Name))
	}
	rc.startOperation(op)
	return op
}

// storedPolicy returns the stored form of a sent policy: times with today's date and no milliseconds, defaults added,
// policyType kept, the caller's count dropped (docs/azure.md §8.2, §33.35).
func (rc *requestContext) storedPolicy(was *state.Policy, sent rawjson.Object) json.RawMessage {
	day := rc.now
	name := rc.params["policy"]
	id := ids.VaultPart(rc.path) + "/backupPolicies/" + name
	if was != nil {
		id = rawjson.TextAt(rc.st.Read(was.Body), "id")
		name = was.Name
	}
	props := rawjson.NewObject("backupManagementType", sent.Text("backupManagementType"))
	for _, m := range sent {
		if m.Key != "protectedItemsCount" && m.Key != "backupManagementType" && string(m.Value) != "null" {
			props.Put(m.Key, setDates(m.Value, day))
		}
	}
	if strings.EqualFold(sent.Text("backupManagementType"), "AzureIaasVM") {
		if !props.Has("instantRPDetails") {
			props.Set("instantRPDetails", rawjson.NewObject())
		}
		if s := props.Object("schedulePolicy"); s.Text("schedulePolicyType") == "SimpleSchedulePolicy" && !s.Has("scheduleWeeklyFrequency") {
			s.Set("scheduleWeeklyFrequency", 0)
			props.Set("schedulePolicy", s)
		}
		if !props.Has("instantRpRetentionRangeInDays") {
			props.Set("instantRpRetentionRangeInDays", defaultInstantDays(sent))
		}
	}
	props.Set("protectedItemsCount", 0)
	return rawjson.NewObject("id", id, "name", name, "type", policyType, "properties", props).Bytes()
}

// defaultInstantDays returns 2, or 5 where no other value is valid (docs/azure.md §8.3).
func defaultInstantDays(sent rawjson.Object) int {
	if sent.Text("policyType") != "V2" && sent.Object("schedulePolicy").Text("scheduleRunFrequency") == "Weekly" {
		return 5
	}
	return 2
}

// setDates writes every time in raw as the service does: the date part is not the client's (docs/azure.md §8.2).
func setDates(raw []byte, day time.Time) json.RawMessage {
	i := rawjson.SkipSpace(raw, 0)
	if i >= len(raw) {
		return raw
	}
	switch raw[i] {
	case '{':
		o := rawjson.Parse(raw)
		for i := range o {
			o[i].Value = setDates(o[i].Value, day)
		}
		return dropNulls(o).Bytes()
	case '[':
		out := []json.RawMessage{}
		_, _ = rawjson.WalkArray(raw, i, 0, func(v []byte) { out = append(out, setDates(v, day)) })
		return rawjson.Encode(out)
	case '"':
		if t, isTime := rules.TimeOfDay(rawjson.Unquote(raw)); isTime {
			y, m, d := day.UTC().Date()
			return rawjson.Encode(rawjson.Time(time.Date(y, m, d, t.Hour(), t.Minute(), t.Second(), 0, time.UTC)))
		}
	}
	return raw
}

// dropNulls drops sub-schedules sent as null: they are absent in the reply (docs/azure.md §8.2).
func dropNulls(o rawjson.Object) rawjson.Object {
	var out rawjson.Object
	for _, m := range o {
		if string(m.Value) != "null" {
			out = append(out, m)
		}
	}
	return out
}

func (rc *requestContext) deletePolicy() reply.Reply {
	if _, none := rc.vault(); none != nil {
		return *none
	}
	p := rc.st.Policies.Get(rc.policyKey())
	if p == nil {
		return reply.Reply{Status: http.StatusNoContent}
	}
	if n := rc.st.ItemsUnder(p); n > 0 {
		return rc.unverified("policy-in-use", "Backup policy '%s' cannot be deleted: it protects %d items.", p.Name, n)
	}
	rc.st.Remove("policies", p.Key)
	return reply.Reply{Status: http.StatusOK} // an empty 200, not 204 (docs/azure.md §33.15)
}

// defaultPolicies adds the three built-in policies to a new vault (docs/azure.md §8.1, §33.28).
func (rc *requestContext) defaultPolicies(v *state.Vault, was *state.Vault) {
	if was != nil {
		return
	}
	y, m, d := rc.now.UTC().Date()
	// The half hour that DefaultPolicy runs at differs from vault to vault (16:30, 17:30, 20:00 were recorded).
	halfHour := time.Duration(32+int(rc.s.seed.Uniform("default policy", v.Key)*12)) * 30 * time.Minute
	midnight := time.Date(y, m, d, 0, 0, 0, 0, time.UTC)
	at, window := rawjson.Time(midnight.Add(halfHour)), rawjson.Time(midnight.Add(8*time.Hour))
	days := func(n int) rawjson.Object { return rawjson.NewObject("count", n, "durationType", "Days") }
	daily := func(at string) rawjson.Object {
		return rawjson.NewObject("retentionPolicyType", "LongTermRetentionPolicy",
			"dailySchedule", rawjson.NewObject("retentionTimes", []string{at}, "retentionDuration", days(30)))
	}
	simple := rawjson.NewObject("schedulePolicyType", "SimpleSchedulePolicy", "scheduleRunFrequency", "Daily",
		"scheduleRunTimes", []string{at}, "scheduleWeeklyFrequency", 0)
	put := func(name string, props rawjson.Object) {
		rc.st.PutPolicy(rawjson.NewObject("id", v.ID+"/backupPolicies/"+name, "name", name, "type", policyType, "properties", props).Bytes())
	}
	put("HourlyLogBackup", rawjson.NewObject("backupManagementType", "AzureWorkload", "workLoadType", "SQLDataBase",
		"settings", rawjson.NewObject("timeZone", "UTC", "issqlcompression", false, "isCompression", false),
		"subProtectionPolicy", []rawjson.Object{
			rawjson.NewObject("policyType", "Full", "schedulePolicy", simple, "retentionPolicy", daily(at)),
			rawjson.NewObject("policyType", "Log",
				"schedulePolicy", rawjson.NewObject("schedulePolicyType", "LogSchedulePolicy", "scheduleFrequencyInMins", 60),
				"retentionPolicy", rawjson.NewObject("retentionPolicyType", "SimpleRetentionPolicy", "retentionDuration", days(30))),
		}, "protectedItemsCount", 0))
	put("DefaultPolicy", rawjson.NewObject("backupManagementType", "AzureIaasVM", "instantRPDetails", rawjson.NewObject(),
		"schedulePolicy", simple, "retentionPolicy", daily(at),
		"instantRpRetentionRangeInDays", 2, "timeZone", "UTC", "protectedItemsCount", 0))
	put("EnhancedPolicy", rawjson.NewObject("backupManagementType", "AzureIaasVM", "policyType", "V2", "instantRPDetails", rawjson.NewObject(),
		"schedulePolicy", rawjson.NewObject("schedulePolicyType", "SimpleSchedulePolicyV2", "scheduleRunFrequency", "Hourly",
			"hourlySchedule", rawjson.NewObject("interval", 4, "scheduleWindowStartTime", window, "scheduleWindowDuration", 12)),
		"retentionPolicy", daily(window),
		"instantRpRetentionRangeInDays", 2, "timeZone", "UTC", "protectedItemsCount", 0))
}
