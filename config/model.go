package config

import (
	"time"

	"github.com/azbackup/azbackup/internal/armid"
)

// Config is the desired state: all files given, joined in order, checked.
//
// The structs below are the file format. A key is spelled once, in its `yaml` tag, and what it may hold stands
// in its `jsonschema` tag; the decoder, the messages and the JSON Schema all read them there, and the comment of
// a field is its description for the user. Pointers and nil slices mean "the file does not set it", which is never
// the same as a zero value: what the file does not set is not managed.
type Config struct {
	// The version of this format: 1. Each file has it.
	Version int `yaml:"version" jsonschema:"required,enum=1"`
	// The Azure cloud: AzurePublic (default), AzureUSGovernment, AzureChina, or the addresses of another one.
	Cloud Cloud `yaml:"cloud" jsonschema:"enum=AzurePublic,enum=AzureUSGovernment,enum=AzureChina"`
	// The tenant to work in; azbackup refuses to run in any other.
	Tenant string `yaml:"tenant" jsonschema:"format=guid"`
	// The subscriptions to work in: their ids; all that the identity sees; or those below management groups. Nothing
	// outside them is read or written.
	Subscriptions SubscriptionIDs `yaml:"subscriptions" jsonschema:"required,format=guid,minItems=1,uniqueItems=true"`
	// The Recovery Services vaults that hold the backups.
	Vaults []Vault `yaml:"vaults"`
	// The backup policies: when backups run, and how long they are kept.
	Policies []Policy `yaml:"policies"`
	// The rules that say which VM gets which backup. A rule with an id beats every match, else the first match wins.
	Rules []Rule `yaml:"vms"`
	// How a run behaves.
	Settings Settings `yaml:"settings"`
	// The restore tests: which VMs are restored how often, to show that it can be done. The first that matches a VM counts.
	RestoreTests []RestoreTest `yaml:"restoreTests"`

	// SubscriptionQuery says how the subscriptions are found, where the file does not list them; Subscriptions is empty
	// then, until [Config.WithSubscriptions].
	SubscriptionQuery *SubscriptionQuery `yaml:"-"`
	// VaultMatches are the entries of `vaults` with a match, in the order of the file; package plan adds what they
	// match to Vaults.
	VaultMatches []Vault `yaml:"-"`
	// Shard is the part of the subscriptions that the run works in; the zero value is all of them. It is no part of
	// the file.
	Shard Shard `yaml:"-"`
	// Files names the files read, in order.
	Files []string `yaml:"-"`

	compiledConfig *compiledConfig // made by Load; nil in a Config made by hand
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
	Name string `yaml:"-"`
	// The address of Azure Resource Manager, e.g. https://management.azure.com.
	Endpoint string `yaml:"endpoint" jsonschema:"required"`
	// What access tokens are asked for, e.g. https://management.core.windows.net.
	Audience string `yaml:"audience" jsonschema:"required"`
	// Where to sign in, e.g. https://login.microsoftonline.com.
	Authority string `yaml:"authority" jsonschema:"required"`
}

// SubscriptionIDs are the ids of subscriptions.
type SubscriptionIDs []string

// SubscriptionQuery finds subscriptions: `subscriptions: all` is a query without any key. A subscription that is neither
// Enabled nor Warned is never found.
type SubscriptionQuery struct {
	// The ids of management groups; the subscriptions on all levels below them are worked in. Default: all that the
	// identity sees.
	ManagementGroups []string `yaml:"managementGroups" jsonschema:"format=part,minItems=1,uniqueItems=true"`
	// The subscriptions that are left out: ids, or display names in which * stands for any characters and ? for one,
	// without case.
	Except []string `yaml:"except" jsonschema:"format=glob,minItems=1,uniqueItems=true"`
	// Whether subscriptions of other tenants that are managed from this one (Azure Lighthouse) belong to them. Default:
	// false.
	Managed bool `yaml:"managed"`
}

