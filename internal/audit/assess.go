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

// Defaults of [Options].
const (
	// DefaultTolerance is how much later than scheduled a recovery point may be before its VM is stale: a backup
	// starts within two hours of its time (docs/azure.md §13) and the longest of the small ones that were measured
	// took two and a half (§5).
	DefaultTolerance = 6 * time.Hour
	// clockSlack is how far in the future a time may be: the clocks of the service's machines differ.
	clockSlack = 5 * time.Minute
	// GraphLag is how long Resource Graph may take to list a new VM or to remove a deleted one. The documentation says
	// minutes (docs/azure.md §10); this is the longest time that is known from reports.
	GraphLag = 30 * time.Hour
	// DefaultFailingFor is the age of the last recovery point from which a failing VM gets the more severe finding.
	DefaultFailingFor = 3 * 24 * time.Hour
)

// Options are the parameters of an audit.
type Options struct {
	// Now is the time to which ages are counted.
	Now time.Time
	// ReadSince is when reading began, by the service's clock: the first lists cannot show a VM that was created later.
	// Zero = unknown: no VM is treated as created during the read.
	ReadSince time.Time
	// ListLag is how old the VM list may be, for one that comes from Resource Graph: an item with a younger recovery
	// point is not reported as an orphan.
	ListLag time.Duration
	// Subscriptions are the ids of subscriptions to audit besides those of the file; the caller narrows them to the shard.
	Subscriptions []string
	// Shard is the part of the subscriptions that was read; nil = all. It equals that of the config, where there is one.
	Shard *config.Shard
	// MaxAge is the age at which a recovery point is stale; 0 = the policy's own frequency plus Tolerance.
	MaxAge     time.Duration
	Tolerance  time.Duration // how much later than scheduled a point may be; 0 = [DefaultTolerance]
	FailingFor time.Duration // as [DefaultFailingFor], which 0 stands for
	// MinRetention is the minimum time that a policy in use must keep daily (or weekly) points; 0 = not checked.
	MinRetention time.Duration
	// FailOn is copied to the result; it does not influence any verdict.
	FailOn Severity
	// Made describes the run. Assess sets the fields that these options determine.
	Made Provenance
	// Baseline is an earlier result to compare with, or nil.
	Baseline *Result
}

func (o Options) withDefaults() Options {
	o.Tolerance = cmp.Or(o.Tolerance, DefaultTolerance)
	o.FailingFor = cmp.Or(o.FailingFor, DefaultFailingFor)
	o.Now = o.Now.UTC()
	return o
}

// Assess returns the state of every VM, and the findings that need action. c may be nil: then no VM is excluded, and
// no vault or policy differs from the file's. It is pure and safe for concurrent use: the same arguments give the same
// result, in the same order, whatever the order of the reads.
func Assess(c *config.Config, o plan.Observed, opt Options) Result {
	a := newAssessor(c, o, opt.withDefaults())
	r := Result{
		FormatVersion: FormatVersion, Shard: opt.Shard, Made: a.newProvenance(), Scope: a.newScope(), VMs: make([]VM, 0, len(o.VMs)),
	}
	r.Gaps = sortGaps(slices.Concat(o.Gaps, a.settingGaps()))
	var found []Finding
	for _, vm := range o.VMs {
		row, findings := a.evaluate(vm)
		r.VMs = append(r.VMs, row)
		found = append(found, findings...)
	}
	rows, findings := a.unreadVMs()
	r.VMs = append(r.VMs, rows...)
	found = append(found, findings...)
	found = append(found, a.orphans()...)
	found = append(found, a.vaultFindings()...)
	found = append(found, a.policyFindings()...)
	found = append(found, a.leftDiskFindings()...)
	sortVMs(r.VMs)
	if opt.Baseline != nil {
		comparison, lost := a.compare(*opt.Baseline, r)
		r.Baseline = &comparison
		found = append(found, lost...)
		markNew(found, opt.Baseline.Findings)
	}
	tellLag(found, r.VMs, a.opt.ListLag)
	var tests *restoreTotals
	if a.tests != nil {
		tests = &restoreTotals{left: len(a.tests.left), inFlight: a.config.Settings.Limits.Restores}
	}
	return finish(r, found, tests)
}

