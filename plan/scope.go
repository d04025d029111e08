package plan

import (
	"slices"
	"strings"

	"github.com/azbackup/azbackup/config"
	"github.com/azbackup/azbackup/internal/armid"
)

// Scope is what a run has to read: data made from the config alone, so that discovery needs no config.
type Scope struct {
	Subscriptions []string
	Vaults        []VaultRef
	// VMs are the ids of `id` rules: asked by GET when the list does not show them.
	VMs []string
	// Elsewhere asks where VMs of the file are protected outside its vaults: always for plan and apply.
	Elsewhere bool
	// AllVaults asks for the items and policies of every vault of the subscriptions (audit, export).
	AllVaults bool
	// Graph asks Resource Graph for the VMs of all subscriptions at once: few requests, minutes to hours old (audit).
	Graph bool
	// Hidden asks, beside AllVaults, whether there are vaults that the identity cannot see (audit).
	Hidden bool
	// Protectable asks for the protectable items (refresh: auto and always need to know).
	Protectable bool
	// Guards asks for the resource guards of all vaults of the file. A plan asks for those it needs ([MakeWithQuestions]).
	Guards bool
	// BackupJobsSince asks for Backup jobs of that window too (rules with `backup:`); 0 = none.
	BackupJobsSince Duration
	// MinVMs per subscription: fewer read is a gap.
	MinVMs int
}

// VaultRef names a vault of the file.
type VaultRef struct {
	ID       string
	Location string // as the file says, "" when it does not
	Manage   bool
}

// ScopeOf says what a plan for c has to read. AllVaults and Guards are left to the caller.
func ScopeOf(c *config.Config) Scope {
	s := Scope{Elsewhere: true, MinVMs: c.Settings.Guards.MinVMs}
	subs := slices.Clone(c.Subscriptions)
	for _, v := range c.Vaults {
		subs = append(subs, v.Subscription)
		s.Vaults = append(s.Vaults, VaultRef{ID: v.ID(), Location: v.Location, Manage: v.Manage})
	}
	for i := range c.Rules {
		r := &c.Rules[i]
		if r.ID != "" {
			s.VMs = append(s.VMs, r.ID)
		}
		protects := r.Protect != config.ProtectOff && r.Protect != config.ProtectStopped
		s.Protectable = s.Protectable || protects && c.Settings.Refresh != refreshNever
		if protects && r.Backup != nil {
			s.BackupJobsSince = max(s.BackupJobsSince, Duration(r.Backup.IfOlderThan))
		}
	}
	s.Subscriptions = uniqueIDs(subs)
	s.VMs = uniqueIDs(s.VMs)
	slices.SortFunc(s.Vaults, func(a, b VaultRef) int { return compareIDs(a.ID, b.ID) })
	return s
}

// The words of the config that plan decides by.
const (
	unmatchedStop   = "stop"
	elsewhereAccept = "accept"
	refreshNever    = "never"
	refreshAlways   = "always"
)

// compareIDs orders ids by what they name, then by spelling.
func compareIDs(a, b string) int {
	if d := strings.Compare(string(armid.Of(a)), string(armid.Of(b))); d != 0 {
		return d
	}
	return strings.Compare(a, b)
}

// uniqueIDs sorts ids and keeps one spelling of each; "" is dropped.
func uniqueIDs(ids []string) []string {
	out := slices.DeleteFunc(slices.Clone(ids), func(s string) bool { return s == "" })
	slices.SortFunc(out, compareIDs)
	return slices.CompactFunc(out, armid.Same)
}
