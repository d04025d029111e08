package plan

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/azbackup/azbackup/config"
	"github.com/azbackup/azbackup/internal/armid"
)

// vaultPlan is a vault of the file: what it is, and what the plan makes of it.
type vaultPlan struct {
	id           string // as read, else as the file spells it
	key          armid.Key
	name         string
	subscription string
	location     string
	conf         *config.Vault
	seen         *Vault // nil = not there, or not read
	unread       *Gap
	creating     bool
	settings     VaultSettings // as they will be
	last         string        // the change of this plan after which the vault is as the file says
	load         int           // VMs in it, this plan's included
}

// usable says whether the vault exists or will.
func (v *vaultPlan) usable() bool { return v.seen != nil || v.creating }

func (v *vaultPlan) guarded() bool { return v.seen != nil && len(v.seen.ResourceGuards) > 0 }

func (v *vaultPlan) immutable() bool {
	return strings.EqualFold(v.settings.Immutability, immutabilityUnlocked) ||
		strings.EqualFold(v.settings.Immutability, immutabilityLocked)
}

// The words of vault settings that plan decides by (docs/azure.md §7.2).
const (
	redundancyGeo        = "GeoRedundant"
	immutabilityOff      = "Disabled"
	immutabilityUnlocked = "Unlocked"
	immutabilityLocked   = "Locked"
)

// planVaults decides on every vault of the file.
func (m *maker) planVaults() {
	for i := range m.config.Vaults {
		conf := &m.config.Vaults[i]
		v := &vaultPlan{
			id: conf.ID(), key: armid.Of(conf.ID()), name: conf.Name,
			subscription: conf.Subscription, location: conf.Location, conf: conf,
		}
		if m.vaults[v.key] != nil {
			continue // the config refuses this; the first one counts
		}
		m.vaults[v.key] = v
		if v.seen = m.index.vaults[v.key]; v.seen != nil {
			v.id = v.seen.ID
			v.location = cmp.Or(v.seen.Location, v.location)
			v.settings = v.seen.Settings
		}
		v.unread = m.gaps.unread(v)
		v.load = m.index.held[v.key]
		m.planVault(v)
	}
}

func (m *maker) planVault(v *vaultPlan) {
	c := Change{
		ID: changeID(UpdateVault, v.key), Action: UpdateVault, Target: v.id, Vault: v.id,
		Rule: refOf(v.conf.Name, v.conf.Pos),
	}
	if v.seen == nil && v.unread == nil {
		c.ID, c.Action = changeID(CreateVault, v.key), CreateVault
	}
	switch {
	case v.unread != nil:
		if v.conf.Manage {
			m.block(c, ReasonGap, v.unread.words(), "")
		}
	case v.seen == nil && !v.conf.Manage:
		m.block(c, ReasonNoSuchVault, "", "")
	case v.seen == nil:
		m.createVault(v, c)
	default:
		if v.conf.Location != "" && armid.Location(v.conf.Location) != armid.Location(v.location) {
			c.Fields = []Field{{Path: "location", Before: v.location, After: v.conf.Location}}
			m.block(c, ReasonVaultLocation, "", "#location")
			c.Fields = nil
		}
		if v.conf.Manage {
			m.updateVault(v, c)
		}
	}
}

// createVault plans a vault that is not there. A vault cannot be created locked (docs/azure.md §7.3): it is
// locked by a second change.
func (m *maker) createVault(v *vaultPlan, c Change) {
	r := regionOf(v.subscription, v.location)
	if m.inRegion[r] >= MaxVaultsPerRegion {
		m.block(c, ReasonVaultLimit, fmt.Sprintf("%d in %s", m.inRegion[r], v.location), "")
		return
	}
	want := saidSettings(v.conf)
	lock := strings.EqualFold(want.Immutability, immutabilityLocked)
	if lock {
		want.Immutability = immutabilityUnlocked
	}
	// The service takes both fields of redundancy or none (docs/azure.md §7.3).
	if want.Redundancy != "" && want.CrossRegionRestore == nil {
		want.CrossRegionRestore = new(bool)
	}
	if isTrue(want.CrossRegionRestore) && !strings.EqualFold(want.Redundancy, redundancyGeo) {
		m.block(c, ReasonCRRNeedsGeo, "the vault would be "+want.Redundancy, "")
		return
	}
	m.inRegion[r]++
	v.creating, v.settings = true, want
	c.Fields = DiffVault(VaultSettings{}, want)
	want.Location = v.location
	c.After = &State{Vault: &want}
	c.Reason, c.Because = ReasonVaultMissing, m.sentence(ReasonVaultMissing, "")
	v.last = m.add(draft{Change: c, weight: 1})
	if lock {
		m.lockVault(v, c)
	}
}

