package state

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"time"

	"github.com/azbackup/azbackup/internal/simulator/ids"
	"github.com/azbackup/azbackup/internal/simulator/rawjson"
)

// State is one server's data: the estate's tables and the changes since. It is guarded by Server.mu.
type State struct {
	*Estate
	// byVM maps a VM to its items, in all vaults.
	byVM map[string][]string
	// ListedAsProtectable are the VMs that the estate lists as protectable.
	ListedAsProtectable map[string]bool
	Ops                 map[string]*Operation
	// OnTarget maps a target to its operations.
	OnTarget map[string][]string
	timers   timerQueue
	// changes are the changes since the last DrainChanges; they go to the journal.
	changes []Change
	// isServiceDirty reports that the service state changed though no resource did.
	isServiceDirty bool
	// handled counts the requests; Cause is the origin of the current changes; onEffect receives them.
	handled  int
	Cause    Cause
	onEffect func(Effect)
}

// Observe has every effect reported to onEffect; nil: none.
func (st *State) Observe(onEffect func(Effect)) { st.onEffect = onEffect }

// CountRequest returns the number of the request that begins, from 1.
func (st *State) CountRequest() int {
	st.handled++
	return st.handled
}

// ForgetChanges drops the changes since the last DrainChanges.
func (st *State) ForgetChanges() { st.changes = nil }

// MarkDirty marks the service state dirty: this request writes it to the journal.
func (st *State) MarkDirty() { st.isServiceDirty = true }

// Change is one line of a journal's batch.
type Change struct {
	Section   string          `json:"section"`
	Body      json.RawMessage `json:"body,omitempty"`
	Gone      string          `json:"gone,omitempty"`
	Operation *Operation      `json:"operation,omitempty"`
	Service   *serviceState   `json:"memory,omitempty"`
}

// NewState serves a copy of e.
func NewState(e *Estate) *State {
	c := *e
	c.names = maps.Clone(e.names)
	c.Subscriptions, c.Management, c.Groups = e.Subscriptions.clone(), e.Management.clone(), e.Groups.clone()
	c.Disks, c.Accounts = e.Disks.clone(), e.Accounts.clone()
	c.VMs, c.Vaults, c.Policies = e.VMs.clone(), e.Vaults.clone(), e.Policies.clone()
	c.Items, c.Protectables = e.Items.clone(), e.Protectables.clone()
	c.Jobs, c.Points, c.Proxies = e.Jobs.clone(), e.Points.clone(), e.Proxies.clone()
	c.Service.Refreshed, c.Service.Created = maps.Clone(e.Service.Refreshed), maps.Clone(e.Service.Created)
	c.Service.Daily, c.Service.Registered = maps.Clone(e.Service.Daily), maps.Clone(e.Service.Registered)
	c.Service.Unlocked, c.Service.Staged = maps.Clone(e.Service.Unlocked), maps.Clone(e.Service.Staged)
	return ownState(&c)
}

// ownState returns a state over e itself, which no other server uses.
func ownState(e *Estate) *State {
	st := &State{Estate: e, byVM: map[string][]string{}, ListedAsProtectable: map[string]bool{}, Ops: map[string]*Operation{}, OnTarget: map[string][]string{}}
	st.Items.All(0, func(_ int, it *Item) bool {
		st.byVM[it.VM] = append(st.byVM[it.VM], it.Key)
		return true
	})
	st.Protectables.All(0, func(_ int, l *OpaqueResource) bool {
		st.ListedAsProtectable[ids.Key(rawjson.TextAt(st.Read(l.Body), "properties", "virtualMachineId"))] = true
		return true
	})
	for _, op := range e.operations {
		st.fileOp(op)
	}
	e.operations = nil
	st.fillParents()
	return st
}

