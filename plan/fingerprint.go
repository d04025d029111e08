package plan

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/azbackup/azbackup/internal/armid"
)

// writesConfiguration reports whether the fingerprint covers the changes of an action, which the operator approves. It
// leaves out an action that only the passing of time requires (backup, restore test) or that only prepares another change
// (refresh).
func writesConfiguration(a Action) bool {
	switch a {
	case CreateVault, UpdateVault, CreatePolicy, UpdatePolicy, Undelete, Protect, Modify, Resume, Stop, Restore:
		return true
	case Refresh, Backup, RestoreTest, Blocked, Unchanged, Excluded:
	}
	return false
}

// isAsked reports whether the operator approves changes of an action at the terminal: those that the fingerprint covers,
// and restore tests.
func isAsked(a Action) bool { return writesConfiguration(a) || a == RestoreTest }

// OfTests returns the plan with a fingerprint that covers its restore tests as well: for a plan that the operator requested
// for them. The fingerprint of a plan of the whole file leaves tests out, because time alone changes which are due.
func (p Plan) OfTests() Plan {
	p.Fingerprint = fingerprintOf(p.Changes, isAsked)
	return p
}

// CoversNothing reports whether the plan has no change that its fingerprint covers. All such plans have one fingerprint, so
// it approves nothing.
func (p Plan) CoversNothing() bool { return p.Fingerprint == "" || p.Fingerprint == fingerprint(nil) }

// Uncovered returns the backups and restore tests of the plan that its fingerprint does not cover; apply carries them out
// all the same.
func (p Plan) Uncovered() []Change {
	coversTests := p.Fingerprint == fingerprintOf(p.Changes, isAsked)
	var out []Change
	for _, c := range p.Changes {
		if isTimeDriven(c.Action) && (c.Action != RestoreTest || !coversTests) {
			out = append(out, c)
		}
	}
	return out
}

// fingerprint returns "sha256:…" over the changes that write configuration, in any order.
func fingerprint(changes []Change) string { return fingerprintOf(changes, writesConfiguration) }

func fingerprintOf(changes []Change, covers func(Action) bool) string {
	var lines []string
	for _, c := range changes {
		if covers(c.Action) {
			lines = append(lines, approvalForm(c))
		}
	}
	slices.Sort(lines)
	h := sha256.New()
	for _, line := range lines {
		h.Write([]byte(line))
		h.Write([]byte{'\n'})
	}
	return "sha256:" + hex.EncodeToString(h.Sum(nil))
}

// approvalForm returns all of a change that the operator approves: what it does, what the policies keep that its item
// leaves and goes to, and its risks. Tomorrow policies with the same ids may keep less, and even where the risk is the
// same one, the loss is not.
func approvalForm(c Change) string {
	parts := []string{canonicalChange(c)}
	for _, side := range []*State{c.Before, c.After} {
		if side != nil && len(side.Keeps) > 0 {
			parts = append(parts, fmt.Sprintf("%s: %q", armid.Of(side.Policy), side.Keeps))
		}
	}
	for _, r := range Risks() {
		if c.HasRisk(r) {
			parts = append(parts, string(r))
		}
	}
	return strings.Join(parts, " ")
}

// canonicalChange returns the identity of a change: action, target, vault, before and after, with ids folded. An item
// that got its first backup meanwhile is still the same active item. Disks that the write leaves unchanged are not
// part of it, nor is what policies keep: half of a plan that changes a policy may be done (see [retentionDrifts]).
func canonicalChange(c Change) string {
	before, after := c.Before.canonical(), c.After.canonical()
	if keepsDiskFilter(c) {
		before.dropDisks()
		after.dropDisks()
	}
	b, err := json.Marshal(struct {
		Action        Action
		Target, Vault armid.Key
		Before, After *State
		Restore       *RestoreOrder     `json:",omitempty"`
		Test          *RestoreTestOrder `json:",omitempty"`
	}{c.Action, armid.Of(c.Target), armid.Of(c.Vault), before, after, approvedOrder(c), approvedTest(c.Test)})
	if err != nil {
		return err.Error() // plain data always marshals
	}
	return string(b)
}

func (s *State) canonical() *State {
	if s == nil {
		return nil
	}
	e := *s
	if IsActive(e.State) {
		e.State = StateProtected
	}
	e.Policy, e.Disks, e.Keeps, e.LastGood = string(armid.Of(e.Policy)), e.Disks.normalize(), nil, nil
	return &e
}

// dropDisks removes the disks from a state that the caller owns.
func (s *State) dropDisks() {
	if s != nil {
		s.Disks = nil
	}
}
