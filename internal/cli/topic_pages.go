package cli

import (
	"strings"

	"github.com/azbackup/azbackup/internal/azure/arm"
	"github.com/azbackup/azbackup/internal/telemetry"
)

// selectorsTopic explains how rules and --only select VMs.
func selectorsTopic() string {
	return strings.TrimSpace(`
A rule selects VMs by id, or by match: a selector, or a list of which any may match.

  match: {names: [web*, app0?], tags: {env: [prod, test]}, locations: [westeurope]}

  keys          names, resourceGroups, subscriptions, locations, tags
  all keys      that a selector has must hold; the values of one key are alternatives
  * and ?       any characters, and one; in names, resource groups and tag values
  letter case   does not count
  tags          a value, a list of values, or null for VMs without that tag
  except        selectors of VMs that match and are left out all the same

A rule with an id beats every match. Else the first rule that matches decides, from top to bottom. A VM without a rule is
left alone, unless the vault that protects it says unmatched: stop.

--only narrows a plan: rule=NAME, vault=NAME (or GROUP/NAME), vm=GLOB (over the name, GROUP/NAME or the id). The same key
several times means any of them, different keys mean all of them. A narrowed plan stops nothing because of unmatched.

azbackup explain VM says which rule decides, and why.
`)
}

// restoreTopic explains how machines come back.
func restoreTopic() string {
	return strings.TrimSpace(`
azbackup restore brings back the disks of machines, as new disks beside what is there. Nothing that exists is touched. The
machine need not exist any more: its backup is enough.

  azbackup points VM                      which points there are, and which can be restored now
  azbackup restore VM --into GROUP --staging ACCOUNT
  azbackup restore VM --before 2026-11-19T22:00:00Z …   the newest point that is not later
  azbackup restore VM --disks os …        the OS disk alone; or LUNs

  --into      the resource group in which the disks are made; it must exist
  --staging   a storage account in the region of the vault; give one for each region
  approval    a person says yes, or --auto-approve, or --expect with the fingerprint that was approved

A backup that was deleted softly is first recovered: a rule for the VM and azbackup apply undelete it. When a restore has
ended, the names of the disks, and the template with which Azure makes a machine of them, are printed. More than 20 restores
in a run need a flag of their own. See azbackup help recovery-points and azbackup help permissions.
`)
}

// signInTopic explains which identity is used.
func signInTopic() string {
	return strings.TrimSpace(`
azbackup takes the identity that is there, and says on stderr which one, before it does anything. In this order: variables
of the environment, workload identity, managed identity, az login and the other tools of developers. Where none gives a
token, each that was tried is shown with its reason.

  AZURE_TOKEN_CREDENTIALS   the one to try, or a group of them: ` + strings.Join(arm.CredentialChoices(), ", ") + `
  AZURE_TENANT_ID, AZURE_CLIENT_ID and AZURE_CLIENT_SECRET or AZURE_FEDERATED_TOKEN_FILE
  tenant: in the config     azbackup refuses to work in any other
  cloud: in the config      AzurePublic, AzureUSGovernment, AzureChina, or endpoints of your own

On a workstation: az login. In a pipeline: federated credentials (azure/login in GitHub Actions), so that no secret is
stored. On a machine in Azure: a managed identity. azbackup help permissions says what the identity needs, and azbackup init
--role prints that as a role. A plan on an estate (--simulate) needs no identity at all.
`)
}

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

// telemetryTopic explains what is sent to an OpenTelemetry collector.
func telemetryTopic() string {
	return strings.TrimSpace(`
Where the environment names an OpenTelemetry collector, each run sends it spans and metrics over OTLP. Without one of these
variables nothing is sent:

  ` + strings.Join(telemetry.Variables(), "\n  ") + `

The other variables of the specification hold, too: OTEL_EXPORTER_OTLP_PROTOCOL (http/protobuf or grpc), …_HEADERS,
…_CERTIFICATE, …_TIMEOUT, OTEL_SERVICE_NAME, OTEL_RESOURCE_ATTRIBUTES, OTEL_TRACES_EXPORTER=none, OTEL_METRICS_EXPORTER=none,
OTEL_SDK_DISABLED=true.

spans
  the run (azbackup apply)  its correlation id, which Azure's logs have too, and its exit code
  a change (protect, …)     target, vault, subscription, outcome, Azure's code and request id
  a request (GET policies)  each attempt: path, status, request id, subscription, vault; below the change that it is for

metrics
  azbackup.changes          by action and outcome
  azbackup.requests         by kind, method and status
  azbackup.throttles        times that a quota held requests back, by quota and reason; azbackup.throttled.time in seconds
  azbackup.runs             by command and exit code

No token, no body and no query of a URL is sent; names of machines, vaults and groups are. Requests for signing in have no
span. A collector that is down changes no exit code, and delays the end by five seconds at most: what could not be delivered
is one warning.`)
}

// pointsTopic explains the output of azbackup points. The words are those of its columns and of its JSON.
func pointsTopic() string {
	return strings.TrimSpace(`
A recovery point is a backup at a time. azbackup points lists them, newest first.

consistency
  application  databases and files were quiesced; file system  files were; crash  as after a power cut

tiers
  snapshot  beside the disks (InstantRP): restored in minutes, kept for the days of instant restore
  vault     copied into the vault (HardenedRP): restored in as long as the copy takes
  archive   moved out of the vault's standard tier (ArchivedRP): needs rehydration, hours to a day, before a restore

restored now
  ✓ A point with a valid snapshot or vault tier, or one that was rehydrated.
  ✗ Anything else, with the reason. A point of which not all was understood is never called restorable.

proven
  A Restore job that ended Completed and names the point's time. Azure keeps jobs for months, not for ever: a point that
  was proven long ago may be shown without its proof.

may be pruned earlier
  The file keeps points for less long than today's policy does. Which points a weekly, monthly or yearly retention selected
  is in no list, so this names every point that may go.

JSON
  {"format_version", "vms": [{"id", "vault", "item", "state", "exists", "read", "points": [{"name", "id", "time", "age_seconds",
  "consistency", "tiers": [{"type", "status"}], "disks": {"held", "attached", "included": [{"lun", "name"}], "excluded"},
  "expires", "restorable", "restored_from", "why_not", "proven_by", "proven_at", "may_be_pruned_earlier"}]}], "gaps"}
  null is what the service did not say: tiers that are null are not known, disks that are null are all of them, as far as is
  known; exists is null for a VM in no list. The OS disk has lun -1.
`)
}