// fillParents adds the subscriptions and resource groups that the resources lie in and the file does not list.
func (st *State) fillParents() {
	seen := map[string]bool{}
	add := func(id, location string) {
		sub, group := ids.Segment(id, "subscriptions"), ids.Segment(id, "resourceGroups")
		if st.Subscriptions.Get(ids.Key(sub)) == nil {
			st.Subscriptions.put(&OpaqueResource{key: ids.Key(sub), Body: bodyRef{mem: subscriptionBody(sub, st.Tenant)}})
		}
		rg := "/subscriptions/" + sub + "/resourceGroups/" + group
		if k := ids.Key(rg); !seen[k] {
			seen[k] = true
			if st.Groups.Get(k) == nil {
				st.Groups.put(&OpaqueResource{key: k, parent: ids.Key(sub), Body: bodyRef{mem: GroupBody(rg, location, nil)}})
			}
		}
	}
	st.Vaults.All(0, func(_ int, v *Vault) bool { add(v.ID, v.Region); return true })
	st.VMs.All(0, func(_ int, v *VM) bool {
		// Only the first VM of a group needs its body read.
		if !seen["/subscriptions/"+v.Sub+"/resourcegroups/"+v.Group] {
			add(rawjson.TextAt(st.Read(v.Body), "id"), v.Region)
		}
		return true
	})
	for _, t := range []*Table[Resource]{st.Disks, st.Accounts} {
		t.All(0, func(_ int, r *Resource) bool {
			if !seen[r.group] {
				add(rawjson.TextAt(st.Read(r.Body), "id"), r.Region)
			}
			return true
		})
	}
}

// ReadError is a body that could not be read: a broken machine, not a mistake of the client or of this package.
type ReadError struct{ error }

// Read returns a body. When the file can no longer be read, it panics with a ReadError and the request fails with a
// 500: no caller could do better, so none handles the error.
func (st *State) Read(b bodyRef) []byte {
	if b.mem != nil {
		return b.mem
	}
	raw := make([]byte, b.n)
	if _, err := st.src.ReadAt(raw, b.off); err != nil && err != io.EOF {
		panic(ReadError{fmt.Errorf("reading the estate file: %w", err)})
	}
	return raw
}

// PutVault stores a vault, new or in place of its former body.
func (st *State) PutVault(body json.RawMessage) *Vault {
	v := st.names.vault(body, bodyRef{mem: body})
	st.reportEffect("vaults", v.Key, body)
	st.Vaults.put(v)
	st.changes = append(st.changes, Change{Section: "vaults", Body: body})
	return v
}

// PutPolicy stores a policy.
func (st *State) PutPolicy(body json.RawMessage) *Policy {
	p := st.names.policy(body, bodyRef{mem: body})
	st.reportEffect("policies", p.Key, body)
	st.Policies.put(p)
	st.changes = append(st.changes, Change{Section: "policies", Body: body})
	return p
}

// PutItem stores a protected item.
func (st *State) PutItem(body json.RawMessage) *Item {
	it := st.names.item(body, bodyRef{mem: body})
	if !slices.Contains(st.byVM[it.VM], it.Key) {
		st.byVM[it.VM] = append(st.byVM[it.VM], it.Key)
	}
	st.reportEffect("protectedItems", it.Key, body)
	st.Items.put(it)
	st.changes = append(st.changes, Change{Section: "protectedItems", Body: body})
	return it
}

// PutJob stores a job.
func (st *State) PutJob(body json.RawMessage) {
	st.Jobs.put(st.names.job(body, bodyRef{mem: body}))
	st.changes = append(st.changes, Change{Section: "jobs", Body: body})
}

// PutPoint stores a recovery point.
func (st *State) PutPoint(body json.RawMessage) {
	st.Points.put(st.names.point(body, bodyRef{mem: body}))
	st.changes = append(st.changes, Change{Section: "recoveryPoints", Body: body})
}

// PutGroup stores a resource group.
func (st *State) PutGroup(body json.RawMessage) {
	st.Groups.put(st.names.opaqueResource(body, bodyRef{mem: body}))
	st.changes = append(st.changes, Change{Section: "resourceGroups", Body: body})
}

// PutVM stores a VM that a refresh has to discover: it was created at made, after the snapshot.
func (st *State) PutVM(body json.RawMessage, made time.Time) {
	v := st.names.vm(body, bodyRef{mem: body})
	v.createdAt = made
	st.VMs.put(v)
	st.changes = append(st.changes, Change{Section: "virtualMachines", Body: body})
	if st.Service.Created == nil {
		st.Service.Created = map[string]time.Time{}
	}
	st.Service.Created[v.Key] = made
}

