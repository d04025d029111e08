package audit

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/azbackup/azbackup/internal/armid"
)

// Comparison is the difference from an earlier result. For a VM whose state was unknown then, or is unknown now, no change
// of protection is proven: in BecameUnknown it is at most, or in Added or Removed.
type Comparison struct {
	At     time.Time `json:"at"` // when the baseline was made
	Before *float64  `json:"coverage_before"`
	After  *float64  `json:"coverage_after"`
	// Unprotected were covered and are not any more, and are counted; Protected were not covered and are.
	// BecameUnknown had a known state; a VM that was not read, and may exist, is among them.
	Unprotected   []Change `json:"newly_unprotected"`
	Protected     []Change `json:"newly_protected"`
	BecameUnknown []Change `json:"became_unknown"`
	// Added and Removed are VMs that only one of the two results has.
	Added   []Change `json:"added"`
	Removed []Change `json:"removed"`
}

// Change is the change of one VM since the baseline. A state is empty where that result does not have the VM.
type Change struct {
	ID     string `json:"id"`
	Before State  `json:"before,omitempty"`
	After  State  `json:"after,omitempty"`
}

// compare compares an earlier result with r, whose VMs are sorted, and returns a finding for each VM that lost coverage. A
// VM that r lacks is removed only where its subscription was audited and no gap can hide it.
func (a *assessor) compare(before, r Result) (Comparison, []Finding) {
	d := Comparison{
		At: before.Made.At, Before: before.Summary.Coverage,
		Unprotected: []Change{}, Protected: []Change{}, BecameUnknown: []Change{}, Added: []Change{}, Removed: []Change{},
	}
	old := map[armid.Key]VM{}
	for _, vm := range before.VMs {
		old[armid.Of(vm.ID)] = vm
	}
	var lost []Finding
	now := map[armid.Key]bool{}
	for _, vm := range r.VMs {
		now[armid.Of(vm.ID)] = true
		was, ok := old[armid.Of(vm.ID)]
		change := Change{ID: vm.ID, Before: was.State, After: vm.State}
		switch {
		case !ok:
			d.Added = append(d.Added, change)
		case was.State == Unknown:
		case vm.State == Unknown:
			d.BecameUnknown = append(d.BecameUnknown, change)
		case was.State.IsCovered() && !vm.State.IsCovered() && !vm.State.IsLeftOut():
			d.Unprotected = append(d.Unprotected, change)
			lost = append(lost, a.newLostFinding(vm, was, before.Made.At))
		case !was.State.IsCovered() && vm.State.IsCovered():
			d.Protected = append(d.Protected, change)
		}
	}
	for _, vm := range before.VMs {
		switch {
		case now[armid.Of(vm.ID)], a.opt.Shard != nil && !a.opt.Shard.Has(vm.Subscription):
		case a.provesAbsence(vm.ID):
			d.Removed = append(d.Removed, Change{ID: vm.ID, Before: vm.State})
		case vm.State != Unknown:
			d.BecameUnknown = append(d.BecameUnknown, Change{ID: vm.ID, Before: vm.State, After: Unknown})
		}
	}
	return d, lost
}

// provesAbsence reports whether a VM that was not read does not exist.
func (a *assessor) provesAbsence(id string) bool {
	if a.missing[armid.Of(id)] {
		return true
	}
	_, isHidden := a.gaps.gapHidingVM(id)
	return !isHidden && a.read[strings.ToLower(armid.SubscriptionOf(id))]
}

func (a *assessor) newLostFinding(vm, was VM, at time.Time) Finding {
	f := a.codes.newFinding(codeLost, vm.ID, "%s: it was %s at %s and is %s", vmName(vm.ID), was.State, formatStamp(at), vm.State)
	f.Evidence, f.Rule = a.evidenceOfVM(vm), vm.Rule
	return f
}

// markNew marks the findings that the baseline does not have.
func markNew(findings, before []Finding) {
	had := map[string]bool{}
	for _, f := range before {
		had[f.Fingerprint] = true
	}
	for i := range findings {
		findings[i].New = !had[findings[i].Fingerprint]
	}
}

// Read parses the JSON of an earlier result. Another format version is an error: a comparison with half of the content
// would show changes that did not happen. So is a document without VMs, such as a plan or what a shard writes that ended
// without a result: compared with it, no VM would have lost its coverage.
func Read(r io.Reader) (Result, error) {
	var result Result
	if err := json.NewDecoder(r).Decode(&result); err != nil {
		return Result{}, fmt.Errorf("reading audit: %w", err)
	}
	if result.FormatVersion != FormatVersion {
		return Result{}, fmt.Errorf("reading audit: its format_version is %q, not %q", result.FormatVersion, FormatVersion)
	}
	if result.VMs == nil {
		return Result{}, errors.New("reading audit: it is no result of an audit")
	}
	return result, nil
}
