package export

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/azbackup/azbackup/config"
	"github.com/azbackup/azbackup/internal/armid"
	"github.com/azbackup/azbackup/plan"
)

// Options say how the exported file is written.
type Options struct {
	// GroupBy is "none", "resource-group" or "tag:NAME".
	GroupBy string
	// Manage writes `manage: true` for the vaults and policies the format can say all of.
	Manage bool
	Cloud  config.Cloud
	Tenant string
	// Subscriptions are the scope that was read.
	Subscriptions []string
}

// Result is the exported config with what could not be said in it.
type Result struct {
	Config config.Config
	// Comments stand at the head of the file, one a line: what exists and is not under a rule, and why.
	Comments []string
}

// Export makes the config that reproduces o. The same input gives the same result, whatever its order.
// It fails only on options that make no sense.
func Export(o plan.Observed, opt Options) (Result, error) {
	by, err := parseGroupBy(opt.GroupBy)
	if err != nil {
		return Result{}, err
	}
	e := exporter{
		observed: o, options: opt, by: by,
		vaults:   map[armid.Key]plan.Vault{},
		policies: map[armid.Key]plan.Policy{},
		vms:      map[armid.Key]plan.VM{},
	}
	for _, v := range o.Vaults {
		e.vaults[armid.Of(v.ID)] = v
	}
	for _, p := range o.Policies {
		e.policies[armid.Of(p.ID)] = p
	}
	for _, vm := range o.VMs {
		e.vms[armid.Of(vm.ID)] = vm
	}
	e.run()
	return Result{Config: e.config, Comments: e.comments}, nil
}

type exporter struct {
	observed plan.Observed
	options  Options
	by       grouping
	vaults   map[armid.Key]plan.Vault
	policies map[armid.Key]plan.Policy
	vms      map[armid.Key]plan.VM
	used     map[armid.Key]bool // policies that an exported rule uses

	config   config.Config
	comments []string
}

func (e *exporter) run() {
	e.config = config.Config{Version: 1, Cloud: e.options.Cloud, Tenant: e.options.Tenant}
	e.config.Subscriptions = slices.Clone(e.options.Subscriptions)
	slices.Sort(e.config.Subscriptions)
	e.used = map[armid.Key]bool{}

	kept := e.treatments()
	e.config.Rules = e.rules(kept)
	e.config.Vaults = e.vaultEntries()
	e.config.Policies = e.policyEntries()
	for _, g := range e.observed.Gaps {
		e.note("not read: %s%s %s", g.Kind, where(g), g.Code)
	}
	slices.Sort(e.comments)
	e.comments = slices.Compact(e.comments)
}

func (e *exporter) note(format string, args ...any) {
	e.comments = append(e.comments, fmt.Sprintf(format, args...))
}

func where(g plan.Gap) string {
	for _, s := range []string{g.Target, g.Vault, g.Subscription} {
		if s != "" {
			return " of " + s
		}
	}
	return ""
}

// treatment is how one VM is backed up today; VMs with equal treatments may share a rule.
type treatment struct {
	vm      plan.VM
	vault   plan.Vault
	policy  string // name; "" when stopped
	disks   config.Disks
	stopped bool
}

// key is equal for treatments that one rule can express.
func (t treatment) key() string {
	return fmt.Sprintf("%s|%s|%v|%v|%t", armid.Of(t.vault.ID), strings.ToLower(t.policy), t.disks.Kind, t.disks.LUNs, t.stopped)
}

// treatments works out what each VM's items mean; what no rule can express becomes a comment.
func (e *exporter) treatments() []treatment {
	byVM := map[armid.Key][]plan.Item{}
	for _, it := range e.observed.Items {
		byVM[armid.Of(it.VM)] = append(byVM[armid.Of(it.VM)], it)
	}
	var all []treatment
	for key, items := range byVM {
		slices.SortFunc(items, func(a, b plan.Item) int {
			return cmp.Or(cmp.Compare(rank(a), rank(b)), cmp.Compare(armid.Of(a.ID), armid.Of(b.ID)))
		})
		if t, ok := e.treatment(key, items); ok {
			all = append(all, t)
		}
	}
	slices.SortFunc(all, func(a, b treatment) int { return cmp.Compare(armid.Of(a.vm.ID), armid.Of(b.vm.ID)) })
	return all
}