// Vault is one entry of `vaults`: a Recovery Services vault.
type Vault struct {
	// The name of the vault.
	Name string `yaml:"name" jsonschema:"required,unless=match,format=part"`
	// The vaults that the entry is for, instead of one by name: every vault found that matches joins the file. None is
	// ever created; an entry by name beats a match, and of matches the first.
	Match *VaultSelector `yaml:"match"`
	// The subscription of the vault; it may be left out where the file lists only one.
	Subscription string `yaml:"subscription" jsonschema:"format=guid"`
	// The resource group of the vault; it must exist.
	ResourceGroup string `yaml:"resourceGroup" jsonschema:"required,unless=match,format=part"`
	// The region of the vault. It takes VMs of its own subscription and region only.
	Location string `yaml:"location" jsonschema:"required,unless=match,format=location"`
	// Create the vault and keep its settings as the file says. Default: false, the vault must exist and is never written.
	Manage bool `yaml:"manage"`
	// How the backups are replicated. It can change only before the first VM is protected.
	Redundancy string `yaml:"redundancy" jsonschema:"enum=LocallyRedundant,enum=ZoneRedundant,enum=GeoRedundant"`
	// Allow restores in the paired region. It needs GeoRedundant and cannot be switched off again.
	CrossRegionRestore *bool `yaml:"crossRegionRestore"`
	// How many days deleted backups can be brought back.
	SoftDeleteDays *int `yaml:"softDeleteDays" jsonschema:"minimum=14,maximum=180"`
	// Whether backups can be deleted before their time. Locked cannot be undone.
	Immutability string `yaml:"immutability" jsonschema:"enum=Disabled,enum=Unlocked,enum=Locked"`
	// Whether the vault can be reached from public networks.
	PublicNetworkAccess *bool `yaml:"publicNetworkAccess"`
	// The tags of the vault.
	Tags map[string]string `yaml:"tags"`
	// What to do where a resource guard covers an operation: block it (default), or use the guard, by naming its request.
	ResourceGuard string `yaml:"resourceGuard" jsonschema:"enum=block,enum=use"`
	// What happens to VMs that are protected here and that no rule matches: report (default), or stop their backup.
	Unmatched string `yaml:"unmatched" jsonschema:"enum=report,enum=stop"`

	// Joined is true for a vault that was found and matches an entry.
	Joined bool     `yaml:"-"`
	Pos    Position `yaml:"-"`
}

// VaultSelector matches a vault when every key it has matches (AND); the values of one key are alternatives (OR). Names
// and tags are compared as in a [Selector].
type VaultSelector struct {
	// The names of the vaults, without case.
	Names []string `yaml:"names" jsonschema:"format=glob,minItems=1,uniqueItems=true"`
	// The regions of the vaults.
	Locations []string `yaml:"locations" jsonschema:"format=location,minItems=1,uniqueItems=true"`
	// The tags of the vaults: a value, a list of values, or null for vaults without that tag.
	Tags map[string][]string `yaml:"tags"`
}

// ID returns the vault's resource id.
func (v Vault) ID() string { return armid.Vault(v.Subscription, v.ResourceGroup, v.Name) }

