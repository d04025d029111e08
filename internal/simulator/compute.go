package simulator

import (
	"github.com/azbackup/azbackup/internal/simulator/ids"
	"github.com/azbackup/azbackup/internal/simulator/reply"
	"github.com/azbackup/azbackup/internal/simulator/state"
)

// listVMs returns Compute's list, of a subscription or a resource group (docs/azure.md §10).
func (rc *requestContext) listVMs() reply.Reply {
	group := ids.Key(rc.params["group"])
	if group != "" {
		if r := rc.groupNotFound(); r != nil {
			return *r
		}
	}
	keep := func(v *state.VM) bool { return group == "" || v.Group == group }
	return rc.list("vms", each(rc.st.VMs, ids.Key(rc.params["sub"]), keep, func(v *state.VM) []byte { return rc.st.Read(v.Body) }))
}

func (rc *requestContext) getVM() reply.Reply {
	if r := rc.groupNotFound(); r != nil {
		return *r
	}
	v := rc.st.VMs.Get(ids.Key(rc.path))
	if v == nil {
		return reply.ResourceNotFound("Microsoft.Compute/virtualMachines", rc.params["vm"], rc.params["group"])
	}
	return reply.OK(rc.st.Read(v.Body))
}
