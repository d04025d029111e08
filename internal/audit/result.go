package audit

import (
	"time"

	"github.com/azbackup/azbackup/config"
	"github.com/azbackup/azbackup/plan"
)

// FormatVersion is the version of the JSON form of a [Result].
const FormatVersion = "1"

// Result is the result of an audit: plain data, the one value that every format is written from. It marshals to JSON
// and back unchanged.
type Result struct {
	FormatVersion string `json:"format_version"`
	// Shard is the part of the subscriptions that was audited; nil = all.
	Shard   *config.Shard `json:"shard,omitempty"`
	Made    Provenance    `json:"made"`
	Scope   Scope         `json:"scope"`
	Summary Summary       `json:"summary"`
	// Findings are sorted worst first, then by code and target.
	Findings []Finding `json:"findings"`
	// VMs are sorted by state in the order of [States], then by id.
	VMs  []VM       `json:"vms"`
	Gaps []plan.Gap `json:"gaps"`
	// Baseline is the comparison with an earlier result; nil where none was given.
	Baseline *Comparison `json:"baseline,omitempty"`
}

// Provenance records when, by which principal and with which options a result was made.
type Provenance struct {
	At      time.Time `json:"at"`
	By      string    `json:"by,omitempty"` // the signed-in principal
	Cloud   string    `json:"cloud,omitempty"`
	Tenant  string    `json:"tenant,omitempty"`
	Version string    `json:"version,omitempty"` // of azbackup
	// Config identifies the content of the config ([plan.ConfigHash]); "" = there was none. Subscriptions are the ids that
	// the command line named besides it.
	Config        string   `json:"config,omitempty"`
	Subscriptions []string `json:"subscriptions,omitempty"`
	// Source names the source of the VM list where that is not Azure Resource Manager, with its caveat.
	Source string `json:"source,omitempty"`
	// ListLag is how far that source may be behind, in seconds; 0 = not at all.
	ListLag int64 `json:"list_lag_seconds,omitempty"`
	// MaxAge is the value of --max-age in seconds; 0 = each policy's own frequency plus Tolerance.
	MaxAge    int64 `json:"max_age_seconds,omitempty"`
	Tolerance int64 `json:"tolerance_seconds"` // [Options.Tolerance]
	// MinRetention is the value of --min-retention in seconds; 0 = not checked.
	MinRetention int64 `json:"min_retention_seconds,omitempty"`
	// FailOn is the severity from which findings count as a failure; "" = none does.
	FailOn Severity `json:"fail_on,omitempty"`
}

// Scope is what the audit covers.
type Scope struct {
	Files         []string       `json:"files"` // of the config
	Subscriptions []Subscription `json:"subscriptions"`
	// LeftOut are the subscriptions that the identity sees and that were not audited.
	LeftOut []Subscription `json:"subscriptions_left_out"`
	Vaults  int            `json:"vaults"` // the number of vaults that were read
}

// Subscription is a subscription inside or outside the scope; its name is empty where it was not read.
type Subscription struct {
	ID   string `json:"id"`
	Name string `json:"name,omitempty"`
}

// VM is one VM and its state.
type VM struct {
	ID            string `json:"id"`
	Name          string `json:"name"`
	ResourceGroup string `json:"resource_group"`
	Subscription  string `json:"subscription"`
	Location      string `json:"location"`
	// Tags is the map of the observed VM, not a copy: it must not be changed.
	Tags  map[string]string `json:"tags,omitempty"`
	State State             `json:"state"`
	// Also are the other states that hold, in the order of [States].
	Also []State `json:"also"`
	// Because is the evidence for State in one sentence.
	Because string `json:"because"`
	// Reason is the file's reason for an excluded VM, Azure's for an unsupported one.
	Reason string `json:"reason,omitempty"`
	// Vault is the id of the vault that holds the deciding item; Policy is the name of that item's policy.
	Vault           string `json:"vault,omitempty"`
	Policy          string `json:"policy,omitempty"`
	ProtectionState string `json:"protection_state,omitempty"`
	// LastRecoveryPoint and AgeSeconds are absent when there is no recovery point; MaxAgeSeconds is the age at which
	// the VM becomes stale, 0 when that is unknown.
	LastRecoveryPoint *time.Time `json:"last_recovery_point,omitempty"`
	AgeSeconds        *int64     `json:"age_seconds,omitempty"`
	MaxAgeSeconds     int64      `json:"max_age_seconds,omitempty"`
	LastBackup        *time.Time `json:"last_backup,omitempty"`
	LastBackupStatus  string     `json:"last_backup_status,omitempty"`
	Health            string     `json:"health,omitempty"`
	// PurgeAt is when the data of a soft-deleted item is purged; DaysLeft counts whole days to then, from 0.
	PurgeAt     *time.Time    `json:"purge_at,omitempty"`
	DaysLeft    *int          `json:"days_left,omitempty"`
	TimeCreated *time.Time    `json:"time_created,omitempty"`
	Rule        *plan.RuleRef `json:"rule,omitempty"`
	// Gap is the gap that makes the VM unknown, if there is one.
	Gap   *plan.Gap `json:"gap,omitempty"`
	Notes []string  `json:"notes,omitempty"`
	// RestoreTest is the state of the VM's restore test; nil = no test covers the VM. RestoreProven is the latest completed
	// restore into the group of the test, of whatever age: the test's state shows whether it is recent enough.
	// RestoreFailed is the latest restore into the group that failed after it.
	RestoreTest   *RestoreTest         `json:"restore_test,omitempty"`
	RestoreProven *plan.RestoreProof   `json:"restore_proven,omitempty"`
	RestoreFailed *plan.RestoreFailure `json:"restore_failed,omitempty"`
}

// Finding is one problem that needs action.
type Finding struct {
	Code     string   `json:"code"`
	Severity Severity `json:"severity"`
	// State is the VM's state that the finding is about; empty where it is about something else.
	State State `json:"state,omitempty"`
	// Target is the id of the VM, vault, policy, item or resource group.
	Target string `json:"target"`
	// Message describes the problem and its evidence, Hint the recommended action.
	Message  string            `json:"message"`
	Hint     string            `json:"hint"`
	Evidence map[string]string `json:"evidence,omitempty"`
	Controls []string          `json:"controls,omitempty"`
	Rule     *plan.RuleRef     `json:"rule,omitempty"`
	// Position is the entry of the config that the finding concerns: a rule, a vault, a policy or a restore test; nil = none.
	Position *config.Position `json:"position,omitempty"`
	// Fingerprint is the same for the same finding in every run: code and folded target.
	Fingerprint string `json:"fingerprint"`
	// New is true where the baseline does not have this finding; always false without a baseline.
	New bool `json:"new,omitempty"`
}

// IsIncomplete reports whether a read failed, a VM is unknown, or a proof of a restore may exist that was not read.
func (r Result) IsIncomplete() bool {
	return len(r.Gaps) > 0 || r.Summary.States[Unknown] > 0 || r.Summary.isProofUnknown()
}

// FailingFindings returns the findings at or above the result's FailOn; none where FailOn is "".
func (r Result) FailingFindings() []Finding {
	var failing []Finding
	for _, f := range r.Findings {
		if f.Severity.IsAtLeast(r.Made.FailOn) {
			failing = append(failing, f)
		}
	}
	return failing
}
