package audit

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/azbackup/azbackup/config"
	"github.com/azbackup/azbackup/internal/armid"
	"github.com/azbackup/azbackup/plan"
)

// codes holds all possible findings by code.
type codes map[string]CodeHelp

func newCodes() codes {
	c := codes{}
	for _, h := range Codes() {
		c[h.Code] = h
	}
	return c
}

// newFinding returns a finding with the defaults of its code, which the caller may change.
func (c codes) newFinding(code, target, format string, args ...any) Finding {
	h := c[code]
	return Finding{
		Code: code, Severity: h.Severity, State: h.State, Target: target, Message: fmt.Sprintf(format, args...),
		Hint: h.Hint, Controls: h.Controls, Fingerprint: fingerprint(code, target),
	}
}

func fingerprint(code, target string) string {
	sum := sha256.Sum256([]byte(code + "\n" + string(armid.Of(target))))
	return hex.EncodeToString(sum[:16])
}

func sortFindings(all []Finding) {
	sortInPlace(all, func(x, y *Finding) int {
		if n := cmp.Or(cmp.Compare(y.Severity.rank(), x.Severity.rank()), strings.Compare(x.Code, y.Code)); n != 0 {
			return n
		}
		return cmp.Or(armid.Compare(x.Target, y.Target), strings.Compare(x.Message, y.Message))
	})
}

// vmFindings returns the findings of a VM. A VM that is unknown, excluded or unsupported has no finding but that on its
// state: the others would rest on facts that are not known or do not matter.
func (a *assessor) vmFindings(v *evaluation) []Finding {
	var all []Finding
	add := func(code, because string) {
		all = append(all, a.vmFinding(v, code, because))
	}
	for _, f := range v.conditions {
		if v.row.State.IsLeftOut() && f.state != v.row.State {
			continue
		}
		if code := codeOf(v, f.state, a.opt); code != "" && !a.isAccepted(v, f.state) {
			add(code, f.because)
		}
	}
	if v.row.State.IsLeftOut() {
		return all
	}
	if v.class == classActive && v.item.Disks != nil && !wantsDisks(v.rule, v.item.Disks) {
		add(codeDisks, describeDisks(v.item.Disks))
	}
	if because := a.needsEnhanced(v); because != "" {
		add(codeNeedsEnhanced, because)
	}
	return append(all, a.restoreFindings(v.vm.ID)...)
}

// isAccepted reports whether a state of a VM needs no finding: another vault, where the rule accepts it; another policy,
// where the VM is in another vault, because that vault has policies of its own.
func (a *assessor) isAccepted(v *evaluation, s State) bool {
	if s != OtherVault && s != OtherPolicy || !v.hasCondition(OtherVault) || v.rule == nil {
		return false
	}
	return s == OtherPolicy || cmp.Or(v.rule.Elsewhere, a.config.Settings.Elsewhere) == "accept"
}

func codeOf(v *evaluation, s State, opt Options) string {
	switch s {
	case Unknown:
		return codeUnknown
	case Unsupported:
		return codeUnsupported
	case SoftDeleted:
		return codeSoftDeleted
	case Stopped:
		return codeStopped
	case Suspended:
		return codeSuspended
	case Unprotected:
		return codeUnprotected
	case Pending:
		if v.isRecreated {
			return codeRecreated
		}
		return codePending
	case Stale:
		return codeStale
	case Failing:
		if point := v.item.LastRecoveryPoint; !point.IsZero() && opt.Now.Sub(point) >= opt.FailingFor {
			return codeFailingLong
		}
		return codeFailing
	case OtherVault:
		return codeOtherVault
	case OtherPolicy:
		return codeOtherPolicy
	default: // excluded and protected need no action
		return ""
	}
}

func (a *assessor) vmFinding(v *evaluation, code, because string) Finding {
	f := a.codes.newFinding(code, v.vm.ID, "%s: %s", vmName(v.vm.ID), because)
	f.Evidence = a.evidenceOfVM(v.row)
	at := a.origin(v.rule)
	f.Rule, f.Position = at.rule, at.position
	if code == codeUnknown && v.hint != "" {
		f.Hint = v.hint
	}
	if code == codeStopped && v.rule != nil && v.rule.Protect == config.ProtectStopped {
		f.Severity, f.Hint = Info, "nothing: the file wants them stopped"
	}
	return f
}

func position(p config.Position) *config.Position {
	if p.File == "" {
		return nil
	}
	return &p
}

