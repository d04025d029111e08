package simulator

import (
	"encoding/json"
	"slices"
	"strings"
	"time"

	"github.com/azbackup/azbackup/internal/simulator/ids"
	"github.com/azbackup/azbackup/internal/simulator/rawjson"
	"github.com/azbackup/azbackup/internal/simulator/settings"
)

// purgeTime returns when a soft-deleted item is purged; deferredDeleteTimeInUTC is when it was deleted (docs/azure.md
// §3).
func (st *state) purgeTime(it *item) time.Time {
	props := rawjson.RawAt(st.read(it.body), "properties")
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

func (st *state) policyName(id string) string {
	if p := st.policies.get(ids.Key(id)); p != nil {
		return p.name
	}
	return ids.LastSegment(id)
}

// endpoint returns the cloud's own ARM endpoint, which is part of every item's vaultId (docs/azure.md §3, §33.23).
func (e *Estate) endpoint() string {
	switch e.Cloud {
	case "AzureUSGovernment":
		return "https://management.usgovcloudapi.net"
	case "AzureChina":
		return "https://management.chinacloudapi.cn"
	}
	return "https://management.azure.com"
}

// cloudName returns the cloud's name in the metadata.
func (e *Estate) cloudName() string {
	switch e.Cloud {
	case "AzureUSGovernment":
		return "AzureUSGovernment"
	case "AzureChina":
		return "AzureChinaCloud"
	}
	return "AzureCloud"
}

// itemsUnder counts the items a policy protects.
func (st *state) itemsUnder(p *policy) int { return len(st.protectedBy(p)) }

func (st *state) protectedBy(p *policy) []*item {
	var out []*item
	forVMs := strings.EqualFold(p.management, "AzureIaasVM")
	st.items.group(p.vault, 0, func(_ int, it *item) bool {
		if it.policy == p.key && it.isVM() == forVMs {
			out = append(out, it)
		}
		return true
	})
	return out
}

// isProtected reports whether some vault protects the VM, so that it cannot be protected again (docs/azure.md §2).
func (st *state) isProtected(vmKey string) bool {
	for _, it := range st.itemsOf(vmKey) {
		if !it.isDeleted {
			return true
		}
	}
	return false
}

func (st *state) policyNameOf(it *item) string {
	return rawjson.TextAt(st.read(it.body), "properties", "policyName")
}

// pointsOf returns an item's recovery points, newest first (docs/azure.md §11).
func (st *state) pointsOf(itemKey string) []*point {
	var out []*point
	st.points.group(itemKey, 0, func(_ int, p *point) bool { out = append(out, p); return true })
	slices.SortStableFunc(out, func(a, b *point) int { return b.taken.Compare(a.taken) })
	return out
}

// countVMs returns the number of VMs in a vault; other workloads have limits of their own (docs/azure.md §13).
func (st *state) countVMs(v *vault) int {
	n := 0
	st.items.group(v.key, 0, func(_ int, it *item) bool {
		if it.isVM() {
			n++
		}
		return true
	})
	return n
}

// itemsOf returns the items of a VM in all vaults.
func (st *state) itemsOf(vmKey string) []*item {
	var out []*item
	for _, k := range st.byVM[vmKey] {
		if it := st.items.get(k); it != nil {
			out = append(out, it)
		}
	}
	return out
}

// holderOf returns the id of the VM a disk is attached to; "" when it is free.
func (st *state) holderOf(d *resource) string {
	body := st.read(d.body)
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

// attach attaches the disks whose id matches pattern to a VM, as another client would.
func (st *state) attach(pattern string) {
	var found []*resource
	st.disks.all(0, func(_ int, d *resource) bool {
		if ids.Match(ids.Key(pattern), d.key) && st.holderOf(d) == "" {
			found = append(found, d)
		}
		return true
	})
	for _, d := range found {
		st.putDisk(withHolder(st.read(d.body)))
	}
}

func withHolder(body json.RawMessage) json.RawMessage {
	vm := ids.Before(rawjson.TextAt(body, "id"), "disks") + "/virtualMachines/somebodys"
	return rawjson.Edit(body, func(o *rawjson.Object) {
		o.Set("managedBy", vm)
		o.Put("properties", rawjson.Edit(o.Raw("properties"), func(p *rawjson.Object) { p.Set("diskState", "Attached") }))
	})
}

// isDiscovered reports whether the cache of protectable items contains the VM: it is in the snapshot, or a refresh ran
// after its creation (docs/azure.md §1: the cache is the subscription's).
func (st *state) isDiscovered(machine *vm) bool {
	if st.listedAsProtectable[machine.key] {
		return true
	}
	at, refreshed := st.service.Refreshed[machine.sub+"/"+machine.region]
	return refreshed && !st.service.Created[machine.key].After(at)
}

// isRegistered reports whether a subscription is registered: yes, unless the settings list it and no client has
// registered it since.
func (st *state) isRegistered(sub, namespace string, set settings.Settings) bool {
	for _, n := range set.UnregisteredProviders {
		if strings.EqualFold(n, namespace) {
			_, since := st.service.Registered[sub+"/"+ids.Key(namespace)]
			return since
		}
	}
	return true
}
