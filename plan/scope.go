package plan

import (
	"slices"
	"strings"

	"github.com/azbackup/azbackup/config"
	"github.com/azbackup/azbackup/internal/armid"
)

// Scope lists what a run has to read. It is made from the config alone, so that discovery needs no config.
type Scope struct {
	Subscriptions []string // ids, sorted
	Vaults        []VaultRef
	// Names requests the display names of the subscriptions: the file lists several, of which a shard may have one.
	Names bool
	// Joins returns the reference to a vault outside Vaults that joins the file by a match; nil = none does.
	Joins func(Vault) (VaultRef, bool)
	// VMs are the ids of `id` rules: each that the list does not show is read by a GET of its own.
	VMs []string
	// Elsewhere requests where VMs of the file are protected outside its vaults: always for plan and apply.
	Elsewhere bool
	// AllVaults requests the items and policies of every vault of the subscriptions (audit, export).
	AllVaults bool
	// Graph reads the VMs of all subscriptions at once from Resource Graph: few requests, minutes to hours old
	// (audit).
	Graph bool
	// Hidden requests, besides AllVaults, whether there are vaults that the identity cannot see (audit).
	Hidden bool
	// Protectable requests the protectable items (needed by refresh: auto and always).
	Protectable bool
	// Guards requests the resource guards of all vaults of the file. A plan requests those it needs
	// ([MakeWithQuestions]).
	Guards bool
	// BackupJobsSince also requests the Backup jobs of that window (rules with `backup:`); 0 = none.
	BackupJobsSince Duration
	// DiskSizes requests the sizes of the disks of VMs (a plan with prices): they are in the lists, and take memory.
	DiskSizes bool
	// MinVMs is guards.minVMs: fewer VMs in a subscription are a gap; 0 = no minimum.
	MinVMs int
	// Found is the result of the search for the subscriptions, where the file does not list them: its gaps are gaps of the
	// run, and the subscriptions are not listed again.
	Found *FoundSubscriptions
	// IsEmptyShard is true where subscriptions were found and none of them is in the shard of the run: to read nothing is
	// no failure then.
	IsEmptyShard bool
}

// VaultRef names a vault of the file.
type VaultRef struct {
	ID       string
	Location string // as in the file, "" when not set
	Manage   bool
}

// ScopeOf returns what a plan for c has to read. It leaves AllVaults, Graph, Hidden, Guards, DiskSizes, Found and
// IsEmptyShard to the caller.
func ScopeOf(c *config.Config) Scope {
	s := Scope{Elsewhere: true, MinVMs: c.Settings.Guards.MinVMs}
	subs := slices.Clone(c.Subscriptions)
	for _, v := range c.Vaults {
		subs = append(subs, v.Subscription)
		s.Vaults = append(s.Vaults, VaultRef{ID: v.ID(), Location: v.Location, Manage: v.Manage})
	}
	if len(c.VaultMatches) > 0 {
		match := c.VaultMatcher()
		s.Joins = func(v Vault) (VaultRef, bool) {
			entry, ok := match(vaultTarget(v))
			return VaultRef{ID: v.ID, Location: v.Location, Manage: entry.Manage}, ok && v.Location != ""
		}
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
	s.Names = len(s.Subscriptions) > 1
	if c.SubscriptionQuery != nil {
		in := map[string]bool{}
		for _, id := range c.Subscriptions {
			in[strings.ToLower(id)] = true
		}
		s.keepTo(func(subscription string) bool { return in[strings.ToLower(subscription)] })
	}
	s.keepTo(c.Owns)
	s.VMs = uniqueIDs(s.VMs)
	slices.SortFunc(s.Vaults, func(a, b VaultRef) int { return compareIDs(a.ID, b.ID) })
	return s
}

// keepTo leaves out the subscriptions for which has returns false, and all vaults and VMs in them: nothing there is read.
// What the file names in a subscription that a query did not find is a gap ([ChooseSubscriptions]).
func (s *Scope) keepTo(has func(subscription string) bool) {
	s.Subscriptions = slices.DeleteFunc(s.Subscriptions, func(id string) bool { return !has(id) })
	s.Vaults = slices.DeleteFunc(s.Vaults, func(v VaultRef) bool { return !has(armid.SubscriptionOf(v.ID)) })
	s.VMs = slices.DeleteFunc(s.VMs, func(id string) bool { return !has(armid.SubscriptionOf(id)) })
}

// The values of the config that plan decides by.
const (
	unmatchedStop   = "stop"
	elsewhereAccept = "accept"
	refreshNever    = "never"
	refreshAlways   = "always"
)

// compareIDs orders ids by the resource they name, then by spelling.
func compareIDs(a, b string) int {
	if d := armid.Compare(a, b); d != 0 {
		return d
	}
	return strings.Compare(a, b)
}

// uniqueIDs sorts ids and keeps one spelling of each; it drops "".
func uniqueIDs(ids []string) []string {
	out := slices.DeleteFunc(slices.Clone(ids), func(s string) bool { return s == "" })
	slices.SortFunc(out, compareIDs)
	return slices.CompactFunc(out, armid.Same)
}
