package simtest

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/azbackup/azbackup/config"
	"github.com/azbackup/azbackup/internal/armid"
	"github.com/azbackup/azbackup/internal/audit"
	"github.com/azbackup/azbackup/internal/export"
	"github.com/azbackup/azbackup/plan"
)

// The three results for one VM, and the combinations that would be a contradiction. The states are those of the audit;
// "wants it backed up" is protect, modify, resume, undelete under a rule that protects, and backup.
//
//	audit          plan                                              export
//	unsupported    nothing that wants it backed up                   no rule
//	excluded       nothing                                           -
//	unknown        nothing, unless its item was seen active          -
//	unprotected    protect or nothing, or blocked                    no rule
//	soft-deleted   undelete, resume, protect, or blocked             -
//	stopped        resume or nothing, or blocked                     protect: stopped, or a comment
//	suspended      resume or nothing, or blocked                     protect: stopped, or a comment
//	backed up (*)  modify, stop, backup or nothing, or blocked       its vault, policy and disks, or a comment
//
//	(*) protected, pending, stale, failing, other-vault, other-policy
//
// Conversely: a VM to protect had no active item, a VM to modify or stop had one, and a plan reports "unsupported"
// only for VMs that are unsupported or unknown in the audit. Over an exported file the plan has nothing to do, no VM
// is under another policy or in another vault, and a VM without a rule has a comment, except the VMs without a backup.
func TestPlanAuditAndExportAgreeAboutEachVM(t *testing.T) {
	dir := t.TempDir()
	rapid.Check(t, func(t *rapid.T) {
		o := drawEstate(t)
		c := drawFile(t)
		compareAnswers(t, c, o)
		if len(o.Gaps) == 0 {
			compareWithExport(t, dir, o)
		}
	})
}

const agreeSub = "11111111-1111-1111-1111-111111111111"

var agreeNow = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)

// agreeVault returns the id of a vault. Generated files name every vault but "outside".
func agreeVault(name string) string { return armid.Vault(agreeSub, "rg-backup", name) }

func regionOfVault(name string) string {
	if name == "neu" {
		return "northeurope"
	}
	return "westeurope"
}

func drawEstate(t *rapid.T) plan.Observed {
	var o plan.Observed
	for _, name := range []string{"weu", "sibling", "neu", "outside"} {
		id := agreeVault(name)
		o.Vaults = append(o.Vaults, plan.Vault{
			ID: id, Name: name, Location: regionOfVault(name), InFile: name != "outside",
			Settings: plan.VaultSettings{Immutability: rapid.SampledFrom([]string{"Disabled", "Disabled", "Unlocked"}).Draw(t, "immutability")},
		})
		for _, p := range []string{"daily", "long"} {
			if rapid.IntRange(0, 5).Draw(t, "policyThere") == 0 {
				continue
			}
			o.Policies = append(o.Policies, plan.Policy{ID: armid.Policy(id, p), Name: p, Vault: id, Spec: plan.PolicySpec{
				Tier: rapid.SampledFrom([]string{"Enhanced", "Enhanced", "Standard"}).Draw(t, "tier"), TimeZone: "UTC", InstantRestoreDays: 2,
				Schedule:  plan.ScheduleSpec{Frequency: "Daily", At: "22:00"},
				Retention: plan.RetentionSpec{Days: map[string]int{"daily": 30, "long": 90}[p]},
			}, Unreadable: rapid.SampledFrom([]string{"", "", "", "", "a new kind"}).Draw(t, "policyUnreadable")})
		}
	}
	for i := range rapid.IntRange(1, 4).Draw(t, "vms") {
		vm := drawMachine(t, i)
		o.VMs = append(o.VMs, vm)
		for _, name := range rapid.SliceOfNDistinct(rapid.SampledFrom([]string{"weu", "sibling", "neu", "outside"}), 0, 2, rapid.ID[string]).Draw(t, "itemsIn") {
			it := drawProtection(t, vm, name)
			if isActive(it) && slices.ContainsFunc(o.Items, func(other plan.Item) bool { return armid.Same(other.VM, vm.ID) && isActive(other) }) {
				continue // Azure holds a VM in one vault only (docs/azure.md §13)
			}
			o.Items = append(o.Items, it)
		}
	}
	if rapid.IntRange(0, 3).Draw(t, "gap") == 0 {
		o.Gaps = append(o.Gaps, rapid.SampledFrom([]plan.Gap{
			{Kind: plan.GapItems, Subscription: agreeSub, Vault: agreeVault("weu")},
			{Kind: plan.GapItems, Subscription: agreeSub, Vault: agreeVault("outside")},
			{Kind: plan.GapVaults, Subscription: agreeSub},
			{Kind: plan.GapPolicies, Subscription: agreeSub, Vault: agreeVault("weu")},
			{Kind: plan.GapStatus, Subscription: agreeSub, Target: o.VMs[0].ID},
		}).Draw(t, "whichGap"))
	}
	return o
}

