package azure

import (
	"encoding/json"

	"github.com/azbackup/azbackup/internal/armid"
	"github.com/azbackup/azbackup/plan"
)

const diskFilterKey = "diskExclusionProperties"

// unknownOf returns an item's extendedProperties besides the disk filter (linuxVmApplicationName, …), or nil.
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

// storeExtendedProperties keeps an item's unknown properties ([unknownOf]): a PUT that carries the filter replaces them
// all.
func (c *Client) storeExtendedProperties(item string, unknown map[string]json.RawMessage) {
	if len(unknown) == 0 {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.extended[armid.Of(item)] = unknown
}

// buildExtendedProperties returns the JSON of a disk filter; nil resets it. An existing item always gets it: whether an
// omitted one survives is unknown (docs/azure.md §6).
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
