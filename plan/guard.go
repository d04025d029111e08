package plan

import "slices"

// The flags that lift a guard. Each starts with --dangerous-.
const (
	FlagAllowStops            = "--dangerous-allow-stops"
	FlagAllowManyChanges      = "--dangerous-allow-many-changes"
	FlagAllowRetentionCut     = "--dangerous-allow-retention-cut"
	FlagAllowIrreversible     = "--dangerous-allow-irreversible"
	FlagAllowManyPolicyWrites = "--dangerous-allow-many-policy-writes"
	FlagAllowManyVaultChanges = "--dangerous-allow-many-vault-changes"
)

// Guard is one of the checks that judge a whole plan before its first write.
type Guard struct {
	Name string // as in [Refusal.Guard]
	Flag string // lifts it
	Help string // one line for the flag's help
}

// Guards lists them, in the order in which they refuse.
func Guards() []Guard {
	return []Guard{
		{"max-stops", FlagAllowStops, "allow more stops and reduced coverage than guards.maxStops"},
		{"max-changes", FlagAllowManyChanges, "allow more changes than guards.maxChanges"},
		{"reduces-retention", FlagAllowRetentionCut, "allow changes after which recovery points are pruned earlier"},
		{"irreversible", FlagAllowIrreversible, "allow changes that cannot be undone"},
		{"policy-writes", FlagAllowManyPolicyWrites, "allow more policy writes than the service takes in a day"},
		{"vault-changes", FlagAllowManyVaultChanges, "allow more protection changes in a vault than the service takes in a day"},
	}
}

// Refused lists the refusals that hold when the flags that are keys of lifted (with value true) are given.
func (p Plan) Refused(lifted map[string]bool) []Refusal {
	return slices.DeleteFunc(slices.Clone(p.Refusals), func(r Refusal) bool {
		return r.Flag != "" && lifted[r.Flag]
	})
}
