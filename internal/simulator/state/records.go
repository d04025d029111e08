package state

import (
	"strings"
	"time"

	"github.com/azbackup/azbackup/internal/simulator/ids"
	"github.com/azbackup/azbackup/internal/simulator/rawjson"
)

// The records hold the fields of a resource that are needed without decoding its body. They are immutable values: a
// write creates a new one, so several servers can serve one Estate.

// bodyRef refers to a body: in memory, or a range of the estate file.
type bodyRef struct {
	mem []byte
	off int64
	n   int32
}

// VM is a virtual machine.
type VM struct {
	Key, Sub, Group, Name, Region string
	// createdAt is when the simulation created the VM; zero for VMs of the estate file.
	createdAt time.Time
	Body      bodyRef
}

// Vault is a Recovery Services vault.
type Vault struct {
	Key, ID, Sub, Group, Name, Region string
	Body                              bodyRef
}

// Policy is a backup policy, of any workload.
type Policy struct {
	Key, Vault, Name, Management string
	Body                         bodyRef
}

// Item is a protected item, of any workload.
type Item struct {
	// Key is the vault's key and the item's tail; names come in several spellings (docs/azure.md §0.4).
	Key, Vault, ContainerKey string
	VM, Policy               string
	State, Management        string
	Workload, Friendly       string
	IsDeleted                bool
	Body                     bodyRef
}

// IsActive reports whether the item is being backed up: neither stopped nor soft-deleted (docs/azure.md §3).
func (it *Item) IsActive() bool {
	return !it.IsDeleted && it.State != "ProtectionStopped" && it.State != "BackupsSuspended"
}

// Job is a backup job, of any workload.
type Job struct {
	Key, Vault, ID, Item  string
	Management, Operation string
	Status                string
	Started               time.Time
	Body                  bodyRef
}

// Point is a recovery point.
type Point struct {
	Key, Item, ID string
	Taken         time.Time
	Body          bodyRef
}

// OpaqueResource is a body that is only looked up and listed: protectable items, resource guard proxies, groups.
type OpaqueResource struct {
	key, parent string
	Body        bodyRef
}

// Resource is a resource that backup only refers to: a managed disk, a storage account.
type Resource struct {
	// group is the key of the group's id.
	Key, Sub, group, Name, Region string
	Body                          bodyRef
}

// stringPool interns the strings that thousands of records share.
type stringPool map[string]string

func (n stringPool) intern(s string) string {
	if t, ok := n[s]; ok {
		return t
	}
	s = strings.Clone(s)
	n[s] = s
	return s
}

// ItemKey returns the key of an item: its vault's and the common part of its names.
func ItemKey(vaultKey, tail string) string { return vaultKey + "|" + tail }

func (n stringPool) vm(raw []byte, b bodyRef) *VM {
	id := rawjson.TextAt(raw, "id")
	return &VM{
		Key: ids.Key(id), Sub: n.intern(ids.Key(ids.Segment(id, "subscriptions"))), Group: n.intern(ids.Key(ids.Segment(id, "resourceGroups"))),
		Name: ids.LastSegment(id), Region: n.intern(ids.Region(rawjson.TextAt(raw, "location"))), Body: b,
	}
}

func (n stringPool) resource(raw []byte, b bodyRef) *Resource {
	id := rawjson.TextAt(raw, "id")
	return &Resource{
		Key: ids.Key(id), Sub: n.intern(ids.Key(ids.Segment(id, "subscriptions"))), group: n.intern(ids.Key(ids.Before(id, "providers"))),
		Name: ids.LastSegment(id), Region: n.intern(ids.Region(rawjson.TextAt(raw, "location"))), Body: b,
	}
}

func (n stringPool) vault(raw []byte, b bodyRef) *Vault {
	id := strings.TrimRight(rawjson.TextAt(raw, "id"), "/")
	return &Vault{
		Key: n.intern(ids.Key(id)), ID: id, Sub: n.intern(ids.Key(ids.Segment(id, "subscriptions"))), Group: n.intern(ids.Key(ids.Segment(id, "resourceGroups"))),
		Name: ids.LastSegment(id), Region: n.intern(ids.Region(rawjson.TextAt(raw, "location"))), Body: b,
	}
}

