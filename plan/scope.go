package plan

// Scope is what a run has to read: data made from the config alone, so that discovery needs no config.
type Scope struct {
	Subscriptions []string
	Vaults        []VaultRef
	// VMs are the ids of `id` rules: asked by GET when the list does not show them.
	VMs []string
	// Elsewhere asks where VMs of the file are protected outside its vaults: always for plan and apply.
	Elsewhere bool
	// AllVaults asks for the items and policies of every vault of the subscriptions (audit, export).
	AllVaults bool
	// Protectable asks for the protectable items (refresh: auto and always need to know).
	Protectable bool
	// Guards asks for the resource guards of the vaults.
	Guards bool
	// BackupJobsSince, in hours, asks for Backup jobs of that window too (rules with `backup:`); 0 = none.
	BackupJobsSince Duration
	// MinVMs per subscription: fewer read is a gap.
	MinVMs int
}

// VaultRef names a vault of the file.
type VaultRef struct {
	ID       string
	Location string // as the file says, "" when it does not
	Manage   bool
}