// PutDisk stores a disk.
func (st *State) PutDisk(body json.RawMessage) {
	d := st.names.resource(body, bodyRef{mem: body})
	st.reportEffect("disks", d.Key, body)
	st.Disks.put(d)
	st.changes = append(st.changes, Change{Section: "disks", Body: body})
}

// PutAccount stores a storage account.
func (st *State) PutAccount(body json.RawMessage) {
	st.Accounts.put(st.names.resource(body, bodyRef{mem: body}))
	st.changes = append(st.changes, Change{Section: "storageAccounts", Body: body})
}

// fileOp indexes an operation; the record itself never changes.
func (st *State) fileOp(op *Operation) {
	if st.Ops[op.ID] == nil && op.Target != "" {
		st.OnTarget[op.Target] = append(st.OnTarget[op.Target], op.ID)
	}
	st.Ops[op.ID] = op
}

func (st *State) putOp(op *Operation) {
	st.fileOp(op)
	st.changes = append(st.changes, Change{Section: "operations", Operation: op})
}

// Remove deletes the record of key from a section.
func (st *State) Remove(section, key string) {
	st.reportEffect(section, key, nil)
	switch section {
	case "resourceGroups":
		st.Groups.del(key)
	case "vaults":
		st.Vaults.del(key)
	case "policies":
		st.Policies.del(key)
	case "protectedItems":
		if it := st.Items.Get(key); it != nil {
			st.byVM[it.VM] = slices.DeleteFunc(st.byVM[it.VM], func(k string) bool { return k == key })
		}
		st.Items.del(key)
	case "jobs":
		st.Jobs.del(key)
	case "recoveryPoints":
		st.Points.del(key)
	case "virtualMachines":
		st.VMs.del(key)
	case "disks":
		st.Disks.del(key)
	case "storageAccounts":
		st.Accounts.del(key)
	case "operations":
		if op := st.Ops[key]; op != nil {
			rest := slices.DeleteFunc(st.OnTarget[op.Target], func(id string) bool { return id == key })
			if st.OnTarget[op.Target] = rest; len(rest) == 0 {
				delete(st.OnTarget, op.Target)
			}
		}
		delete(st.Ops, key)
	case "subscriptions":
		st.Subscriptions.del(key)
	case "managementGroups":
		st.Management.del(key)
	case "resourceGuardProxies":
		st.Proxies.del(key)
	}
	st.changes = append(st.changes, Change{Section: section, Gone: key})
}

// apply repeats a change that the journal holds.
func (st *State) apply(c Change) {
	switch {
	case c.Service != nil:
		st.Service = *c.Service
	case c.Operation != nil:
		st.fileOp(c.Operation)
	case c.Gone != "":
		st.Remove(c.Section, c.Gone)
	default:
		st.ApplyBody(c)
	}
	st.changes = nil
}

// ApplyBody stores the body of a change in its section.
func (st *State) ApplyBody(c Change) {
	switch c.Section {
	case "vaults":
		st.PutVault(c.Body)
	case "policies":
		st.PutPolicy(c.Body)
	case "protectedItems":
		st.PutItem(c.Body)
	case "jobs":
		st.PutJob(c.Body)
	case "recoveryPoints":
		st.PutPoint(c.Body)
	case "resourceGroups":
		st.PutGroup(c.Body)
	case "virtualMachines":
		st.PutVM(c.Body, time.Time{})
	case "disks":
		st.PutDisk(c.Body)
	case "storageAccounts":
		st.PutAccount(c.Body)
	case "subscriptions":
		_ = st.addSubscription(c.Body, bodyRef{mem: c.Body})
	case "managementGroups":
		st.Management.put(st.names.opaqueResource(c.Body, bodyRef{mem: c.Body}))
	case "resourceGuardProxies":
		st.Proxies.put(st.names.opaqueResource(c.Body, bodyRef{mem: c.Body}))
	}
}

// DrainChanges returns the changes since the last call, with the service state.
func (st *State) DrainChanges() []Change {
	if len(st.changes) == 0 && !st.isServiceDirty {
		return nil
	}
	m := st.Service
	out := append(st.changes, Change{Section: "simulation", Service: &m})
	st.changes, st.isServiceDirty = nil, false
	return out
}
