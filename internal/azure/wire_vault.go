package azure

import (
	"cmp"
	"slices"
	"strings"

	"github.com/azbackup/azbackup/internal/armid"
	"github.com/azbackup/azbackup/plan"
)

// wireVault is a Recovery Services vault (docs/azure.md §7.2). Any sub-object may be null.
type wireVault struct {
	tolerantRow
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

// toVault converts w to plan's type, under the requested id. The second value describes what was not understood.
func (w wireVault) toVault(id string, inFile bool) (plan.Vault, string) {
	p, r := w.Properties, &fieldReader{}
	r.checkForm(w.tolerantRow)
	_, name := armid.CutName(strings.TrimRight(id, "/"))
	if said := w.Name.textOrEmpty(); strings.EqualFold(said, name) {
		name = said
	}
	soft := p.SecuritySettings.SoftDelete
	v := plan.Vault{
		ID: id, Name: name, Location: r.required("location", w.Location), InFile: inFile,
		ProvisioningState: r.word("provisioningState", p.ProvisioningState),
		SoftDeleteState:   r.enumWord("softDeleteState", soft.State, "Enabled", "Disabled", "AlwaysON"),
	}
	v.Settings = plan.VaultSettings{
		Redundancy: r.enumWord("standardTierStorageRedundancy", p.RedundancySettings.Standard,
			"LocallyRedundant", "ZoneRedundant", "GeoRedundant", "ReadAccessGeoZoneRedundant"),
		CrossRegionRestore:  r.optionalSwitch("crossRegionRestore", p.RedundancySettings.CrossRegion),
		Immutability:        "Disabled", // the meaning of absent settings (docs/azure.md §7.3)
		PublicNetworkAccess: r.optionalSwitch("publicNetworkAccess", p.PublicNetworkAccess),
		Tags:                r.tags(w.Tags, nil),
	}
	// A sub-object that is present must have its main field: half of it may mean anything.
	if redundancy := p.RedundancySettings; redundancy.Standard == "" && redundancy.CrossRegion != "" || v.Settings.Redundancy != "" && redundancy.CrossRegion == "" {
		r.addProblem("redundancySettings says standardTierStorageRedundancy %s and crossRegionRestore %s",
			quoted(redundancy.Standard.textOrEmpty()), quoted(redundancy.CrossRegion.textOrEmpty()))
	}
	if soft.State != "" && soft.Days == "" {
		r.addProblem("softDeleteRetentionPeriodInDays is missing")
	}
	if soft.Days != "" {
		v.Settings.SoftDeleteDays = new(r.number("softDeleteRetentionPeriodInDays", soft.Days, maxSoftDelete))
	}
	if i := p.SecuritySettings.Immutability; i != nil {
		if i.State == "" {
			r.addProblem("the state of immutabilitySettings is missing")
		}
		v.Settings.Immutability = cmp.Or(r.enumWord("immutabilitySettings.state", i.State, "Disabled", "Unlocked", "Locked"), "Disabled")
	}
	return v, r.describeProblems()
}

// enumWord returns a word in the documentation's spelling; "" = absent, for which the service also sends "Invalid"
// (docs/azure.md §33.33).
func (r *fieldReader) enumWord(name string, f field, words ...string) string {
	word := canonicalWord(r.word(name, f), append(words, "Invalid")...)
	switch {
	case word == "Invalid":
		return ""
	case word != "" && !slices.Contains(words, word):
		r.recordMisread(name, f)
	}
	return word
}

// optionalSwitch returns a switch; nil = absent.
func (r *fieldReader) optionalSwitch(name string, f field) *bool {
	switch r.enumWord(name, f, "Enabled", "Disabled") {
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
		Operations    []struct {
			Operation field `json:"vaultCriticalOperation"`
			Request   field `json:"defaultResourceRequest"`
		} `json:"resourceGuardOperationDetails"`
	} `json:"properties"`
}
