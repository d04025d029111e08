package audit

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/azbackup/azbackup/config"
	"github.com/azbackup/azbackup/internal/armid"
	"github.com/azbackup/azbackup/plan"
)

// condition is one state that holds for a VM, and the reason.
type condition struct {
	state   State
	because string
}

// evaluation collects the facts of one VM.
type evaluation struct {
	row        VM
	vm         plan.VM
	item       plan.Item
	class      itemClass
	rule       *config.Rule
	conditions []condition
	// hint is the advice for an unknown VM; "" = that of the code.
	hint string
	// isRecreated is true where the item's recovery points are those of an earlier VM of the same id.
	isRecreated bool
}

func (v *evaluation) addCondition(s State, format string, args ...any) {
	v.conditions = append(v.conditions, condition{s, fmt.Sprintf(format, args...)})
}

func (v *evaluation) hasCondition(s State) bool {
	return slices.ContainsFunc(v.conditions, func(f condition) bool { return f.state == s })
}

func (v *evaluation) addNote(format string, args ...any) {
	v.row.Notes = append(v.row.Notes, fmt.Sprintf(format, args...))
}

// evaluate returns the state of one VM and its findings.
func (a *assessor) evaluate(vm plan.VM) (VM, []Finding) {
	if vm.Unreadable != "" {
		return a.evaluateUnreadableVM(vm)
	}
	v := &evaluation{vm: vm, rule: a.matchRule(vm)}
	its := newVMItems(a.items.itemsOf(vm.ID))
	v.item, v.class = its.primary()
	v.row = a.newRow(v)

	a.evaluateUnreadable(v, its)
	if why := vm.WhyUnprotectable(v.rule, slices.Values(its.all)); why != "" {
		v.row.Reason = why
		v.addCondition(Unsupported, "Azure Backup is not for it: %s", why)
	}
	if v.rule != nil && v.rule.Protect == config.ProtectOff {
		v.row.Reason = v.rule.Reason
		v.addCondition(Excluded, "left alone by the file: %s", cmp.Or(v.rule.Reason, "rule "+v.rule.Name))
	}
	a.evaluateInactive(v, its)
	if v.class == classActive {
		a.evaluateActive(v)
	}
	a.addNotes(v, its)
	v.resolve()
	return v.row, a.vmFindings(v)
}

// evaluateUnreadableVM returns the row and the findings of a VM of which only the id was understood: no rule may be matched
// with it.
func (a *assessor) evaluateUnreadableVM(vm plan.VM) (VM, []Finding) {
	v := &evaluation{vm: plan.VM{ID: vm.ID, Name: vm.Name, ResourceGroup: vm.ResourceGroup, Subscription: vm.Subscription}, class: classNone}
	if items := newVMItems(a.items.itemsOf(vm.ID)); len(items.all) > 0 {
		v.item, v.class = items.primary()
	}
	v.row = a.newRow(v)
	if gap, ok := a.gaps.gapHidingVM(vm.ID); ok {
		v.row.Gap = &gap
	}
	v.hint = "run the audit again; if it stays, report what Azure answered"
	v.addCondition(Unknown, "what was read of it cannot be relied on: %s", vm.Unreadable)
	v.resolve()
	return v.row, a.vmFindings(v)
}

// resolve sets the state of the row and the other states from the conditions.
func (v *evaluation) resolve() {
	v.row.Also = []State{}
	first := true
	for _, s := range States() {
		i := slices.IndexFunc(v.conditions, func(f condition) bool { return f.state == s })
		switch {
		case i < 0:
		case first:
			v.row.State, v.row.Because, first = s, v.conditions[i].because, false
		default:
			v.row.Also = append(v.row.Also, s)
		}
	}
}

// evaluateUnreadable adds the conditions that make the state unknown. An item that was read as active decides, whatever
// else was not read: a VM is protected in one vault only (docs/azure.md §13).
func (a *assessor) evaluateUnreadable(v *evaluation, its vmItems) {
	switch {
	case its.hasClass[classActive]:
	case its.hasClass[classPartial]:
		v.hint = "give the identity Backup Reader on that vault, then run the audit again"
		v.addCondition(Unknown, "it is protected in %s, whose recovery points could not be read", lastName(v.item.Vault))
	case its.hasClass[classUnknown] && its.first(classUnknown).Unreadable != "":
		it := its.first(classUnknown)
		if gap, ok := a.gaps.status[armid.Of(v.vm.ID)]; ok {
			v.row.Gap = &gap
		}
		v.hint = "run the audit again; if it stays, report what Azure answered"
		v.addCondition(Unknown, "what was read of its item in %s cannot be relied on: %s", lastName(it.Vault), it.Unreadable)
	case its.hasClass[classUnknown]:
		v.hint = "look at the item in the vault: stop and resume its protection, or ask Azure support what the state means"
		it := its.first(classUnknown)
		v.addCondition(Unknown, "its item in %s is in state %q, which says neither yes nor no", lastName(it.Vault), it.State)
	default:
		a.evaluateHidden(v)
	}
}