// updateVault plans what the file says and the vault does not have, leaving out what the service refuses.
func (m *maker) updateVault(v *vaultPlan, c Change) {
	have, want := v.seen.Settings, saidSettings(v.conf)
	for _, r := range m.refusedSettings(v, have, &want) {
		refused := c
		refused.Fields = r.fields
		m.block(refused, r.reason, r.detail, "#"+r.fields[0].Path)
	}
	lock := strings.EqualFold(want.Immutability, immutabilityLocked) && !strings.EqualFold(have.Immutability, immutabilityLocked)
	if lock {
		want.Immutability = immutabilityUnlocked
	}
	c.Fields = DiffVault(have, want)
	if len(c.Fields) > 0 {
		before, after := narrow(have, want, c.Fields)
		c.Before, c.After = &State{Vault: &before}, &State{Vault: &after}
		c.Reason, c.Because = ReasonVaultDiffers, m.sentence(ReasonVaultDiffers, "")
		v.settings = overlay(v.settings, after)
		v.last = m.add(draft{Change: c, risks: vaultRisks(have, after), weight: max(1, m.index.ever[v.key])})
	}
	if lock {
		m.lockVault(v, c)
	}
}

// lockVault plans the last step to a locked vault: only an unlocked one can be locked.
func (m *maker) lockVault(v *vaultPlan, c Change) {
	c.ID, c.Action = changeID(UpdateVault, v.key)+"#lock", UpdateVault
	c.Needs = nil
	if v.last != "" {
		c.Needs = []string{v.last}
	}
	c.Fields = []Field{{Path: "immutability", Before: immutabilityUnlocked, After: immutabilityLocked}}
	c.Before = &State{Vault: &VaultSettings{Immutability: immutabilityUnlocked}}
	c.After = &State{Vault: &VaultSettings{Immutability: immutabilityLocked}}
	c.Reason, c.Because = ReasonVaultDiffers, m.sentence(ReasonVaultDiffers, "it will be locked for good")
	v.settings.Immutability = immutabilityLocked
	v.last = m.add(draft{Change: c, risks: risks{final: true}, weight: 1})
}

// refusedSetting is a setting of the file that the vault cannot take.
type refusedSetting struct {
	reason Reason
	detail string
	fields []Field
}

// refusedSettings takes out of want what the service would refuse (docs/azure.md §7.3).
func (m *maker) refusedSettings(v *vaultPlan, have VaultSettings, want *VaultSettings) []refusedSetting {
	var out []refusedSetting
	refuse := func(r Reason, detail string, one VaultSettings) {
		out = append(out, refusedSetting{r, detail, DiffVault(have, one)})
	}
	if want.Redundancy != "" && !strings.EqualFold(want.Redundancy, have.Redundancy) {
		one := VaultSettings{Redundancy: want.Redundancy}
		items := m.index.ever[v.key]
		switch gap := m.gaps.hidden(v); {
		case items > 0:
			refuse(ReasonRedundancyFixed, fmt.Sprintf("it holds %s", count(items, "item")), one)
			want.Redundancy = ""
		case gap != nil:
			refuse(ReasonGap, gap.words(), one)
			want.Redundancy = ""
		case isTrue(have.CrossRegionRestore) && !strings.EqualFold(want.Redundancy, redundancyGeo):
			refuse(ReasonCRRFixed, "so the vault stays geo-redundant", one)
			want.Redundancy = ""
		}
	}
	if said := want.CrossRegionRestore; said != nil && *said != isTrue(have.CrossRegionRestore) {
		one := VaultSettings{CrossRegionRestore: said}
		redundancy := cmp.Or(want.Redundancy, have.Redundancy)
		switch {
		case !*said:
			refuse(ReasonCRRFixed, "", one)
			want.CrossRegionRestore = nil
		case !strings.EqualFold(redundancy, redundancyGeo):
			refuse(ReasonCRRNeedsGeo, "the vault is "+cmp.Or(redundancy, "of unknown redundancy"), one)
			want.CrossRegionRestore = nil
		}
	}
	if want.Immutability != "" && strings.EqualFold(have.Immutability, immutabilityLocked) &&
		!strings.EqualFold(want.Immutability, immutabilityLocked) {
		refuse(ReasonImmutabilityLocked, "", VaultSettings{Immutability: want.Immutability})
		want.Immutability = ""
	}
	// A resource guard may cover both of these (docs/azure.md §20).
	if one := (VaultSettings{SoftDeleteDays: want.SoftDeleteDays}); vaultRisks(have, one).security {
		if r, detail := m.guardRefuses(v); r != "" {
			refuse(r, detail, one)
			want.SoftDeleteDays = nil
		}
	}
	if one := (VaultSettings{Immutability: want.Immutability}); vaultRisks(have, one).security {
		if r, detail := m.guardRefuses(v); r != "" {
			refuse(r, detail, one)
			want.Immutability = ""
		}
	}
	return out
}

