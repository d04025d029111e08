package simulator

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

type vm struct {
	key, sub, group, name, region string
	// createdAt is when the simulation created the VM; zero for VMs of the estate file.
	createdAt time.Time
	body      bodyRef
}

type vault struct {
	key, id, sub, group, name, region string
	body                              bodyRef
}

type policy struct {
	key, vault, name, management string
	body                         bodyRef
}

type item struct {
	// key is the vault's key and the item's tail; names come in several spellings (docs/azure.md §0.4).
	key, vault, containerKey string
	vm, policy               string
	state, management        string
	workload, friendly       string
	isDeleted                bool
	body                     bodyRef
}

// isActive reports whether the item is being backed up: neither stopped nor soft-deleted (docs/azure.md §3).
func (it *item) isActive() bool {
	return !it.isDeleted && it.state != "ProtectionStopped" && it.state != "BackupsSuspended"
}

type job struct {
	key, vault, id, item  string
	management, operation string
	status                string
	started               time.Time
	body                  bodyRef
}

type point struct {
	key, item, id string
	taken         time.Time
	body          bodyRef
}

// opaqueResource is a body that is only looked up and listed: protectable items, resource guard proxies, groups.
type opaqueResource struct {
	key, parent string
	body        bodyRef
}

// resource is a resource that backup only refers to: a managed disk, a storage account.
type resource struct {
	// group is the key of the group's id.
	key, sub, group, name, region string
	body                          bodyRef
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

func itemKey(vaultKey, tail string) string { return vaultKey + "|" + tail }

func (n stringPool) vm(raw []byte, b bodyRef) *vm {
	id := rawjson.TextAt(raw, "id")
	return &vm{
		key: ids.Key(id), sub: n.intern(ids.Key(ids.Segment(id, "subscriptions"))), group: n.intern(ids.Key(ids.Segment(id, "resourceGroups"))),
		name: ids.LastSegment(id), region: n.intern(ids.Region(rawjson.TextAt(raw, "location"))), body: b,
	}
}

func (n stringPool) resource(raw []byte, b bodyRef) *resource {
	id := rawjson.TextAt(raw, "id")
	return &resource{
		key: ids.Key(id), sub: n.intern(ids.Key(ids.Segment(id, "subscriptions"))), group: n.intern(ids.Key(ids.Before(id, "providers"))),
		name: ids.LastSegment(id), region: n.intern(ids.Region(rawjson.TextAt(raw, "location"))), body: b,
	}
}

func (n stringPool) vault(raw []byte, b bodyRef) *vault {
	id := strings.TrimRight(rawjson.TextAt(raw, "id"), "/")
	return &vault{
		key: n.intern(ids.Key(id)), id: id, sub: n.intern(ids.Key(ids.Segment(id, "subscriptions"))), group: n.intern(ids.Key(ids.Segment(id, "resourceGroups"))),
		name: ids.LastSegment(id), region: n.intern(ids.Region(rawjson.TextAt(raw, "location"))), body: b,
	}
}

func (n stringPool) policy(raw []byte, b bodyRef) *policy {
	id := rawjson.TextAt(raw, "id")
	return &policy{
		key: n.intern(ids.Key(id)), vault: n.intern(ids.Key(ids.VaultPart(id))), name: ids.LastSegment(id),
		management: n.intern(rawjson.TextAt(raw, "properties", "backupManagementType")), body: b,
	}
}

func (n stringPool) item(raw []byte, b bodyRef) *item {
	id, props := rawjson.TextAt(raw, "id"), rawjson.RawAt(raw, "properties")
	v, tail := n.intern(ids.Key(ids.VaultPart(id))), ids.ContainerKeyOf(ids.LastSegment(id))
	it := &item{key: itemKey(v, tail), vault: v, containerKey: tail, body: b}
	fields := map[string]*string{
		"sourceResourceId": &it.vm, "policyId": &it.policy, "protectionState": &it.state,
		"backupManagementType": &it.management, "workloadType": &it.workload, "friendlyName": &it.friendly,
	}
	rawjson.WalkMembers(props, func(k, value []byte) {
		name := string(k[1 : len(k)-1])
		if p, ok := fields[name]; ok {
			*p = rawjson.Unquote(value)
		}
		if name == "isScheduledForDeferredDelete" {
			it.isDeleted = string(value) == "true"
		}
	})
	it.vm, it.policy, it.state = ids.Key(it.vm), n.intern(ids.Key(it.policy)), n.intern(it.state)
	it.management, it.workload = n.intern(it.management), n.intern(it.workload)
	if !it.isVM() {
		// A database or a share of a VM is filed under its own id and is no backup of the VM (docs/azure.md §3).
		it.containerKey = "other;" + ids.Key(id) + ";" + ids.Key(rawjson.TextAt(raw, "name"))
		it.key, it.vm = itemKey(v, it.containerKey), ""
	}
	return it
}

// isVM reports whether the item is the backup of a VM as a whole, and not of a workload in it or elsewhere.
func (it *item) isVM() bool {
	return it.management == "" || strings.EqualFold(it.management, "AzureIaasVM")
}

func (n stringPool) job(raw []byte, b bodyRef) *job {
	id, props := rawjson.TextAt(raw, "id"), rawjson.RawAt(raw, "properties")
	v := n.intern(ids.Key(ids.VaultPart(id)))
	j := &job{
		key: ids.Key(id), vault: v, id: ids.LastSegment(id), item: itemKey(v, ids.ContainerKeyOf(rawjson.TextAt(props, "containerName"))),
		management: n.intern(rawjson.TextAt(props, "backupManagementType")), operation: n.intern(rawjson.TextAt(props, "operation")),
		status: n.intern(rawjson.TextAt(props, "status")), body: b,
	}
	j.started, _ = time.Parse(time.RFC3339Nano, rawjson.TextAt(props, "startTime"))
	return j
}

func (n stringPool) point(raw []byte, b bodyRef) *point {
	id := rawjson.TextAt(raw, "id")
	owner := itemKey(ids.Key(ids.VaultPart(id)), ids.ContainerKeyOf(ids.Segment(id, "protectedItems")))
	p := &point{key: ids.Key(id), item: n.intern(owner), id: ids.LastSegment(id), body: b}
	p.taken, _ = time.Parse(time.RFC3339Nano, rawjson.TextAt(raw, "properties", "recoveryPointTime"))
	return p
}

// opaqueResource sets the vault that contains an id as its parent, or else the subscription.
func (n stringPool) opaqueResource(raw []byte, b bodyRef) *opaqueResource {
	id := rawjson.TextAt(raw, "id")
	parent := ids.Key(ids.VaultPart(id))
	if parent == "" {
		parent = ids.Key(ids.Segment(id, "subscriptions"))
	}
	return &opaqueResource{key: ids.Key(id), parent: n.intern(parent), body: b}
}

func (j *job) isRunning() bool { return j.status == inProgress || j.status == "Cancelling" }
