package simulator

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
)

// FormatVersion is the version of the estate file that is read and written.
const FormatVersion = "1"

// Estate is everything an Azure tenant holds that concerns VM backup, as `azbackup snapshot` writes it. It is
// never changed by a server that was made from it.
type Estate struct {
	// Taken is when the estate was read; zero when the file does not say.
	Taken time.Time
	// Cloud is AzurePublic, AzureUSGovernment or AzureChina; empty is AzurePublic.
	Cloud string
	// Tenant is the tenant's id, or empty.
	Tenant string
	// Settings are those in the file; Options may override them.
	Settings Settings

	names         interner
	subscriptions *table[listed]
	groups        *table[listed]
	vms           *table[vm]
	disks         *table[resource]
	accounts      *table[resource]
	vaults        *table[vault]
	policies      *table[policy]
	items         *table[item]
	protectables  *table[listed]
	jobs          *table[job]
	points        *table[point]
	proxies       *table[listed]
	refused       []refusal
	operations    []*operation
	memory        memory
	// src is the file the bodies are read from; nil when they are in memory.
	src io.ReaderAt
}

// refusal is a read that failed when the estate was taken; the simulator fails it in the same way.
type refusal struct {
	Method  string            `json:"method"`
	Path    string            `json:"path"`
	Status  int               `json:"status"`
	Headers map[string]string `json:"headers,omitempty"`
	Body    json.RawMessage   `json:"body,omitempty"`
}

// memory is what the service remembers beside resources.
type memory struct {
	// Clock is how far the estate's clock got; it goes on from there.
	Clock time.Time `json:"clock,omitzero"`
	// Refreshed says when the VMs of a "subscription/region" were last discovered (docs/azure.md §1).
	Refreshed map[string]time.Time `json:"refreshed,omitempty"`
	// Scheduled is up to when the scheduled backups were run.
	Scheduled time.Time `json:"scheduled,omitzero"`
	// Made are the VMs that came after the estate was taken; a refresh has to discover them.
	Made map[string]time.Time `json:"made,omitempty"`
	// Registered says when a "subscription/namespace" was registered.
	Registered map[string]time.Time `json:"registered,omitempty"`
	// Unlocked says until when a resource guard lets an item be deleted, by item (docs/azure.md §6).
	Unlocked map[string]time.Time `json:"unlocked,omitempty"`
	// Daily counts writes against the daily limits (docs/azure.md §13), by limit and vault.
	Daily map[string]daily `json:"daily,omitempty"`
	// Staged counts the disks that restores left as files in a storage account, by its key (docs/azure.md §25.1).
	Staged map[string]int `json:"staged,omitempty"`
	// Serial numbers the requests that changed something, so that ids made after a restart are new.
	Serial uint64 `json:"serial,omitempty"`
}

type daily struct {
	Since time.Time `json:"since"`
	Count int       `json:"count"`
}

// Read reads an estate file into memory. Its errors name the key and the element.
func Read(r io.Reader) (*Estate, error) { return load(r, nil) }

func newEstate() *Estate {
	byParent := func(l *listed) string { return l.parent }
	byKey := func(l *listed) string { return l.key }
	return &Estate{
		names:         interner{},
		subscriptions: newTable(byKey, func(*listed) string { return "" }),
		groups:        newTable(byKey, byParent),
		vms:           newTable(func(v *vm) string { return v.key }, func(v *vm) string { return v.sub }),
		disks:         newTable(func(r *resource) string { return r.key }, func(r *resource) string { return r.group }),
		accounts:      newTable(func(r *resource) string { return r.key }, func(r *resource) string { return r.group }),
		vaults:        newTable(func(v *vault) string { return v.key }, func(v *vault) string { return v.sub }),
		policies:      newTable(func(p *policy) string { return p.key }, func(p *policy) string { return p.vault }),
		items:         newTable(func(it *item) string { return it.key }, func(it *item) string { return it.vault }),
		protectables:  newTable(byKey, byParent),
		jobs:          newTable(func(j *job) string { return j.key }, func(j *job) string { return j.vault }),
		points:        newTable(func(p *point) string { return p.key }, func(p *point) string { return p.item }),
		proxies:       newTable(byKey, byParent),
	}
}

// load reads an estate; with src the bodies stay in the file and only their places are remembered.
func load(r io.Reader, src io.ReaderAt) (*Estate, error) {
	e := newEstate()
	e.src = src
	w := &window{r: r}
	sections := e.sections()
	version := ""
	err := w.object(func(name string) error {
		if put, ok := sections[name]; ok {
			return w.list(func(raw []byte, off int64) error { return e.add(name, put, raw, off) })
		}
		raw, _, err := w.value()
		if err != nil {
			return err
		}
		return e.head(name, raw, &version)
	})
	if err == nil {
		if _, tail := w.peek(); tail == nil {
			err = errors.New("text behind the object")
		}
	}
	if err == nil && version != FormatVersion {
		err = fmt.Errorf("format_version is %q, expected %q", version, FormatVersion)
	}
	if err != nil {
		return nil, fmt.Errorf("reading estate: %w", err)
	}
	return e, nil
}