// guardRefuses says why a stop, a shorter retention or a weaker setting cannot be done in a vault: its resource guard, or
// that nobody could see whether it has one.
func (m *maker) guardRefuses(v *vaultPlan) (Reason, string) {
	if v.guarded() {
		return ReasonResourceGuard, lastName(slices.Min(v.seen.ResourceGuards))
	}
	if gap := m.gaps.guards[v.key]; gap != nil {
		return ReasonGap, gap.words()
	}
	if v.seen != nil && v.seen.ResourceGuards == nil {
		m.unguarded[v.key] = v.id
	}
	return "", ""
}

// saidSettings are the settings that the file says.
func saidSettings(c *config.Vault) VaultSettings {
	return VaultSettings{
		Redundancy: c.Redundancy, CrossRegionRestore: c.CrossRegionRestore, SoftDeleteDays: c.SoftDeleteDays,
		Immutability: c.Immutability, PublicNetworkAccess: c.PublicNetworkAccess, Tags: maps.Clone(c.Tags),
	}
}

// narrow keeps of both sides only the settings that differ, so that a PATCH says no more than it must. Two
// things travel whole: the fields of redundancy, which the service wants together (docs/azure.md §7.3), and
// the tags, which a PATCH replaces.
func narrow(have, want VaultSettings, fields []Field) (before, after VaultSettings) {
	for _, f := range fields {
		switch {
		case f.Path == "redundancy" || f.Path == "crossRegionRestore":
			before.Redundancy, before.CrossRegionRestore = have.Redundancy, have.CrossRegionRestore
			after.Redundancy = cmp.Or(want.Redundancy, have.Redundancy)
			after.CrossRegionRestore = cmp.Or(want.CrossRegionRestore, have.CrossRegionRestore, new(bool))
		case f.Path == "softDeleteDays":
			before.SoftDeleteDays, after.SoftDeleteDays = have.SoftDeleteDays, want.SoftDeleteDays
		case f.Path == "immutability":
			before.Immutability, after.Immutability = have.Immutability, want.Immutability
		case f.Path == "publicNetworkAccess":
			before.PublicNetworkAccess, after.PublicNetworkAccess = have.PublicNetworkAccess, want.PublicNetworkAccess
		case strings.HasPrefix(f.Path, "tags."):
			before.Tags, after.Tags = maps.Clone(have.Tags), mergeTags(have.Tags, want.Tags)
		}
	}
	return before, after
}

// mergeTags lays the tags of the file over those of the vault. Tag names compare without case; an existing
// name keeps its spelling.
func mergeTags(have, want map[string]string) map[string]string {
	out := maps.Clone(have)
	if out == nil {
		out = map[string]string{}
	}
	for name, value := range want {
		if old, there := tagName(have, name); there {
			name = old
		}
		out[name] = value
	}
	return out
}

// overlay is base with what over says.
func overlay(base, over VaultSettings) VaultSettings {
	base.Redundancy = cmp.Or(over.Redundancy, base.Redundancy)
	base.CrossRegionRestore = cmp.Or(over.CrossRegionRestore, base.CrossRegionRestore)
	base.SoftDeleteDays = cmp.Or(over.SoftDeleteDays, base.SoftDeleteDays)
	base.Immutability = cmp.Or(over.Immutability, base.Immutability)
	base.PublicNetworkAccess = cmp.Or(over.PublicNetworkAccess, base.PublicNetworkAccess)
	if over.Tags != nil {
		base.Tags = over.Tags
	}
	return base
}

func isTrue(b *bool) bool { return b != nil && *b }

func refOf(name string, p config.Position) *RuleRef {
	return &RuleRef{Name: name, File: p.File, Line: p.Line}
}

func count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
