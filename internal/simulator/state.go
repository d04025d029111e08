package simulator

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

// state is one server's data: the estate's tables and the changes since. It is guarded by Server.mu.
type state struct {
	*Estate
	// byVM maps a VM to its items, in all vaults.
	byVM map[string][]string
	// listedAsProtectable are the VMs that the estate lists as protectable.
	listedAsProtectable map[string]bool
	ops                 map[string]*operation
	// onTarget maps a target to its operations.
	onTarget map[string][]string
	timers   timerQueue
	// changes are the changes since the last drainChanges; they go to the journal.
	changes []change
	// isServiceDirty reports that the service state changed though no resource did.
	isServiceDirty bool
	// handled counts the requests; cause is the origin of the current changes; told receives them.
	handled  int
	cause    Cause
	onEffect func(Effect)
}

// observe has every effect reported to onEffect; nil: none.
func (st *state) observe(onEffect func(Effect)) { st.onEffect = onEffect }

// countRequest returns the number of the request that begins, from 1.
func (st *state) countRequest() int {
	st.handled++
	return st.handled
}

// forgetChanges drops the changes since the last drainChanges.
func (st *state) forgetChanges() { st.changes = nil }

// markDirty marks the service state dirty: this request writes it to the journal.
func (st *state) markDirty() { st.isServiceDirty = true }

// change is one line of a journal's batch.
type change struct {
	Section   string          `json:"section"`
	Body      json.RawMessage `json:"body,omitempty"`
	Gone      string          `json:"gone,omitempty"`
	Operation *operation      `json:"operation,omitempty"`
	Service   *serviceState   `json:"memory,omitempty"`
}

// newState serves a copy of e.
func newState(e *Estate) *state {
	c := *e
	c.names = maps.Clone(e.names)
	c.subscriptions, c.management, c.groups = e.subscriptions.clone(), e.management.clone(), e.groups.clone()
	c.disks, c.accounts = e.disks.clone(), e.accounts.clone()
	c.vms, c.vaults, c.policies = e.vms.clone(), e.vaults.clone(), e.policies.clone()
	c.items, c.protectables = e.items.clone(), e.protectables.clone()
	c.jobs, c.points, c.proxies = e.jobs.clone(), e.points.clone(), e.proxies.clone()
	c.service.Refreshed, c.service.Created = maps.Clone(e.service.Refreshed), maps.Clone(e.service.Created)
	c.service.Daily, c.service.Registered = maps.Clone(e.service.Daily), maps.Clone(e.service.Registered)
	c.service.Unlocked, c.service.Staged = maps.Clone(e.service.Unlocked), maps.Clone(e.service.Staged)
	return ownState(&c)
}

