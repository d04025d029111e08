package export

import (
	"fmt"
	"slices"
	"strings"

	"github.com/azbackup/azbackup/config"
	"github.com/azbackup/azbackup/internal/armid"
	"github.com/azbackup/azbackup/plan"
)

// Options control how the exported file is written.
type Options struct {
	// GroupBy is "resource-group" or "" (a rule for a whole resource group where all its VMs are treated alike),
	// "tag:NAME" (for a whole tag value first, then for resource groups), or "none" (each rule names its VMs).
	GroupBy string
	// Manage writes `manage: true` for the vaults and policies that the format can express completely.
	Manage bool
	Cloud  config.Cloud
	Tenant string
	// Subscriptions are the ids of the subscriptions that were read.
	Subscriptions []string
}

// Result is the exported config and its comments.
type Result struct {
	Config config.Config
	// Comments are lines for the head of the file, sorted: what was read and the file does not express, and why.
	Comments []string
}

// Export returns the config that reproduces o: a plan over it has nothing to do. It is pure, and safe for concurrent use; the
// order of what was read does not matter. The only error is an invalid [Options.GroupBy].
func Export(o plan.Observed, opt Options) (Result, error) {
	by, err := parseGroupBy(opt.GroupBy)
	if err != nil {
		return Result{}, err
	}
	e := exporter{
		observed: o, options: opt, grouping: by,
		vaults:       map[armid.Key]*plan.Vault{},
		policies:     map[armid.Key]*plan.Policy{},
		vms:          map[armid.Key]*plan.VM{},
		usedPolicies: map[armid.Key]bool{},
	}
	for i := range o.Vaults {
		keepFirst(e.vaults, &o.Vaults[i], func(v *plan.Vault) string { return v.ID })
	}
	for i := range o.Policies {
		keepFirst(e.policies, &o.Policies[i], func(p *plan.Policy) string { return p.ID })
	}
	for i := range o.VMs {
		keepFirst(e.vms, &o.VMs[i], func(v *plan.VM) string { return v.ID })
	}
	e.build()
	return Result{Config: e.config, Comments: e.comments}, nil
}

// keepFirst keeps, of two entries for one resource, the one whose id sorts first, as a plan does.
func keepFirst[T any](to map[armid.Key]*T, v *T, id func(*T) string) {
	if old, there := to[armid.Of(id(v))]; !there || id(v) < id(old) {
		to[armid.Of(id(v))] = v
	}
}

type exporter struct {
	observed     plan.Observed
	options      Options
	grouping     grouping
	vaults       map[armid.Key]*plan.Vault
	policies     map[armid.Key]*plan.Policy
	vms          map[armid.Key]*plan.VM
	usedPolicies map[armid.Key]bool // policies that an exported rule uses
	refs         references
	found        inventory

	config   config.Config
	comments []string
}

func (e *exporter) build() {
	e.config = config.Config{Version: 1, Cloud: e.options.Cloud, Tenant: e.options.Tenant}
	e.config.Subscriptions = slices.Clone(e.options.Subscriptions)
	slices.Sort(e.config.Subscriptions)

	e.refs = e.references()
	e.found = e.inventory()
	e.config.Rules = e.ruleEntries(e.treatments())
	e.config.Vaults = e.vaultEntries()
	e.config.Policies = e.policyEntries()
	for _, g := range e.observed.Gaps {
		e.addComment("not read: %s%s %s", g.Kind, describeGapPlace(g), g.Code)
	}
	slices.Sort(e.comments)
	e.comments = slices.Compact(e.comments)
}

func (e *exporter) addComment(format string, args ...any) {
	e.comments = append(e.comments, fmt.Sprintf(format, args...))
}

func describeGapPlace(g plan.Gap) string {
	for _, s := range []string{g.Target, g.Vault, g.Subscription} {
		if s != "" {
			return " of " + s
		}
	}
	return ""
}

// references are the names that the file uses for existing vaults and policies.
type references struct {
	vaults   map[armid.Key]string // the shortest of name, group/name and id that is unique
	policies map[string]string    // by folded name, the first spelling in order
}

func (e *exporter) references() references {
	r := references{vaults: make(map[armid.Key]string, len(e.vaults)), policies: map[string]string{}}
	called := map[string]int{}
	for _, v := range e.vaults {
		for _, name := range vaultNames(v) {
			called[strings.ToLower(name)]++
		}
	}
	for key, v := range e.vaults {
		names := vaultNames(v)
		i := slices.IndexFunc(names, func(name string) bool { return called[strings.ToLower(name)] == 1 })
		r.vaults[key] = names[max(i, 0)]
	}
	for _, p := range e.policies {
		folded := strings.ToLower(p.Name)
		if old, there := r.policies[folded]; !there || p.Name < old {
			r.policies[folded] = p.Name
		}
	}
	return r
}

// vaultNames returns the names of a vault, the shortest first.
func vaultNames(v *plan.Vault) []string {
	id, err := armid.ParseVault(v.ID)
	if err != nil {
		return []string{v.Name}
	}
	return []string{v.Name, id.ResourceGroup + "/" + v.Name, v.ID}
}

func (r references) vault(id string) string    { return r.vaults[armid.Of(id)] }
func (r references) policy(name string) string { return r.policies[strings.ToLower(name)] }
