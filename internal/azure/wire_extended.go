package azure

import (
	"encoding/json"

	"github.com/azbackup/azbackup/internal/armid"
	"github.com/azbackup/azbackup/plan"
)

const diskFilterKey = "diskExclusionProperties"

// unknownOf is what an item's extendedProperties hold beside the disk filter (linuxVmApplicationName, …), or nil.
func unknownOf(extended json.RawMessage) map[string]json.RawMessage {
	if len(extended) <= len("{}") {
		return nil
	}
	var all map[string]json.RawMessage
	if json.Unmarshal(extended, &all) != nil {
		return nil
	}
	delete(all, diskFilterKey)
	if len(all) == 0 {
		return nil
	}
	return all
}

// storeExtendedProperties remembers what is unknown of an item ([unknownOf]): a PUT that carries the filter replaces it all.
func (c *Client) storeExtendedProperties(item string, unknown map[string]json.RawMessage) {
	if len(unknown) == 0 {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.extended[armid.Of(item)] = unknown
}

// buildExtendedProperties spells a disk filter; nil resets it. An existing item always gets it: whether one that is
// left out survives is not known (docs/azure.md §6).
func (c *Client) buildExtendedProperties(item string, d *plan.Disks) map[string]any {
	c.mu.Lock()
	defer c.mu.Unlock()
	out := map[string]any{}
	for k, v := range c.extended[armid.Of(item)] {
		out[k] = v
	}
	if d != nil {
		out[diskFilterKey] = wireDiskFilter{LUNs: append([]int{}, d.LUNs...), Include: d.Include}
	}
	return out
}

type wireDiskFilter struct {
	LUNs    []int `json:"diskLunList"`
	Include bool  `json:"isInclusionList"`
}
