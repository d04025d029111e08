package simulator

import (
	"encoding/json"

	"github.com/azbackup/azbackup/internal/simulator/ids"
	"github.com/azbackup/azbackup/internal/simulator/rawjson"
	"github.com/azbackup/azbackup/internal/simulator/reply"
)

// listDescendants lists all that is below a management group, on every level, flat (docs/azure.md §21). The estate has
// the rows of each group as Azure gives them. A group that does not exist, or that the caller may not read, is refused
// in one way; which is UNVERIFIED (docs/azure.md §27).
func (rc *requestContext) listDescendants() reply.Reply {
	group := rc.st.Management.Get(ids.Key("/providers/Microsoft.Management/managementGroups/" + rc.params["management"]))
	if group == nil {
		return rc.unverified("management-group", "The management group '%s' cannot be found.", rc.params["management"])
	}
	var rows []json.RawMessage
	if err := json.Unmarshal(rawjson.RawAt(rc.st.Read(group.Body), "descendants"), &rows); err != nil {
		rows = nil // a group without any
	}
	bodies := make([][]byte, len(rows))
	for i, row := range rows {
		bodies[i] = row
	}
	return rc.list("descendants", slice(bodies))
}
