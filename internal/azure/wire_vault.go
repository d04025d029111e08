package azure

import (
	"slices"
	"strings"

	"github.com/azbackup/azbackup/plan"
)

// wireVault is a Recovery Services vault (docs/azure.md §7.2). Any sub-object may be null.
type wireVault struct {
	outer
	ID         field    `json:"id"`
	Name       field    `json:"name"`
	Location   field    `json:"location"`
	Tags       tagField `json:"tags"`
	Properties struct {
		ProvisioningState   field `json:"provisioningState"`
		PublicNetworkAccess field `json:"publicNetworkAccess"`
		SecuritySettings    struct {
			Immutability *struct {
				State field `json:"state"`
			} `json:"immutabilitySettings"`
			SoftDelete wireSoftDelete `json:"softDeleteSettings"`
		} `json:"securitySettings"`
		RedundancySettings wireRedundancy `json:"redundancySettings"`
	} `json:"properties"`
}

type wireSoftDelete struct {
	State field `json:"softDeleteState"`
	Days  field `json:"softDeleteRetentionPeriodInDays"`
}

type wireRedundancy struct {
	Standard    field `json:"standardTierStorageRedundancy"`
	CrossRegion field `json:"crossRegionRestore"`
}

// vault is the vault in plan's words, under the id by which it was asked for. The second value says what of it was not
// understood.
func (w wireVault) vault(id string, inFile bool) (plan.Vault, string) {
	p, r := w.Properties, &reading{}
	r.form(w.outer)
	_, name := cutLast(strings.TrimRight(id, "/"))
	if said := w.Name.loose(); strings.EqualFold(said, name) {
		name = said
	}
	soft := p.SecuritySettings.SoftDelete
	v := plan.Vault{
		ID: id, Name: name, Location: r.required("location", w.Location), InFile: inFile,
		ProvisioningState: r.word("provisioningState", p.ProvisioningState),
		SoftDeleteState:   r.oneOf("softDeleteState", soft.State, "Enabled", "Disabled", "AlwaysON"),
	}
	v.Settings = plan.VaultSettings{
		Redundancy: r.oneOf("standardTierStorageRedundancy", p.RedundancySettings.Standard,
			"LocallyRedundant", "ZoneRedundant", "GeoRedundant", "ReadAccessGeoZoneRedundant"),
		CrossRegionRestore:  r.enabled("crossRegionRestore", p.RedundancySettings.CrossRegion),
		Immutability:        "Disabled", // what no settings mean (docs/azure.md §7.3)
		PublicNetworkAccess: r.enabled("publicNetworkAccess", p.PublicNetworkAccess),
		Tags:                r.tags(w.Tags, nil),
	}
	// What is there must say what it is for: half of it may mean anything.
	if redundancy := p.RedundancySettings; redundancy.Standard == "" && redundancy.CrossRegion != "" || v.Settings.Redundancy != "" && redundancy.CrossRegion == "" {
		r.note("redundancySettings says standardTierStorageRedundancy %s and crossRegionRestore %s",
			shown(redundancy.Standard.loose(), true), shown(redundancy.CrossRegion.loose(), true))
	}
	if soft.State != "" && soft.Days == "" {
		r.note("softDeleteRetentionPeriodInDays is missing")
	}
	if soft.Days != "" {
		v.Settings.SoftDeleteDays = new(r.number("softDeleteRetentionPeriodInDays", soft.Days, maxSoftDelete))
	}
	if i := p.SecuritySettings.Immutability; i != nil {
		if i.State == "" {
			r.note("the state of immutabilitySettings is missing")
		}
		v.Settings.Immutability = firstOf(r.oneOf("immutabilitySettings.state", i.State, "Disabled", "Unlocked", "Locked"), "Disabled")
	}
	return v, r.misunderstood()
}

// oneOf is a word in the spelling of the documentation; "" = not said. The service says so with "Invalid" (docs/azure.md §33.33).
func (r *reading) oneOf(name string, f field, words ...string) string {
	word := spelt(r.word(name, f), append(words, "Invalid")...)
	switch {
	case word == "Invalid":
		return ""
	case word != "" && !slices.Contains(words, word):
		r.misread(name, f)
	}
	return word
}

// enabled is a switch; nil = not said.
func (r *reading) enabled(name string, f field) *bool {
	switch r.oneOf(name, f, "Enabled", "Disabled") {
	case "Enabled":
		return new(true)
	case "Disabled":
		return new(false)
	}
	return nil
}

// wireGuard is a resource guard proxy of a vault (docs/azure.md §6).
type wireGuard struct {
	ID         field `json:"id"`
	Properties struct {
		ResourceGuard field `json:"resourceGuardResourceId"`
	} `json:"properties"`
}
