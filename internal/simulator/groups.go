package simulator

import (
	"encoding/json"
	"net/http"
)

// noGroup is ARM's answer when the resource group of the path does not exist.
func (c *call) noGroup() *reply {
	id := "/subscriptions/" + c.params["sub"] + "/resourceGroups/" + c.params["group"]
	if c.st.groups.get(key(id)) != nil {
		return nil
	}
	r := gateway(http.StatusNotFound, "ResourceGroupNotFound", "Resource group '%s' could not be found.", c.params["group"])
	return &r
}

func groupBody(id, location string, tags json.RawMessage) json.RawMessage {
	o := obj("id", id, "name", lastSegment(id), "type", "Microsoft.Resources/resourceGroups", "location", location)
	if tags != nil {
		o.set("tags", tags)
	}
	o.set("properties", obj("provisioningState", "Succeeded"))
	return o.bytes()
}

func (c *call) groupID() string {
	return "/subscriptions/" + c.params["sub"] + "/resourceGroups/" + c.params["group"]
}

func (c *call) listGroups() reply {
	return c.list("groups", each(c.st.groups, key(c.params["sub"]), func(*listed) bool { return true }, func(l *listed) []byte { return c.st.read(l.body) }))
}

func (c *call) getGroup() reply {
	if r := c.noGroup(); r != nil {
		return *r
	}
	return ok(c.st.read(c.st.groups.get(key(c.groupID())).body))
}

func (c *call) headGroup() reply {
	if r := c.noGroup(); r != nil {
		return reply{status: http.StatusNotFound}
	}
	return reply{status: http.StatusNoContent}
}

// putGroup makes a resource group: 201, or 200 for one that exists.
func (c *call) putGroup() reply {
	if err := validObject(c.body); err != nil {
		return invalidContent(err)
	}
	sent := parse(c.body)
	if sent.text("location") == "" {
		return gateway(http.StatusBadRequest, "LocationRequired", "The location property is required for this definition.")
	}
	status := http.StatusCreated
	if c.st.groups.get(key(c.groupID())) != nil {
		status = http.StatusOK
	}
	body := groupBody(c.groupID(), sent.text("location"), sent.raw("tags"))
	c.st.putGroup(body)
	return answer(status, body)
}

// deleteGroup takes away a group that nothing is in. Azure would delete what is in it; nothing here relies on that.
func (c *call) deleteGroup() reply {
	if r := c.noGroup(); r != nil {
		return *r
	}
	if len(c.resourcesIn(key(c.params["sub"]), key(c.params["group"]))) > 0 {
		return fail(http.StatusConflict, "ResourceGroupDeletionBlocked", "Deletion of resource group '%s' failed: there are resources in it.", c.params["group"])
	}
	c.st.remove("resourceGroups", key(c.groupID()))
	return reply{status: http.StatusOK}
}

func (c *call) listResources() reply {
	if r := c.noGroup(); r != nil {
		return *r
	}
	return ok(joined(c.resourcesIn(key(c.params["sub"]), key(c.params["group"]))))
}

// resourcesIn are the short bodies of a group's resources.
func (c *call) resourcesIn(sub, group string) [][]byte {
	var out [][]byte
	short := func(body []byte) {
		o := obj("id", text(body, "id"), "name", text(body, "name"), "type", text(body, "type"), "location", text(body, "location"))
		if tags := get(body, "tags"); tags != nil {
			o.put("tags", tags)
		}
		out = append(out, o.bytes())
	}
	c.st.vaults.group(sub, 0, func(_ int, v *vault) bool {
		if v.group == group {
			short(c.st.read(v.body))
		}
		return true
	})
	c.st.vms.group(sub, 0, func(_ int, v *vm) bool {
		if v.group == group {
			short(c.st.read(v.body))
		}
		return true
	})
	for _, t := range []*table[resource]{c.st.disks, c.st.accounts} {
		t.group("/subscriptions/"+sub+"/resourcegroups/"+group, 0, func(_ int, r *resource) bool { short(c.st.read(r.body)); return true })
	}
	return out
}
