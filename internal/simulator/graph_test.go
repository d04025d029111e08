package simulator

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/azbackup/azbackup/internal/simulator/rawjson"
	"github.com/azbackup/azbackup/internal/simulator/settings"
)

func (c *client) graph(query, options string, want int) answered {
	c.t.Helper()
	return c.do("POST", "/providers/Microsoft.ResourceGraph/resources?api-version=2021-03-01",
		fmt.Sprintf(`{"subscriptions":[%q],"query":%q,"options":{%s}}`, testSub, query, options), want)
}

func rowsOf(a answered) []json.RawMessage {
	var page struct{ Data []json.RawMessage }
	_ = json.Unmarshal(a.body, &page)
	return page.Data
}

func TestGraphAnswersTheQueriesOfAnAudit(t *testing.T) {
	c := serve(t, estate(t), Options{Settings: at0()})
	c.do("PUT", itemPath("vm1"), protectBody("VM1", "daily"), 202)
	c.do("PUT", itemPath("vm2"), protectBody("VM2", "daily"), 202)
	c.do("DELETE", itemPath("vm2"), "", 202)
	a := c.graph("recoveryservicesresources | where type =~ 'microsoft.recoveryservices/vaults/backupfabrics/protectioncontainers/protecteditems' | project id, vm=tolower(tostring(properties.sourceResourceId)), state=tostring(properties.currentProtectionState), properties | order by vm asc", "", 200)
	rows := rowsOf(a)
	if len(rows) != 2 || rawjson.TextAt(rows[0], "vm") != strings.ToLower(vmID("vm1")) || rawjson.TextAt(rows[0], "state") != "ProtectionConfigured" || rawjson.TextAt(rows[1], "state") != "SoftDeleted" {
		t.Errorf("%s", a.body)
	}
	if rawjson.TextAt(a.body, "resultTruncated") != "false" || rawjson.Number(a.body, "totalRecords") != 2 {
		t.Errorf("%s", a.body)
	}
	a = c.graph("resources | where type == 'microsoft.compute/virtualmachines' and location =~ 'WestEurope' | project name, tags.env", "", 200)
	if rows = rowsOf(a); len(rows) != 3 || string(rows[0]) != `{"name":"VM1","tags_env":"prod"}` {
		t.Errorf("%s", a.body)
	}
	a = c.graph("Resources | where type in~ ('microsoft.recoveryservices/vaults', 'x') | count", "", 200)
	if rows = rowsOf(a); len(rows) != 1 || string(rows[0]) != `{"Count":1}` {
		t.Errorf("%s", a.body)
	}
	a = c.graph("recoveryservicesresources | where type endswith '/backuppolicies' | extend n = toupper(name) | where n has 'DAIL' | take 5", "", 200)
	if rows = rowsOf(a); len(rows) != 1 || rawjson.TextAt(rows[0], "n") != "DAILY" || rawjson.TextAt(rows[0], "properties", "timeZone") != "UTC" {
		t.Errorf("%s", a.body)
	}
}

func TestGraphPagesBySkipToken(t *testing.T) {
	c := serve(t, estate(t), Options{})
	query := "resources | where type =~ 'Microsoft.Compute/virtualMachines' | project id"
	a := c.graph(query, `"$top":3`, 200)
	if len(rowsOf(a)) != 3 || rawjson.TextAt(a.body, "$skipToken") == "" {
		t.Fatalf("%s", a.body)
	}
	b := c.graph(query, `"$top":3,"$skipToken":"`+rawjson.TextAt(a.body, "$skipToken")+`"`, 200)
	if len(rowsOf(b)) != 1 || rawjson.RawAt(b.body, "$skipToken") != nil {
		t.Errorf("%s", b.body)
	}
	c.graph(query, `"$skipToken":"nonsense"`, 400)
	noID := c.graph("resources | project name", `"$top":1`, 200)
	if rawjson.RawAt(noID.body, "$skipToken") != nil || rawjson.TextAt(noID.body, "resultTruncated") != "true" {
		t.Errorf("without id: %s", noID.body)
	}
}

func TestGraphRefusesWhatItDoesNotKnow(t *testing.T) {
	c := serve(t, estate(t), Options{})
	for _, q := range []string{
		"", "securityresources", "resources | summarize count() by type", "resources | where type", "resources | where iff(a,b,c) == 'x'",
		"resources | project strcat(a,b)", "resources | join (resources) on id", "resources | take lots", "resources | where a == 'x' or b == 'y'",
	} {
		c.graph(q, "", 400)
	}
}

func TestGraphIsThrottledByUser(t *testing.T) {
	c := serve(t, estate(t), Options{Settings: settings.Settings{Quota: "800"}})
	for i := range 15 {
		if a := c.graph("resources | count", "", 200); a.header.Get("X-Ms-User-Quota-Remaining") != fmt.Sprint(14-i) {
			t.Errorf("%v", a.header)
		}
	}
	if a := c.graph("resources | count", "", 429); a.header.Get("Retry-After") == "" {
		t.Errorf("%v", a.header)
	}
}