// isActive reports whether an item backs its VM up, or may.
func isActive(it plan.Item) bool { return !it.SoftDeleted && (it.Partial || plan.IsActive(it.State)) }

func drawMachine(t *rapid.T, i int) plan.VM {
	name := fmt.Sprintf("vm%d", i)
	vm := plan.VM{
		ID: armid.VM(agreeSub, "app", name), Name: name, ResourceGroup: "app", Subscription: agreeSub,
		Location:      rapid.SampledFrom([]string{"westeurope", "West Europe", "northeurope", "uksouth"}).Draw(t, "location"),
		Tags:          map[string]string{"app": rapid.SampledFrom([]string{"a", "b", "c", "d"}).Draw(t, "tag")},
		Unsupported:   rapid.SampledFrom([]string{"", "", "", "it is being deleted", "its OS disk is ephemeral"}).Draw(t, "unsupported"),
		NeedsEnhanced: rapid.SampledFrom([]string{"", "", "", "it has an Ultra disk"}).Draw(t, "needsEnhanced"),
		LargeDisks:    rapid.SampledFrom([][]int{nil, nil, {2}, {0, 2}}).Draw(t, "large"),
		TimeCreated:   agreeNow.AddDate(-1, 0, 0),
	}
	if rapid.IntRange(0, 5).Draw(t, "young") == 0 {
		vm.TimeCreated = agreeNow.Add(-time.Hour)
	}
	return vm
}

func drawProtection(t *rapid.T, vm plan.VM, vault string) plan.Item {
	id, err := armid.ParseVM(vm.ID)
	if err != nil {
		t.Fatal(err)
	}
	it := plan.Item{
		ID: armid.ProtectedItem(agreeVault(vault), id), Vault: agreeVault(vault), VM: vm.ID,
		State: rapid.SampledFrom([]string{
			plan.StateProtected, plan.StateProtected, plan.StateProtected, plan.StateIRPending, plan.StateProtectionError,
			plan.StateProtectionStopped, plan.StateBackupsSuspended, plan.StateProtectionPaused, "AWordOfTomorrow",
		}).Draw(t, "state"),
		LastBackupStatus:  rapid.SampledFrom([]string{"Completed", "Completed", "Failed"}).Draw(t, "lastBackup"),
		LastRecoveryPoint: rapid.SampledFrom([]time.Time{agreeNow.Add(-10 * time.Hour), agreeNow.Add(-10 * time.Hour), agreeNow.AddDate(0, 0, -9), {}}).Draw(t, "point"),
		Disks:             rapid.SampledFrom([]*plan.Disks{nil, nil, {LUNs: []int{2}}, {Include: true, LUNs: []int{0}}, {Include: true}}).Draw(t, "filter"),
	}
	policy := rapid.SampledFrom([]string{"daily", "daily", "long", "gone", ""}).Draw(t, "policy")
	if policy != "" {
		it.PolicyID, it.PolicyName = armid.Policy(it.Vault, policy), policy
	}
	switch rapid.IntRange(0, 9).Draw(t, "kind") {
	case 0:
		it.SoftDeleted, it.State, it.PolicyID, it.PolicyName = true, plan.StateProtectionStopped, "", ""
		it.DeletedAt, it.PurgeAt = agreeNow.AddDate(0, 0, -3), agreeNow.AddDate(0, 0, 11)
	case 1:
		it = plan.Item{ID: it.ID, Vault: it.Vault, VM: it.VM, PolicyName: policy, Partial: true}
	case 2:
		it.Unreadable = `"isInclusionList" is "?"`
	}
	if plan.IsStopped(it.State) {
		it.PolicyID, it.PolicyName = "", ""
	}
	return it
}

