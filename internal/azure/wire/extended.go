package wire

import (
	"encoding/json"

	"github.com/azbackup/azbackup/plan"
)

const diskFilterKey = "diskExclusionProperties"

// OtherExtendedProperties returns the item's extendedProperties besides the disk filter (linuxVmApplicationName, …), or nil.
func (w *Item) OtherExtendedProperties() map[string]json.RawMessage {
	extended := w.Properties.ExtendedProperties
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

// ExtendedProperties returns the extendedProperties that a write sends: those besides the disk filter, and the filter;
// nil resets it.
func ExtendedProperties(others map[string]json.RawMessage, d *plan.Disks) map[string]any {
	out := map[string]any{}
	for k, v := range others {
		out[k] = v
	}
	if d != nil {
		out[diskFilterKey] = diskFilter{LUNs: append([]int{}, d.LUNs...), Include: d.Include}
	}
	return out
}

type diskFilter struct {
	LUNs    []int `json:"diskLunList"`
	Include bool  `json:"isInclusionList"`
}
