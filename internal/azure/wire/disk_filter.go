package wire

import (
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"strings"

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
	maps.DeleteFunc(all, func(name string, _ json.RawMessage) bool { return strings.EqualFold(name, diskFilterKey) })
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

// maxLUN is the highest LUN of a data disk: a VM has up to 64.
const maxLUN = 63

// readDiskFilter reads extendedProperties; nil = no filter. Excluding nothing is no filter either.
func readDiskFilter(extended json.RawMessage) (*plan.Disks, error) {
	if len(extended) == 0 {
		return nil, nil //nolint:nilnil // no filter is an answer
	}
	var e struct {
		Filter json.RawMessage `json:"diskExclusionProperties"`
	}
	if err := json.Unmarshal(extended, &e); err != nil {
		return nil, errors.New("it is " + Printable(string(extended)))
	}
	if len(e.Filter) == 0 {
		return nil, nil //nolint:nilnil // no filter is an answer
	}
	var filter *struct {
		LUNs    *[]*int `json:"diskLunList"`
		Include *bool   `json:"isInclusionList"`
	}
	odd := errors.New("the disk filter is " + Printable(string(e.Filter)))
	switch err := json.Unmarshal(e.Filter, &filter); {
	case err != nil:
		return nil, odd
	case filter == nil || filter.LUNs == nil && filter.Include == nil:
		return nil, nil //nolint:nilnil // no filter is an answer
	case filter.LUNs == nil || filter.Include == nil:
		return nil, odd // half a filter may mean anything
	}
	luns := make([]int, 0, len(*filter.LUNs))
	for _, lun := range *filter.LUNs {
		if lun == nil {
			return nil, odd // null is no LUN, and not that of the first disk
		}
		luns = append(luns, *lun)
	}
	slices.Sort(luns)
	luns = slices.Compact(luns)
	switch {
	case len(luns) > 0 && (luns[0] < 0 || luns[len(luns)-1] > maxLUN):
		return nil, odd
	case *filter.Include:
		return &plan.Disks{Include: true, LUNs: append([]int{}, luns...)}, nil
	case len(luns) == 0:
		return nil, nil //nolint:nilnil // nothing is excluded
	}
	return &plan.Disks{LUNs: luns}, nil
}
