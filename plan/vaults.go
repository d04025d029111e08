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

// vaultPlan is a vault of the file: its observed state, and its state after the plan.
type vaultPlan struct {
	id           string // as read, else as the file spells it
	key          armid.Key
	name         string
	subscription string
	location     string
	conf         *config.Vault
	observed     *Vault // nil = does not exist, or was not read
	gap          *Gap
	isNew        bool
	settings     VaultSettings // as they will be
	lastChange   string        // the change of this plan after which the vault is as in the file
	vmCount      int           // VMs in it, those of this plan included
}

// isUsable reports whether the vault exists or will exist.
func (v *vaultPlan) isUsable() bool { return v.observed != nil || v.isNew }

func (v *vaultPlan) isGuarded() bool { return v.observed != nil && len(v.observed.ResourceGuards) > 0 }

func (v *vaultPlan) isImmutable() bool {
	return strings.EqualFold(v.settings.Immutability, immutabilityUnlocked) ||
		strings.EqualFold(v.settings.Immutability, immutabilityLocked)
}

// The values of vault settings that plan decides by (docs/azure.md §7.2).
const (
	redundancyGeo        = "GeoRedundant"
	immutabilityOff      = "Disabled"
	immutabilityUnlocked = "Unlocked"
	immutabilityLocked   = "Locked"
)

// planVaults plans the changes of every vault of the file. Vaults of other shards are recorded, so that a reason can name
// them, but nothing is planned for them.
func (pl *planner) planVaults() {
	for i := range pl.config.Vaults {
		conf := &pl.config.Vaults[i]
		v := &vaultPlan{
			id: conf.ID(), key: armid.Of(conf.ID()), name: conf.Name,
			subscription: conf.Subscription, location: conf.Location, conf: conf,
		}
		if pl.vaults[v.key] != nil {
			continue // the config rejects this; the first one counts
		}
		pl.vaults[v.key] = v
		if !pl.config.Owns(conf.Subscription) {
			continue
		}
		if v.observed = pl.index.vaults[v.key]; v.observed != nil {
			v.id = v.observed.ID
			v.location = cmp.Or(v.observed.Location, v.location)
			v.settings = v.observed.Settings
		}
		v.gap = pl.gaps.vaultGap(v)
		v.vmCount = pl.index.vmsPerVault[v.key]
		pl.planVault(v)
	}
}

func (pl *planner) planVault(v *vaultPlan) {
	c := Change{
		ID: changeID(UpdateVault, v.key), Action: UpdateVault, Target: v.id, Vault: v.id,
		Rule: refOf(v.conf.Name, v.conf.Pos),
	}
	if v.observed == nil && v.gap == nil {
		c.ID, c.Action = changeID(CreateVault, v.key), CreateVault
	}
	switch {
	case v.gap != nil:
		if v.conf.Manage {
			pl.block(c, ReasonGap, pl.describeGap(v.gap), "")
		}
	case v.observed == nil && !v.conf.Manage:
		pl.block(c, ReasonNoSuchVault, "", "")
	case v.observed == nil:
		pl.createVault(v, c)
	default:
		if v.conf.Location != "" && armid.Location(v.conf.Location) != armid.Location(v.location) {
			c.Fields = []Field{{Path: "location", Before: v.location, After: v.conf.Location}}
			pl.block(c, ReasonVaultLocation, "", "#location")
			c.Fields = nil
		}
		if v.conf.Manage {
			pl.updateVault(v, c)
		}
	}
}

// createVault plans the creation of a vault. A vault cannot be created locked (docs/azure.md §7.3): a second change
// locks it.
func (pl *planner) createVault(v *vaultPlan, c Change) {
	r := armid.RegionOf(v.subscription, v.location)
	if pl.vaultsPerRegion[r] >= MaxVaultsPerRegion {
		pl.block(c, ReasonVaultLimit, fmt.Sprintf("%d in %s", pl.vaultsPerRegion[r], v.location), "")
		return
	}
	want := configuredSettings(v.conf)
	lock := strings.EqualFold(want.Immutability, immutabilityLocked)
	if lock {
		want.Immutability = immutabilityUnlocked
	}
	// The service takes both fields of redundancy or none (docs/azure.md §7.3).
	if want.Redundancy != "" && want.CrossRegionRestore == nil {
		want.CrossRegionRestore = new(bool)
	}
	if isTrue(want.CrossRegionRestore) && !strings.EqualFold(want.Redundancy, redundancyGeo) {
		pl.block(c, ReasonCRRNeedsGeo, "the vault would be "+want.Redundancy, "")
		return
	}
	pl.vaultsPerRegion[r]++
	v.isNew, v.settings = true, want
	c.Fields = DiffVault(VaultSettings{}, want)
	want.Location = v.location
	c.After = &State{Vault: &want}
	c.Reason, c.Because = ReasonVaultMissing, pl.sentence(ReasonVaultMissing, "")
	v.lastChange = pl.addChange(pendingChange{Change: c, weight: 1})
	if lock {
		pl.lockVault(v, c)
	}
}