// finish sorts the findings into r, whose VMs are sorted already, and adds the summary. tests is nil where the file has no
// restore tests.
func finish(r Result, found []Finding, tests *restoreTotals) Result {
	tellApart(found, r.Scope.Subscriptions)
	sortFindings(found)
	r.Findings = found
	r.Summary = summarize(r, tests.summarize(r.VMs))
	if r.Baseline != nil {
		r.Baseline.After = r.Summary.Coverage
	}
	return withEmptyLists(r)
}

// withEmptyLists replaces nil lists by empty ones, so that JSON has lists.
func withEmptyLists(r Result) Result {
	if r.Findings == nil {
		r.Findings = []Finding{}
	}
	if r.VMs == nil {
		r.VMs = []VM{}
	}
	if r.Gaps == nil {
		r.Gaps = []plan.Gap{}
	}
	return r
}

// assessor is the indexed input of one audit; it is not changed once made, except for its caches.
type assessor struct {
	config      *config.Config
	opt         Options
	observed    plan.Observed
	gaps        gaps
	items       itemIndex
	vaults      map[armid.Key]plan.Vault
	policies    map[armid.Key]plan.Policy
	inFile      map[armid.Key]*config.Vault
	missing     map[armid.Key]bool
	read        map[string]bool   // the subscriptions that were audited
	names       map[string]string // the display names of subscriptions, by folded id
	differences map[changeKey][]plan.Field
	defined     map[armid.Key]*config.Policy // the file's policies, by the id that they have in each vault
	codes       codes
	tests       *restoreTests           // nil = the file has none
	targets     map[targetsKey]*targets // cache, filled as VMs are evaluated
	classes     map[*config.Rule]int    // cache, filled likewise
	classTexts  map[string]int          // the class of each combination of policy and vaults
	origins     map[*config.Rule]origin // cache, filled likewise
}

// origin is the place of a rule in the file, shared by all VMs that the rule matches.
type origin struct {
	rule     *plan.RuleRef
	position *config.Position
}

func newAssessor(c *config.Config, o plan.Observed, opt Options) *assessor {
	if c != nil {
		own := plan.JoinVaults(c, o.Vaults) // a copy: c belongs to the caller, and may be built in code
		own.Compile()
		c = &own
	}
	drifts := planDifferences(c, o, opt) // first, so that its memory can be freed before the indexes are built
	a := &assessor{
		config: c, opt: opt, observed: o, differences: drifts,
		items:  newItemIndex(o),
		vaults: map[armid.Key]plan.Vault{}, policies: map[armid.Key]plan.Policy{}, inFile: map[armid.Key]*config.Vault{},
		missing: map[armid.Key]bool{}, read: map[string]bool{}, targets: map[targetsKey]*targets{},
		classes: map[*config.Rule]int{}, classTexts: map[string]int{},
		codes: newCodes(), tests: newRestoreTests(c, o, opt), origins: map[*config.Rule]origin{},
	}
	for _, v := range o.Vaults {
		a.vaults[armid.Of(v.ID)] = v
	}
	for _, p := range o.Policies {
		a.policies[armid.Of(p.ID)] = p
	}
	for _, id := range o.Missing {
		a.missing[armid.Of(id)] = true
	}
	for i := range o.VMs {
		a.read[strings.ToLower(o.VMs[i].Subscription)] = true
	}
	for _, id := range opt.Subscriptions {
		a.read[strings.ToLower(id)] = true
	}
	if c != nil {
		a.defined = definedPolicies(c)
		for i := range c.Vaults {
			a.inFile[armid.Of(c.Vaults[i].ID())] = &c.Vaults[i]
		}
		for _, id := range c.Subscriptions {
			if c.Owns(id) {
				a.read[strings.ToLower(id)] = true
			}
		}
	}
	a.names = o.DisplayNames()
	a.gaps = newGaps(sortGaps(o.Gaps), a.locationOf)
	return a
}

// locationOf returns the region of a vault, as read or else as in the file; "" when neither has it.
func (a *assessor) locationOf(vault string) string {
	key := armid.Of(vault)
	if v := a.vaults[key]; v.Location != "" {
		return v.Location
	}
	if v, ok := a.inFile[key]; ok {
		return v.Location
	}
	return ""
}

