package plan

import (
	"slices"
	"strings"
	"time"

	"github.com/azbackup/azbackup/config"
	"github.com/azbackup/azbackup/internal/armid"
)

// Options are what a plan depends on besides the config and what was read.
type Options struct {
	// Now is the time of the plan.
	Now time.Time
	// Only narrows the plan: values of one key are alternatives, different keys must all hold.
	Only []Only
	// Brief leaves [Plan.Unchanged] out; its entries are counted all the same. Of a large estate they are most of a
	// plan, and few ask for them.
	Brief bool
	// Zone finds a time zone by its Windows name, for [Explain]; nil, or a nil answer, means that it is not
	// known. Loading zones is input, so it is left to the caller.
	Zone func(windows string) *time.Location
}

// Make works out the difference between what the file wants and what was read. It changes neither, and the
// order of what was read does not matter. [Validate] has nothing against the plan: circles and needs that are not
// there can only come from a fault in this package, and whoever carries a plan out asks.
func Make(c *config.Config, o Observed, opt Options) Plan {
	p, _ := Draft(c, o, opt)
	return p
}

// MaxRounds is how often a plan is made again with what it wants to know: with the guards, then with the recovery
// points. A plan that is carried out with guards unread is stopped by the service, change by change.
const MaxRounds = 2

// MakeAsking is [Make] with what the plan wants to know read by ask, which gets what was read and returns it with what
// is wanted. It returns what the plan was made from, too. The only errors are those of ask; what was read before one is returned.
func MakeAsking(c *config.Config, o Observed, opt Options, ask func(Observed, Wanted) (Observed, error)) (Plan, Observed, error) {
	p, wanted := Draft(c, o, opt)
	for round := 0; round < MaxRounds && !wanted.Empty(); round++ {
		more, err := ask(o, wanted)
		if err != nil {
			return Plan{}, o, err
		}
		o = more
		p, wanted = Draft(c, o, opt)
	}
	return p, o, nil
}

// Draft is [Make] with what the plan still wants to know. Guards come first: what they block needs no points.
func Draft(c *config.Config, o Observed, opt Options) (Plan, Wanted) {
	m := newMaker(c, &o, opt)
	m.planVaults()
	m.planPolicies()
	m.decide(m.subjects())
	return m.plan(), m.wanted()
}

// maker makes one plan. The stages of Make fill it in order.
type maker struct {
	config *config.Config
	opt    Options
	index  *index
	gaps   *gapIndex
	read   *Observed

	vaults   map[armid.Key]*vaultPlan // the vaults of the file
	policies map[policyKey]*policyPlan
	inVault  map[armid.Key]int // policies in a vault, this plan's included
	inRegion map[region]int    // vaults in a region, this plan's included
	routes   map[routeKey]*destinations
	only     *selection
	because  map[Reason]string
	keeps    map[*Policy][]string // what policies keep that items leave
	refs     []*RuleRef           // by rule

	unguarded map[armid.Key]string // vaults where a guard matters, and nobody asked for guards
	newcomers []newcomer
	changes   []draft
	quiet     []Change

	unchanged, excluded int // counted also where quiet is left out
}

// draft is a change with what the guards and the forecast want to know of it.
type draft struct {
	Change
	risks  risks
	weight int // what it counts for guards.maxChanges
	loss   *loss
}

func newMaker(c *config.Config, o *Observed, opt Options) *maker {
	x := newIndex(o)
	own := *c
	own.Compile() // on a copy: c is not ours, and may have been made by hand
	c = &own
	m := &maker{
		config: c, opt: opt, index: x, gaps: newGapIndex(o.Gaps, c, x), read: o,
		vaults:   make(map[armid.Key]*vaultPlan, len(c.Vaults)),
		policies: make(map[policyKey]*policyPlan),
		inVault:  make(map[armid.Key]int),
		inRegion: make(map[region]int),
		routes:   make(map[routeKey]*destinations),
		only:     newSelection(opt.Only),
		because:  make(map[Reason]string),
		keeps:    make(map[*Policy][]string),

		unguarded: make(map[armid.Key]string),
	}
	for _, r := range reasons() {
		m.because[r.reason] = r.sentence
	}
	for _, r := range c.Rules {
		m.refs = append(m.refs, refOf(r.Name, r.Pos))
	}
	for _, p := range x.policies {
		m.inVault[x.key(p.Vault)]++
	}
	for id, v := range x.vaults {
		m.inRegion[regionOf(armid.SubscriptionOf(string(id)), v.Location)]++
	}
	return m
}

// incomplete says that something was not read; then nothing is stopped.
func (m *maker) incomplete() bool { return len(m.gaps.all) > 0 }

// sentence is the reason's sentence, with what makes it particular.
func (m *maker) sentence(r Reason, detail string) string {
	if detail == "" {
		return m.because[r]
	}
	return m.because[r] + ": " + detail
}

// add puts a change into the plan and returns its id.
func (m *maker) add(d draft) string {
	d.Risk, d.Also = d.risks.worst()
	m.changes = append(m.changes, d)
	return d.ID
}

// changeID is stable across runs: the action and what it is about.
func changeID(a Action, target armid.Key) string { return string(a) + ":" + string(target) }

// block puts a change into the plan that must not be done, in the place of c. What c wanted stays visible.
// The part tells apart two blocks of one target.
func (m *maker) block(c Change, r Reason, detail, part string) {
	c.Wanted, c.Action = c.Action, Blocked
	c.ID = string(Blocked) + "-" + c.ID + part
	c.Reason, c.Because = r, m.sentence(r, detail)
	c.Needs, c.Risk, c.Also = nil, "", nil
	m.changes = append(m.changes, draft{Change: c})
}

// maxFileNotes bounds the notes about the file.
const maxFileNotes = 20

// fileNotes says which tag values of the file miss VMs by their case only.
func (m *maker) fileNotes() []string {
	var notes []string
	for _, t := range m.config.TagCases(func(yield func(map[string]string) bool) {
		for i := range m.read.VMs {
			if !yield(m.read.VMs[i].Tags) {
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

// plan gathers what the stages found.
func (m *maker) plan() Plan {
	m.changes = slices.DeleteFunc(m.changes, func(d draft) bool { return !m.only.keeps(&d) })
	m.sortChanges()
	m.notePruning()
	slices.SortFunc(m.quiet, func(a, b Change) int { return strings.Compare(a.ID, b.ID) })
	p := Plan{
		FormatVersion: FormatVersion,
		Complete:      !m.incomplete(),
		Summary:       map[Action]int{},
		Changes:       make([]Change, 0, len(m.changes)),
		Unchanged:     m.quiet,
		Notes:         m.fileNotes(),
		Gaps:          slices.Concat([]Gap{}, m.gaps.all),
		Config:        configHash(m.config),
		Cloud:         cloudName(m.config.Cloud),
	}
	for _, d := range m.changes {
		p.Changes = append(p.Changes, d.Change)
		p.Summary[d.Action]++
	}
	for action, n := range map[Action]int{Excluded: m.excluded, Unchanged: m.unchanged} {
		if n > 0 {
			p.Summary[action] = n
		}
	}
	if len(p.Unchanged) == 0 {
		p.Unchanged = nil // as after a round trip through JSON
	}
	p.Fingerprint = fingerprint(p.Changes)
	p.Refusals = m.refusals()
	p.Forecast = m.forecast()
	return p
}
