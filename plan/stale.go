package plan

import (
	"cmp"
	"slices"
	"strings"

	"github.com/azbackup/azbackup/internal/armid"
)

// describeStale describes how a planned change differs from the approved one with the same id.
func describeStale(approved, now Change) string {
	var words []string
	if !armid.Same(approved.Vault, now.Vault) {
		words = append(words, "it would be in vault "+lastName(now.Vault)+", approved was "+lastName(approved.Vault))
	}
	if isItem(now.Action) {
		words = append(words, describeDrift("the machine was", ", and is now", approved.Before.describe(), now.Before.describe())...)
		words = append(words, describeDrift("approved was to make it", ", now it would be", approved.After.describe(), now.After.describe())...)
	} else {
		words = append(words, describeStaleFields(approved.Fields, now.Fields)...)
	}
	words = append(words, retentionDrifts(approved, now)...)
	for _, r := range Risks() {
		if now.HasRisk(r) && !approved.HasRisk(r) {
			words = append(words, "it got a risk that was not approved: "+string(r))
		}
	}
	return strings.Join(words, "; ")
}

func describeDrift(before, after, was, is string) []string {
	if was == is {
		return nil
	}
	return []string{before + " " + was + after + " " + is}
}

// describeStaleFields describes how the effect of a change on a policy or a vault differs from the approved one.
func describeStaleFields(approved, now []Field) []string {
	var words []string
	for _, f := range now {
		i := slices.IndexFunc(approved, func(a Field) bool { return a.Path == f.Path })
		switch {
		case i < 0:
			words = append(words, f.Path+" was not in the approved plan, and would now go from "+orNone(f.Before)+" to "+orNone(f.After))
		case approved[i] != f:
			words = append(words, f.Path+" was "+orNone(approved[i].Before)+", is now "+orNone(f.Before)+" (wanted "+orNone(f.After)+")")
		}
	}
	for _, f := range approved {
		if !slices.ContainsFunc(now, func(n Field) bool { return n.Path == f.Path }) {
			words = append(words, f.Path+" was "+orNone(f.Before)+", and is "+orNone(f.After)+" already")
		}
	}
	return words
}

func orNone(value string) string { return cmp.Or(value, "not there") }

// describe returns the state, policy and disks of an item in words.
func (s *State) describe() string {
	if s == nil || s.State == "" {
		return "without an item"
	}
	words := s.State
	if IsActive(s.State) {
		words = "backed up"
	}
	if s.Policy != "" {
		words += " by " + lastName(s.Policy)
	}
	if d := s.Disks.normalize(); d != nil {
		words += ", disks " + d.describe()
	}
	return words
}