// evaluateHidden adds a condition where an item of the VM may be hidden by a gap.
func (a *assessor) evaluateHidden(v *evaluation) {
	if gap, ok := a.gaps.gapHidingItem(v.vm); ok {
		v.row.Gap = &gap
		v.addCondition(Unknown, "%s could not be read, and it may be protected there", a.describeGap(gap))
		return
	}
	if since := a.opt.ReadSince; v.class == classNone && !since.IsZero() && v.vm.TimeCreated.After(since) {
		v.hint = "run the audit again"
		v.addCondition(Unknown, "it was created at %s, while azbackup was reading", formatStamp(v.vm.TimeCreated))
	}
}

// evaluateInactive evaluates VMs without an active item. A VM is unprotected only where all that could hold an item
// was read.
func (a *assessor) evaluateInactive(v *evaluation, its vmItems) {
	if its.hasClass[classActive] || its.hasClass[classPartial] {
		return
	}
	if its.hasClass[classSoftDeleted] {
		v.addCondition(SoftDeleted, "its backup data in %s was deleted%s", a.vaultOfClass(its, classSoftDeleted), purgeIn(v.row))
	}
	if its.hasClass[classStopped] {
		v.addCondition(Stopped, "its backups in %s are stopped, the data is kept", a.vaultOfClass(its, classStopped))
	}
	if its.hasClass[classSuspended] {
		v.addCondition(Suspended, "its backups in %s are suspended, recovery points still age out", a.vaultOfClass(its, classSuspended))
	}
	if v.class == classNone && !v.hasCondition(Unknown) {
		v.addCondition(Unprotected, "no vault that was read has an item for it")
	}
}

func (a *assessor) vaultOfClass(its vmItems, c itemClass) string { return lastName(its.first(c).Vault) }

func purgeIn(row VM) string {
	if row.DaysLeft == nil {
		return ""
	}
	return fmt.Sprintf(" and goes in %d d", *row.DaysLeft)
}

// evaluateActive adds the states of a VM that is being backed up.
func (a *assessor) evaluateActive(v *evaluation) {
	a.evaluateRecoveryPoint(v)
	switch {
	case equalFold(v.item.LastBackupStatus, "Failed"):
		v.addCondition(Failing, "its last backup failed%s", formatTime(v.item.LastBackup))
	case !isKnownEnd(v.item.LastBackupStatus):
		v.hint = "look at the item's last backup job"
		v.addCondition(Unknown, "its last backup ended as %q, which says neither yes nor no", v.item.LastBackupStatus)
	case plan.CanonicalWord(v.item.State) == plan.StateProtectionError:
		v.addCondition(Failing, "its item is in state ProtectionError")
	}
	if a.config != nil {
		a.evaluatePlacement(v)
	}
	if !slices.ContainsFunc(v.conditions, func(f condition) bool { return f.state != Unsupported && f.state != Excluded }) {
		v.addCondition(Protected, "last recovery point %s", formatStamp(v.item.LastRecoveryPoint))
	}
}

// isKnownEnd reports whether the status of a last backup is known not to be a failure; it is "" before the first
// backup.
func isKnownEnd(status string) bool {
	switch plan.CanonicalWord(status) {
	case "", "Completed", "CompletedWithWarnings", "InProgress", "Cancelled", "Cancelling":
		return true
	}
	return false
}

// evaluateRecoveryPoint adds pending, stale, or unknown. A recovery point that is older than the VM belongs to an earlier VM
// that had the same id; items do not contain the VM's own identity (docs/azure.md §10).
func (a *assessor) evaluateRecoveryPoint(v *evaluation) {
	point := v.item.LastRecoveryPoint
	switch {
	case point.Sub(a.opt.Now) > clockSlack:
		v.hint = "look at the clock of this machine and at the item's recovery points"
		v.addCondition(Unknown, "its last recovery point is of %s, which is still to come", formatStamp(point))
		return
	case point.IsZero():
		v.addCondition(Pending, "protected, but it has no recovery point yet")
		return
	case v.vm.TimeCreated.After(point):
		v.isRecreated = true
		v.addCondition(Pending, "it was created %s, after its last recovery point of %s: that one is of an earlier VM",
			formatStamp(v.vm.TimeCreated), formatStamp(point))
		return
	}
	fresh, old := a.allowedAge(v.item)
	v.row.MaxAgeSeconds = toSeconds(old)
	switch age := a.opt.Now.Sub(point); {
	case age > old:
		v.addCondition(Stale, "its last recovery point is %s old, allowed are %s", formatAge(age), formatAge(old))
	case v.row.Policy == "": // as the item of a VM whose backups are stopped (docs/azure.md §3)
		v.row.MaxAgeSeconds = toSeconds(a.opt.MaxAge)
		v.hint = "look at the item in the vault: stop and resume its protection, or ask Azure support what it means"
		v.addCondition(Unknown, "its item in %s is in state %q and names no policy, so that no backup need follow", lastName(v.item.Vault), v.item.State)
	case age > fresh:
		v.row.MaxAgeSeconds = 0
		if gap, ok := a.gaps.policies[armid.Of(v.item.Vault)]; ok {
			v.row.Gap = &gap
		}
		v.hint = "give the identity Backup Reader on that vault, or say --max-age"
		v.addCondition(Unknown, "its last recovery point is %s old, and the schedule of policy %q could not be read", formatAge(age), v.row.Policy)
	}
}

