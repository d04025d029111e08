package audit

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/azbackup/azbackup/config"
	"github.com/azbackup/azbackup/internal/armid"
	"github.com/azbackup/azbackup/plan"
)

// fact is one state that holds for a VM, and why.
type fact struct {
	state   State
	because string
}

// verdict gathers the facts of one VM.
type verdict struct {
	row   VM
	vm    plan.VM
	item  plan.Item
	kind  kind
	rule  *config.Rule
	facts []fact
	// hint replaces what the code of an unknown VM says to do.
	hint string
	// recreated: the item's recovery points are those of an earlier VM of the same id.
	recreated bool
}

func (v *verdict) hold(s State, format string, args ...any) {
	v.facts = append(v.facts, fact{s, fmt.Sprintf(format, args...)})
}

func (v *verdict) holds(s State) bool {
	return slices.ContainsFunc(v.facts, func(f fact) bool { return f.state == s })
}

func (v *verdict) note(format string, args ...any) {
	v.row.Notes = append(v.row.Notes, fmt.Sprintf(format, args...))
}

// judge says where one VM stands.
func (a *assessor) judge(vm plan.VM) (VM, []Finding) {
	if vm.Unreadable != "" {
		return a.judgeUnreadable(vm)
	}
	v := &verdict{vm: vm, rule: a.rule(vm)}
	its := newVMItems(a.items.of(vm.ID))
	v.item, v.kind = its.deciding()
	v.row = a.row(v)

	a.unreadable(v, its)
	if why := vm.WhyUnprotectable(v.rule, its.each); why != "" {
		v.row.Reason = why
		v.hold(Unsupported, "Azure Backup is not for it: %s", why)
	}
	if v.rule != nil && v.rule.Protect == config.ProtectOff {
		v.row.Reason = v.rule.Reason
		v.hold(Excluded, "left alone by the file: %s", cmp.Or(v.rule.Reason, "rule "+v.rule.Name))
	}
	a.resting(v, its)
	if v.kind == active {
		a.running(v)
	}
	a.remarks(v, its)
	v.settle()
	return v.row, a.vmFindings(v)
}

// judgeUnreadable is the verdict on a VM of which only the id was understood: no rule may be matched with it.
func (a *assessor) judgeUnreadable(vm plan.VM) (VM, []Finding) {
	v := &verdict{vm: plan.VM{ID: vm.ID, Name: vm.Name, ResourceGroup: vm.ResourceGroup, Subscription: vm.Subscription}, kind: noItem}
	if items := newVMItems(a.items.of(vm.ID)); len(items.all) > 0 {
		v.item, v.kind = items.deciding()
	}
	v.row = a.row(v)
	if gap, ok := a.gaps.machine(vm.ID); ok {
		v.row.Gap = &gap
	}
	v.hint = "run the audit again; if it stays, report what Azure answered"
	v.hold(Unknown, "what was read of it cannot be relied on: %s", vm.Unreadable)
	v.settle()
	return v.row, a.vmFindings(v)
}

// settle turns the facts into one state and the rest.
func (v *verdict) settle() {
	v.row.Also = []State{}
	first := true
	for _, s := range States() {
		i := slices.IndexFunc(v.facts, func(f fact) bool { return f.state == s })
		switch {
		case i < 0:
		case first:
			v.row.State, v.row.Because, first = s, v.facts[i].because, false
		default:
			v.row.Also = append(v.row.Also, s)
		}
	}
}

// unreadable finds what forbids a judgement. Items read as active settle the matter whatever else was not
// read: a VM is protected in one vault only (docs/azure.md §13).
func (a *assessor) unreadable(v *verdict, its vmItems) {
	switch {
	case its.has[active]:
	case its.has[partial]:
		v.hint = "give the identity Backup Reader on that vault, then run the audit again"
		v.hold(Unknown, "it is protected in %s, whose recovery points could not be read", lastName(v.item.Vault))
	case its.has[odd] && its.first(odd).Unreadable != "":
		it := its.first(odd)
		if gap, ok := a.gaps.status[armid.Of(v.vm.ID)]; ok {
			v.row.Gap = &gap
		}
		v.hint = "run the audit again; if it stays, report what Azure answered"
		v.hold(Unknown, "what was read of its item in %s cannot be relied on: %s", lastName(it.Vault), it.Unreadable)
	case its.has[odd]:
		v.hint = "look at the item in the vault: stop and resume its protection, or ask Azure support what the state means"
		it := its.first(odd)
		v.hold(Unknown, "its item in %s is in state %q, which says neither yes nor no", lastName(it.Vault), it.State)
	default:
		a.unseen(v)
	}
}