func wantsDisks(r *config.Rule, has *plan.Disks) bool {
	if r == nil || r.Disks == nil {
		return false
	}
	switch r.Disks.Kind {
	case config.DisksOSOnly:
		return has.Include && len(has.LUNs) == 0
	case config.DisksInclude:
		return has.Include && slices.Equal(sorted(has.LUNs), sorted(r.Disks.LUNs))
	case config.DisksExclude:
		return !has.Include && slices.Equal(sorted(has.LUNs), sorted(r.Disks.LUNs))
	default:
		return false
	}
}

func sorted(numbers []int) []int {
	s := slices.Clone(numbers)
	slices.Sort(s)
	return s
}

// evidenceOfVM returns the evidence for the state of a row, by name; nil where there is none.
func (a *assessor) evidenceOfVM(row VM) map[string]string {
	e := map[string]string{}
	put := func(name, value string) {
		if value != "" {
			e[name] = value
		}
	}
	put("vault", row.Vault)
	put("policy", row.Policy)
	put("protection_state", row.ProtectionState)
	put("last_backup_status", row.LastBackupStatus)
	put("health", row.Health)
	for name, t := range map[string]*time.Time{
		"last_recovery_point": row.LastRecoveryPoint, "last_backup": row.LastBackup, "purge_at": row.PurgeAt, "time_created": row.TimeCreated,
	} {
		if t != nil {
			put(name, t.Format(time.RFC3339))
		}
	}
	if row.Gap != nil {
		put("not_read", a.describeGap(*row.Gap))
		put("request_id", row.Gap.RequestID)
	}
	if len(e) == 0 {
		return nil
	}
	return e
}

// unreadVMs returns the VMs that a rule names by id and that were not read: unknown when a gap prevented reading them,
// a finding when Azure reports that they do not exist.
func (a *assessor) unreadVMs() ([]VM, []Finding) {
	if a.config == nil {
		return nil, nil
	}
	var rows []VM
	var found []Finding
	done := map[armid.Key]bool{}
	for i := range a.config.Rules {
		r := &a.config.Rules[i]
		key := armid.Of(r.ID)
		if r.ID == "" || a.items.wasRead(key) || done[key] || !a.config.Owns(armid.SubscriptionOf(r.ID)) {
			continue
		}
		done[key] = true
		gap, hidden := a.gaps.gapHidingVM(r.ID)
		switch {
		case a.missing[key]:
			f := a.codes.newFinding(codeNoSuchVM, r.ID, "%s: rule %s names it, and it does not exist", vmName(r.ID), r.Name)
			f.Rule, f.Position = a.origin(r).rule, a.origin(r).position
			found = append(found, f)
		case hidden:
			row, f := a.unreadVM(r, gap)
			rows, found = append(rows, row), append(found, f)
		}
	}
	return rows, found
}

// unreadVM returns the row and the finding of a VM of which only the id in the file is known.
func (a *assessor) unreadVM(r *config.Rule, gap plan.Gap) (VM, Finding) {
	id, err := armid.ParseVM(r.ID)
	if err != nil { // config rejects such an id
		id = armid.ID{Subscription: armid.SubscriptionOf(r.ID), Names: []string{lastName(r.ID)}}
	}
	v := &evaluation{
		rule: r, class: classNone,
		vm: plan.VM{ID: r.ID, Name: id.Name(), ResourceGroup: id.ResourceGroup, Subscription: id.Subscription},
	}
	v.row = a.newRow(v)
	v.row.Gap = &gap
	v.addCondition(Unknown, "%s could not be read", a.describeGap(gap))
	v.resolve()
	return v.row, a.vmFinding(v, codeUnknown, v.row.Because)
}

// orphans returns findings for items with recovery points whose VM does not exist. Where VMs may be hidden or the
// subscription was not read, no item is reported as an orphan.
func (a *assessor) orphans() []Finding {
	var found []Finding
	for _, it := range a.items.all {
		id, err := armid.ParseVM(it.VM)
		key := armid.Of(it.VM)
		if err != nil || a.items.wasRead(key) || it.LastRecoveryPoint.IsZero() || a.opt.Now.Sub(it.LastRecoveryPoint) < a.opt.ListLag {
			continue
		}
		if !a.missing[key] {
			if _, unseen := a.gaps.gapHidingVM(it.VM); unseen || !a.read[strings.ToLower(id.Subscription)] {
				continue
			}
		}
		f := a.codes.newFinding(codeOrphan, it.ID, "%s: its VM is not there, its recovery points in %s are (%s)", vmName(it.VM), lastName(it.Vault), describeItem(*it))
		f.Evidence = map[string]string{
			"vm": it.VM, "vault": it.Vault, "protection_state": it.State, "last_recovery_point": it.LastRecoveryPoint.UTC().Format(time.RFC3339),
		}
		found = append(found, f)
	}
	return found
}
