package config

import (
	"time"

	"github.com/azbackup/azbackup/internal/armid"
)

// Config is the desired state: all files given, joined in order, checked.
//
// The structs below are the file format. A key is spelled once, in its `yaml` tag; the walker, the JSON
// Schema and the messages all read it from there. Pointers and nil slices mean "the file does not say",
// which is never the same as a zero value: what the file does not say is not managed.
type Config struct {
	Version       int      `yaml:"version" jsonschema:"required,enum=1"`
	Cloud         Cloud    `yaml:"cloud" jsonschema:"enum=AzurePublic,enum=AzureUSGovernment,enum=AzureChina"`
	Tenant        string   `yaml:"tenant" jsonschema:"format=guid"`
	Subscriptions []string `yaml:"subscriptions" jsonschema:"required,format=guid,minItems=1,uniqueItems=true"`
	Vaults        []Vault  `yaml:"vaults"`
	Policies      []Policy `yaml:"policies"`
	Rules         []Rule   `yaml:"vms"`
	Settings      Settings `yaml:"settings"`

	// Files names the files read, in order.
	Files []string `yaml:"-"`

	matcher *matcher // made by Load; nil in a Config made by hand
}

// Position is a place in a config file; lines and columns count from 1, columns in characters.
type Position struct {
	File   string `json:"file"`
	Line   int    `json:"line"`
	Column int    `json:"column,omitempty"`
}

// Cloud is an Azure cloud: a well-known name, or its own endpoint, audience and authority.
type Cloud struct {
	// Name is AzurePublic, AzureUSGovernment, AzureChina, or "" for a custom cloud.
	Name      string `yaml:"-"`
	Endpoint  string `yaml:"endpoint" jsonschema:"required"`
	Audience  string `yaml:"audience" jsonschema:"required"`
	Authority string `yaml:"authority" jsonschema:"required"`
}

// Vault is one entry of `vaults`.
type Vault struct {
	Name                string            `yaml:"name" jsonschema:"required,format=part"`
	Subscription        string            `yaml:"subscription" jsonschema:"format=guid"` // filled in when the file lists only one
	ResourceGroup       string            `yaml:"resourceGroup" jsonschema:"required,format=part"`
	Location            string            `yaml:"location" jsonschema:"required,format=location"`
	Manage              bool              `yaml:"manage"`
	Redundancy          string            `yaml:"redundancy" jsonschema:"enum=LocallyRedundant,enum=ZoneRedundant,enum=GeoRedundant"`
	CrossRegionRestore  *bool             `yaml:"crossRegionRestore"`
	SoftDeleteDays      *int              `yaml:"softDeleteDays" jsonschema:"minimum=14,maximum=180"`
	Immutability        string            `yaml:"immutability" jsonschema:"enum=Disabled,enum=Unlocked,enum=Locked"`
	PublicNetworkAccess *bool             `yaml:"publicNetworkAccess"`
	Tags                map[string]string `yaml:"tags"`
	Unmatched           string            `yaml:"unmatched" jsonschema:"enum=report,enum=stop"` // "report" (default) or "stop"

	Pos Position `yaml:"-"`
}

// ID is the vault's resource id.
func (v Vault) ID() string { return armid.Vault(v.Subscription, v.ResourceGroup, v.Name) }

// Policy is one entry of `policies`: one definition, kept in one or many vaults.
type Policy struct {
	Name string `yaml:"name" jsonschema:"required,format=part"`
	// Vaults are references as written; [Config.VaultsOf] resolves them, also where the file names none.
	Vaults              []string             `yaml:"vaults" jsonschema:"minItems=1,uniqueItems=true"`
	Manage              bool                 `yaml:"manage"`
	Tier                string               `yaml:"tier" jsonschema:"enum=Standard,enum=Enhanced"` // Standard or Enhanced; "" = not said
	TimeZone            string               `yaml:"timeZone" jsonschema:"format=time-zone"`
	Schedule            *Schedule            `yaml:"schedule"`
	InstantRestoreDays  *int                 `yaml:"instantRestoreDays" jsonschema:"minimum=1,maximum=30"`
	Retention           *Retention           `yaml:"retention"`
	Archive             *Archive             `yaml:"archive"`
	Consistency         string               `yaml:"consistency" jsonschema:"enum=crash,enum=application"` // "crash" or "application"; "" = not said
	InstantRestoreGroup *InstantRestoreGroup `yaml:"instantRestoreGroup"`

	Pos Position `yaml:"-"`
}