// Policy is one entry of `policies`: one definition, kept in one or many vaults.
type Policy struct {
	// The name of the policy in the vaults.
	Name string `yaml:"name" jsonschema:"required,format=part"`
	// The vaults that hold the policy: names in which * stands for any characters and ? for one, group/name, or resource
	// ids. Default: every vault that a rule with this policy may route to.
	Vaults []string `yaml:"vaults" jsonschema:"minItems=1,uniqueItems=true"`
	// Create the policy and keep it as the file says. Default: false, it must exist in the vaults and is never written.
	Manage bool `yaml:"manage"`
	// Standard (V1, the default of Azure) or Enhanced (V2: hourly, several disks at one moment). A VM never goes back to Standard.
	Tier string `yaml:"tier" jsonschema:"enum=Standard,enum=Enhanced"`
	// The time zone of the schedule: a Windows name, or an IANA name that belongs to one.
	TimeZone string `yaml:"timeZone" jsonschema:"format=time-zone"`
	// When backups run.
	Schedule *Schedule `yaml:"schedule"`
	// How many days points stay as snapshots: Standard 1 to 5 (weekly: 5), Enhanced 1 to 30.
	InstantRestoreDays *int `yaml:"instantRestoreDays" jsonschema:"minimum=1,maximum=30"`
	// How long points are kept. It is the whole truth: a kind of point that it lacks is no longer kept.
	Retention *Retention `yaml:"retention"`
	// Move old monthly and yearly points to the archive tier: after some months, or where Azure recommends it.
	Archive *Archive `yaml:"archive"`
	// Whether points are consistent for applications (default), or crash-consistent over all disks (Enhanced only).
	Consistency string `yaml:"consistency" jsonschema:"enum=crash,enum=application"`
	// The resource groups that hold the snapshots.
	InstantRestoreGroup *InstantRestoreGroup `yaml:"instantRestoreGroup"`

	Pos Position `yaml:"-"`
}

// Schedule has exactly one of its fields set.
type Schedule struct {
	// Back up once a day.
	Daily *Daily `yaml:"daily"`
	// Back up on some days of the week.
	Weekly *Weekly `yaml:"weekly"`
	// Back up several times a day (Enhanced only).
	Hourly *Hourly `yaml:"hourly"`
}

// Daily backs up once a day.
type Daily struct {
	// The time of the backup, on the hour or half hour: "22:00".
	At string `yaml:"at" jsonschema:"required,format=time"`
}

// Weekly backs up on some days of the week.
type Weekly struct {
	// The days of the week.
	Days []string `yaml:"days" jsonschema:"required,format=day,minItems=1,uniqueItems=true"`
	// The time of the backup, on the hour or half hour: "22:00".
	At string `yaml:"at" jsonschema:"required,format=time"`
}

// Hourly backs up several times a day (Enhanced only).
type Hourly struct {
	// The time between two backups: 4h, 6h, 8h or 12h.
	Every time.Duration `yaml:"every" jsonschema:"required,format=duration"`
	// The time of the first backup of a day, on the hour or half hour: "08:00".
	From string `yaml:"from" jsonschema:"required,format=time"`
	// How long backups go on from there: 4h to 24h, a multiple of every.
	Window time.Duration `yaml:"window" jsonschema:"required,format=duration"`
}

// Retention says how long recovery points are kept. It is the whole truth: a schedule it lacks is removed.
type Retention struct {
	// How many days the points of each day are kept; required unless the policy runs weekly.
	Days *int `yaml:"days" jsonschema:"minimum=7,maximum=9999"`
	// How long weekly points are kept; required where the policy runs weekly.
	Weeks *KeepWeeks `yaml:"weeks"`
	// How long monthly points are kept.
	Months *KeepMonths `yaml:"months"`
	// How long yearly points are kept.
	Years *KeepYears `yaml:"years"`
}

// KeepWeeks keeps the points of some days of each week.
type KeepWeeks struct {
	// For how many weeks.
	Keep int `yaml:"keep" jsonschema:"required,minimum=1,maximum=5163"`
	// The days whose points are kept; the days of the schedule where the policy runs weekly.
	Days []string `yaml:"days" jsonschema:"required,format=day,minItems=1,uniqueItems=true"`
}

// KeepMonths keeps points of each month: by week and day of week, or by date.
type KeepMonths struct {
	// For how many months.
	Keep int `yaml:"keep" jsonschema:"required,minimum=1,maximum=1188"`
	// The weeks of the month, together with days.
	Weeks []string `yaml:"weeks" jsonschema:"format=week,minItems=1,uniqueItems=true"`
	// The days of those weeks.
	Days []string `yaml:"days" jsonschema:"format=day,minItems=1,uniqueItems=true"`
	// The days of the month, 1 to 28 or last; instead of weeks and days.
	Dates []Date `yaml:"dates" jsonschema:"minItems=1,uniqueItems=true"`
}

