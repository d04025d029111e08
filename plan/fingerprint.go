package plan

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"slices"
	"strings"

	"github.com/azbackup/azbackup/internal/armid"
)

// writesConfiguration says whether the fingerprint covers an action: the changes that somebody approves.
// What only time asks for (backup) or what only helps another change (refresh) is left out.
func writesConfiguration(a Action) bool {
	switch a {
	case CreateVault, UpdateVault, CreatePolicy, UpdatePolicy, Undelete, Protect, Modify, Resume, Stop, Restore:
		return true
	case Refresh, Backup, Blocked, Unchanged, Excluded:
	}
	return false
}

// fingerprint is "sha256:…" over the changes that write configuration, in any order.
func fingerprint(changes []Change) string {
	var lines []string
	for _, c := range changes {
		if writesConfiguration(c.Action) {
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

// approvalForm is all of a change that somebody approves: what it is, and what it can cost. A change from one policy to
// another may cost something else tomorrow, though the ids of both are the same: when what the policies say has changed.
func approvalForm(c Change) string {
	parts := []string{canonicalChange(c)}
	for _, r := range Risks() {
		if c.HasRisk(r) {
			parts = append(parts, string(r))
		}
	}
	return strings.Join(parts, " ")
}

// canonicalChange is what makes two changes the same change: action, target, vault, before and after, with ids
// folded. An item that got its first backup meanwhile is still the same active item. Disks that stay as they are found
// are no part of it.
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
		Restore       *RestoreOrder `json:",omitempty"`
	}{c.Action, armid.Of(c.Target), armid.Of(c.Vault), before, after, approvedOrder(c.RestoreOrder)})
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

// dropDisks takes the disks out of a state that is ours alone.
func (s *State) dropDisks() {
	if s != nil {
		s.Disks = nil
	}
}
