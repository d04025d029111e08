package cli

import "strings"

// costsTopic explains the estimate of plan --prices.
func costsTopic() string {
	return strings.TrimSpace(`
plan --prices FILE estimates what the changes of the plan add to the monthly bill. The prices are yours: azbackup knows none,
and reads nothing more than without the flag.

  version: 1
  currency: EUR
  instance: {upTo50GB: 4.00, upTo500GB: 8.00, further500GB: 8.00, chargedWhileStopped: true}
  storage: {LocallyRedundant: 0.02, ZoneRedundant: 0.025, GeoRedundant: 0.04, CrossRegionRestore: 0.05}

  (these numbers are invented)

protect  the instance, by the size of the disks that are backed up, and one full copy of them
resume   the instance, unless it is charged while stopped; the data was kept
stop     minus the instance, unless it is charged while stopped; the data is kept
modify   of the disks: the difference; of the policy: no estimate

A change has no estimate where the size of a disk, the redundancy of the vault, or a price is not known: it is counted apart,
never guessed. Sizes are those of the disks, of which Azure bills the used part. Not in it: compression, what changes between
backups and how long that is kept, snapshots, archive, restores, discounts, taxes.`)
}
