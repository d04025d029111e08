package simulator

import (
	"encoding/json"
	"net/http"

	"github.com/azbackup/azbackup/internal/simulator/ids"
	"github.com/azbackup/azbackup/internal/simulator/rawjson"
	"github.com/azbackup/azbackup/internal/simulator/reply"
	"github.com/azbackup/azbackup/internal/simulator/state"
)

// groupNotFound returns ARM's reply when the resource group of the path does not exist.
func (rc *requestContext) groupNotFound() *reply.Reply {
	id := "/subscriptions/" + rc.params["sub"] + "/resourceGroups/" + rc.params["group"]
	if rc.st.Groups.Get(ids.Key(id)) != nil {
		return nil
	}
	r := reply.ARMError(http.StatusNotFound, "ResourceGroupNotFound", "Resource group '%s' could not be found.", rc.params["group"])
	return &r
}

func (rc *requestContext) groupID() string {
	return "/subscriptions/" + rc.params["sub"] + "/resourceGroups/" + rc.params["group"]
}

func (rc *requestContext) listGroups() reply.Reply {
	return rc.list("groups", each(rc.st.Groups, ids.Key(rc.params["sub"]), func(*state.OpaqueResource) bool { return true }, func(l *state.OpaqueResource) []byte { return rc.st.Read(l.Body) }))
}

func (rc *requestContext) getGroup() reply.Reply {
	if r := rc.groupNotFound(); r != nil {
		return *r
	}
	return reply.OK(rc.st.Read(rc.st.Groups.Get(ids.Key(rc.groupID())).Body))
}

func (rc *requestContext) headGroup() reply.Reply {
	if r := rc.groupNotFound(); r != nil {
		return reply.Reply{Status: http.StatusNotFound}
	}
	return reply.Reply{Status: http.StatusNoContent}
}

// putGroup creates a resource group: 201, or 200 for an existing one.
func (rc *requestContext) putGroup() reply.Reply {
	if err := rawjson.CheckObject(rc.body); err != nil {
		return invalidContent(err)
	}
	sent := rawjson.Parse(rc.body)
	if sent.Text("location") == "" {
		return reply.ARMError(http.StatusBadRequest, "LocationRequired", "The location property is required for this definition.")
	}
	status := http.StatusCreated
	if rc.st.Groups.Get(ids.Key(rc.groupID())) != nil {
		status = http.StatusOK
	}
	body := state.GroupBody(rc.groupID(), sent.Text("location"), sent.Raw("tags"))
	rc.st.PutGroup(body)
	return reply.New(status, body)
}

// deleteGroup deletes an empty group. Azure would delete its resources too; no client here relies on that.
func (rc *requestContext) deleteGroup() reply.Reply {
	if r := rc.groupNotFound(); r != nil {
		return *r
	}
	if len(rc.resourcesIn(ids.Key(rc.params["sub"]), ids.Key(rc.params["group"]))) > 0 {
		return reply.Error(http.StatusConflict, "ResourceGroupDeletionBlocked", "Deletion of resource group '%s' failed: there are resources in it.", rc.params["group"])
	}
	rc.st.Remove("resourceGroups", ids.Key(rc.groupID()))
	return reply.Reply{Status: http.StatusOK}
}

func (rc *requestContext) listResources() reply.Reply {
	if r := rc.groupNotFound(); r != nil {
		return *r
	}
	return reply.OK(joinBodies(rc.resourcesIn(ids.Key(rc.params["sub"]), ids.Key(rc.params["group"]))))
}

// resourcesIn returns the short bodies of a group's resources.
func (rc *requestContext) resourcesIn(sub, group string) [][]byte {
	var out [][]byte
	short := func(body []byte) {
		o := rawjson.NewObject("id", rawjson.TextAt(body, "id"), "name", rawjson.TextAt(body, "name"), "type", rawjson.TextAt(body, "type"), "location", rawjson.TextAt(body, "location"))
		if tags := rawjson.RawAt(body, "tags"); tags != nil {
			o.Put("tags", tags)
		}
		out = append(out, o.Bytes())
	}
	rc.st.Vaults.Group(sub, 0, func(_ int, v *state.Vault) bool {
		if v.Group == group {
			short(rc.st.Read(v.Body))
		}
		return true
	})
	rc.st.VMs.Group(sub, 0, func(_ int, v *state.VM) bool {
		if v.Group == group {
			short(rc.st.Read(v.Body))
		}
		return true
	})
	for _, t := range []*state.Table[state.Resource]{rc.st.Disks, rc.st.Accounts} {
		t.Group("/subscriptions/"+sub+"/resourcegroups/"+group, 0, func(_ int, r *state.Resource) bool { short(rc.st.Read(r.Body)); return true })
	}
	return out
}

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
