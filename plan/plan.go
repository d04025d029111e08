package plan

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/azbackup/azbackup/config"
	"github.com/azbackup/azbackup/internal/armid"
)

// FormatVersion is the version of the JSON form of a [Plan].
const FormatVersion = "1"

// Plan is the difference between the observed and the wanted state. It is plain data: it marshals to JSON and back
// unchanged and holds no functions, no clients and no clock.
type Plan struct {
	FormatVersion string `json:"format_version"`
	// Fingerprint is "sha256:…" over the changes that write configuration (docs/design.md §5).
	Fingerprint string `json:"fingerprint"`
	// Complete is false when the plan was made over gaps; an incomplete plan stops nothing.
	Complete bool           `json:"complete"`
	Summary  map[Action]int `json:"summary"`
	// Changes are the changes to be done and those that are blocked, in the order they may be done.
	Changes []Change `json:"changes"`
	// Unchanged are the VMs and items that need no change, with notes; left out of saved plans and of JSON without
	// --all.
	Unchanged []Change `json:"unchanged,omitempty"`
	// Notes list possible mistakes in the file, as far as the VMs that were read show them.
	Notes []string `json:"notes,omitempty"`
	// Subscriptions are the display names of the subscriptions of the changes and gaps, by folded id, where they were read
	// and there may be several.
	Subscriptions map[string]string `json:"subscriptions,omitempty"`
	Gaps          []Gap             `json:"gaps"`
	Refusals      []Refusal         `json:"refusals"`
	Forecast      Forecast          `json:"forecast"`
	// Capacity is what Forecast was made for; it is no part of a saved plan.
	Capacity Capacity `json:"-"`
	// Compared are the vaults and policies of the file that were read: where no change is about one of them, it is as the
	// file says. Nil with [Options.Brief], and in a saved plan.
	Compared map[armid.Key]bool `json:"-"`
	// Cost estimates the monthly cost of the changes; nil where the plan was made without prices.
	Cost *CostEstimate `json:"cost_estimate,omitempty"`
	// Request is what a plan of restores was made for; nil for any other.
	Request *RestoreRequest `json:"restore_request,omitempty"`
	// RestoreTests count the VMs of each restore test of the file, LeftBehind are the disks that earlier restore tests
	// did not remove. They inform: nothing in the plan removes these disks.
	RestoreTests []TestSummary    `json:"restore_tests,omitempty"`
	LeftBehind   []DiskLeftBehind `json:"left_behind,omitempty"`
	// Shard is the part of the subscriptions that the plan is of; nil = all.
	Shard *config.Shard `json:"shard,omitempty"`
	// Shards are the plans that this one was merged from, in their order; nil in any other ([Merge]).
	Shards []ShardPlan `json:"shards,omitempty"`
	// Config and Cloud identify what the plan was made from: a saved plan is refused elsewhere.
	Config string `json:"config,omitempty"`
	Cloud  string `json:"cloud,omitempty"`
	// Digest is "sha256:…" over all else in a saved plan ([ParseSaved]); "" in a plan that was not saved.
	Digest string `json:"digest,omitempty"`
}

// Action is what a change does. The set is closed.
type Action string

// The actions, in the order a plan lists them.
const (
	CreateVault  Action = "create-vault"
	UpdateVault  Action = "update-vault"
	CreatePolicy Action = "create-policy"
	UpdatePolicy Action = "update-policy"
	Refresh      Action = "refresh"
	Undelete     Action = "undelete"
	Protect      Action = "protect"
	Modify       Action = "modify"
	Resume       Action = "resume"
	Stop         Action = "stop"
	Backup       Action = "backup"
	// Restore creates disks from a recovery point and leaves the existing ones alone ([MakeRestores]).
	Restore Action = "restore"
	// RestoreTest restores as Restore does, for a test of the file, and removes the disks again (docs/design.md §12).
	RestoreTest Action = "restore-test"
	Blocked     Action = "blocked"
	Unchanged   Action = "unchanged"
	// Excluded is only a key of [Plan.Summary]: the VMs that `protect: false` excludes. They are in [Plan.Unchanged]
	// with reason "excluded".
	Excluded Action = "excluded"
)

// Actionable returns the changes that make a plan worth applying: all but blocked changes and those that only time
// requires (docs/design.md §5).
func (p Plan) Actionable() []Change {
	var out []Change
	for _, c := range p.Changes {
		if c.Action != Blocked && !isTimeDriven(c.Action) {
			out = append(out, c)
		}
	}
	return out
}

// isTimeDriven reports whether only the passing of time requires an action: it is counted apart, and is not in the
// fingerprint.
func isTimeDriven(a Action) bool { return a == Backup || a == RestoreTest }

// Risk is what a change can cost. The set is closed, worst last.
type Risk string

// The risks (docs/design.md §5).
const (
	RiskNone             Risk = "none"
	RiskReducesCoverage  Risk = "reduces-coverage"
	RiskReducesRetention Risk = "reduces-retention"
	RiskStopsBackup      Risk = "stops-backup"
	RiskWeakensSecurity  Risk = "weakens-security" // immutability taken back, public access opened, soft delete shortened
	RiskIrreversible     Risk = "irreversible"
)

// Risks returns all risks, worst first.
func Risks() []Risk {
	return []Risk{RiskIrreversible, RiskWeakensSecurity, RiskStopsBackup, RiskReducesRetention, RiskReducesCoverage}
}

