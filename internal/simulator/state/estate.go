package state

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/azbackup/azbackup/internal/simulator/ids"
	"github.com/azbackup/azbackup/internal/simulator/rawjson"
	"github.com/azbackup/azbackup/internal/simulator/settings"
)

// FormatVersion is the version of the estate file that is read and written.
const FormatVersion = "1"

// Estate is the VM backup data of an Azure tenant, as `azbackup snapshot` writes it. A server made from it never
// changes it.
type Estate struct {
	// Taken is the time of the snapshot; zero when the file has none.
	Taken time.Time
	// Cloud is AzurePublic, AzureUSGovernment or AzureChina; empty is AzurePublic.
	Cloud string
	// Tenant is the tenant's id, or empty.
	Tenant string
	// Settings are the file's settings; Options may override them.
	Settings settings.Settings

	names         stringPool
	Subscriptions *Table[OpaqueResource]
	Management    *Table[OpaqueResource] // management groups, each with its descendants
	Groups        *Table[OpaqueResource]
	VMs           *Table[VM]
	Disks         *Table[Resource]
	Accounts      *Table[Resource]
	Vaults        *Table[Vault]
	Policies      *Table[Policy]
	Items         *Table[Item]
	Protectables  *Table[OpaqueResource]
	Jobs          *Table[Job]
	Points        *Table[Point]
	Proxies       *Table[OpaqueResource]
	FailedReads   []failedRead
	operations    []*Operation
	Service       serviceState
	// src is the file the bodies are read from; nil when they are in memory.
	src io.ReaderAt
}

// failedRead is a read that failed during the snapshot; the simulator fails it in the same way.
type failedRead struct {
	Method  string            `json:"method"`
	Path    string            `json:"path"`
	Status  int               `json:"status"`
	Headers map[string]string `json:"headers,omitempty"`
	Body    json.RawMessage   `json:"body,omitempty"`
}

// serviceState is the service's state besides resources.
type serviceState struct {
	// Clock is the estate's time at the last write; it continues from there.
	Clock time.Time `json:"clock,omitzero"`
	// Refreshed is the time of the last discovery of the VMs by "subscription/region" (docs/azure.md §1).
	Refreshed map[string]time.Time `json:"refreshed,omitempty"`
	// Scheduled is up to when the scheduled backups were run.
	Scheduled time.Time `json:"scheduled,omitzero"`
	// Created are the VMs created after the snapshot; a refresh has to discover them.
	Created map[string]time.Time `json:"made,omitempty"`
	// Registered is the time of registration by "subscription/namespace".
	Registered map[string]time.Time `json:"registered,omitempty"`
	// Unlocked is the time until which a resource guard permits an item's deletion, by item (docs/azure.md §6).
	Unlocked map[string]time.Time `json:"unlocked,omitempty"`
	// Daily counts writes against the daily limits (docs/azure.md §13), by limit and vault.
	Daily map[string]DailyCount `json:"daily,omitempty"`
	// Staged counts the disks that restores wrote as files to a storage account, by its key (docs/azure.md §25.1).
	Staged map[string]int `json:"staged,omitempty"`
	// Serial numbers the requests that changed the state, so that ids created after a restart are new.
	Serial uint64 `json:"serial,omitempty"`
}

// DailyCount counts the writes since a moment, for a limit of 24 hours.
type DailyCount struct {
	Since time.Time `json:"since"`
	Count int       `json:"count"`
}

// Read reads an estate file into memory. Its errors name the key and the element.
func Read(r io.Reader) (*Estate, error) { return load(r, nil) }

func newEstate() *Estate {
	byParent := func(l *OpaqueResource) string { return l.parent }
	byKey := func(l *OpaqueResource) string { return l.key }
	return &Estate{
		names:         stringPool{},
		Subscriptions: newTable(byKey, func(*OpaqueResource) string { return "" }),
		Management:    newTable(byKey, func(*OpaqueResource) string { return "" }),
		Groups:        newTable(byKey, byParent),
		VMs:           newTable(func(v *VM) string { return v.Key }, func(v *VM) string { return v.Sub }),
		Disks:         newTable(func(r *Resource) string { return r.Key }, func(r *Resource) string { return r.group }),
		Accounts:      newTable(func(r *Resource) string { return r.Key }, func(r *Resource) string { return r.group }),
		Vaults:        newTable(func(v *Vault) string { return v.Key }, func(v *Vault) string { return v.Sub }),
		Policies:      newTable(func(p *Policy) string { return p.Key }, func(p *Policy) string { return p.Vault }),
		Items:         newTable(func(it *Item) string { return it.Key }, func(it *Item) string { return it.Vault }),
		Protectables:  newTable(byKey, byParent),
		Jobs:          newTable(func(j *Job) string { return j.Key }, func(j *Job) string { return j.Vault }),
		Points:        newTable(func(p *Point) string { return p.Key }, func(p *Point) string { return p.Item }),
		Proxies:       newTable(byKey, byParent),
	}
}

