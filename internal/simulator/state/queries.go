package state

import (
	"encoding/json"
	"slices"
	"strings"
	"time"

	"github.com/azbackup/azbackup/internal/simulator/ids"
	"github.com/azbackup/azbackup/internal/simulator/rawjson"
	"github.com/azbackup/azbackup/internal/simulator/settings"
)

// PurgeTime returns when a soft-deleted item is purged; deferredDeleteTimeInUTC is when it was deleted (docs/azure.md
// §3).
func (st *State) PurgeTime(it *Item) time.Time {
	props := rawjson.RawAt(st.Read(it.Body), "properties")
	deleted, err := time.Parse(time.RFC3339Nano, rawjson.TextAt(props, "deferredDeleteTimeInUTC"))
	if err != nil {
		return time.Time{}
	}
	days := rawjson.Number(props, "softDeleteRetentionPeriod")
	if days == 0 {
		days = rawjson.Number(props, "softDeleteRetentionPeriodInDays")
	}
	if days == 0 {
		days = 14
	}
	return deleted.AddDate(0, 0, days)
}

// PolicyName returns the name of the policy with an id, in the spelling of its own body if it exists.
func (st *State) PolicyName(id string) string {
	if p := st.Policies.Get(ids.Key(id)); p != nil {
		return p.Name
	}
	return ids.LastSegment(id)
}

// Endpoint returns the cloud's own ARM endpoint, which is part of every item's vaultId (docs/azure.md §3, §33.23).
func (e *Estate) Endpoint() string {
	switch e.Cloud {
	case "AzureUSGovernment":
		return "https://management.usgovcloudapi.net"
	case "AzureChina":
		return "https://management.chinacloudapi.cn"
	}
	return "https://management.azure.com"
}

// CloudName returns the cloud's name in the metadata.
func (e *Estate) CloudName() string {
	switch e.Cloud {
	case "AzureUSGovernment":
		return "AzureUSGovernment"
	case "AzureChina":
		return "AzureChinaCloud"
	}
	return "AzureCloud"
}

// ItemsUnder counts the items a policy protects.
func (st *State) ItemsUnder(p *Policy) int { return len(st.ProtectedBy(p)) }

// ProtectedBy returns the items that a policy protects.
func (st *State) ProtectedBy(p *Policy) []*Item {
	var out []*Item
	forVMs := strings.EqualFold(p.Management, "AzureIaasVM")
	st.Items.Group(p.Vault, 0, func(_ int, it *Item) bool {
		if it.Policy == p.Key && it.isVM() == forVMs {
			out = append(out, it)
		}
		return true
	})
	return out
}

// IsProtected reports whether some vault protects the VM, so that it cannot be protected again (docs/azure.md §2).
func (st *State) IsProtected(vmKey string) bool {
	for _, it := range st.ItemsOf(vmKey) {
		if !it.IsDeleted {
			return true
		}
	}
	return false
}

// PolicyNameOf returns the name of the policy that the body of an item has.
func (st *State) PolicyNameOf(it *Item) string {
	return rawjson.TextAt(st.Read(it.Body), "properties", "policyName")
}

// PointsOf returns an item's recovery points, newest first (docs/azure.md §11).
func (st *State) PointsOf(itemKey string) []*Point {
	var out []*Point
	st.Points.Group(itemKey, 0, func(_ int, p *Point) bool { out = append(out, p); return true })
	slices.SortStableFunc(out, func(a, b *Point) int { return b.Taken.Compare(a.Taken) })
	return out
}

// CountVMs returns the number of VMs in a vault; other workloads have limits of their own (docs/azure.md §13).
func (st *State) CountVMs(v *Vault) int {
	n := 0
	st.Items.Group(v.Key, 0, func(_ int, it *Item) bool {
		if it.isVM() {
			n++
		}
		return true
	})
	return n
}

// ItemsOf returns the items of a VM in all vaults.
func (st *State) ItemsOf(vmKey string) []*Item {
	var out []*Item
	for _, k := range st.byVM[vmKey] {
		if it := st.Items.Get(k); it != nil {
			out = append(out, it)
		}
	}
	return out
}

// HolderOf returns the id of the VM a disk is attached to; "" when it is free.
func (st *State) HolderOf(d *Resource) string {
	body := st.Read(d.Body)
	if by := rawjson.TextAt(body, "managedBy"); by != "" {
		return by
	}
	var shared []string
	_ = json.Unmarshal(rawjson.RawAt(body, "managedByExtended"), &shared)
	if len(shared) > 0 {
		return shared[0]
	}
	if state := rawjson.TextAt(body, "properties", "diskState"); strings.EqualFold(state, "Attached") || strings.EqualFold(state, "Reserved") {
		return "(" + state + ")"
	}
	return ""
}

// Attach attaches the disks whose id matches pattern to a VM, as another client would.
func (st *State) Attach(pattern string) {
	var found []*Resource
	st.Disks.All(0, func(_ int, d *Resource) bool {
		if ids.Match(ids.Key(pattern), d.Key) && st.HolderOf(d) == "" {
			found = append(found, d)
		}
		return true
	})
	for _, d := range found {
		st.PutDisk(WithHolder(st.Read(d.Body)))
	}
}

// WithHolder returns the body of a disk as it is when another client has attached it to a VM.
func WithHolder(body json.RawMessage) json.RawMessage {
	vm := ids.Before(rawjson.TextAt(body, "id"), "disks") + "/virtualMachines/somebodys"
	return rawjson.Edit(body, func(o *rawjson.Object) {
		o.Set("managedBy", vm)
		o.Put("properties", rawjson.Edit(o.Raw("properties"), func(p *rawjson.Object) { p.Set("diskState", "Attached") }))
	})
}

// IsDiscovered reports whether the cache of protectable items contains the VM: it is in the snapshot, or a refresh ran
// after its creation (docs/azure.md §1: the cache is the subscription's).
func (st *State) IsDiscovered(machine *VM) bool {
	if st.ListedAsProtectable[machine.Key] {
		return true
	}
	at, refreshed := st.Service.Refreshed[machine.Sub+"/"+machine.Region]
	return refreshed && !st.Service.Created[machine.Key].After(at)
}

// IsRegistered reports whether a subscription is registered: yes, unless the settings list it and no client has
// registered it since.
func (st *State) IsRegistered(sub, namespace string, set settings.Settings) bool {
	for _, n := range set.UnregisteredProviders {
		if strings.EqualFold(n, namespace) {
			_, since := st.Service.Registered[sub+"/"+ids.Key(namespace)]
			return since
		}
	}
	return true
}

// Protecting returns the operation that is about to protect a VM in some vault, or nil.
func (st *State) Protecting(vmKey string) *Operation {
	tail := ids.ContainerKeyFor(ids.Segment(vmKey, "resourcegroups"), ids.LastSegment(vmKey))
	var found *Operation
	st.Vaults.Group(ids.Segment(vmKey, "subscriptions"), 0, func(_ int, v *Vault) bool {
		if op := st.OperationOn(ItemKey(v.Key, tail)); op != nil && op.Action == ActProtect {
			found = op
		}
		return found == nil
	})
	return found
}