// ownState returns a state over e itself, which no other server uses.
func ownState(e *Estate) *state {
	st := &state{Estate: e, byVM: map[string][]string{}, listedAsProtectable: map[string]bool{}, ops: map[string]*operation{}, onTarget: map[string][]string{}}
	st.items.all(0, func(_ int, it *item) bool {
		st.byVM[it.vm] = append(st.byVM[it.vm], it.key)
		return true
	})
	st.protectables.all(0, func(_ int, l *opaqueResource) bool {
		st.listedAsProtectable[ids.Key(rawjson.TextAt(st.read(l.body), "properties", "virtualMachineId"))] = true
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
func (st *state) fillParents() {
	seen := map[string]bool{}
	add := func(id, location string) {
		sub, group := ids.Segment(id, "subscriptions"), ids.Segment(id, "resourceGroups")
		if st.subscriptions.get(ids.Key(sub)) == nil {
			st.subscriptions.put(&opaqueResource{key: ids.Key(sub), body: bodyRef{mem: subscriptionBody(sub, st.Tenant)}})
		}
		rg := "/subscriptions/" + sub + "/resourceGroups/" + group
		if k := ids.Key(rg); !seen[k] {
			seen[k] = true
			if st.groups.get(k) == nil {
				st.groups.put(&opaqueResource{key: k, parent: ids.Key(sub), body: bodyRef{mem: groupBody(rg, location, nil)}})
			}
		}
	}
	st.vaults.all(0, func(_ int, v *vault) bool { add(v.id, v.region); return true })
	st.vms.all(0, func(_ int, v *vm) bool {
		// Only the first VM of a group needs its body read.
		if !seen["/subscriptions/"+v.sub+"/resourcegroups/"+v.group] {
			add(rawjson.TextAt(st.read(v.body), "id"), v.region)
		}
		return true
	})
	for _, t := range []*table[resource]{st.disks, st.accounts} {
		t.all(0, func(_ int, r *resource) bool {
			if !seen[r.group] {
				add(rawjson.TextAt(st.read(r.body), "id"), r.region)
			}
			return true
		})
	}
}

// readError is a body that could not be read: a broken machine, not a mistake of the client or of this package.
type readError struct{ error }

// read returns a body. When the file can no longer be read, it panics with a readError and the request fails with a
// 500: no caller could do better, so none handles the error.
func (st *state) read(b bodyRef) []byte {
	if b.mem != nil {
		return b.mem
	}
	raw := make([]byte, b.n)
	if _, err := st.src.ReadAt(raw, b.off); err != nil && err != io.EOF {
		panic(readError{fmt.Errorf("reading the estate file: %w", err)})
	}
	return raw
}

func (st *state) putVault(body json.RawMessage) *vault {
	v := st.names.vault(body, bodyRef{mem: body})
	st.reportEffect("vaults", v.key, body)
	st.vaults.put(v)
	st.changes = append(st.changes, change{Section: "vaults", Body: body})
	return v
}

func (st *state) putPolicy(body json.RawMessage) *policy {
	p := st.names.policy(body, bodyRef{mem: body})
	st.reportEffect("policies", p.key, body)
	st.policies.put(p)
	st.changes = append(st.changes, change{Section: "policies", Body: body})
	return p
}

func (st *state) putItem(body json.RawMessage) *item {
	it := st.names.item(body, bodyRef{mem: body})
	if !slices.Contains(st.byVM[it.vm], it.key) {
		st.byVM[it.vm] = append(st.byVM[it.vm], it.key)
	}
	st.reportEffect("protectedItems", it.key, body)
	st.items.put(it)
	st.changes = append(st.changes, change{Section: "protectedItems", Body: body})
	return it
}

func (st *state) putJob(body json.RawMessage) {
	st.jobs.put(st.names.job(body, bodyRef{mem: body}))
	st.changes = append(st.changes, change{Section: "jobs", Body: body})
}

func (st *state) putPoint(body json.RawMessage) {
	st.points.put(st.names.point(body, bodyRef{mem: body}))
	st.changes = append(st.changes, change{Section: "recoveryPoints", Body: body})
}

func (st *state) putGroup(body json.RawMessage) {
	st.groups.put(st.names.opaqueResource(body, bodyRef{mem: body}))
	st.changes = append(st.changes, change{Section: "resourceGroups", Body: body})
}

func (st *state) putVM(body json.RawMessage, made time.Time) {
	v := st.names.vm(body, bodyRef{mem: body})
	v.createdAt = made
	st.vms.put(v)
	st.changes = append(st.changes, change{Section: "virtualMachines", Body: body})
	if st.service.Created == nil {
		st.service.Created = map[string]time.Time{}
	}
	st.service.Created[v.key] = made
}

func (st *state) putDisk(body json.RawMessage) {
	d := st.names.resource(body, bodyRef{mem: body})
	st.reportEffect("disks", d.key, body)
	st.disks.put(d)
	st.changes = append(st.changes, change{Section: "disks", Body: body})
}

func (st *state) putAccount(body json.RawMessage) {
	st.accounts.put(st.names.resource(body, bodyRef{mem: body}))
	st.changes = append(st.changes, change{Section: "storageAccounts", Body: body})
}

// fileOp indexes an operation; the record itself never changes.
func (st *state) fileOp(op *operation) {
	if st.ops[op.ID] == nil && op.Target != "" {
		st.onTarget[op.Target] = append(st.onTarget[op.Target], op.ID)
	}
	st.ops[op.ID] = op
}

func (st *state) putOp(op *operation) {
	st.fileOp(op)
	st.changes = append(st.changes, change{Section: "operations", Operation: op})
}

// remove deletes the record of key from a section.
func (st *state) remove(section, key string) {
	st.reportEffect(section, key, nil)
	switch section {
	case "resourceGroups":
		st.groups.del(key)
	case "vaults":
		st.vaults.del(key)
	case "policies":
		st.policies.del(key)
	case "protectedItems":
		if it := st.items.get(key); it != nil {
			st.byVM[it.vm] = slices.DeleteFunc(st.byVM[it.vm], func(k string) bool { return k == key })
		}
		st.items.del(key)
	case "jobs":
		st.jobs.del(key)
	case "recoveryPoints":
		st.points.del(key)
	case "virtualMachines":
		st.vms.del(key)
	case "disks":
		st.disks.del(key)
	case "storageAccounts":
		st.accounts.del(key)
	case "operations":
		if op := st.ops[key]; op != nil {
			rest := slices.DeleteFunc(st.onTarget[op.Target], func(id string) bool { return id == key })
			if st.onTarget[op.Target] = rest; len(rest) == 0 {
				delete(st.onTarget, op.Target)
			}
		}
		delete(st.ops, key)
	case "subscriptions":
		st.subscriptions.del(key)
	case "managementGroups":
		st.management.del(key)
	case "resourceGuardProxies":
		st.proxies.del(key)
	}
	st.changes = append(st.changes, change{Section: section, Gone: key})
}

// apply repeats a change that the journal holds.
func (st *state) apply(c change) {
	switch {
	case c.Service != nil:
		st.service = *c.Service
	case c.Operation != nil:
		st.fileOp(c.Operation)
	case c.Gone != "":
		st.remove(c.Section, c.Gone)
	default:
		st.applyBody(c)
	}
	st.changes = nil
}

func (st *state) applyBody(c change) {
	switch c.Section {
	case "vaults":
		st.putVault(c.Body)
	case "policies":
		st.putPolicy(c.Body)
	case "protectedItems":
		st.putItem(c.Body)
	case "jobs":
		st.putJob(c.Body)
	case "recoveryPoints":
		st.putPoint(c.Body)
	case "resourceGroups":
		st.putGroup(c.Body)
	case "virtualMachines":
		st.putVM(c.Body, time.Time{})
	case "disks":
		st.putDisk(c.Body)
	case "storageAccounts":
		st.putAccount(c.Body)
	case "subscriptions":
		_ = st.addSubscription(c.Body, bodyRef{mem: c.Body})
	case "managementGroups":
		st.management.put(st.names.opaqueResource(c.Body, bodyRef{mem: c.Body}))
	case "resourceGuardProxies":
		st.proxies.put(st.names.opaqueResource(c.Body, bodyRef{mem: c.Body}))
	}
}

// drainChanges returns the changes since the last call, with the service state.
func (st *state) drainChanges() []change {
	if len(st.changes) == 0 && !st.isServiceDirty {
		return nil
	}
	m := st.service
	out := append(st.changes, change{Section: "simulation", Service: &m})
	st.changes, st.isServiceDirty = nil, false
	return out
}