// allowedAge returns the age up to which a recovery point is fresh, and the age above which it is stale. They differ
// only where the schedule is unknown: then every possible schedule must agree.
func (a *assessor) allowedAge(it plan.Item) (fresh, old time.Duration) {
	if a.opt.MaxAge > 0 {
		return a.opt.MaxAge, a.opt.MaxAge
	}
	if p, ok := a.policies[armid.Of(it.PolicyID)]; ok && p.Unreadable == "" {
		if pause := maxBackupInterval(p.Spec.Schedule); pause > 0 {
			return pause + a.opt.Tolerance, pause + a.opt.Tolerance
		}
	}
	return minScheduleInterval + a.opt.Tolerance, maxScheduleInterval + a.opt.Tolerance
}

// evaluatePlacement adds other-vault and other-policy.
func (a *assessor) evaluatePlacement(v *evaluation) {
	vault := armid.Of(v.item.Vault)
	wants := v.rule != nil && v.rule.Protect == config.ProtectOn
	switch {
	case a.inFile[vault] == nil:
		v.addCondition(OtherVault, "it is protected in %s, a vault that the file does not name", lastName(v.item.Vault))
	case wants && !a.targetsFor(v).vaults[vault]:
		v.addCondition(OtherVault, "it is protected in %s, which is not a vault of rule %s", lastName(v.item.Vault), v.rule.Name)
	}
	if wants && !equalFold(v.row.Policy, v.rule.Policy) {
		v.addCondition(OtherPolicy, "its policy is %q, the file says %q", v.row.Policy, v.rule.Policy)
	}
}

// targetsKey identifies VMs that share their targets.
type targetsKey struct {
	class                  int // see [assessor.routeClass]
	subscription, location string
}

// routeClass returns one number for all rules that name the same vaults and the same policy. Such rules share targets,
// because there may be many rules and many vaults.
func (a *assessor) routeClass(r *config.Rule) int {
	class, known := a.classes[r]
	if !known {
		text := strings.Join(append([]string{r.Policy}, r.Vault...), "\n")
		class, known = a.classTexts[text]
		if !known {
			class = len(a.classTexts)
			a.classTexts[text] = class
		}
		a.classes[r] = class
	}
	return class
}

// targets are the vaults that a VM may go to.
type targets struct {
	vaults map[armid.Key]bool
	tier   string // tier of the rule's policy in the first vault that has it; "" = unknown
}

// targetsFor returns the vaults that the VM of a rule may go to. They are computed once for all VMs of one route class and
// one region.
func (a *assessor) targetsFor(v *evaluation) *targets {
	c := targetsKey{a.routeClass(v.rule), v.vm.Subscription, v.vm.Location}
	found, ok := a.targets[c]
	if !ok {
		found = &targets{vaults: map[armid.Key]bool{}}
		known := false
		for _, c := range a.config.Candidates(v.rule, v.vm.Subscription, v.vm.Location) {
			found.vaults[armid.Of(c.ID())] = true
			p, ok := a.policies[armid.Of(armid.Policy(c.ID(), v.rule.Policy))]
			isNear := equalFold(c.Subscription, v.vm.Subscription) // no other vault can take the VM
			if ok && isNear && p.Unreadable == "" && !known {
				found.tier, known = p.Spec.Tier, true
			}
		}
		a.targets[c] = found
	}
	return found
}

// addNotes adds the notes, which do not change the state.
func (a *assessor) addNotes(v *evaluation, its vmItems) {
	if v.rule != nil && v.rule.Protect == config.ProtectStopped {
		switch {
		case v.rule.Reason != "": // told of a VM that is stopped already, too
			v.addNote("rule %s wants its backups stopped: %s", v.rule.Name, v.rule.Reason)
		case v.class == classActive:
			v.addNote("rule %s wants its backups stopped", v.rule.Name)
		}
	}
	if v.class == classActive && v.item.Disks != nil {
		v.addNote("%s", describeDisks(v.item.Disks))
	}
	if equalFold(v.item.Health, "ActionRequired") {
		v.addNote("Azure says: action required")
	}
	for _, it := range its.all[min(1, len(its.all)):] {
		v.addNote("also has an item in %s: %s", lastName(it.Vault), describeItem(*it))
	}
}

func describeItem(it plan.Item) string {
	switch classOf(it) {
	case classUnknown:
		return cmp.Or(it.Unreadable, it.State)
	case classSoftDeleted:
		return "soft-deleted" + purgeDate(it)
	case classPartial:
		return "protected"
	default:
		return it.State
	}
}

func purgeDate(it plan.Item) string {
	if it.PurgeAt.IsZero() {
		return ""
	}
	return ", its data goes at " + formatStamp(it.PurgeAt)
}