// KeepYears keeps points of some months of each year.
type KeepYears struct {
	// For how many years.
	Keep int `yaml:"keep" jsonschema:"required,minimum=1,maximum=99"`
	// The months of the year.
	Months []string `yaml:"months" jsonschema:"required,format=month,minItems=1,uniqueItems=true"`
	// The weeks of those months, together with days.
	Weeks []string `yaml:"weeks" jsonschema:"format=week,minItems=1,uniqueItems=true"`
	// The days of those weeks.
	Days []string `yaml:"days" jsonschema:"format=day,minItems=1,uniqueItems=true"`
	// The days of those months, 1 to 28 or last; instead of weeks and days.
	Dates []Date `yaml:"dates" jsonschema:"minItems=1,uniqueItems=true"`
}

// Date is a day of the month; LastDay is the last one, written "last".
type Date int

// LastDay is the last day of a month.
const LastDay Date = 0

// Archive moves old points to the archive tier: after some months, or where Azure recommends it
// (written `archive: recommended`).
type Archive struct {
	Recommended bool `yaml:"-"`
	// After how many months points move.
	AfterMonths int `yaml:"afterMonths" jsonschema:"required,minimum=3"`
}

// InstantRestoreGroup names the resource groups that hold instant recovery points.
type InstantRestoreGroup struct {
	// What their names begin with.
	Prefix string `yaml:"prefix" jsonschema:"format=part"`
	// What their names end with.
	Suffix string `yaml:"suffix" jsonschema:"format=part"`
}