// Schedule has exactly one of its fields set.
type Schedule struct {
	Daily  *Daily  `yaml:"daily"`
	Weekly *Weekly `yaml:"weekly"`
	Hourly *Hourly `yaml:"hourly"`
}

// Daily backs up once a day.
type Daily struct {
	At string `yaml:"at" jsonschema:"required,format=time"` // "HH:MM" in the policy's time zone
}

// Weekly backs up on some days of the week.
type Weekly struct {
	Days []string `yaml:"days" jsonschema:"required,enum=Sunday,enum=Monday,enum=Tuesday,enum=Wednesday,enum=Thursday,enum=Friday,enum=Saturday,minItems=1,uniqueItems=true"` // Sunday … Saturday
	At   string   `yaml:"at" jsonschema:"required,format=time"`
}

// Hourly backs up several times a day (Enhanced only).
type Hourly struct {
	Every  time.Duration `yaml:"every" jsonschema:"required,format=duration"`
	From   string        `yaml:"from" jsonschema:"required,format=time"`
	Window time.Duration `yaml:"window" jsonschema:"required,format=duration"`
}

// Retention says how long recovery points are kept. It is the whole truth: a schedule it lacks is removed.
type Retention struct {
	Days   *int        `yaml:"days" jsonschema:"minimum=7,maximum=9999"`
	Weeks  *KeepWeeks  `yaml:"weeks"`
	Months *KeepMonths `yaml:"months"`
	Years  *KeepYears  `yaml:"years"`
}

// KeepWeeks keeps the points of some days of each week, in weeks.
type KeepWeeks struct {
	Keep int      `yaml:"keep" jsonschema:"required,minimum=1,maximum=5163"`
	Days []string `yaml:"days" jsonschema:"required,enum=Sunday,enum=Monday,enum=Tuesday,enum=Wednesday,enum=Thursday,enum=Friday,enum=Saturday,minItems=1,uniqueItems=true"`
}

// KeepMonths keeps points of each month, in months: by week and day of week, or by date.
type KeepMonths struct {
	Keep  int      `yaml:"keep" jsonschema:"required,minimum=1,maximum=1188"`
	Weeks []string `yaml:"weeks" jsonschema:"enum=First,enum=Second,enum=Third,enum=Fourth,enum=Last,minItems=1,uniqueItems=true"` // First, Second, Third, Fourth, Last
	Days  []string `yaml:"days" jsonschema:"enum=Sunday,enum=Monday,enum=Tuesday,enum=Wednesday,enum=Thursday,enum=Friday,enum=Saturday,minItems=1,uniqueItems=true"`
	Dates []Date   `yaml:"dates" jsonschema:"minItems=1,uniqueItems=true"`
}

// KeepYears keeps points of some months of each year, in years.
type KeepYears struct {
	Keep   int      `yaml:"keep" jsonschema:"required,minimum=1,maximum=99"`
	Months []string `yaml:"months" jsonschema:"required,enum=January,enum=February,enum=March,enum=April,enum=May,enum=June,enum=July,enum=August,enum=September,enum=October,enum=November,enum=December,minItems=1,uniqueItems=true"` // January … December
	Weeks  []string `yaml:"weeks" jsonschema:"enum=First,enum=Second,enum=Third,enum=Fourth,enum=Last,minItems=1,uniqueItems=true"`
	Days   []string `yaml:"days" jsonschema:"enum=Sunday,enum=Monday,enum=Tuesday,enum=Wednesday,enum=Thursday,enum=Friday,enum=Saturday,minItems=1,uniqueItems=true"`
	Dates  []Date   `yaml:"dates" jsonschema:"minItems=1,uniqueItems=true"`
}

// Date is a day of the month; LastDay is the last one, written "last".
type Date int

// LastDay is the last day of a month.
const LastDay Date = 0

// Archive moves old points to the archive tier: after some months, or where Azure recommends it
// (written `archive: recommended`).
type Archive struct {
	Recommended bool `yaml:"-"`
	AfterMonths int  `yaml:"afterMonths" jsonschema:"required,minimum=3"`
}

// InstantRestoreGroup names the resource groups that hold instant recovery points.
type InstantRestoreGroup struct {
	Prefix string `yaml:"prefix"`
	Suffix string `yaml:"suffix"`
}