func (a *assessor) newProvenance() Provenance {
	m := a.opt.Made
	m.At = a.opt.Now
	m.MaxAge = toSeconds(a.opt.MaxAge)
	m.ListLag = toSeconds(a.opt.ListLag)
	m.Tolerance = toSeconds(a.opt.Tolerance)
	m.MinRetention = toSeconds(a.opt.MinRetention)
	m.FailOn = a.opt.FailOn
	return m
}

func (a *assessor) newScope() Scope {
	s := Scope{Files: []string{}, Subscriptions: []Subscription{}, LeftOut: []Subscription{}, Vaults: len(a.observed.Vaults)}
	if a.config != nil {
		s.Files = append(s.Files, a.config.Files...)
	}
	names := map[string]string{}
	for _, sub := range a.observed.Subscriptions {
		id := strings.ToLower(sub.ID)
		names[id] = sub.Name
		if !a.read[id] {
			s.LeftOut = append(s.LeftOut, Subscription{ID: id, Name: sub.Name})
		}
	}
	for id := range a.lostSubscriptions(names) {
		s.Subscriptions = append(s.Subscriptions, Subscription{ID: id, Name: names[id]})
	}
	for id := range a.read {
		s.Subscriptions = append(s.Subscriptions, Subscription{ID: id, Name: names[id]})
	}
	s.sort()
	return s
}

// lostSubscriptions returns the subscriptions that belong to the audit and could not be read, and adds to names those that
// the baseline has of them. They stay in the scope, so that an audit with this one as its baseline asks for them as well.
func (a *assessor) lostSubscriptions(names map[string]string) map[string]bool {
	lost := map[string]bool{}
	for _, g := range a.observed.Gaps {
		if id := strings.ToLower(g.Subscription); g.Kind == plan.GapSubscription && id != "" && !a.read[id] {
			lost[id] = true
		}
	}
	for _, s := range a.observed.Subscriptions {
		delete(lost, strings.ToLower(s.ID)) // it is seen, and left out
	}
	if a.opt.Baseline != nil {
		for _, s := range a.opt.Baseline.Scope.Subscriptions {
			if id := strings.ToLower(s.ID); lost[id] && names[id] == "" {
				names[id] = s.Name
			}
		}
	}
	return lost
}

// matchRule returns the rule of the file for a VM, or nil.
func (a *assessor) matchRule(vm plan.VM) *config.Rule {
	if a.config == nil {
		return nil
	}
	i, ok := a.config.Match(vm.Target())
	if !ok {
		return nil
	}
	return &a.config.Rules[i]
}

// origin returns the place of a rule in the file; for no rule it is empty.
func (a *assessor) origin(r *config.Rule) origin {
	if r == nil {
		return origin{}
	}
	found, ok := a.origins[r]
	if !ok {
		found = origin{&plan.RuleRef{Name: r.Name, File: r.Pos.File, Line: r.Pos.Line}, position(r.Pos)}
		a.origins[r] = found
	}
	return found
}

func toSeconds(d time.Duration) int64 { return int64(d / time.Second) }

func sortVMs(vms []VM) {
	rank := map[State]int{}
	for i, s := range States() {
		rank[s] = i
	}
	sortInPlace(vms, func(x, y *VM) int {
		if x.State != y.State {
			return cmp.Compare(rank[x.State], rank[y.State])
		}
		return armid.Compare(x.ID, y.ID)
	})
}

// tellLag adds to each VM, and to each finding on a VM, a note on how far the list of VMs may be behind: it may still hold a
// deleted VM, lack a new one, and have old tags, which decide about the rule.
func tellLag(findings []Finding, vms []VM, lag time.Duration) {
	if lag <= 0 {
		return
	}
	note := fmt.Sprintf("listed by Resource Graph, up to %d hours behind", int(lag.Hours()))
	for i := range vms {
		vms[i].Notes = append(vms[i].Notes, note)
	}
	for i := range findings {
		if _, err := armid.ParseVM(findings[i].Target); err == nil {
			findings[i].Message += " (" + note + ")"
		}
	}
}
