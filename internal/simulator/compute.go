package simulator

// listVMs is Compute's list, of a subscription or a resource group (docs/azure.md §10).
func (c *call) listVMs() reply {
	group := key(c.params["group"])
	if group != "" {
		if r := c.noGroup(); r != nil {
			return *r
		}
	}
	keep := func(v *vm) bool { return group == "" || v.group == group }
	return c.list("vms", each(c.st.vms, key(c.params["sub"]), keep, func(v *vm) []byte { return c.st.read(v.body) }))
}

func (c *call) getVM() reply {
	if r := c.noGroup(); r != nil {
		return *r
	}
	v := c.st.vms.get(key(c.path))
	if v == nil {
		return resourceNotFound("Microsoft.Compute/virtualMachines", c.params["vm"], c.params["group"])
	}
	return ok(c.st.read(v.body))
}