func drawFile(t *rapid.T) *config.Config {
	c := &config.Config{Version: 1, Subscriptions: []string{agreeSub}}
	for _, name := range []string{"weu", "sibling", "neu"} {
		manage := rapid.Bool().Draw(t, "manage")
		v := config.Vault{Name: name, Subscription: agreeSub, ResourceGroup: "rg-backup", Location: regionOfVault(name), Manage: manage}
		if manage {
			v.Unmatched = rapid.SampledFrom([]string{"report", "stop"}).Draw(t, "unmatched")
		}
		c.Vaults = append(c.Vaults, v)
	}
	c.Policies = []config.Policy{{Name: "daily"}, {Name: "long"}}
	for _, tag := range []string{"a", "b", "c"} {
		r := config.Rule{
			Name: tag, Match: []config.Selector{{Tags: map[string][]string{"app": {tag}}}},
			Protect: rapid.SampledFrom([]config.Protect{config.ProtectOn, config.ProtectOn, config.ProtectOn, config.ProtectStopped, config.ProtectOff}).Draw(t, "protect"),
		}
		if rapid.IntRange(0, 3).Draw(t, "byID") == 0 {
			r.ID, r.Match = armid.VM(agreeSub, "app", fmt.Sprintf("vm%d", rapid.IntRange(0, 3).Draw(t, "vm"))), nil
		}
		if r.Protect == config.ProtectOn {
			r.Policy = rapid.SampledFrom([]string{"daily", "long"}).Draw(t, "wantedPolicy")
			r.Spread = rapid.Bool().Draw(t, "spread")
			r.Elsewhere = rapid.SampledFrom([]string{"", "accept"}).Draw(t, "elsewhere")
			if rapid.Bool().Draw(t, "namesVault") {
				r.Vault = []string{rapid.SampledFrom([]string{"weu", "neu"}).Draw(t, "vault")}
			}
			r.Disks = rapid.SampledFrom([]*config.Disks{nil, nil, {Kind: config.DisksAll}, {Kind: config.DisksExclude, LUNs: []int{0, 2}}, {Kind: config.DisksOSOnly}}).Draw(t, "disks")
			if rapid.IntRange(0, 3).Draw(t, "backup") == 0 {
				r.Backup = &config.Backup{IfOlderThan: 24 * time.Hour}
			}
		}
		c.Rules = append(c.Rules, r)
	}
	c.Compile()
	return c
}

// planAndAudit holds the results of plan and audit for one VM, by its id.
type planAndAudit struct {
	planned map[armid.Key][]plan.Change
	judged  map[armid.Key]audit.VM
}

func planAndAuditOf(c *config.Config, o plan.Observed) planAndAudit {
	a := planAndAudit{planned: map[armid.Key][]plan.Change{}, judged: map[armid.Key]audit.VM{}}
	p := plan.Make(c, o, plan.Options{Now: agreeNow})
	for _, ch := range slices.Concat(p.Changes, p.Unchanged) {
		a.planned[armid.Of(ch.Target)] = append(a.planned[armid.Of(ch.Target)], ch)
	}
	for _, vm := range audit.Assess(c, o, audit.Options{Now: agreeNow, Subscriptions: []string{agreeSub}}).VMs {
		a.judged[armid.Of(vm.ID)] = vm
	}
	return a
}

// allowedActions returns the actions that a plan may have for a VM in each state of an audit, besides blocked and
// unchanged, which are always allowed.
func allowedActions(s audit.State) []plan.Action {
	switch s {
	case audit.Unsupported:
		return []plan.Action{plan.Stop, plan.Undelete}
	case audit.Excluded:
		return nil
	case audit.Unprotected:
		return []plan.Action{plan.Protect}
	case audit.SoftDeleted:
		return []plan.Action{plan.Undelete, plan.Resume, plan.Protect}
	case audit.Stopped, audit.Suspended:
		return []plan.Action{plan.Resume}
	case audit.Unknown, audit.Protected, audit.Pending, audit.Stale, audit.Failing, audit.OtherVault, audit.OtherPolicy:
		return []plan.Action{plan.Modify, plan.Stop}
	}
	return nil
}