// Rule is one entry of `vms`. Exactly one of ID and Match is set.
type Rule struct {
	Name   string     `yaml:"name" jsonschema:"required"`
	ID     string     `yaml:"id"`
	Match  []Selector `yaml:"match"`
	Except []Selector `yaml:"except"`
	Policy string     `yaml:"policy"`
	// Vault holds the references of `vault:` as written; empty = route by subscription and region.
	Vault     []string `yaml:"vault" jsonschema:"minItems=1,uniqueItems=true"`
	Spread    bool     `yaml:"spread"`
	Disks     *Disks   `yaml:"disks"`
	Backup    *Backup  `yaml:"backup"`
	Protect   Protect  `yaml:"protect"`
	Reason    string   `yaml:"reason"`
	Elsewhere string   `yaml:"elsewhere" jsonschema:"enum=block,enum=accept"` // block | accept; "" = settings.elsewhere
	Resume    bool     `yaml:"resume"`                                        // a resume that reduces retention is allowed here

	Pos Position `yaml:"-"`
}

// Protect is what a rule wants of its VMs.
type Protect string

// The values of `protect:`; the key left out means ProtectOn.
const (
	ProtectOn      Protect = "true"
	ProtectOff     Protect = "false"   // left alone, counted as excluded
	ProtectStopped Protect = "stopped" // no new backups, data kept
)

// Selector matches a VM when every key it has matches (AND); the values of one key are alternatives (OR).
type Selector struct {
	Names          []string `yaml:"names" jsonschema:"format=glob,minItems=1,uniqueItems=true"`
	ResourceGroups []string `yaml:"resourceGroups" jsonschema:"format=glob,minItems=1,uniqueItems=true"`
	Subscriptions  []string `yaml:"subscriptions" jsonschema:"format=guid,minItems=1,uniqueItems=true"`
	Locations      []string `yaml:"locations" jsonschema:"format=location,minItems=1,uniqueItems=true"`
	// Tags maps a tag's name to the values that match. An empty list (written null) = has no such tag.
	Tags map[string][]string `yaml:"tags"`

	Pos Position `yaml:"-"`
}

// Disks says which disks of a VM are backed up, by LUN. The OS disk always is.
type Disks struct {
	Kind DisksKind
	LUNs []int // sorted, unique; empty for DisksAll and DisksOSOnly
}

// DisksKind is the form of a disk filter.
type DisksKind string

// The forms of `disks:`.
const (
	DisksAll     DisksKind = "all"
	DisksOSOnly  DisksKind = "osOnly"
	DisksInclude DisksKind = "include"
	DisksExclude DisksKind = "exclude"
)

// Backup asks for an on-demand backup when the last recovery point is older than IfOlderThan.
type Backup struct {
	IfOlderThan time.Duration `yaml:"ifOlderThan" jsonschema:"required,format=duration"`
	Retain      time.Duration `yaml:"retain" jsonschema:"format=duration"` // 0 = Azure's default, 30 days
}

// Settings tune a run. Values left out have the defaults documented per field; Load fills them in.
type Settings struct {
	Refresh   string `yaml:"refresh" jsonschema:"enum=auto,enum=always,enum=never"` // auto (default) | always | never
	Elsewhere string `yaml:"elsewhere" jsonschema:"enum=block,enum=accept"`         // block (default) | accept
	Limits    Limits `yaml:"limits"`
	Guards    Guards `yaml:"guards"`
}

// Limits bound a run.
type Limits struct {
	Writes      int           `yaml:"writes" jsonschema:"minimum=1"`            // HTTP writes in flight, default 32
	Polls       int           `yaml:"polls" jsonschema:"minimum=1"`             // polls in flight, default 8
	Operations  int           `yaml:"operations" jsonschema:"minimum=1"`        // operations in flight, default 500
	ItemTimeout time.Duration `yaml:"itemTimeout" jsonschema:"format=duration"` // per change, default 30m
	RunTimeout  time.Duration `yaml:"runTimeout" jsonschema:"format=duration"`  // whole run, default 6h
}

// Guards refuse a plan that is larger than expected.
type Guards struct {
	MaxStops   Share `yaml:"maxStops"`                          // default 10%
	MaxChanges int   `yaml:"maxChanges" jsonschema:"minimum=0"` // default 1000
	MinVMs     int   `yaml:"minVMs" jsonschema:"minimum=0"`     // per subscription, default 0
}

// Share is a count, or a percentage of something.
type Share struct {
	Count   int
	Percent bool
}
