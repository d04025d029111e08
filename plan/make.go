package plan

import (
	"slices"
	"strings"
	"time"

	"github.com/azbackup/azbackup/config"
	"github.com/azbackup/azbackup/internal/armid"
)

// Options are the inputs of a plan besides the config and the observed state.
type Options struct {
	// Now is the time of the plan.
	Now time.Time
	// Filters narrows the plan: values of one key are alternatives, different keys must all hold.
	Filters []TargetFilter
	// SkipTests leaves out the restore tests (`--skip restore-tests`).
	SkipTests bool
	// Brief leaves [Plan.Unchanged] and [Plan.Compared] out; the entries are still counted. In a large estate they are most
	// of a plan and rarely needed.
	Brief bool
	// Prices are the prices for the estimate of costs; nil = no estimate is made.
	Prices *config.Prices
	// Zone returns a time zone by its Windows name, for [Explain]; a nil function or result means that the zone is
	// unknown. Loading zones is I/O, so the caller does it.
	Zone func(windows string) *time.Location
}

// Make returns the plan: the difference between what the file wants and what was read. It changes neither, and the
// order of what was read does not matter. [Validate] accepts the plan: cycles and missing needs can only come from a
// fault in this package, and the executor checks for them.
func Make(c *config.Config, o Observed, opt Options) Plan {
	p, _ := MakeWithQuestions(c, o, opt)
	return p
}

// MaxRounds is how often at most a plan is made again with the reads that it requests. It requests the resource guards,
// then the recovery points; restore tests request the Restore jobs, then the points of the VMs that are due, and of more
// VMs where some of these cannot be restored. Where guards are still unread after the last round, the service refuses what
// they cover, change by change.
const MaxRounds = 6

// MakeAsking is [Make] with the requested reads done by ask, which gets the observed state and returns it with the
// answers; ask is called [MaxRounds] times at most. It also returns the observed state that the plan was made from. Its
// error is the one of ask, with an empty plan and what was observed before.
func MakeAsking(c *config.Config, o Observed, opt Options, ask func(Observed, Questions) (Observed, error)) (Plan, Observed, error) {
	var machines *machineIndex // of the round before
	for round := 0; ; round++ {
		m := decide(c, o, opt, machines)
		wanted := m.questions()
		if wanted.IsEmpty() || round == MaxRounds {
			return m.build(), o, nil
		}
		more, err := ask(o, wanted)
		if err != nil {
			return Plan{}, o, err
		}
		o, machines = more, m.index.machineIndex
	}
}

// MakeWithQuestions is [Make], and also returns the reads that the plan still needs. It requests guards before points: a
// change that a guard blocks needs no points.
func MakeWithQuestions(c *config.Config, o Observed, opt Options) (Plan, Questions) {
	m := decide(c, o, opt, nil)
	return m.build(), m.questions()
}

// decide makes all decisions of a plan. last is the index of an earlier round with the same config, or nil; its states
// are used again.
func decide(c *config.Config, o Observed, opt Options, last *machineIndex) *planner {
	m := newPlanner(c, &o, opt, last)
	m.planVaults()
	m.planPolicies()
	all := m.vmStates()
	m.decideAll(all)
	m.planTests(all)
	m.arrangeChanges()
	return m
}

// planner makes one plan. The stages of Make fill it in order.
type planner struct {
	config   *config.Config
	opt      Options
	index    *index
	gaps     *gapIndex
	observed *Observed
	names    map[string]string // the display names of subscriptions, by folded id; nil where the file lists one at most

	vaults           map[armid.Key]*vaultPlan // the vaults of the file
	policies         map[policyKey]*policyPlan
	policiesPerVault map[armid.Key]int    // policies in a vault, this plan's included
	vaultsPerRegion  map[armid.Region]int // vaults in a region, this plan's included
	routes           map[routeKey]*destinations
	routeClasses     map[int]int    // the class of each rule ([planner.routeClass])
	routeTexts       map[string]int // the class of each combination of policy and vaults
	selection        *selection
	sentences        map[Reason]string
	retentionOfLeft  map[*Policy][]string // the retention in words of policies that items leave
	ruleRefs         []*RuleRef           // by rule

	guardsNotRead      map[armid.Key]string // ids of vaults where a guard matters and guards were not requested
	pendingProtections []newProtection
	changes            []pendingChange
	unchanged          []Change

	tests            []*testPlan
	testedVMs        map[armid.Key]*testedVM
	questionsOfTests []TestQuestion
	leftBehind       []DiskLeftBehind

	unchangedCount, excludedCount int // with [Options.Brief] as well, which leaves unchanged empty
}

// pendingChange is a change with the data that the guards and the forecast need.
type pendingChange struct {
	Change
	risks  risks
	weight int // its weight for guards.maxChanges
	expiry *expiry
}

