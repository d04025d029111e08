package audit

import (
	"encoding/json"
	"fmt"
)

// Summary counts VMs and findings. In JSON the states are next to the other keys, each under its own name
// (docs/design.md §7), all of them also when zero.
type Summary struct {
	VMs    int
	States map[State]int
	// Covered is the number of VMs that are protected, other-policy or other-vault; Counted of all VMs but unknown,
	// excluded and unsupported ones.
	Covered int
	Counted int
	// Coverage is Covered / Counted, from 0 to 1; nil where no VM is counted.
	Coverage *float64
	Findings map[Severity]int
	Orphans  int
	Gaps     int
	// Complete is false when something could not be read.
	Complete bool
	// RestoreProven sums up the restore tests; nil where there are none.
	RestoreProven *RestoreSummary
}

func summarize(r Result, restores *RestoreSummary) Summary {
	s := Summary{
		VMs: len(r.VMs), States: map[State]int{}, Findings: map[Severity]int{}, Gaps: len(r.Gaps),
		RestoreProven: restores,
	}
	for _, vm := range r.VMs {
		s.States[vm.State]++
		if vm.State.IsCovered() {
			s.Covered++
		}
		if !vm.State.IsLeftOut() {
			s.Counted++
		}
	}
	for _, f := range r.Findings {
		s.Findings[f.Severity]++
		if f.Code == codeOrphan {
			s.Orphans++
		}
	}
	if s.Counted > 0 {
		coverage := float64(s.Covered) / float64(s.Counted)
		s.Coverage = &coverage
	}
	s.Complete = s.Gaps == 0 && s.States[Unknown] == 0 && !s.isProofUnknown()
	return s
}

// summaryKeys are the keys of a summary's JSON that are not states.
type summaryKeys struct {
	VMs      int              `json:"vms"`
	Covered  int              `json:"covered"`
	Counted  int              `json:"counted"`
	Coverage *float64         `json:"coverage"`
	Complete bool             `json:"complete"`
	Gaps     int              `json:"gaps"`
	Orphans  int              `json:"orphans"`
	Findings map[Severity]int `json:"findings"`

	RestoreProven *RestoreSummary `json:"restore_proven,omitempty"`
}

// isProofUnknown reports whether something that may prove a restore was not read.
func (s Summary) isProofUnknown() bool { return s.RestoreProven != nil && s.RestoreProven.Unknown > 0 }

// MarshalJSON writes the states next to the other keys.
func (s Summary) MarshalJSON() ([]byte, error) {
	keys := summaryKeys{
		VMs: s.VMs, Covered: s.Covered, Counted: s.Counted, Coverage: s.Coverage, Complete: s.Complete,
		Gaps: s.Gaps, Orphans: s.Orphans, Findings: map[Severity]int{}, RestoreProven: s.RestoreProven,
	}
	for _, severity := range Severities() {
		keys.Findings[severity] = s.Findings[severity]
	}
	out, err := json.Marshal(keys)
	if err != nil {
		return nil, err
	}
	out = out[:len(out)-1]
	for _, state := range States() {
		out = fmt.Appendf(out, ",%q:%d", state, s.States[state])
	}
	return append(out, '}'), nil
}

// UnmarshalJSON parses the output of MarshalJSON; unknown keys are ignored.
func (s *Summary) UnmarshalJSON(data []byte) error {
	var keys summaryKeys
	if err := json.Unmarshal(data, &keys); err != nil {
		return err
	}
	var all map[string]json.RawMessage
	if err := json.Unmarshal(data, &all); err != nil {
		return err
	}
	*s = Summary{
		VMs: keys.VMs, Covered: keys.Covered, Counted: keys.Counted, Coverage: keys.Coverage,
		Complete: keys.Complete, Gaps: keys.Gaps, Orphans: keys.Orphans, Findings: map[Severity]int{},
		States: map[State]int{}, RestoreProven: keys.RestoreProven,
	}
	for severity, n := range keys.Findings {
		if n > 0 {
			s.Findings[severity] = n
		}
	}
	for _, state := range States() {
		var n int
		if raw, ok := all[string(state)]; ok {
			if err := json.Unmarshal(raw, &n); err != nil {
				return fmt.Errorf("reading summary.%s: %w", state, err)
			}
		}
		if n > 0 {
			s.States[state] = n
		}
	}
	return nil
}