// Rule is one entry of `vms`. Exactly one of ID and Match is set.
type Rule struct {
	// The name of the rule, for messages and for --only.
	Name string `yaml:"name" jsonschema:"required"`
	// The resource id of one VM; it beats every match.
	ID string `yaml:"id"`
	// The VMs that the rule is for: a selector, or a list of which any may match.
	Match []Selector `yaml:"match"`
	// The VMs of match that the rule is not for: a selector, or a list of which any may match.
	Except []Selector `yaml:"except"`
	// The policy that the VMs get.
	Policy string `yaml:"policy"`
	// The vault, or the vaults, that the VMs may go to: name, group/name or resource id. Default: the vaults of the
	// file in the VM's subscription and region.
	Vault []string `yaml:"vault" jsonschema:"minItems=1,uniqueItems=true"`
	// Where several vaults may take a VM, fill them evenly. Default: false, the rule must say which.
	Spread bool `yaml:"spread"`
	// The disks that are backed up, besides the OS disk: all, osOnly, or LUNs to include or exclude. Default: as it is.
	Disks *Disks `yaml:"disks"`
	// Back up at once where the last recovery point is too old.
	Backup *Backup `yaml:"backup"`
	// true (default); false: left alone and counted as excluded; stopped: no new backups, what is there is kept.
	Protect Protect `yaml:"protect"`
	// Why the VMs are not protected; it is shown in reports.
	Reason string `yaml:"reason"`
	// What to do with a VM that is protected in a vault outside the file: block or accept. Default: as in settings.
	Elsewhere string `yaml:"elsewhere" jsonschema:"enum=block,enum=accept"`
	// Allow that a backup is resumed although older points may then be pruned.
	Resume bool `yaml:"resume"`

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
// In names, resource groups and tag values * stands for any characters and ? for one. In Tags an empty list stands
// for null: the VM has no such tag.
type Selector struct {
	// The names of the VMs, without case.
	Names []string `yaml:"names" jsonschema:"format=glob,minItems=1,uniqueItems=true"`
	// The resource groups of the VMs, without case.
	ResourceGroups []string `yaml:"resourceGroups" jsonschema:"format=glob,minItems=1,uniqueItems=true"`
	// The subscriptions of the VMs.
	Subscriptions []string `yaml:"subscriptions" jsonschema:"format=guid,minItems=1,uniqueItems=true"`
	// The regions of the VMs.
	Locations []string `yaml:"locations" jsonschema:"format=location,minItems=1,uniqueItems=true"`
	// The tags of the VMs: a value, a list of values, or null for VMs without that tag.
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
	// Back up when the last recovery point is older than this: 24h.
	IfOlderThan time.Duration `yaml:"ifOlderThan" jsonschema:"required,format=duration"`
	// How long that backup is kept. Default: 30d, as Azure has it.
	Retain time.Duration `yaml:"retain" jsonschema:"format=duration"`
}

// Settings tune a run. Load fills in the defaults of what is left out.
type Settings struct {
	// Whether to look for new VMs in Azure first: auto (default: where a VM is not known to its vault), always or never.
	Refresh string `yaml:"refresh" jsonschema:"enum=auto,enum=always,enum=never"`
	// What to do with VMs that are protected in a vault outside the file: block (default) or accept.
	Elsewhere string `yaml:"elsewhere" jsonschema:"enum=block,enum=accept"`
	// How much is done at once, and for how long.
	Limits Limits `yaml:"limits"`
	// What a plan may do without being refused.
	Guards Guards `yaml:"guards"`
	// The tenants of resource guards of other tenants: a write that names a guard's request carries a token of each.
	AuxiliaryTenants []string `yaml:"auxiliaryTenants" jsonschema:"format=guid,minItems=1,uniqueItems=true"`
}

// Limits bound a run.
type Limits struct {
	// Writes sent at the same time. Default: 64.
	Writes int `yaml:"writes" jsonschema:"minimum=1"`
	// Polls sent at the same time. Default: 8.
	Polls int `yaml:"polls" jsonschema:"minimum=1"`
	// Operations of Azure that run at the same time: a number, or auto (default: as many as can be confirmed in time).
	Operations Operations `yaml:"operations"`
	// Restores that run at the same time. Default: 20.
	Restores int `yaml:"restores" jsonschema:"minimum=1"`
	// How long one change may take. Default: 30m.
	ItemTimeout time.Duration `yaml:"itemTimeout" jsonschema:"format=duration"`
	// How long one restore may take. Default: 8h.
	RestoreTimeout time.Duration `yaml:"restoreTimeout" jsonschema:"format=duration"`
	// How long the run may take. Default: 6h; with restoreTests at least an hour more than restoreTimeout.
	RunTimeout time.Duration `yaml:"runTimeout" jsonschema:"format=duration"`
}

// Operations is a number of operations that run at the same time, or [OperationsAuto]. Zero is none of the two.
type Operations int

// OperationsAuto is as many as the quotas for reading let a run confirm in time, written "auto".
const OperationsAuto Operations = -1

// Guards refuse a plan that is larger than expected.
type Guards struct {
	// The most backups that a plan may stop: a number, or a percentage of those that are active. Default: 10%.
	MaxStops Share `yaml:"maxStops"`
	// The most changes that a plan may have. Default: 1000.
	MaxChanges int `yaml:"maxChanges" jsonschema:"minimum=0"`
	// The fewest VMs that each subscription must show; fewer mean that the identity sees too little. Default: 0.
	MinVMs int `yaml:"minVMs" jsonschema:"minimum=0"`
	// The fewest subscriptions that must be found; fewer mean that the identity lost a role. Default: 0.
	MinSubscriptions int `yaml:"minSubscriptions" jsonschema:"minimum=0"`
	// The most restores and restore tests that a run may have. Default: 20.
	MaxRestores int `yaml:"maxRestores" jsonschema:"minimum=0"`
}

// Share is a count, or a percentage of something.
type Share struct {
	Count   int
	Percent bool
}
