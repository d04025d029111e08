package simulator

import (
	"github.com/azbackup/azbackup/internal/simulator/ids"
	"github.com/azbackup/azbackup/internal/simulator/reply"
)

// listVMs returns Compute's list, of a subscription or a resource group (docs/azure.md §10).
func (rc *requestContext) listVMs() reply.Reply {
	group := ids.Key(rc.params["group"])
	if group != "" {
		if r := rc.groupNotFound(); r != nil {
			return *r
		}
	}
	keep := func(v *vm) bool { return group == "" || v.group == group }
	return rc.list("vms", each(rc.st.vms, ids.Key(rc.params["sub"]), keep, func(v *vm) []byte { return rc.st.read(v.body) }))
}

func (rc *requestContext) getVM() reply.Reply {
	if r := rc.groupNotFound(); r != nil {
		return *r
	}
	v := rc.st.vms.get(ids.Key(rc.path))
	if v == nil {
		return reply.ResourceNotFound("Microsoft.Compute/virtualMachines", rc.params["vm"], rc.params["group"])
	}
	return reply.OK(rc.st.read(v.body))
}
