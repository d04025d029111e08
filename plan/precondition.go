package plan

import (
	"cmp"
	"maps"
	"strconv"
	"strings"
	"time"

	"github.com/azbackup/azbackup/internal/armid"
)

// Precondition compares the state right before a write with the change that was approved. Values that are written
// together are compared together: the state and policy of an item, its disk filter, the schedule and retention of a
// policy, each of its other fields, each setting of a vault. Each of them must be as approved or as wanted.
type Precondition struct {
	// IsConverged is true where there is nothing left to write.
	IsConverged bool
	// Drifts are the fields that are neither as approved nor as wanted; with any of them nothing may be written.
	Drifts []Drift
}

// Drift is a field that another client changed since the approval, with values in display form; "" = absent.
type Drift struct {
	Path     string // as in [Field]
	Approved string // the value before, as the plan showed it
	Now      string
	Wanted   string
}

// String returns "retention.days was 30, is now 90 (wanted 60)".
func (d Drift) String() string {
	said := func(s string) string { return cmp.Or(s, "not there") }
	return d.Path + " was " + said(d.Approved) + ", is now " + said(d.Now) + " (wanted " + said(d.Wanted) + ")"
}

// CheckItem compares an item with the approved change of it; nil = the vault has no such item. A backup, and a change
// that is not about an item, have no precondition.
func CheckItem(c Change, now *Item) Precondition {
	switch c.Action {
	case Undelete, Protect, Modify, Resume, Stop:
	case CreateVault, UpdateVault, CreatePolicy, UpdatePolicy, Refresh, Backup, Restore, RestoreTest, Blocked, Unchanged, Excluded:
		return Precondition{}
	}
	if isItemConverged(c, now) {
		return Precondition{IsConverged: true}
	}
	approved, wanted := cmp.Or(c.Before, &State{}), cmp.Or(c.After, &State{})
	is := &State{}
	if now != nil {
		is = stateOf(now)
		if !armid.Same(now.VM, c.Target) {
			return Precondition{Drifts: []Drift{{"vm", lastName(c.Target), lastName(now.VM), lastName(c.Target)}}}
		}
		if now.Unreadable != "" {
			return Precondition{Drifts: []Drift{{"state", approved.State, "not understood: " + now.Unreadable, wanted.State}}}
		}
	}
	var drifts []Drift
	if !isSameProtection(is, approved) && !isSameProtection(is, wanted) {
		if !isSameState(is.State, approved.State) {
			drifts = append(drifts, Drift{"state", approved.State, is.State, wanted.State})
		}
		if !armid.Same(is.Policy, approved.Policy) {
			drifts = append(drifts, Drift{"policy", lastName(approved.Policy), lastName(is.Policy), lastName(wanted.Policy)})
		}
	}
	if c.Action == Resume && IsStopped(approved.State) && IsStopped(is.State) && !c.HasRisk(RiskReducesRetention) && now.mayHavePoints() {
		// The resume was approved for an item without a recovery point that could be pruned.
		drifts = append(drifts, Drift{Path: "lastRecoveryPoint", Now: cmp.Or(formatTime(now.LastRecoveryPoint), "not known")})
	}
	asApproved := c.Before != nil && is.Disks.Equal(approved.Disks) // an item that did not exist had no disks to compare
	if now != nil && !keepsDiskFilter(c) && !asApproved && !is.Disks.Equal(wanted.Disks) {
		drifts = append(drifts, Drift{"disks", approved.Disks.describe(), is.Disks.describe(), wanted.Disks.describe()})
	}
	return Precondition{Drifts: drifts}
}

// formatTime returns a time for display; "" = zero.
func formatTime(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}

func isItemConverged(c Change, now *Item) bool {
	if now == nil || !armid.Same(now.VM, c.Target) {
		return false
	}
	if keepsDiskFilter(c) && c.After != nil {
		kept := *c.After
		kept.Disks = now.Disks
		c.After = &kept
	}
	return IsConverged(c, *now)
}

// isSameProtection compares state and policy, which together decide how long recovery points live. A stopped or
// soft-deleted item keeps its points whatever policy it names, and the service may name none.
func isSameProtection(a, b *State) bool {
	if !isSameState(a.State, b.State) {
		return false
	}
	return armid.Same(a.Policy, b.Policy) || a.class() == ItemStopped || a.class() == ItemSoftDeleted
}

