package wire

import (
	"cmp"
	"strings"

	"github.com/azbackup/azbackup/plan"
)

// VaultBody is the part of a vault that this program writes (docs/azure.md §7.2). Nil fields are not sent.
type VaultBody struct {
	Location   string               `json:"location,omitempty"`
	SKU        *vaultSKU            `json:"sku,omitempty"`
	Tags       map[string]string    `json:"tags,omitempty"`
	Properties *vaultPropertiesBody `json:"properties,omitempty"`
}

type vaultSKU struct {
	Name string `json:"name"`
}

type vaultPropertiesBody struct {
	PublicNetworkAccess string             `json:"publicNetworkAccess,omitempty"`
	SecuritySettings    *vaultSecurityBody `json:"securitySettings,omitempty"`
	RedundancySettings  *vaultRedundancy   `json:"redundancySettings,omitempty"`
	Guards              *[]string          `json:"resourceGuardOperationRequests,omitempty"`
}

type vaultSecurityBody struct {
	Immutability *vaultImmutability `json:"immutabilitySettings,omitempty"`
	SoftDelete   *vaultSoftDelete   `json:"softDeleteSettings,omitempty"`
}

type vaultImmutability struct {
	State string `json:"state"`
}

type vaultSoftDelete struct {
	State string `json:"softDeleteState,omitempty"`
	Days  int    `json:"softDeleteRetentionPeriodInDays"`
}

// vaultRedundancy is sent whole or not at all: the service refuses half of it (docs/azure.md §7.3).
type vaultRedundancy struct {
	Standard    string `json:"standardTierStorageRedundancy"`
	CrossRegion string `json:"crossRegionRestore"`
}

// NameGuardRequests makes the body name the requests of resource guards, where it has properties that need them.
func (b *VaultBody) NameGuardRequests(ids []string) {
	if len(ids) > 0 && b.Properties != nil {
		b.Properties.Guards = &ids
	}
}

// NewVaultBody returns the PUT of a vault that does not exist.
func NewVaultBody(s plan.VaultSettings) VaultBody {
	b := NewVaultPatch(s, Vault{})
	b.Location = s.Location
	b.SKU = &vaultSKU{Name: "Standard"}
	if b.Properties == nil {
		b.Properties = &vaultPropertiesBody{}
	}
	if b.Properties.PublicNetworkAccess == "" {
		b.Properties.PublicNetworkAccess = "Enabled" // as in every recorded creation
	}
	return b
}

// NewVaultPatch returns the PATCH that gives a vault these settings; unset ones are not sent. now is the vault as it was
// read: the service takes some settings only together with others.
func NewVaultPatch(s plan.VaultSettings, now Vault) VaultBody {
	p := vaultPropertiesBody{PublicNetworkAccess: switchWord(s.PublicNetworkAccess)}
	if s.Redundancy != "" || s.CrossRegionRestore != nil {
		read := now.Properties.RedundancySettings
		p.RedundancySettings = &vaultRedundancy{
			Standard:    cmp.Or(s.Redundancy, knownWord(read.Standard)),
			CrossRegion: cmp.Or(switchWord(s.CrossRegionRestore), knownWord(read.CrossRegion), "Disabled"),
		}
	}
	var sec vaultSecurityBody
	if s.Immutability != "" {
		sec.Immutability = &vaultImmutability{State: s.Immutability}
	}
	if s.SoftDeleteDays != nil {
		sec.SoftDelete = &vaultSoftDelete{
			State: knownWord(now.Properties.SecuritySettings.SoftDelete.State), Days: *s.SoftDeleteDays,
		}
	}
	if sec != (vaultSecurityBody{}) {
		p.SecuritySettings = &sec
	}
	b := VaultBody{Tags: s.Tags}
	if p != (vaultPropertiesBody{}) {
		b.Properties = &p
	}
	return b
}

// knownWord returns a word that was read; the service's "Invalid" means that it is absent (docs/azure.md §33.33).
func knownWord(f Field) string {
	if strings.EqualFold(string(f), "Invalid") {
		return ""
	}
	return f.Text()
}

func switchWord(b *bool) string {
	switch {
	case b == nil:
		return ""
	case *b:
		return "Enabled"
	}
	return "Disabled"
}