// load reads an estate; with src the bodies stay in the file and only their offsets are kept.
func load(r io.Reader, src io.ReaderAt) (*Estate, error) {
	e := newEstate()
	e.src = src
	w := rawjson.NewReader(r)
	sections := e.sections()
	version := ""
	err := w.Object(func(name string) error {
		if put, ok := sections[name]; ok {
			return w.List(func(raw []byte, off int64) error { return e.add(name, put, raw, off) })
		}
		raw, _, err := w.Value()
		if err != nil {
			return err
		}
		return e.head(name, raw, &version)
	})
	if err == nil {
		if _, tail := w.Peek(); tail == nil {
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
		"settings": &e.Settings, "refused": &e.FailedReads, "operations": &e.operations, "simulation": &e.Service,
	}[name]
	if into == nil {
		return nil // a newer writer's key
	}
	if name == "settings" {
		return rawjson.DecodeStrict(raw, into)
	}
	return json.Unmarshal(raw, into)
}

// sections returns the arrays of bodies, by their key in the file.
func (e *Estate) sections() map[string]func(raw []byte, b bodyRef) error {
	return map[string]func([]byte, bodyRef) error{
		"subscriptions":        e.addSubscription,
		"managementGroups":     withID(isManagementGroupID, func(raw []byte, b bodyRef) { e.Management.put(e.names.opaqueResource(raw, b)) }),
		"resourceGroups":       withID(isGroupID, func(raw []byte, b bodyRef) { e.Groups.put(e.names.opaqueResource(raw, b)) }),
		"virtualMachines":      withID(isVMID, func(raw []byte, b bodyRef) { e.VMs.put(e.names.vm(raw, b)) }),
		"disks":                withID(isDiskID, func(raw []byte, b bodyRef) { e.Disks.put(e.names.resource(raw, b)) }),
		"storageAccounts":      withID(isAccountID, func(raw []byte, b bodyRef) { e.Accounts.put(e.names.resource(raw, b)) }),
		"vaults":               withID(isVaultID, func(raw []byte, b bodyRef) { e.Vaults.put(e.names.vault(raw, b)) }),
		"policies":             withID(isVaultChildID, func(raw []byte, b bodyRef) { e.Policies.put(e.names.policy(raw, b)) }),
		"protectedItems":       withID(isVaultChildID, func(raw []byte, b bodyRef) { e.Items.put(e.names.item(raw, b)) }),
		"protectableItems":     withID(isVaultChildID, func(raw []byte, b bodyRef) { e.Protectables.put(e.names.opaqueResource(raw, b)) }),
		"jobs":                 withID(isVaultChildID, func(raw []byte, b bodyRef) { e.Jobs.put(e.names.job(raw, b)) }),
		"recoveryPoints":       withID(isVaultChildID, func(raw []byte, b bodyRef) { e.Points.put(e.names.point(raw, b)) }),
		"resourceGuardProxies": withID(isVaultChildID, func(raw []byte, b bodyRef) { e.Proxies.put(e.names.opaqueResource(raw, b)) }),
	}
}

func withID(good func(id string) bool, put func([]byte, bodyRef)) func([]byte, bodyRef) error {
	return func(raw []byte, b bodyRef) error {
		if id := rawjson.TextAt(raw, "id"); !good(id) {
			return fmt.Errorf("%q is not an id of what this array holds", id)
		}
		put(raw, b)
		return nil
	}
}

func isManagementGroupID(id string) bool { return ids.Segment(id, "managementGroups") != "" }

func isGroupID(id string) bool {
	return ids.Segment(id, "subscriptions") != "" && ids.Segment(id, "resourceGroups") != ""
}

func isVMID(id string) bool { return isGroupID(id) && ids.Segment(id, "virtualMachines") != "" }

func isDiskID(id string) bool { return isGroupID(id) && ids.Segment(id, "disks") != "" }

func isAccountID(id string) bool { return isGroupID(id) && ids.Segment(id, "storageAccounts") != "" }

func isVaultID(id string) bool {
	return isGroupID(id) && ids.VaultPart(id) == strings.TrimRight(id, "/")
}

func isVaultChildID(id string) bool { return isGroupID(id) && ids.VaultPart(id) != "" }

// addSubscription accepts a bare id or a body as returned by GET /subscriptions/{id}.
func (e *Estate) addSubscription(raw []byte, b bodyRef) error {
	id := rawjson.Unquote(raw)
	if id == "" {
		id = ids.Segment(rawjson.TextAt(raw, "id"), "subscriptions")
	}
	if id == "" {
		return errors.New("no subscription id")
	}
	if raw[0] == '"' {
		b = bodyRef{mem: subscriptionBody(id, e.Tenant)}
	}
	e.Subscriptions.put(&OpaqueResource{key: ids.Key(id), Body: b})
	return nil
}

func subscriptionBody(id, tenant string) json.RawMessage {
	return rawjson.NewObject("id", "/subscriptions/"+id, "subscriptionId", id, "tenantId", tenant, "displayName", id,
		"state", "Enabled", "authorizationSource", "RoleBased").Bytes()
}

func (e *Estate) add(section string, put func([]byte, bodyRef) error, raw []byte, off int64) error {
	if section != "subscriptions" || raw[0] != '"' {
		if raw[0] != '{' {
			return errors.New("a body that is no object")
		}
		if rawjson.TextAt(raw, "id") == "" {
			return errors.New("a body without an id")
		}
	}
	b := bodyRef{off: off, n: int32(len(raw))} //nolint:gosec // a body is at most maxBody long
	if e.src == nil {
		b = bodyRef{mem: slices.Clone(raw)}
	}
	return put(raw, b)
}

// GroupBody returns the body of a resource group; tags may be nil.
func GroupBody(id, location string, tags json.RawMessage) json.RawMessage {
	o := rawjson.NewObject("id", id, "name", ids.LastSegment(id), "type", "Microsoft.Resources/resourceGroups", "location", location)
	if tags != nil {
		o.Set("tags", tags)
	}
	o.Set("properties", rawjson.NewObject("provisioningState", "Succeeded"))
	return o.Bytes()
}