// isSameState compares states as a plan does: all states with a schedule are equal.
func isSameState(a, b string) bool {
	return CanonicalWord(a) == CanonicalWord(b) || IsActive(a) && IsActive(b)
}

func (s *State) class() ItemClass {
	if s.State == "" {
		return NoItem
	}
	return (&Item{State: s.State, SoftDeleted: s.State == StateSoftDeleted}).Class()
}

// keepsDiskFilter reports whether a write leaves the disk filter unchanged.
func keepsDiskFilter(c Change) bool { return c.KeepDisks || c.Action == Stop || c.Action == Undelete }

// WithDisksKept returns the change for an item as it is now: where the file does not set disks, every write sends the
// current filter again. The note is set where the plan had read another filter.
func WithDisksKept(c Change, now Item) (_ Change, note string) {
	if !keepsDiskFilter(c) || c.After == nil || c.After.Disks.Equal(now.Disks) {
		return c, ""
	}
	note = "its disks were set to " + now.Disks.describe() + " meanwhile (the plan saw " + c.After.Disks.describe() + "), and stay so"
	after := *c.After
	after.Disks = now.Disks.normalize()
	c.After = &after
	if c.Before != nil {
		b := *c.Before
		b.Disks = after.Disks
		c.Before = &b
	}
	return c, note
}

// CheckPolicy compares a policy with the approved change of it; nil = the vault has none of this name. The second
// result is the spec to write: the policy as it is now with the change applied. Fields that the plan did not show as
// different are not compared and stay as they are now, except schedule and retention, which every write replaces.
func CheckPolicy(c Change, now *Policy) (Precondition, PolicySpec) {
	wanted := PolicySpec{}
	if c.After != nil && c.After.Spec != nil {
		wanted = c.After.Spec.normalize()
	}
	exists := c.Before != nil && c.Before.Spec != nil
	switch {
	case now == nil && !exists:
		return Precondition{}, wanted
	case now == nil:
		return Precondition{Drifts: []Drift{{"policy", "there", "", "there"}}}, wanted
	case now.Unreadable != "":
		return Precondition{Drifts: []Drift{{"policy", existenceText(exists), "something this program does not understand: " + now.Unreadable, "as the file says"}}}, wanted
	case !exists:
		// Another client has created it since the approval, so it is not written. Fields that the file does not set
		// may have any value.
		is := now.Spec.normalize()
		diff := DiffSpec(is, fillUnset(wanted, is))
		return Precondition{IsConverged: len(diff) == 0, Drifts: driftsWhereNone(diff)}, wanted
	}
	approved, is := c.Before.Spec.normalize(), now.Spec.normalize()
	dropUnshown(&approved, &wanted, is)
	p := Precondition{IsConverged: len(DiffSpec(wanted, is)) == 0, Drifts: driftsOf(DiffSpec(approved, is), DiffSpec(wanted, is))}
	if p.IsConverged {
		return Precondition{IsConverged: true}, wanted
	}
	if c.Risk == RiskNone && now.Items != 0 && specRisks(approved, wanted) != (risks{}) {
		// The risk of the change was approved for a policy that protects nothing.
		items := strconv.Itoa(now.Items)
		if now.Items == ItemsNotKnown {
			items = "not known"
		}
		p.Drifts = append(p.Drifts, Drift{"items", "0", items, "0"})
	}
	return p, wanted
}

func existenceText(exists bool) string {
	if exists {
		return "a policy that was understood"
	}
	return ""
}

// dropUnshown copies into both specs the current values of the fields in which approved and wanted do not differ, so
// that they are neither compared nor changed. Schedule and retention stay, with the fields that give them meaning.
func dropUnshown(approved, wanted *PolicySpec, now PolicySpec) {
	if approved.InstantRestoreDays == wanted.InstantRestoreDays {
		approved.InstantRestoreDays, wanted.InstantRestoreDays = now.InstantRestoreDays, now.InstantRestoreDays
	}
	if approved.Archive.describe() == wanted.Archive.describe() {
		approved.Archive, wanted.Archive = now.Archive, now.Archive
	}
	if approved.Consistency == wanted.Consistency {
		approved.Consistency, wanted.Consistency = now.Consistency, now.Consistency
	}
	if approved.InstantRestore.describe() == wanted.InstantRestore.describe() {
		approved.InstantRestore, wanted.InstantRestore = now.InstantRestore, now.InstantRestore
	}
}