// The ranks of the items of one VM, in the order in which they decide: a plan's own. What is not known is never
// passed over for a lesser item, because a plan would block there.
const (
	rankActive = iota
	rankPartial
	rankUnknown
	rankResting // stopped or suspended
	rankDeleted
)

func rank(it plan.Item) int {
	switch {
	case it.Unreadable != "":
		return rankUnknown
	case it.SoftDeleted:
		return rankDeleted
	case it.Partial:
		return rankPartial
	case active(it):
		return rankActive
	case plan.IsStopped(it.State), plan.IsSuspended(it.State):
		return rankResting
	}
	return rankUnknown
}

func active(it plan.Item) bool {
	return it.Unreadable == "" && !it.SoftDeleted && plan.IsActive(it.State)
}

func (e *exporter) treatment(key armid.Key, items []plan.Item) (treatment, bool) {
	it := items[0]
	vm, known := e.vms[key]
	vault, inScope := e.vaults[armid.Of(it.Vault)]
	why := vm.Unprotectable(nil, func(yield func(*plan.Item) bool) {
		for i := range items {
			if !yield(&items[i]) {
				return
			}
		}
	})
	switch {
	case !known:
		e.note("no rule: %s has backup data in %s, but the machine does not exist or is not visible", it.VM, it.Vault)
	case !inScope || it.Partial:
		e.note("no rule: %s is protected in %s, which was not read", vm.ID, it.Vault)
	case vm.Unreadable != "":
		e.note("no rule: %s was not understood: %s", vm.ID, vm.Unreadable)
	case it.Unreadable != "":
		e.note("no rule: the item of %s in %s was not understood: %s", vm.ID, vault.Name, it.Unreadable)
	case it.SoftDeleted:
		e.note("no rule: %s is soft-deleted in %s; any rule would bring it back", vm.ID, vault.Name)
	case why != "":
		e.note("no rule: %s: %s", vm.ID, why)
	case active(it):
		return e.activeTreatment(vm, vault, it)
	case rank(it) == rankResting:
		return treatment{vm: vm, vault: vault, stopped: true}, true
	default:
		e.note("no rule: %s is in state %s in %s", vm.ID, it.State, vault.Name)
	}
	return treatment{}, false
}

func (e *exporter) activeTreatment(vm plan.VM, vault plan.Vault, it plan.Item) (treatment, bool) {
	policy, known := e.policies[armid.Of(it.PolicyID)]
	sameRegion := armid.Location(vm.Location) == armid.Location(vault.Location)
	sameSubscription := strings.EqualFold(vm.Subscription, armid.SubscriptionOf(vault.ID))
	switch {
	case !known:
		e.note("no rule: %s is protected in %s by a policy that was not found: %q", vm.ID, vault.Name, it.PolicyName)
		return treatment{}, false
	case !sameRegion || !sameSubscription:
		e.note("no rule: %s is protected in %s, which is in another region or subscription", vm.ID, vault.Name)
		return treatment{}, false
	}
	e.used[armid.Of(policy.ID)] = true
	return treatment{vm: vm, vault: vault, policy: policy.Name, disks: disks(it.Disks)}, true
}

func disks(d *plan.Disks) config.Disks {
	switch {
	case d == nil, !d.Include && len(d.LUNs) == 0:
		return config.Disks{Kind: config.DisksAll}
	case d.Include && len(d.LUNs) == 0:
		return config.Disks{Kind: config.DisksOSOnly}
	case d.Include:
		return config.Disks{Kind: config.DisksInclude, LUNs: slices.Sorted(slices.Values(d.LUNs))}
	}
	return config.Disks{Kind: config.DisksExclude, LUNs: slices.Sorted(slices.Values(d.LUNs))}
}
