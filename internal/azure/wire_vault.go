package azure

import (
	"strings"

	"github.com/azbackup/azbackup/plan"
)

// wireVault is a Recovery Services vault (azure-api.md §7.2). Any sub-object may be null.
type wireVault struct {
	ID         string            `json:"id"`
	Name       string            `json:"name"`
	Location   string            `json:"location"`
	Tags       map[string]string `json:"tags"`
	Properties struct {
		ProvisioningState   string `json:"provisioningState"`
		PublicNetworkAccess string `json:"publicNetworkAccess"`
		SecuritySettings    struct {
			ImmutabilitySettings struct {
				State string `json:"state"`
			} `json:"immutabilitySettings"`
			SoftDeleteSettings wireSoftDelete `json:"softDeleteSettings"`
		} `json:"securitySettings"`
		RedundancySettings wireRedundancy `json:"redundancySettings"`
	} `json:"properties"`
}

type wireSoftDelete struct {
	State    string `json:"softDeleteState"`
	Days     *int   `json:"softDeleteRetentionPeriodInDays"`
	Enhanced string `json:"enhancedSecurityState"`
}

type wireRedundancy struct {
	Standard    string `json:"standardTierStorageRedundancy"`
	CrossRegion string `json:"crossRegionRestore"`
}

func (w wireVault) vault(id string, inFile bool) plan.Vault {
	p := w.Properties
	v := plan.Vault{
		ID: id, Name: w.Name, Location: w.Location, InFile: inFile,
		ProvisioningState: p.ProvisioningState,
		SoftDeleteState:   known(p.SecuritySettings.SoftDeleteSettings.State),
	}
	v.Settings = plan.VaultSettings{
		Redundancy:          known(p.RedundancySettings.Standard),
		CrossRegionRestore:  enabled(p.RedundancySettings.CrossRegion),
		SoftDeleteDays:      p.SecuritySettings.SoftDeleteSettings.Days,
		Immutability:        firstOf(known(p.SecuritySettings.ImmutabilitySettings.State), "Disabled"),
		PublicNetworkAccess: enabled(p.PublicNetworkAccess),
		Tags:                w.Tags,
	}
	return v
}

// known is a value of an enum; the service's "Invalid" means that it does not say (FACTS 33).
func known(s string) string {
	if strings.EqualFold(s, "Invalid") {
		return ""
	}
	return s
}

func enabled(s string) *bool {
	switch strings.ToLower(s) {
	case "enabled":
		return new(true)
	case "disabled":
		return new(false)
	}
	return nil
}

// wireGuard is a resource guard proxy of a vault (azure-api.md §6).
type wireGuard struct {
	ID         string `json:"id"`
	Properties struct {
		ResourceGuard string `json:"resourceGuardResourceId"`
	} `json:"properties"`
}