func (n stringPool) policy(raw []byte, b bodyRef) *Policy {
	id := rawjson.TextAt(raw, "id")
	return &Policy{
		Key: n.intern(ids.Key(id)), Vault: n.intern(ids.Key(ids.VaultPart(id))), Name: ids.LastSegment(id),
		Management: n.intern(rawjson.TextAt(raw, "properties", "backupManagementType")), Body: b,
	}
}

func (n stringPool) item(raw []byte, b bodyRef) *Item {
	id, props := rawjson.TextAt(raw, "id"), rawjson.RawAt(raw, "properties")
	v, tail := n.intern(ids.Key(ids.VaultPart(id))), ids.ContainerKeyOf(ids.LastSegment(id))
	it := &Item{Key: ItemKey(v, tail), Vault: v, ContainerKey: tail, Body: b}
	fields := map[string]*string{
		"sourceResourceId": &it.VM, "policyId": &it.Policy, "protectionState": &it.State,
		"backupManagementType": &it.Management, "workloadType": &it.Workload, "friendlyName": &it.Friendly,
	}
	rawjson.WalkMembers(props, func(k, value []byte) {
		name := string(k[1 : len(k)-1])
		if p, ok := fields[name]; ok {
			*p = rawjson.Unquote(value)
		}
		if name == "isScheduledForDeferredDelete" {
			it.IsDeleted = string(value) == "true"
		}
	})
	it.VM, it.Policy, it.State = ids.Key(it.VM), n.intern(ids.Key(it.Policy)), n.intern(it.State)
	it.Management, it.Workload = n.intern(it.Management), n.intern(it.Workload)
	if !it.isVM() {
		// A database or a share of a VM is filed under its own id and is no backup of the VM (docs/azure.md §3).
		it.ContainerKey = "other;" + ids.Key(id) + ";" + ids.Key(rawjson.TextAt(raw, "name"))
		it.Key, it.VM = ItemKey(v, it.ContainerKey), ""
	}
	return it
}

// isVM reports whether the item is the backup of a VM as a whole, and not of a workload in it or elsewhere.
func (it *Item) isVM() bool {
	return it.Management == "" || strings.EqualFold(it.Management, "AzureIaasVM")
}

func (n stringPool) job(raw []byte, b bodyRef) *Job {
	id, props := rawjson.TextAt(raw, "id"), rawjson.RawAt(raw, "properties")
	v := n.intern(ids.Key(ids.VaultPart(id)))
	j := &Job{
		Key: ids.Key(id), Vault: v, ID: ids.LastSegment(id), Item: ItemKey(v, ids.ContainerKeyOf(rawjson.TextAt(props, "containerName"))),
		Management: n.intern(rawjson.TextAt(props, "backupManagementType")), Operation: n.intern(rawjson.TextAt(props, "operation")),
		Status: n.intern(rawjson.TextAt(props, "status")), Body: b,
	}
	j.Started, _ = time.Parse(time.RFC3339Nano, rawjson.TextAt(props, "startTime"))
	return j
}

func (n stringPool) point(raw []byte, b bodyRef) *Point {
	id := rawjson.TextAt(raw, "id")
	owner := ItemKey(ids.Key(ids.VaultPart(id)), ids.ContainerKeyOf(ids.Segment(id, "protectedItems")))
	p := &Point{Key: ids.Key(id), Item: n.intern(owner), ID: ids.LastSegment(id), Body: b}
	p.Taken, _ = time.Parse(time.RFC3339Nano, rawjson.TextAt(raw, "properties", "recoveryPointTime"))
	return p
}

// opaqueResource sets the vault that contains an id as its parent, or else the subscription.
func (n stringPool) opaqueResource(raw []byte, b bodyRef) *OpaqueResource {
	id := rawjson.TextAt(raw, "id")
	parent := ids.Key(ids.VaultPart(id))
	if parent == "" {
		parent = ids.Key(ids.Segment(id, "subscriptions"))
	}
	return &OpaqueResource{key: ids.Key(id), parent: n.intern(parent), Body: b}
}

// IsRunning reports whether the job has not ended.
func (j *Job) IsRunning() bool { return j.Status == InProgress || j.Status == "Cancelling" }
