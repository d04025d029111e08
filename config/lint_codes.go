package config

// code is the stable name of one check; it stands in brackets behind every message and is a page of
// `azbackup help rules`. Checks write the name itself, so that it is found by a search.
type code string

// CodeHelp describes one rule that a config file is checked against.
type CodeHelp struct {
	Name string // as in the brackets behind a message
	Help string // one paragraph
}

// Codes lists the rules in the order in which a reader meets them: reading, format, meaning. It is the only list of
// them: a new rule is a row here and the check that reports it.
func Codes() []CodeHelp {
	return []CodeHelp{
		// Reading.
		{"file", "A file or directory that was named can be read, is at most 256 MiB, and is named once. Of a directory every *.yaml is read, " +
			"in the order of the names; a *.yml or *.YAML there is an error, because it would be left out silently."},
		{"encoding", "A file is UTF-8 text. Control characters and the line breaks that only some editors count are refused, " +
			"so that every position in a message is the one your editor shows."},
		{"empty", "A file says something. An empty one is more likely a mistake of the script that wrote it than a wish to manage nothing."},
		{"syntax", "A file is YAML. The YAML reader knows the line at best, and for an unclosed quote or bracket it is the line where that opened or ended."},
		{"tab", "YAML forbids tabs in indentation. Indent with spaces."},
		{"nesting", "Values are nested at most 32 levels deep; the format itself needs eight."},
		{"second-document", "A file holds one YAML document. What stands behind a second --- would be ignored by many readers, so it is refused."},
		{"alias", "Anchors (&a), aliases (*a) and merge keys (<<) work as in YAML; keys of the file that start with x- are a place for anchored values. " +
			"An alias within its own value, and aliases that make a small file huge, are refused."},
		{"yaml-tag", "Explicit YAML tags (!!str, !custom) are refused. Put quotes around a value that must be a text."},
		{"duplicate-key", "A key stands once in a mapping. Most YAML readers silently keep the last one."},
		{"variable", "${NAME} and ${NAME:-default} are replaced in values, never in keys; the default also stands for an empty variable. " +
			"A variable that is not set is an error, never an empty text. Write $${ for a literal ${."},

		// The format, which the JSON Schema knows as well. The limits of numbers and times are those of docs/azure.md §8.2,
		// §8.3; those of soft delete §6.
		{"version", "Each file starts with version: 1, so that a later format cannot be misread."},
		{"once-per-config", "Where several files make one config, lists are put together, and every other key (cloud, tenant, each key of settings) " +
			"is said in one file only."},
		{"unknown-key", "Every key is known. A misspelt key would otherwise be a wish that nobody hears."},
		{"missing-key", "Required keys are there. The subscription of a vault may be left out where the file lists only one; " +
			"timeZone, schedule and retention are required in a policy with manage: true, because a policy is written whole."},
		{"wrong-type", "Values have the type of their key. Numbers are plain decimal digits; true and false are the only truth values; " +
			"a text that looks like a number, a date or a truth value stands in quotes. A single value may stand for a list of one."},
		{"value", "Values are one of those that are allowed. Words are compared with their case."},
		{"range", "Numbers lie within the limits of Azure Backup: daily points are kept 7 to 9999 days, weekly ones 1 to 5163 weeks, " +
			"monthly ones 1 to 1188 months, yearly ones 1 to 99 years; instant points 1 to 30 days; soft-deleted data 14 to 180 days; " +
			"a date is 1 to 28 or last; points may be archived after 3 months at the earliest."},
		{"time", "Times of day are \"HH:MM\" on the hour or half hour, in the time zone of the policy. Azure starts backups on :00 and :30 only."},
		{"time-zone", "Azure knows the time zones of Windows, e.g. \"W. Europe Standard Time\". An IANA name is accepted where exactly one Windows zone belongs to it, " +
			"e.g. Europe/Berlin; for others the message lists the Windows zones that keep the same time. Azure does not move run times for summer time."},
		{"duration", "Durations are whole numbers with a unit: s, m, h, d (24 hours) or w; 1h30m is one hour and a half. A number alone is refused, because it could mean anything."},
		{"duplicate-value", "A value stands once in a list. A disk, a day or a vault that is listed twice hints at one that was meant and is missing."},
		{"exactly-one", "A schedule is daily, weekly or hourly; a disk filter includes or excludes. One of them, not none and not several."},
		{"empty-selector", "A selector names something. An empty one would match every VM, and an empty list of values none; to select every VM, write names: [\"*\"]. " +
			"For a VM without a certain tag, write tags: {name: null}."},

		// Names, vaults and references. What can change in a vault: docs/azure.md §7.3.
		{"cloud", "The addresses of a custom cloud are complete and use https; plain http is for the loopback address. The access token is sent there."},
		{"duplicate-name", "Names are unique: policies, rules and restore tests by name, vaults by subscription, resource group and name."},
		{"case-only", "Names do not differ by case only. Azure compares the names of resources, groups and tags without case, so the two would be one."},
		{"unknown-subscription", "Every subscription in an id, a vault or a selector is listed under subscriptions. That list is the fence: nothing outside it is read or written."},
		{"lost-role", "A warning: subscriptions: all is what Azure shows, and Azure shows less, without a word, where the identity has lost a role. " +
			"guards.minSubscriptions is how many there must be, and managementGroups knows them by name, so that each that is missing is a gap of its own."},
		{"unknown-vault", "A vault that a rule or a policy names is listed under vaults, also when it is not managed."},
		{"ambiguous-vault", "A reference means one vault. Where several have the same name, write group/name, or the resource id."},
		{"unknown-policy", "A policy that a rule names is listed under policies, also when it is not managed."},
		{"vault-match", "An entry of vaults names one vault, by name, resource group and location, or is for every vault found that matches. " +
			"A vault that joins the file by a match is never created; an entry by name beats a match, and the first match counts."},
		{"unmanaged", "A warning: settings of a vault or policy without manage: true are never written. Say manage: false to keep them as a note."},
		{"unused", "A warning: a policy that no rule uses and no vault is named for is kept nowhere."},
		{"no-effect", "A warning: what is said here changes nothing, e.g. a policy beside protect: false, or monthly points of a day on which no backup runs."},
		{"redundancy", "crossRegionRestore stands beside redundancy, because Azure takes both fields together, and needs GeoRedundant. " +
			"Redundancy can change only before the first item, and cross-region restore cannot be switched off again; the plan guards both."},
		{"unmatched", "unmatched: stop stops the backup of every VM in the vault that no rule matches. It is allowed only for a vault with manage: true."},

		// Policies. What a policy may say: docs/azure.md §8.3.
		{"policy-name", "The name of a managed policy starts with a letter and has 3 to 150 letters, digits, -, _ or !."},
		{"tier", "Hourly schedules and crash-consistent points of several disks exist in Enhanced policies only. A VM can move from Standard to Enhanced, never back."},
		{"instant-restore", "Instant points are kept 1 to 5 days by a Standard policy that runs daily, exactly 5 days by one that runs weekly, and 1 to 30 days by an Enhanced one."},
		{"hourly", "An hourly schedule runs every 4h, 6h, 8h or 12h, in a window of 4h to 24h that is a multiple of it."},
		{"retention", "Retention fits the schedule: a policy that runs daily or hourly keeps daily points; one that runs weekly keeps none, " +
			"keeps weekly points of exactly the days it runs on, and picks monthly and yearly points by week and day, not by date. " +
			"Azure answers all of this with one BMSUserErrorInvalidPolicyInput."},
		{"retention-form", "Monthly and yearly points are picked by weeks and days together (the first Sunday), or by dates alone (the 1st, the last)."},
		{"archive", "Only monthly and yearly points are archived. archive: recommended needs some that live 9 months; afterMonths needs some that live 6 months longer than that. " +
			"An Enhanced policy that runs weekly cannot archive."},

		// Rules and the VMs that they select. Which VMs a vault takes: docs/azure.md §13.
		{"rule-form", "A rule has either an id or a match, a restore test either ids or a match; except goes with match."},
		{"vm-id", "The id of a VM is its full resource id; classic VMs and other resources are not backed up by azbackup."},
		{"duplicate-vm", "A VM has one rule and one restore test by id. Ids are compared without case."},
		{"no-vault", "A rule without vault routes each VM to the vaults of the file in its subscription and region, so there must be one."},
		{"vault-place", "A vault takes VMs of its own subscription and region only, so a vault that a rule names must be where the rule's VMs can be."},
		{"policy-vault", "A policy that names its vaults is kept in these only. A rule that uses it names no other vault; where a rule without vault may reach another, that is a warning."},
		{"spread", "A warning: two vaults of one subscription and region may take the same VM. Name one, or say spread: true to fill them evenly. VMs that are in one of them already stay there."},
		{"covered", "The first rule that matches decides, and the first restore test. One, or a selector of a list, whose VMs an earlier one takes all, or its own except leaves out all, never does anything."},
		{"ambiguous-except", "A warning: one except with several conditions leaves out only VMs for which all of them hold, which is easily read as any of them. " +
			"Write a list with one selector each for any, or a list of one for all."},
		// Restore tests.
		{"restore-target", "The resource group and the storage accounts of a restore test are names, which are looked for in the subscription of each vault, or ids. " +
			"A vault restores into its own subscription, through an account of its own region."},
		{"restore-test", "A warning: a test with every: below 24h restores each VM more than once a day, of at most ten restores that Azure allows; with runTimeout below restoreTimeout the end of the run cuts a restore that takes long."},
		{"too-many", "A config has at most 20,000 vaults and 20,000 policies. Where thousands of patterns would have to be compared each with each, " +
			"the check for covered rules stops, with a warning."},
	}
}