func compareAnswers(t *rapid.T, c *config.Config, o plan.Observed) {
	a := planAndAuditOf(c, o)
	for _, vm := range o.VMs {
		key := armid.Of(vm.ID)
		row, changes := a.judged[key], a.planned[key]
		tell := func(format string, args ...any) {
			t.Fatalf("%s\naudit: %s, also %v: %s\nplan: %s", fmt.Sprintf(format, args...), row.State, row.Also, row.Because, describeChanges(changes))
		}
		active := slices.ContainsFunc(o.Items, func(it plan.Item) bool {
			return armid.Same(it.VM, vm.ID) && isActive(it)
		})
		if len(changes) == 0 {
			tell("the plan says nothing about %s", vm.Name)
		}
		i, ruled := c.Match(vm.Target())
		protects := ruled && c.Rules[i].Protect == config.ProtectOn
		for _, ch := range changes {
			if ch.Reason == plan.ReasonUnsupported && row.State != audit.Unsupported && row.State != audit.Unknown {
				tell("only the plan calls %s unsupported", vm.Name)
			}
			switch ch.Action {
			case plan.Blocked, plan.Unchanged:
				continue
			case plan.Backup: // belongs to the change it follows
				if row.State == audit.Unsupported || row.State == audit.Excluded {
					tell("a backup of %s", vm.Name)
				}
				continue
			case plan.Undelete:
				if row.State == audit.Unsupported && protects {
					tell("%s is brought back to be backed up", vm.Name)
				}
			default:
			}
			if !slices.Contains(allowedActions(row.State), ch.Action) {
				tell("%s is to be %s", vm.Name, ch.Action)
			}
			if (ch.Action == plan.Modify || ch.Action == plan.Stop) != active && ch.Action != plan.Undelete && ch.Action != plan.Resume && ch.Action != plan.Protect {
				tell("%s is to be %s, and has an active item: %t", vm.Name, ch.Action, active)
			}
		}
		if row.State == audit.Protected && protects && !slices.ContainsFunc(changes, leavesProtection) {
			tell("%s is protected, and the plan does something about more than its disks", vm.Name)
		}
		if row.State == audit.Unprotected && protects && slices.ContainsFunc(changes, func(ch plan.Change) bool { return ch.Action == plan.Unchanged }) {
			tell("%s has no backup, a rule wants one, and the plan is content", vm.Name)
		}
	}
}

// leavesProtection reports whether a change leaves vault and policy as they are.
func leavesProtection(ch plan.Change) bool {
	return ch.Action == plan.Unchanged || ch.Reason == plan.ReasonOtherDisks || ch.Action == plan.Blocked
}

func describeChanges(changes []plan.Change) string {
	var out []string
	for _, ch := range changes {
		out = append(out, fmt.Sprintf("%s %s: %s", ch.Action, ch.Wanted, ch.Because))
	}
	return strings.Join(out, "\n      ")
}

func compareWithExport(t *rapid.T, dir string, o plan.Observed) {
	r, err := export.Export(o, export.Options{
		GroupBy: rapid.SampledFrom([]string{"none", "tag:app", "resource-group"}).Draw(t, "groupBy"),
		Manage:  rapid.Bool().Draw(t, "exportManages"), Subscriptions: []string{agreeSub},
	})
	if err != nil {
		t.Fatal(err)
	}
	c, text := loadExported(t, dir, r)
	for i := range o.Vaults {
		o.Vaults[i].InFile = true
	}
	a := planAndAuditOf(c, o)
	for _, vm := range o.VMs {
		row, changes := a.judged[armid.Of(vm.ID)], a.planned[armid.Of(vm.ID)]
		tell := func(format string, args ...any) {
			t.Fatalf("%s\naudit: %s, also %v: %s\nplan: %s\n%s", fmt.Sprintf(format, args...), row.State, row.Also, row.Because, describeChanges(changes), text)
		}
		for _, ch := range changes {
			if ch.Action != plan.Unchanged {
				tell("over its own export the plan has something to do about %s", vm.Name)
			}
		}
		protect := config.Protect("")
		if i, ruled := c.Match(vm.Target()); ruled {
			protect = c.Rules[i].Protect
			if protect == config.ProtectOn {
				protect = "on"
			}
		}
		told := slices.ContainsFunc(r.Comments, func(s string) bool { return strings.Contains(s, vm.ID) })
		holds := append(slices.Clone(row.Also), row.State)
		switch row.State {
		case audit.Unsupported:
			if protect != "" || !told && slices.ContainsFunc(o.Items, func(it plan.Item) bool { return armid.Same(it.VM, vm.ID) }) {
				tell("%s is unsupported: the rule is %q, a comment says so: %t", vm.Name, protect, told)
			}
		case audit.Unprotected:
			if protect != "" {
				tell("%s has no backup, and a rule", vm.Name)
			}
		case audit.Stopped, audit.Suspended:
			if protect != config.ProtectStopped && !told {
				tell("%s is %s: the rule is %q", vm.Name, row.State, protect)
			}
		case audit.SoftDeleted, audit.Unknown:
			if protect == "" && !told {
				tell("%s is %s, without a rule or a comment", vm.Name, row.State)
			}
		default:
			if protect != "on" && !told {
				tell("%s is backed up: the rule is %q", vm.Name, protect)
			}
			if protect == "on" && (slices.Contains(holds, audit.OtherPolicy) || slices.Contains(holds, audit.OtherVault)) {
				tell("%s is not where its own export wants it", vm.Name)
			}
		}
	}
}
