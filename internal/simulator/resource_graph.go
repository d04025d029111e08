package simulator

import (
	"cmp"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"

	"github.com/azbackup/azbackup/internal/simulator/ids"
	"github.com/azbackup/azbackup/internal/simulator/query"
	"github.com/azbackup/azbackup/internal/simulator/rawjson"
	"github.com/azbackup/azbackup/internal/simulator/reply"
	"github.com/azbackup/azbackup/internal/simulator/state"
)

// graphTypes are the types of the table recoveryservicesresources; the rest is in resources.
const (
	graphItems    = "microsoft.recoveryservices/vaults/backupfabrics/protectioncontainers/protecteditems"
	graphJobs     = "microsoft.recoveryservices/vaults/backupjobs"
	graphPolicies = "microsoft.recoveryservices/vaults/backuppolicies"
	graphVaults   = "microsoft.recoveryservices/vaults"
	graphVMs      = "microsoft.compute/virtualmachines"
	graphDisks    = "microsoft.compute/disks"
	graphAccounts = "microsoft.storage/storageaccounts"
)

const maxGraphPage = 1000 // docs/azure.md §10

func (rc *requestContext) queryGraph() reply.Reply {
	if err := rawjson.CheckObject(rc.body); err != nil {
		return invalidContent(err)
	}
	sent := rawjson.Parse(rc.body)
	q, err := query.ParseGraph(sent.Text("query"))
	if err != nil {
		return reply.Error(http.StatusBadRequest, "BadRequest", "Query is invalid. %s", err)
	}
	rows := q.Run(rc.graphRows(q.Table, graphScope(sent.Raw("subscriptions"))))
	options := sent.Object("options")
	size := rawjson.Number(options.Raw("$top"))
	if size <= 0 {
		size = rc.s.set.Pages["graph"]
	}
	size = min(size, maxGraphPage)
	from := rawjson.Number(options.Raw("$skip"))
	if token := options.Text("$skipToken"); token != "" {
		row, known := rc.s.seed.RowOf("graph "+sent.Text("query"), token)
		if !known {
			return reply.Error(http.StatusBadRequest, "BadRequest", "The skip token is invalid.")
		}
		from = row
	}
	from = min(from, len(rows))
	to := min(from+size, len(rows))
	out := rawjson.NewObject("totalRecords", len(rows), "count", to-from, "data", append([]json.RawMessage{}, rows[from:to]...),
		"facets", []string{}, "resultTruncated", fmt.Sprint(to < len(rows) && !q.HasID()))
	// Paging works only when id is projected (docs/azure.md §10).
	if to < len(rows) && q.HasID() {
		out.Set("$skipToken", rc.s.seed.PageToken("graph "+sent.Text("query"), to))
	}
	return reply.OK(out.Bytes())
}

func graphScope(raw []byte) map[string]bool {
	var subs []string
	_ = json.Unmarshal(raw, &subs)
	scope := map[string]bool{}
	for _, s := range subs {
		scope[ids.Key(s)] = true
	}
	return scope
}

// graphRows returns the rows of a table in a scope; an empty scope is everything visible to the caller.
func (rc *requestContext) graphRows(table string, scope map[string]bool) []json.RawMessage {
	var rows []json.RawMessage
	add := func(sub, kind, location string, body []byte) {
		if len(scope) > 0 && !scope[sub] {
			return
		}
		id := rawjson.TextAt(body, "id")
		o := rawjson.Parse(body)
		o.Set("type", kind)
		o.Set("subscriptionId", ids.Segment(id, "subscriptions"))
		o.Set("resourceGroup", strings.ToLower(ids.Segment(id, "resourceGroups")))
		o.Set("location", location)
		rows = append(rows, o.Bytes())
	}
	if table == "resources" {
		rc.st.VMs.All(0, func(_ int, v *state.VM) bool { add(v.Sub, graphVMs, v.Region, rc.st.Read(v.Body)); return true })
		rc.st.Vaults.All(0, func(_ int, v *state.Vault) bool { add(v.Sub, graphVaults, v.Region, rc.st.Read(v.Body)); return true })
		rc.st.Disks.All(0, func(_ int, r *state.Resource) bool { add(r.Sub, graphDisks, r.Region, rc.st.Read(r.Body)); return true })
		rc.st.Accounts.All(0, func(_ int, r *state.Resource) bool {
			add(r.Sub, graphAccounts, r.Region, rc.st.Read(r.Body))
			return true
		})
		return rows
	}
	rc.st.Items.All(0, func(_ int, it *state.Item) bool {
		if v := rc.st.Vaults.Get(it.Vault); v != nil {
			add(v.Sub, graphItems, v.Region, rc.graphItem(it, v))
		}
		return true
	})
	rc.st.Policies.All(0, func(_ int, p *state.Policy) bool {
		if v := rc.st.Vaults.Get(p.Vault); v != nil {
			add(v.Sub, graphPolicies, v.Region, rc.policyBody(p))
		}
		return true
	})
	rc.st.Jobs.All(0, func(_ int, j *state.Job) bool {
		if v := rc.st.Vaults.Get(j.Vault); v != nil {
			add(v.Sub, graphJobs, v.Region, rc.jobBody(j))
		}
		return true
	})
	return rows
}

// graphItem adds the fields of an item that only Resource Graph returns (docs/azure.md §10).
func (rc *requestContext) graphItem(it *state.Item, v *state.Vault) []byte {
	state := map[string]string{
		"IRPending": "ProtectionConfigured", "Protected": "ProtectionConfigured",
		"ProtectionStopped": "ProtectionStopped", "ProtectionError": "ProtectionError",
	}[it.State]
	if it.IsDeleted {
		state = "SoftDeleted"
	}
	return rawjson.Edit(rc.itemBody(it), func(p *rawjson.Object) {
		p.Set("currentProtectionState", cmp.Or(state, it.State))
		p.Set("dataSourceInfo", rawjson.NewObject("resourceID", p.Text("sourceResourceId"), "datasourceType", ids.VMType, "resourceLocation", v.Region))
		p.Set("policyInfo", rawjson.NewObject("name", p.Text("policyName"), "id", p.Text("policyId")))
	}, "properties")
}