// unseen finds out whether an item of the VM may lie where nobody could look.
func (a *assessor) unseen(v *verdict) {
	if gap, ok := a.gaps.hides(v.vm); ok {
		v.row.Gap = &gap
		v.hold(Unknown, "%s could not be read, and it may be protected there", words(gap))
		return
	}
	if since := a.opt.ReadSince; v.kind == noItem && !since.IsZero() && v.vm.TimeCreated.After(since) {
		v.hint = "run the audit again"
		v.hold(Unknown, "it was created at %s, while azbackup was reading", stamp(v.vm.TimeCreated))
	}
}

// resting holds the states of a VM that is not being backed up. Unprotected is only said where everything that
// could hold an item was read.
func (a *assessor) resting(v *verdict, its vmItems) {
	if its.has[active] || its.has[partial] {
		return
	}
	if its.has[deleted] {
		v.hold(SoftDeleted, "its backup data in %s was deleted%s", a.vaultOfKind(its, deleted), goesIn(v.row))
	}
	if its.has[stopped] {
		v.hold(Stopped, "its backups in %s are stopped, the data is kept", a.vaultOfKind(its, stopped))
	}
	if its.has[suspended] {
		v.hold(Suspended, "its backups in %s are suspended, recovery points still age out", a.vaultOfKind(its, suspended))
	}
	if v.kind == noItem && !v.holds(Unknown) {
		v.hold(Unprotected, "no vault that was read has an item for it")
	}
}

func (a *assessor) vaultOfKind(its vmItems, k kind) string { return lastName(its.first(k).Vault) }

func goesIn(row VM) string {
	if row.DaysLeft == nil {
		return ""
	}
	return fmt.Sprintf(" and goes in %d d", *row.DaysLeft)
}

// running holds the states of a VM that is being backed up.
func (a *assessor) running(v *verdict) {
	a.freshness(v)
	switch {
	case equalFold(v.item.LastBackupStatus, "Failed"):
		v.hold(Failing, "its last backup failed%s", at(v.item.LastBackup))
	case !isKnownEnd(v.item.LastBackupStatus):
		v.hint = "look at the item's last backup job"
		v.hold(Unknown, "its last backup ended as %q, which says neither yes nor no", v.item.LastBackupStatus)
	case plan.CanonicalWord(v.item.State) == plan.StateProtectionError:
		v.hold(Failing, "its item is in state ProtectionError")
	}
	if a.config != nil {
		a.whereTheFileWantsIt(v)
	}
	if !slices.ContainsFunc(v.facts, func(f fact) bool { return f.state != Unsupported && f.state != Excluded }) {
		v.hold(Protected, "last recovery point %s", stamp(v.item.LastRecoveryPoint))
	}
}

// isKnownEnd says whether a last backup's status is one that is known not to be a failure; "" is said before the first.
func isKnownEnd(status string) bool {
	switch plan.CanonicalWord(status) {
	case "", "Completed", "CompletedWithWarnings", "InProgress", "Cancelled", "Cancelling":
		return true
	}
	return false
}

// freshness holds pending and stale. A recovery point that is older than the VM is one of an earlier VM that
// had the same id; items do not carry the VM's own identity (docs/azure.md §10).
func (a *assessor) freshness(v *verdict) {
	point := v.item.LastRecoveryPoint
	switch {
	case point.Sub(a.opt.Now) > clockSlack:
		v.hint = "look at the clock of this machine and at the item's recovery points"
		v.hold(Unknown, "its last recovery point is of %s, which is still to come", stamp(point))
		return
	case point.IsZero():
		v.hold(Pending, "protected, but it has no recovery point yet")
		return
	case v.vm.TimeCreated.After(point):
		v.recreated = true
		v.hold(Pending, "it was created %s, after its last recovery point of %s: that one is of an earlier VM",
			stamp(v.vm.TimeCreated), stamp(point))
		return
	}
	fresh, old := a.allowedAge(v.item)
	v.row.MaxAgeSeconds = seconds(old)
	switch age := a.opt.Now.Sub(point); {
	case age > old:
		v.hold(Stale, "its last recovery point is %s old, allowed are %s", span(age), span(old))
	case age > fresh:
		v.row.MaxAgeSeconds = 0
		if gap, ok := a.gaps.policies[armid.Of(v.item.Vault)]; ok {
			v.row.Gap = &gap
		}
		v.hint = "give the identity Backup Reader on that vault, or say --max-age"
		v.hold(Unknown, "its last recovery point is %s old, and the schedule of policy %q could not be read", span(age), v.row.Policy)
	}
}

