package simulator

import (
	"strings"
	"time"
)

// The records are what the simulator knows of a resource without decoding its body. They are values that never
// change: a write makes a new one, so an Estate can be served by several servers.

// blob is a body: in memory, or a stretch of the estate file.
type blob struct {
	mem []byte
	off int64
	n   int32
}

type vm struct {
	key, sub, group, name, region string
	// made is when the simulation made the VM; zero for those of the estate file.
	made time.Time
	body blob
}

type vault struct {
	key, id, sub, group, name, region string
	body                              blob
}

type policy struct {
	key, vault, name, management string
	body                         blob
}

type item struct {
	// key is the vault's key and the item's tail; names come in several spellings (docs/azure.md §0.4).
	key, vault, tail   string
	vm, policy         string
	state, management  string
	workload, friendly string
	deleted            bool
	body               blob
}

// active says whether the item takes backups: neither stopped nor soft-deleted (docs/azure.md §3).
func (it *item) active() bool {
	return !it.deleted && it.state != "ProtectionStopped" && it.state != "BackupsSuspended"
}

type job struct {
	key, vault, id, item  string
	management, operation string
	status                string
	started               time.Time
	body                  blob
}

type point struct {
	key, item, id string
	taken         time.Time
	body          blob
}

// listed is a body that is only looked up and listed: protectable items, resource guard proxies, groups.
type listed struct {
	key, parent string
	body        blob
}

// resource is one of a resource group that backup only meets: a managed disk, a storage account.
type resource struct {
	// group is the key of the group's id.
	key, sub, group, name, region string
	body                          blob
}

// interner keeps one copy of the strings that thousands of records share.
type interner map[string]string

func (n interner) of(s string) string {
	if t, ok := n[s]; ok {
		return t
	}
	s = strings.Clone(s)
	n[s] = s
	return s
}

func itemKey(vaultKey, tail string) string { return vaultKey + "|" + tail }

func (n interner) vm(raw []byte, b blob) *vm {
	id := text(raw, "id")
	return &vm{
		key: key(id), sub: n.of(key(segment(id, "subscriptions"))), group: n.of(key(segment(id, "resourceGroups"))),
		name: lastSegment(id), region: n.of(region(text(raw, "location"))), body: b,
	}
}

func (n interner) resource(raw []byte, b blob) *resource {
	id := text(raw, "id")
	return &resource{
		key: key(id), sub: n.of(key(segment(id, "subscriptions"))), group: n.of(key(before(id, "providers"))),
		name: lastSegment(id), region: n.of(region(text(raw, "location"))), body: b,
	}
}

func (n interner) vault(raw []byte, b blob) *vault {
	id := strings.TrimRight(text(raw, "id"), "/")
	return &vault{
		key: n.of(key(id)), id: id, sub: n.of(key(segment(id, "subscriptions"))), group: n.of(key(segment(id, "resourceGroups"))),
		name: lastSegment(id), region: n.of(region(text(raw, "location"))), body: b,
	}
}

func (n interner) policy(raw []byte, b blob) *policy {
	id := text(raw, "id")
	return &policy{
		key: n.of(key(id)), vault: n.of(key(vaultPart(id))), name: lastSegment(id),
		management: n.of(text(raw, "properties", "backupManagementType")), body: b,
	}
}

func (n interner) item(raw []byte, b blob) *item {
	id, props := text(raw, "id"), get(raw, "properties")
	v, tail := n.of(key(vaultPart(id))), tailOf(lastSegment(id))
	it := &item{key: itemKey(v, tail), vault: v, tail: tail, body: b}
	fields := map[string]*string{
		"sourceResourceId": &it.vm, "policyId": &it.policy, "protectionState": &it.state,
		"backupManagementType": &it.management, "workloadType": &it.workload, "friendlyName": &it.friendly,
	}
	walkMembers(props, func(k, value []byte) {
		name := string(k[1 : len(k)-1])
		if p, ok := fields[name]; ok {
			*p = unquote(value)
		}
		if name == "isScheduledForDeferredDelete" {
			it.deleted = string(value) == "true"
		}
	})
	it.vm, it.policy, it.state = key(it.vm), n.of(key(it.policy)), n.of(it.state)
	it.management, it.workload = n.of(it.management), n.of(it.workload)
	if !it.isVM() {
		// A database or a share of a VM is filed under its own id and is no backup of the VM (docs/azure.md §3).
		it.tail = "other;" + key(id) + ";" + key(text(raw, "name"))
		it.key, it.vm = itemKey(v, it.tail), ""
	}
	return it
}

// isVM says whether the item is the backup of a VM as a whole, and not of a workload in it or elsewhere.
func (it *item) isVM() bool {
	return it.management == "" || strings.EqualFold(it.management, "AzureIaasVM")
}

func (n interner) job(raw []byte, b blob) *job {
	id, props := text(raw, "id"), get(raw, "properties")
	v := n.of(key(vaultPart(id)))
	j := &job{
		key: key(id), vault: v, id: lastSegment(id), item: itemKey(v, tailOf(text(props, "containerName"))),
		management: n.of(text(props, "backupManagementType")), operation: n.of(text(props, "operation")),
		status: n.of(text(props, "status")), body: b,
	}
	j.started, _ = time.Parse(time.RFC3339Nano, text(props, "startTime"))
	return j
}

func (n interner) point(raw []byte, b blob) *point {
	id := text(raw, "id")
	owner := itemKey(key(vaultPart(id)), tailOf(segment(id, "protectedItems")))
	p := &point{key: key(id), item: n.of(owner), id: lastSegment(id), body: b}
	p.taken, _ = time.Parse(time.RFC3339Nano, text(raw, "properties", "recoveryPointTime"))
	return p
}

// listed takes the vault an id lies in as its parent, or else the subscription.
func (n interner) listed(raw []byte, b blob) *listed {
	id := text(raw, "id")
	parent := key(vaultPart(id))
	if parent == "" {
		parent = key(segment(id, "subscriptions"))
	}
	return &listed{key: key(id), parent: n.of(parent), body: b}
}

func walkMembers(raw []byte, visit func(key, value []byte)) {
	if i := skipSpace(raw, 0); i < len(raw) && raw[i] == '{' {
		_, _ = walkObject(raw, i, 0, func(k, v []byte) bool { visit(k, v); return true })
	}
}
