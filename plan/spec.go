package plan

// PolicySpec is a backup policy in normal form: the config and the service's response are both converted to it before
// they are compared, so the noise of docs/azure.md §8.2 does not appear here.
type PolicySpec struct {
	Tier               string              `json:"tier,omitempty"`     // Standard | Enhanced
	TimeZone           string              `json:"timeZone,omitempty"` // Windows id
	Schedule           ScheduleSpec        `json:"schedule"`
	InstantRestoreDays int                 `json:"instantRestoreDays,omitempty"` // 0 = not given
	Retention          RetentionSpec       `json:"retention"`
	Archive            *ArchiveSpec        `json:"archive,omitempty"`
	Consistency        string              `json:"consistency,omitempty"` // "crash", or "" for the default
	InstantRestore     *InstantRestoreSpec `json:"instantRestoreGroup,omitempty"`
}

// ScheduleSpec is when backups run.
type ScheduleSpec struct {
	Frequency string   `json:"frequency"`        // Daily | Weekly | Hourly
	At        string   `json:"at"`               // "HH:MM"; Hourly: start of the window
	Days      []string `json:"days,omitempty"`   // Weekly; Sunday first
	Every     int      `json:"every,omitempty"`  // Hourly: hours between backups
	Window    int      `json:"window,omitempty"` // Hourly: hours from At within which backups start
}

// RetentionSpec is how long recovery points are kept; a zero Keep means that there is no such retention.
type RetentionSpec struct {
	Days   int       `json:"days,omitempty"` // 0 = no daily retention
	Weeks  *KeepSpec `json:"weeks,omitempty"`
	Months *KeepSpec `json:"months,omitempty"`
	Years  *KeepSpec `json:"years,omitempty"`
}

// KeepSpec is a weekly, monthly or yearly retention: which points it selects, and how long it keeps them.
type KeepSpec struct {
	Keep   int      `json:"keep"` // in weeks, months or years
	Months []string `json:"months,omitempty"`
	Weeks  []string `json:"weeks,omitempty"`
	Days   []string `json:"days,omitempty"`
	Dates  []int    `json:"dates,omitempty"` // 0 = last day
}

// ArchiveSpec is when points are moved to the archive tier.
type ArchiveSpec struct {
	Mode  string `json:"mode"`            // TierRecommended | TierAfter
	After int    `json:"after,omitempty"` // the age of a point, in Unit
	Unit  string `json:"unit,omitempty"`  // Days | Months
}

// InstantRestoreSpec names the resource groups of instant recovery points: how their names begin and end.
type InstantRestoreSpec struct {
	Prefix string `json:"prefix,omitempty"`
	Suffix string `json:"suffix,omitempty"`
}

// Disks is a disk filter as the service keeps it: the full list of LUNs to include or to exclude. An
// inclusion list without LUNs means the OS disk only.
type Disks struct {
	Include bool  `json:"include"`
	LUNs    []int `json:"luns"`
}