// updateVault plans the settings of the file that the vault does not have, without those that the service refuses.
func (pl *planner) updateVault(v *vaultPlan, c Change) {
	have, want := v.observed.Settings, configuredSettings(v.conf)
	for _, r := range pl.refusedSettings(v, have, &want) {
		refused := c
		refused.Fields = r.fields
		pl.block(refused, r.reason, r.detail, "#"+r.fields[0].Path)
	}
	lock := strings.EqualFold(want.Immutability, immutabilityLocked) && !strings.EqualFold(have.Immutability, immutabilityLocked)
	if lock {
		want.Immutability = immutabilityUnlocked
	}
	c.Fields = DiffVault(have, want)
	if len(c.Fields) > 0 {
		before, after := narrowToChanged(have, want, c.Fields)
		c.Before, c.After = &State{Vault: &before}, &State{Vault: &after}
		c.Reason, c.Because = ReasonVaultDiffers, pl.sentence(ReasonVaultDiffers, "")
		v.settings = overlay(v.settings, after)
		v.lastChange = pl.addChange(pendingChange{Change: c, risks: vaultRisks(have, after), weight: max(1, pl.index.itemsPerVault[v.key])})
	}
	if lock {
		pl.lockVault(v, c)
	}
}

// lockVault plans the last step to a locked vault: only an unlocked one can be locked.
func (pl *planner) lockVault(v *vaultPlan, c Change) {
	c.ID, c.Action = changeID(UpdateVault, v.key)+"#lock", UpdateVault
	c.Needs = nil
	if v.lastChange != "" {
		c.Needs = []string{v.lastChange}
	}
	c.Fields = []Field{{Path: "immutability", Before: immutabilityUnlocked, After: immutabilityLocked}}
	c.Before = &State{Vault: &VaultSettings{Immutability: immutabilityUnlocked}}
	c.After = &State{Vault: &VaultSettings{Immutability: immutabilityLocked}}
	c.Reason, c.Because = ReasonVaultDiffers, pl.sentence(ReasonVaultDiffers, "it will be locked for good")
	v.settings.Immutability = immutabilityLocked
	v.lastChange = pl.addChange(pendingChange{Change: c, risks: risks{irreversible: true}, weight: 1})
}

// refusedSetting is a setting of the file that the vault cannot take.
type refusedSetting struct {
	reason Reason
	detail string
	fields []Field
}

// refusedSettings removes from want the settings that the service would refuse (docs/azure.md §7.3).
func (pl *planner) refusedSettings(v *vaultPlan, have VaultSettings, want *VaultSettings) []refusedSetting {
	var out []refusedSetting
	refuse := func(r Reason, detail string, one VaultSettings) {
		out = append(out, refusedSetting{r, detail, DiffVault(have, one)})
	}
	if want.Redundancy != "" && !strings.EqualFold(want.Redundancy, have.Redundancy) {
		one := VaultSettings{Redundancy: want.Redundancy}
		items := pl.index.itemsPerVault[v.key]
		switch gap := pl.gaps.itemsGap(v); {
		case items > 0:
			refuse(ReasonRedundancyFixed, fmt.Sprintf("it holds %s", formatCount(items, "item")), one)
			want.Redundancy = ""
		case gap != nil:
			refuse(ReasonGap, pl.describeGap(gap), one)
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
		if r, detail := pl.whyGuardRefuses(v, guardSoftDelete); r != "" {
			refuse(r, detail, one)
			want.SoftDeleteDays = nil
		}
	}
	if one := (VaultSettings{Immutability: want.Immutability}); vaultRisks(have, one).security {
		if r, detail := pl.whyGuardRefuses(v, guardImmutability); r != "" {
			refuse(r, detail, one)
			want.Immutability = ""
		}
	}
	return out
}

// configuredSettings returns the settings that the file sets.
func configuredSettings(c *config.Vault) VaultSettings {
	return VaultSettings{
		Redundancy: c.Redundancy, CrossRegionRestore: c.CrossRegionRestore, SoftDeleteDays: c.SoftDeleteDays,
		Immutability: c.Immutability, PublicNetworkAccess: c.PublicNetworkAccess, Tags: maps.Clone(c.Tags),
	}
}

// narrowToChanged keeps of both sides only the settings that differ, so that a PATCH contains no more than necessary.
// Two things are sent whole: the fields of redundancy, which the service requires together (docs/azure.md §7.3), and
// the tags, which a PATCH replaces.
func narrowToChanged(have, want VaultSettings, fields []Field) (before, after VaultSettings) {
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

// mergeTags overlays the tags of the vault with those of the file. Tag names compare without case; an existing name
// keeps its spelling.
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

// overlay returns base with the settings that over sets.
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

func formatCount(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

// JoinVaults returns a copy of c with every vault that was read and that an entry of `vaults` with a `match` matches, as if
// the file named it. The copy still has the compiled form of c: the caller compiles it again.
func JoinVaults(c *config.Config, vaults []Vault) config.Config {
	own := *c
	if len(c.VaultMatches) == 0 {
		return own
	}
	own.Vaults = slices.Clone(c.Vaults)
	match := c.VaultMatcher()
	sorted := slices.Clone(vaults)
	slices.SortFunc(sorted, func(a, b Vault) int { return compareIDs(a.ID, b.ID) })
	for _, v := range sorted {
		if entry, ok := match(vaultTarget(v)); ok && v.Location != "" {
			own.Vaults = append(own.Vaults, entry)
		}
	}
	return own
}

func vaultTarget(v Vault) config.VaultTarget {
	t := config.VaultTarget{Name: v.Name, Location: v.Location, Tags: v.Settings.Tags}
	if id, err := armid.ParseVault(v.ID); err == nil {
		t.Subscription, t.ResourceGroup = id.Subscription, id.ResourceGroup
	}
	return t
}
