package audit

import (
	"time"

	"github.com/azbackup/azbackup/config"
	"github.com/azbackup/azbackup/plan"
)

// FormatVersion is the version of the JSON form of a [Result].
const FormatVersion = "1"

// Result is what an audit found: plain data, the one value that every format is written from. It marshals to
// JSON and back unchanged.
type Result struct {
	FormatVersion string     `json:"format_version"`
	Made          Provenance `json:"made"`
	Scope         Scope      `json:"scope"`
	Summary       Summary    `json:"summary"`
	// Findings stand worst first, then by code and target.
	Findings []Finding `json:"findings"`
	// VMs stand by state in the order of [States], then by id.
	VMs  []VM       `json:"vms"`
	Gaps []plan.Gap `json:"gaps"`
	// Baseline compares with an earlier result; nil when none was given.
	Baseline *Comparison `json:"baseline,omitempty"`
}

// Provenance is when, by whom and with what a result was made.
type Provenance struct {
	At      time.Time `json:"at"`
	By      string    `json:"by,omitempty"` // the principal that was signed in
	Cloud   string    `json:"cloud,omitempty"`
	Tenant  string    `json:"tenant,omitempty"`
	Version string    `json:"version,omitempty"` // of azbackup
	// Source is where the VM list comes from when that is not Azure Resource Manager, with its caveat.
	Source string `json:"source,omitempty"`
	// MaxAge is what --max-age said, in seconds; 0 = each policy's own frequency plus Tolerance.
	MaxAge    int64 `json:"max_age_seconds,omitempty"`
	Tolerance int64 `json:"tolerance_seconds"`
	// FailOn is the severity from which findings count as a failure; "" = none does.
	FailOn Severity `json:"fail_on,omitempty"`
}

// Scope is what the audit looked at.
type Scope struct {
	Files         []string       `json:"files"`
	Subscriptions []Subscription `json:"subscriptions"`
	// LeftOut are the subscriptions that the identity sees and that were not looked at.
	LeftOut []Subscription `json:"subscriptions_left_out"`
	Vaults  int            `json:"vaults"`
}

// Subscription is one in or beside the scope; its name is empty where it was not read.
type Subscription struct {
	ID   string `json:"id"`
	Name string `json:"name,omitempty"`
}

// VM is one machine and where it stands.
type VM struct {
	ID            string `json:"id"`
	Name          string `json:"name"`
	ResourceGroup string `json:"resource_group"`
	Subscription  string `json:"subscription"`
	Location      string `json:"location"`
	// Tags are those of the VM that was judged, and not a copy: they are not to be changed.
	Tags  map[string]string `json:"tags,omitempty"`
	State State             `json:"state"`
	// Also are the other states that hold, in the order of [States].
	Also []State `json:"also"`
	// Because is the evidence for State in one sentence.
	Because string `json:"because"`
	// Reason is the file's own for an excluded VM, Azure's for an unsupported one.
	Reason string `json:"reason,omitempty"`
	// Vault is the id of the vault that holds the item which decides; Policy is that item's policy's name.
	Vault           string `json:"vault,omitempty"`
	Policy          string `json:"policy,omitempty"`
	ProtectionState string `json:"protection_state,omitempty"`
	// LastRecoveryPoint and AgeSeconds are absent when there is no recovery point; MaxAgeSeconds is the age at
	// which the VM becomes stale, 0 when that is not known.
	LastRecoveryPoint *time.Time `json:"last_recovery_point,omitempty"`
	AgeSeconds        *int64     `json:"age_seconds,omitempty"`
	MaxAgeSeconds     int64      `json:"max_age_seconds,omitempty"`
	LastBackup        *time.Time `json:"last_backup,omitempty"`
	LastBackupStatus  string     `json:"last_backup_status,omitempty"`
	Health            string     `json:"health,omitempty"`
	// PurgeAt is when the data of a soft-deleted item goes; DaysLeft counts whole days to then, from 0.
	PurgeAt     *time.Time    `json:"purge_at,omitempty"`
	DaysLeft    *int          `json:"days_left,omitempty"`
	TimeCreated *time.Time    `json:"time_created,omitempty"`
	Rule        *plan.RuleRef `json:"rule,omitempty"`
	// Gap is what could not be read, for a VM that is unknown for that reason.
	Gap   *plan.Gap `json:"gap,omitempty"`
	Notes []string  `json:"notes,omitempty"`
}

// Finding is one thing that somebody should do something about.
type Finding struct {
	Code     string   `json:"code"`
	Severity Severity `json:"severity"`
	// State is the VM's state that the finding is about; empty for vaults, policies and orphans.
	State  State  `json:"state,omitempty"`
	Target string `json:"target"`
	// Message says what is wrong and on what evidence, Hint what to do.
	Message  string            `json:"message"`
	Hint     string            `json:"hint"`
	Evidence map[string]string `json:"evidence,omitempty"`
	Controls []string          `json:"controls,omitempty"`
	Rule     *plan.RuleRef     `json:"rule,omitempty"`
	// Position is the entry of the config that the finding concerns: a rule, a vault or a policy.
	Position *config.Position `json:"position,omitempty"`
	// Fingerprint is the same for the same finding in every run: code and folded target.
	Fingerprint string `json:"fingerprint"`
	// New says that the baseline does not have this finding; always false without a baseline.
	New bool `json:"new,omitempty"`
}

// IsIncomplete says whether something could not be read, so that the result may be less than the truth.
func (r Result) IsIncomplete() bool { return len(r.Gaps) > 0 || r.Summary.States[Unknown] > 0 }

// FailingFindings are the findings at or above the result's FailOn.
func (r Result) FailingFindings() []Finding {
	var failing []Finding
	for _, f := range r.Findings {
		if f.Severity.IsAtLeast(r.Made.FailOn) {
			failing = append(failing, f)
		}
	}
	return failing
}