// allowedAge is the age up to which a recovery point is fresh, and the age above which it is stale. They differ
// only where the schedule is not known: then every schedule the service can have must agree.
func (a *assessor) allowedAge(it plan.Item) (fresh, old time.Duration) {
	if a.opt.MaxAge > 0 {
		return a.opt.MaxAge, a.opt.MaxAge
	}
	if p, ok := a.policies[armid.Of(it.PolicyID)]; ok && p.Unreadable == "" {
		if pause := longestPause(p.Spec.Schedule); pause > 0 {
			return pause + a.opt.Tolerance, pause + a.opt.Tolerance
		}
	}
	return densest + a.opt.Tolerance, sparsest + a.opt.Tolerance
}

// whereTheFileWantsIt holds other-vault and other-policy.
func (a *assessor) whereTheFileWantsIt(v *verdict) {
	vault := armid.Of(v.item.Vault)
	wants := v.rule != nil && v.rule.Protect == config.ProtectOn
	switch {
	case a.inFile[vault] == nil:
		v.hold(OtherVault, "it is protected in %s, a vault that the file does not name", lastName(v.item.Vault))
	case wants && !a.targetsFor(v).vaults[vault]:
		v.hold(OtherVault, "it is protected in %s, which is not a vault of rule %s", lastName(v.item.Vault), v.rule.Name)
	}
	if wants && !equalFold(v.row.Policy, v.rule.Policy) {
		v.hold(OtherPolicy, "its policy is %q, the file says %q", v.row.Policy, v.rule.Policy)
	}
}

// targetsOf is all that the vaults depend on that a VM may go to.
type targetsOf struct {
	rule                   *config.Rule
	subscription, location string
}

// targets are the vaults that a VM may go to.
type targets struct {
	vaults map[armid.Key]bool
	tier   string // of the rule's policy in the first of them that has it; "" = not known
}

// targetsFor are the vaults that the VM of a rule may go to: found once for all VMs of the rule and the region.
func (a *assessor) targetsFor(v *verdict) *targets {
	k := targetsOf{v.rule, v.vm.Subscription, v.vm.Location}
	found, ok := a.targets[k]
	if !ok {
		found = &targets{vaults: map[armid.Key]bool{}}
		known := false
		for _, c := range a.config.Candidates(v.rule, v.vm.Subscription, v.vm.Location) {
			found.vaults[armid.Of(c.ID())] = true
			p, ok := a.policies[armid.Of(armid.Policy(c.ID(), v.rule.Policy))]
			if ok && p.Unreadable == "" && !known {
				found.tier, known = p.Spec.Tier, true
			}
		}
		a.targets[k] = found
	}
	return found
}

// remarks notes what does not change the state.
func (a *assessor) remarks(v *verdict, its vmItems) {
	if v.kind == active && v.rule != nil && v.rule.Protect == config.ProtectStopped {
		v.note("rule %s wants its backups stopped", v.rule.Name)
	}
	if v.kind == active && v.item.Disks != nil {
		v.note("%s", diskWords(v.item.Disks))
	}
	if equalFold(v.item.Health, "ActionRequired") {
		v.note("Azure says: action required")
	}
	for _, it := range its.all[min(1, len(its.all)):] {
		v.note("also has an item in %s: %s", lastName(it.Vault), itemWords(*it))
	}
}

func itemWords(it plan.Item) string {
	switch kindOf(it) {
	case odd:
		return firstOf(it.Unreadable, it.State)
	case deleted:
		return "soft-deleted" + purge(it)
	case partial:
		return "protected"
	default:
		return it.State
	}
}

func purge(it plan.Item) string {
	if it.PurgeAt.IsZero() {
		return ""
	}
	return ", its data goes at " + stamp(it.PurgeAt)
}