func newPlanner(c *config.Config, o *Observed, opt Options, last *machineIndex) *planner {
	x := newIndex(o, last)
	own := JoinVaults(c, o.Vaults) // a copy: c belongs to the caller, and may be built in code
	own.Compile()
	c = &own
	m := &planner{
		config: c, opt: opt, index: x, gaps: newGapIndex(o.Gaps, c, x), observed: o,
		vaults:           make(map[armid.Key]*vaultPlan, len(c.Vaults)),
		policies:         make(map[policyKey]*policyPlan),
		policiesPerVault: make(map[armid.Key]int),
		vaultsPerRegion:  make(map[armid.Region]int),
		routes:           make(map[routeKey]*destinations),
		routeClasses:     make(map[int]int),
		routeTexts:       make(map[string]int),
		selection:        newSelection(opt.Filters),
		sentences:        make(map[Reason]string),
		retentionOfLeft:  make(map[*Policy][]string),

		guardsNotRead: make(map[armid.Key]string),
	}
	if c.SubscriptionQuery != nil || len(c.Subscriptions) > 1 {
		m.names = o.DisplayNames()
	}
	for _, r := range reasons() {
		m.sentences[r.reason] = r.sentence
	}
	for _, r := range c.Rules {
		m.ruleRefs = append(m.ruleRefs, refOf(r.Name, r.Pos))
	}
	for _, p := range x.policies {
		m.policiesPerVault[x.key(p.Vault)]++
	}
	for id, v := range x.vaults {
		m.vaultsPerRegion[armid.RegionOf(armid.SubscriptionOf(string(id)), v.Location)]++
	}
	return m
}

// isIncomplete reports whether there is a gap; then nothing is stopped.
func (pl *planner) isIncomplete() bool { return len(pl.gaps.all) > 0 }

// sentence returns the reason's sentence, with its detail.
func (pl *planner) sentence(r Reason, detail string) string {
	if detail == "" {
		return pl.sentences[r]
	}
	return pl.sentences[r] + ": " + detail
}

// addChange adds a change to the plan and returns its id.
func (pl *planner) addChange(d pendingChange) string {
	d.Risk, d.Also = d.risks.worstAndRest()
	d.ResourceGuard = pl.guardRequests(&d.Change)
	pl.changes = append(pl.changes, d)
	return d.ID
}

// changeID is stable across runs: the action and its target.
func changeID(a Action, target armid.Key) string { return string(a) + ":" + string(target) }

// block adds a blocked change in place of c, whose action stays visible as Wanted. The part distinguishes two blocks
// of one target.
func (pl *planner) block(c Change, r Reason, detail, part string) {
	c.Wanted, c.Action = c.Action, Blocked
	c.ID = string(Blocked) + "-" + c.ID + part
	c.Reason, c.Because = r, pl.sentence(r, detail)
	c.Needs, c.Risk, c.Also = nil, "", nil
	pl.changes = append(pl.changes, pendingChange{Change: c})
}

// Tunable: maxFileNotes bounds the notes about the file.
const maxFileNotes = 20

// fileNotes lists the tag values of the file that differ from those of VMs by case only.
func (pl *planner) fileNotes() []string {
	var notes []string
	for _, t := range pl.config.TagCases(func(yield func(map[string]string) bool) {
		for i := range pl.observed.VMs {
			if !yield(pl.observed.VMs[i].Tags) {
				return
			}
		}
	}) {
		if len(notes) == maxFileNotes {
			return append(notes, "and more tag values that differ by their case only")
		}
		notes = append(notes, t.Text())
	}
	return notes
}

// arrangeChanges leaves out the changes that are not selected, and sorts the others.
func (pl *planner) arrangeChanges() {
	pl.changes = slices.DeleteFunc(pl.changes, func(d pendingChange) bool { return !pl.selection.includes(&d) })
	if pl.selection.isTestsOnly() {
		pl.unchanged, pl.unchangedCount, pl.excludedCount = nil, 0, 0
	}
	pl.sortChanges()
}

// build assembles the plan from the results of the stages.
func (pl *planner) build() Plan {
	pl.noteExpiry()
	slices.SortFunc(pl.unchanged, func(a, b Change) int { return strings.Compare(a.ID, b.ID) })
	p := Plan{
		FormatVersion: FormatVersion,
		Complete:      !pl.isIncomplete(),
		Summary:       map[Action]int{},
		Changes:       make([]Change, 0, len(pl.changes)),
		Unchanged:     pl.unchanged,
		Notes:         pl.fileNotes(),
		Gaps:          slices.Concat([]Gap{}, pl.gaps.all),
		Shard:         ShardOf(pl.config),
		Config:        ConfigHash(pl.config),
		Cloud:         cloudName(pl.config.Cloud),
	}
	for _, d := range pl.changes {
		p.Changes = append(p.Changes, d.Change)
		p.Summary[d.Action]++
	}
	for action, n := range map[Action]int{Excluded: pl.excludedCount, Unchanged: pl.unchangedCount} {
		if n > 0 {
			p.Summary[action] = n
		}
	}
	for _, t := range pl.tests {
		p.RestoreTests = append(p.RestoreTests, t.summary)
	}
	p.LeftBehind = pl.leftBehind
	if len(p.Unchanged) == 0 {
		p.Unchanged = nil // as after a round trip through JSON
	}
	if pl.names != nil {
		p.Subscriptions = SubscriptionNames(*pl.observed, p.Changes, p.Gaps)
	}
	if !pl.opt.Brief {
		p.Compared = pl.compared()
	}
	p.Fingerprint = fingerprint(p.Changes)
	p.Refusals = pl.evaluateGuards()
	limits := pl.config.Settings.Limits
	p.Capacity = Capacity{Items: pl.index.itemsPerVault, Operations: max(0, int(limits.Operations)), Restores: limits.Restores}
	p.forecastChanges()
	p.Cost = pl.estimateCost(p.Changes)
	return p
}

// compared returns [Plan.Compared].
func (pl *planner) compared() map[armid.Key]bool {
	found := map[armid.Key]bool{}
	for k, v := range pl.vaults {
		if v.observed != nil {
			found[k] = true
		}
	}
	for _, p := range pl.policies {
		if p.observed != nil {
			found[armid.Of(p.id)] = true
		}
	}
	return found
}
