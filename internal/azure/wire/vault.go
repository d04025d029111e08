package wire

import (
	"cmp"
	"slices"
	"strings"

	"github.com/azbackup/azbackup/internal/armid"
	"github.com/azbackup/azbackup/plan"
)

// Vault is a Recovery Services vault (docs/azure.md §7.2). Any sub-object may be null.
type Vault struct {
	tolerantRow
	ID         Field    `json:"id"`
	Name       Field    `json:"name"`
	Location   Field    `json:"location"`
	Tags       tagField `json:"tags"`
	Properties struct {
		ProvisioningState   Field `json:"provisioningState"`
		PublicNetworkAccess Field `json:"publicNetworkAccess"`
		SecuritySettings    struct {
			Immutability *struct {
				State Field `json:"state"`
			} `json:"immutabilitySettings"`
			SoftDelete softDeleteSettings `json:"softDeleteSettings"`
		} `json:"securitySettings"`
		RedundancySettings redundancySettings `json:"redundancySettings"`
	} `json:"properties"`
}

type softDeleteSettings struct {
	State Field `json:"softDeleteState"`
	Days  Field `json:"softDeleteRetentionPeriodInDays"`
}

type redundancySettings struct {
	Standard    Field `json:"standardTierStorageRedundancy"`
	CrossRegion Field `json:"crossRegionRestore"`
}

// ToPlan converts w to plan's type, under the requested id. The second value describes what was not understood.
func (w Vault) ToPlan(id string, inFile bool) (plan.Vault, string) {
	p, r := w.Properties, &fieldReader{}
	r.checkForm(w.tolerantRow)
	_, name := armid.CutName(strings.TrimRight(id, "/"))
	if said := w.Name.Text(); strings.EqualFold(said, name) {
		name = said
	}
	soft := p.SecuritySettings.SoftDelete
	v := plan.Vault{
		ID: id, Name: name, Location: r.required("location", w.Location), InFile: inFile,
		ProvisioningState: r.required("provisioningState", p.ProvisioningState),
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
			Quote(redundancy.Standard.Text()), Quote(redundancy.CrossRegion.Text()))
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
func (r *fieldReader) enumWord(name string, f Field, words ...string) string {
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
func (r *fieldReader) optionalSwitch(name string, f Field) *bool {
	switch r.enumWord(name, f, "Enabled", "Disabled") {
	case "Enabled":
		return new(true)
	case "Disabled":
		return new(false)
	}
	return nil
}

// ResourceGuard is a resource guard proxy of a vault (docs/azure.md §20).
type ResourceGuard struct {
	ID         Field `json:"id"`
	Properties struct {
		ResourceGuard Field `json:"resourceGuardResourceId"`
		Operations    []struct {
			Operation Field `json:"vaultCriticalOperation"`
			Request   Field `json:"defaultResourceRequest"`
		} `json:"resourceGuardOperationDetails"`
	} `json:"properties"`
}