// fillUnset returns the policy that a file wants, with the fields that it does not set as they are.
func fillUnset(wanted, is PolicySpec) PolicySpec {
	wanted.TimeZone = cmp.Or(wanted.TimeZone, is.TimeZone)
	wanted.InstantRestoreDays = cmp.Or(wanted.InstantRestoreDays, is.InstantRestoreDays)
	wanted.Archive = cmp.Or(wanted.Archive, is.Archive)
	wanted.InstantRestore = cmp.Or(wanted.InstantRestore, is.InstantRestore)
	return wanted
}

// driftsOf lists the fields that differ from the approved and from the wanted value. Schedule and retention are one
// document: all its differences from the approved value count, unless the whole is as wanted.
func driftsOf(fromApproved, fromWanted []Field) []Drift {
	wanted := map[string]Field{}
	pruning := false
	for _, f := range fromWanted {
		wanted[f.Path] = f
		pruning = pruning || isPruning(f.Path)
	}
	var out []Drift
	for _, f := range fromApproved {
		w, differs := wanted[f.Path]
		switch {
		case differs:
			out = append(out, Drift{f.Path, f.Before, f.After, w.Before})
		case pruning && isPruning(f.Path):
			out = append(out, Drift{f.Path, f.Before, f.After, f.After})
		}
	}
	return out
}

// isPruning reports whether a field of a policy belongs to the document that decides when points are made and pruned.
func isPruning(path string) bool {
	part, _, _ := strings.Cut(path, ".")
	return part == "tier" || part == "timeZone" || part == "schedule" || part == "retention"
}

// driftsWhereNone lists the present fields of a resource that was absent, unless they are as wanted.
func driftsWhereNone(diff []Field) []Drift {
	var out []Drift
	for _, f := range diff {
		out = append(out, Drift{Path: f.Path, Now: f.Before, Wanted: f.After})
	}
	return out
}

// CheckVault compares the settings of a vault with the approved change of them; nil = there is no such vault. Only
// settings that the change names are compared; of the tags, only those that it changes. The second result is the
// settings that the change wants to read back, the third all the tags to send: a PATCH replaces them as a whole, so
// the other tags are sent as they are now.
func CheckVault(c Change, now *VaultSettings) (p Precondition, wanted VaultSettings, tags map[string]string) {
	if c.After != nil && c.After.Vault != nil {
		wanted = *c.After.Vault
	}
	exists := c.Before != nil && c.Before.Vault != nil
	switch {
	case now == nil && !exists:
		return Precondition{}, wanted, wanted.Tags
	case now == nil:
		return Precondition{Drifts: []Drift{{"vault", "there", "", "there"}}}, wanted, wanted.Tags
	case !exists:
		diff := DiffVault(*now, wanted)
		return Precondition{IsConverged: len(diff) == 0, Drifts: driftsWhereNone(diff)}, wanted, wanted.Tags
	}
	approved := *c.Before.Vault
	if wanted.Tags != nil {
		wanted.Tags = changedTags(approved.Tags, wanted.Tags)
		tags = mergeTags(now.Tags, wanted.Tags)
	}
	diff := DiffVault(*now, wanted)
	for _, f := range diff {
		if was := settingOf(approved, f.Path); !strings.EqualFold(was, f.Before) || isTag(f.Path) && was != f.Before {
			p.Drifts = append(p.Drifts, Drift{f.Path, was, f.Before, f.After})
		}
	}
	p.IsConverged = len(diff) == 0
	return p, wanted, tags
}

// changedTags returns the tags that a change sets.
func changedTags(before, after map[string]string) map[string]string {
	out := maps.Clone(after)
	maps.DeleteFunc(out, func(name, value string) bool {
		old, there := tagValue(before, name)
		return there && old == value
	})
	return out
}

func isTag(path string) bool { return strings.HasPrefix(path, "tags.") }

// settingOf returns the value of a setting in the form of [DiffVault]; path is that of its [Field].
func settingOf(s VaultSettings, path string) string {
	switch path {
	case "location":
		return s.Location
	case "redundancy":
		return s.Redundancy
	case "crossRegionRestore":
		return describeBool(s.CrossRegionRestore)
	case "softDeleteDays":
		return describeInt(s.SoftDeleteDays)
	case "immutability":
		return s.Immutability
	case "publicNetworkAccess":
		return describeBool(s.PublicNetworkAccess)
	}
	name, _ := strings.CutPrefix(path, "tags.")
	value, _ := tagValue(s.Tags, name)
	return value
}