// Change is one step of a plan.
type Change struct {
	// ID is stable across runs: action and folded target, e.g. "protect:/subscriptions/…/vm1". A blocked one starts
	// with "blocked-"; the part after a "#" distinguishes changes of one target. No code parses it.
	ID     string `json:"id"`
	Action Action `json:"action"`
	// Wanted is, for a blocked change, the action that is blocked.
	Wanted Action `json:"wanted,omitempty"`
	// Target is the resource the change is about: a VM for item changes and backups, a vault or a policy.
	Target string `json:"target"`
	// Vault is the id of the vault the change writes to.
	Vault string `json:"vault,omitempty"`
	// Item is the id of the protected item to write: as read, or derived where none exists.
	Item    string `json:"item,omitempty"`
	Reason  Reason `json:"reason"`
	Because string `json:"because"`
	// Risk is the worst risk of the change, Also its other risks, worst first. Every guard checks all of them.
	Risk Risk   `json:"risk,omitempty"`
	Also []Risk `json:"also,omitempty"`
	// Needs are the ids of changes of this plan that must be done first.
	Needs []string `json:"needs,omitempty"`
	// WaitsFor is the id of a job that runs on the target now.
	WaitsFor string   `json:"waits_for,omitempty"`
	Before   *State   `json:"before,omitempty"`
	After    *State   `json:"after,omitempty"`
	Fields   []Field  `json:"fields,omitempty"`
	Notes    []string `json:"notes,omitempty"`
	Rule     *RuleRef `json:"rule,omitempty"`
	Allowed  bool     `json:"allowed,omitempty"` // the rule has `resume: true`, so no guard refuses the resume for retention
	// ResourceGuard are the requests of resource guards that the write names.
	ResourceGuard []GuardRequest `json:"resource_guard,omitempty"`
	// KeepDisks is true where the file does not set the item's disks: the filter found at the write stays.
	KeepDisks bool `json:"keep_disks,omitempty"`
	// Due is when the data of a soft-deleted item is purged.
	Due *time.Time `json:"due,omitempty"`
	// RestoreOrder describes a restore and the restore of a test; nil for all other actions. Its keys are among the
	// change's in JSON.
	*RestoreOrder
	// Test is what a restore test has besides; nil for all other actions.
	Test *RestoreTestOrder `json:"test,omitempty"`
}

// State is one side of a change; fields that do not apply to its kind are empty.
type State struct {
	// State is protectionState, or "soft-deleted".
	State  string `json:"state,omitempty"`
	Policy string `json:"policy,omitempty"` // policy id
	Disks  *Disks `json:"disks,omitempty"`  // nil = all disks
	// Keeps describes the schedule and retention of the policy where an item goes from or to it: the risk was judged
	// by it. It has two entries where this plan changes the policy too: as it is and as it will be. Empty = unknown.
	Keeps    []string       `json:"keeps,omitempty"`
	Vault    *VaultSettings `json:"settings,omitempty"`
	Spec     *PolicySpec    `json:"spec,omitempty"`
	Retain   Duration       `json:"retain,omitempty"`              // of a backup: how long the point is kept; 0 = the service's default
	LastGood *time.Time     `json:"last_recovery_point,omitempty"` // of a backup: when the newest point was taken; nil = never
}

// HasRisk reports whether the change has a risk, the worst or another.
func (c Change) HasRisk(r Risk) bool { return c.Risk == r || slices.Contains(c.Also, r) }

// Field is one difference inside a change, with values in display form.
type Field struct {
	Path   string `json:"path"`
	Before string `json:"before"`
	After  string `json:"after"`
}

// RuleRef is the place in the config that a change comes from.
type RuleRef struct {
	Name string `json:"name"`
	File string `json:"file"`
	Line int    `json:"line"`
}

// Refusal is a guard's rejection of the whole plan.
type Refusal struct {
	Guard   string `json:"guard"` // max-stops, max-changes, reduces-retention, weakens-security, irreversible, …
	Message string `json:"message"`
	Flag    string `json:"flag,omitempty"` // the --dangerous-… flag that lifts it; "" = nothing lifts it
	Count   int    `json:"count"`          // of what the guard counts, in this plan
	Limit   int    `json:"limit"`          // the most that it allows
}

// Forecast estimates the cost of carrying the plan out.
type Forecast struct {
	// Requests counts HTTP requests by kind: "writes", "confirm", "refresh".
	Requests map[string]int `json:"requests"`
	Duration Duration       `json:"duration"` // from the first write to the last confirmation
	Notes    []string       `json:"notes,omitempty"`
}

// order returns the rank of an action in a plan: actions that other changes need come first.
func (a Action) order() int {
	return slices.Index([]Action{
		CreateVault, UpdateVault, CreatePolicy, UpdatePolicy, Refresh,
		Undelete, Protect, Modify, Resume, Stop, Backup, Restore, RestoreTest, Blocked, Unchanged,
	}, a)
}

// sortChanges sorts changes into plan order: by action, vault and target. Every change comes after those that it
// needs.
func (pl *planner) sortChanges() {
	slices.SortFunc(pl.changes, func(a, b pendingChange) int { return compareOrder(&a.Change, &b.Change, pl.index.key) })
}

// SortChanges sorts changes into plan order, in place: by action, vault and id. Every change comes after those that it
// needs.
func SortChanges(changes []Change) {
	slices.SortFunc(changes, func(a, b Change) int { return compareOrder(&a, &b, armid.Of) })
}

func compareOrder(a, b *Change, key func(id string) armid.Key) int {
	return cmp.Or(
		cmp.Compare(a.Action.order(), b.Action.order()),
		strings.Compare(string(key(a.Vault)), string(key(b.Vault))),
		strings.Compare(a.ID, b.ID),
	)
}