func (e *Estate) head(name string, raw []byte, version *string) error {
	into := map[string]any{
		"format_version": version, "taken": &e.Taken, "cloud": &e.Cloud, "tenant": &e.Tenant,
		"settings": &e.Settings, "refused": &e.refused, "operations": &e.operations, "simulation": &e.memory,
	}[name]
	if into == nil {
		return nil // a newer writer's key
	}
	if name == "settings" {
		return decodeStrict(raw, into)
	}
	return json.Unmarshal(raw, into)
}

// decodeStrict refuses keys it does not know: people write them.
func decodeStrict(raw []byte, into any) error {
	d := json.NewDecoder(bytes.NewReader(raw))
	d.DisallowUnknownFields()
	return d.Decode(into)
}

// sections are the arrays of bodies, by their key in the file.
func (e *Estate) sections() map[string]func(raw []byte, b blob) error {
	return map[string]func([]byte, blob) error{
		"subscriptions":        e.addSubscription,
		"resourceGroups":       withID(isGroup, func(raw []byte, b blob) { e.groups.put(e.names.listed(raw, b)) }),
		"virtualMachines":      withID(isVM, func(raw []byte, b blob) { e.vms.put(e.names.vm(raw, b)) }),
		"disks":                withID(isDisk, func(raw []byte, b blob) { e.disks.put(e.names.resource(raw, b)) }),
		"storageAccounts":      withID(isAccount, func(raw []byte, b blob) { e.accounts.put(e.names.resource(raw, b)) }),
		"vaults":               withID(isVault, func(raw []byte, b blob) { e.vaults.put(e.names.vault(raw, b)) }),
		"policies":             withID(isInVault, func(raw []byte, b blob) { e.policies.put(e.names.policy(raw, b)) }),
		"protectedItems":       withID(isInVault, func(raw []byte, b blob) { e.items.put(e.names.item(raw, b)) }),
		"protectableItems":     withID(isInVault, func(raw []byte, b blob) { e.protectables.put(e.names.listed(raw, b)) }),
		"jobs":                 withID(isInVault, func(raw []byte, b blob) { e.jobs.put(e.names.job(raw, b)) }),
		"recoveryPoints":       withID(isInVault, func(raw []byte, b blob) { e.points.put(e.names.point(raw, b)) }),
		"resourceGuardProxies": withID(isInVault, func(raw []byte, b blob) { e.proxies.put(e.names.listed(raw, b)) }),
	}
}

func withID(good func(id string) bool, put func([]byte, blob)) func([]byte, blob) error {
	return func(raw []byte, b blob) error {
		if id := text(raw, "id"); !good(id) {
			return fmt.Errorf("%q is not an id of what this array holds", id)
		}
		put(raw, b)
		return nil
	}
}

func isGroup(id string) bool {
	return segment(id, "subscriptions") != "" && segment(id, "resourceGroups") != ""
}

func isVM(id string) bool { return isGroup(id) && segment(id, "virtualMachines") != "" }

func isDisk(id string) bool { return isGroup(id) && segment(id, "disks") != "" }

func isAccount(id string) bool { return isGroup(id) && segment(id, "storageAccounts") != "" }

func isVault(id string) bool { return isGroup(id) && vaultPart(id) == strings.TrimRight(id, "/") }

func isInVault(id string) bool { return isGroup(id) && vaultPart(id) != "" }

// addSubscription takes a bare id or a body as GET /subscriptions/{id} answers.
func (e *Estate) addSubscription(raw []byte, b blob) error {
	id := unquote(raw)
	if id == "" {
		id = segment(text(raw, "id"), "subscriptions")
	}
	if id == "" {
		return errors.New("no subscription id")
	}
	if raw[0] == '"' {
		b = blob{mem: subscriptionBody(id, e.Tenant)}
	}
	e.subscriptions.put(&listed{key: key(id), body: b})
	return nil
}

func subscriptionBody(id, tenant string) json.RawMessage {
	return obj("id", "/subscriptions/"+id, "subscriptionId", id, "tenantId", tenant, "displayName", id,
		"state", "Enabled", "authorizationSource", "RoleBased").bytes()
}

func (e *Estate) add(section string, put func([]byte, blob) error, raw []byte, off int64) error {
	if section != "subscriptions" || raw[0] != '"' {
		if raw[0] != '{' {
			return errors.New("a body that is no object")
		}
		if text(raw, "id") == "" {
			return errors.New("a body without an id")
		}
	}
	b := blob{off: off, n: int32(len(raw))} //nolint:gosec // a body is at most maxBody long
	if e.src == nil {
		b = blob{mem: slices.Clone(raw)}
	}
	return put(raw, b)
}
