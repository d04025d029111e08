package simulator

import (
	"cmp"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/azbackup/azbackup/internal/simulator/ids"
	"github.com/azbackup/azbackup/internal/simulator/rawjson"
	"github.com/azbackup/azbackup/internal/simulator/reply"
	"github.com/azbackup/azbackup/internal/simulator/settings"
	"github.com/azbackup/azbackup/internal/simulator/state"
)

// restoreOrder describes the disks a restore creates. It is stored in the operation's request, so that the restore
// continues after the simulator was killed.
type restoreOrder struct {
	// Account is the id of the staging storage account, Group that of the disks' resource group; without a group they
	// become files in the account (docs/azure.md §19).
	Account string `json:"account"`
	Group   string `json:"group,omitempty"`
	Region  string `json:"region"`
	// Tier is the one the point is restored from.
	Tier     string    `json:"tier"`
	Taken    time.Time `json:"taken"`
	Friendly string    `json:"friendly"`
	// Disks are the disks to restore; Held are all disks in the point.
	Disks []sourceDisk `json:"disks"`
	Held  []sourceDisk `json:"held"`
}

const instantTier = "InstantRP"

func (o *restoreOrder) isInstant() bool { return o.Tier == instantTier }

// hasTransfer reports whether data is copied, which is slow and writes files to the staging account (docs/azure.md
// §25.1).
func (o *restoreOrder) hasTransfer() bool { return !o.isInstant() || o.Group == "" }

// snapshotOf returns the source snapshot of a disk in an instant point (docs/azure.md §25.2).
func (o *restoreOrder) snapshotOf(d sourceDisk) string {
	at := o.Taken.UTC().Format("20060102_150405")
	return "/subscriptions/" + ids.Segment(o.Group, "subscriptions") + "/resourceGroups/AzureBackupRG_" + o.Region +
		"_1/providers/Microsoft.Compute/restorePointCollections/AzureBackup_" + o.Friendly + "/restorePoints/AzureBackup_" + at + "/disks/" + d.Name
}

// restore starts a restore of disks: the operation ends at once, its job continues (docs/azure.md §33.46, §33.47).
func (rc *requestContext) restore() reply.Reply {
	v, it, none := rc.item()
	if none != nil {
		return *none
	}
	if err := rawjson.CheckObject(rc.body); err != nil {
		return invalidContent(err)
	}
	p := rc.point(it)
	if p == nil {
		return pointNotFound()
	}
	sent := rawjson.Parse(rc.body).Object("properties")
	if r := rc.checkGuards(v, guardsRestore, sent, true); r != nil {
		return *r
	}
	if refusals := rc.restoreRefusals(v, it, p, sent); len(refusals) > 0 {
		return refusals[0]
	}
	if rc.restoresToday(v, it) >= maxRestores && (rc.s.set.DailyLimits || rc.s.set.Quota != "") {
		return rc.unverified("restores", "Operation is blocked as you have reached the limit on number of operations permitted in 24 hours.")
	}
	if r := rc.busyItemReply(it.Key); r != nil {
		return *r
	}
	o := rc.restoreOrder(v, it, p, sent)
	id := rc.guid("restore")
	itemPath := ids.Before(rc.path, "recoveryPoints")
	op := &state.Operation{
		ID: id, Action: state.ActRestore, Vault: v.Key, Target: it.Key, Version: rc.version, State: state.InProgress,
		StatusPath: itemPath + "/operationsStatus/" + id, ResultPath: itemPath + "/operationResults/" + id,
		Started: rc.now, Ends: rc.now.Add(rc.s.sampleDuration("restoreTrigger", it.Key)), Request: rawjson.Encode(o),
	}
	rc.s.scheduleRestore(op, o, it.Key)
	// The job has the operation's id (docs/azure.md §33.47).
	op.Jobs = []string{rc.s.fileJob(rc.now, id, v, it.Friendly, it.ContainerKey, "Restore", startedRestore(o), []string{"Cancellable"})}
	rc.startOperation(op)
	return rc.acceptedReply(op)
}

// scheduleRestore sets when the restore's job reports progress and when it ends. From snapshots the one task ends
// shortly before the job does (docs/azure.md §33.48); a transfer reports progress while it runs (recorded).
func (s *Server) scheduleRestore(op *state.Operation, o *restoreOrder, target string) {
	if o.hasTransfer() {
		takes := s.sampleDuration("restore", target)
		op.Snapshot, op.JobEnds = op.Started.Add(takes*3/10), op.Started.Add(takes)
		return
	}
	takes := s.sampleDuration("restoreFromSnapshot", target)
	op.JobEnds = op.Started.Add(takes)
	op.Snapshot = op.Started.Add(max(takes-s.sampleDuration("restoreFinish", target), 0))
}

// maxRestores is how often an item is restored in 24 hours (docs/azure.md §19).
const maxRestores = 10

func (rc *requestContext) restoresToday(v *state.Vault, it *state.Item) int {
	n := 0
	rc.st.Jobs.Group(v.Key, 0, func(_ int, j *state.Job) bool {
		if j.Item == it.Key && j.Operation == "Restore" && rc.now.Sub(j.Started) < 24*time.Hour {
			n++
		}
		return true
	})
	return n
}

// restoreRefusals returns the errors that refuse a restore, the one to return first in front.
func (rc *requestContext) restoreRefusals(v *state.Vault, it *state.Item, p *state.Point, sent rawjson.Object) []reply.Reply {
	var out []reply.Reply
	for _, check := range []func() *reply.Reply{
		func() *reply.Reply { return rc.checkRestoreInput(v, it, sent) },
		func() *reply.Reply { return rc.checkTier(p) },
		func() *reply.Reply { return rc.checkStaging(v, sent) },
		func() *reply.Reply { return rc.checkTarget(p, sent) },
		func() *reply.Reply { return rc.checkDiskQuota(v, it, p, sent) },
	} {
		if r := check(); r != nil {
			out = append(out, *r)
		}
	}
	return out
}

func (rc *requestContext) checkRestoreInput(v *state.Vault, it *state.Item, sent rawjson.Object) *reply.Reply {
	var r reply.Reply
	switch {
	case sent.Text("objectType") != "IaasVMRestoreRequest" || sent.Text("recoveryType") != "RestoreDisks" || sent.Text("sourceResourceId") == "":
		r = rc.unverified("restore-input", "Input for restore is not in proper format.")
	case ids.Region(sent.Text("region")) != v.Region:
		r = rc.unverified("restore-region", "The region '%s' of the restore is not that of the vault.", sent.Text("region"))
	case it.IsDeleted:
		r = rc.unverified("restore-soft-deleted", "The item is in soft deleted state and must be undeleted before a restore.")
	default:
		return nil
	}
	return &r
}

// checkTier enforces: an archived point has to be rehydrated first (docs/azure.md §19); a snapshot may have been deleted.
func (rc *requestContext) checkTier(p *state.Point) *reply.Reply {
	tiers := rc.tiers(p)
	if restorableTier(tiers) != "" {
		return nil
	}
	var r reply.Reply
	if _, archived := tiers["ArchivedRP"]; archived {
		r = rc.unverified("restore-archived", "The recovery point is in the archive tier and must be rehydrated before a restore.")
	} else {
		r = rc.unverified("restore-snapshot-gone", "Restore failed because the snapshot of the VM was not found. The snapshot could have been deleted, please check.")
	}
	return &r
}

func (rc *requestContext) tiers(p *state.Point) map[string]string {
	tiers := map[string]string{}
	list := rawjson.RawAt(rc.st.Read(p.Body), "properties", "recoveryPointTierDetails")
	if i := rawjson.SkipSpace(list, 0); i < len(list) && list[i] == '[' {
		_, _ = rawjson.WalkArray(list, i, 0, func(t []byte) { tiers[rawjson.TextAt(t, "type")] = rawjson.TextAt(t, "status") })
	}
	return tiers
}

// restorableTier returns the tier a restore reads: the snapshot if one exists; "" if no tier can be restored.
func restorableTier(tiers map[string]string) string {
	switch {
	case tiers[instantTier] == "Valid":
		return instantTier
	case tiers["HardenedRP"] == "Valid":
		return "HardenedRP"
	}
	for _, t := range []string{"HardenedRP", "ArchivedRP"} {
		if tiers[t] == "Rehydrated" {
			return t
		}
	}
	return ""
}

// checkTarget enforces: the group exists, and the request sets the disks' network access for exactly the points that
// require it (docs/azure.md §25.2; that the service refuses otherwise is UNVERIFIED).
func (rc *requestContext) checkTarget(p *state.Point, sent rawjson.Object) *reply.Reply {
	private := string(rawjson.RawAt(rc.st.Read(p.Body), "properties", "isPrivateAccessEnabledOnAnyDisk")) == "true"
	group := sent.Text("targetResourceGroupId")
	var r reply.Reply
	switch {
	case group != "" && rc.st.Groups.Get(ids.Key(group)) == nil:
		r = rc.unverified("restore-group-missing", "The target resource group '%s' was not found.", ids.LastSegment(group))
	case group != "" && private != sent.Has("targetDiskNetworkAccessSettings"):
		r = rc.unverified("restore-network", "The network access settings of the restored disks are not valid for the recovery point.")
	default:
		return nil
	}
	return &r
}

// checkDiskQuota enforces: the disks fit into the subscription (Settings.DiskQuota).
func (rc *requestContext) checkDiskQuota(v *state.Vault, it *state.Item, p *state.Point, sent rawjson.Object) *reply.Reply {
	if rc.s.set.DiskQuota == 0 || sent.Text("targetResourceGroupId") == "" {
		return nil
	}
	n := len(wantedDisks(rc.s.disksIn(p, it), sent))
	rc.st.Disks.All(0, func(_ int, d *state.Resource) bool {
		if d.Sub == v.Sub {
			n++
		}
		return true
	})
	if n <= rc.s.set.DiskQuota {
		return nil
	}
	r := rc.unverified("disk-quota", "The subscription has reached its quota of %d disks.", rc.s.set.DiskQuota)
	return &r
}

func (rc *requestContext) restoreOrder(v *state.Vault, it *state.Item, p *state.Point, sent rawjson.Object) *restoreOrder {
	held := rc.s.disksIn(p, it)
	return &restoreOrder{
		Account: cmp.Or(rawjson.TextAt(sent.Raw("identityBasedRestoreDetails"), "targetStorageAccountId"), sent.Text("storageAccountId")),
		Group:   sent.Text("targetResourceGroupId"), Region: v.Region, Tier: restorableTier(rc.tiers(p)), Taken: p.Taken,
		Friendly: it.Friendly, Disks: wantedDisks(held, sent), Held: held,
	}
}

// wantedDisks returns the disks to restore: all without a list; always the OS disk (docs/azure.md §33.46).
func wantedDisks(held []sourceDisk, sent rawjson.Object) []sourceDisk {
	var luns []int
	if !sent.Has("restoreDiskLunList") || json.Unmarshal(sent.Raw("restoreDiskLunList"), &luns) != nil || luns == nil {
		return held
	}
	return slices.DeleteFunc(slices.Clone(held), func(d sourceDisk) bool { return d.LUN >= 0 && !slices.Contains(luns, d.LUN) })
}

// diskPrefix returns the prefix of restored disks' names: never the VM's name as it is (docs/azure.md §25.2).
func diskPrefix(friendly string) string {
	return strings.ToLower(strings.ReplaceAll(friendly, "-", ""))
}

// validateRestore runs the check without effect: 202, then a verdict in the operation's body (docs/azure.md §19,
// §25.4; never recorded).
func (rc *requestContext) validateRestore() reply.Reply {
	v, none := rc.vault()
	if none != nil {
		return *none
	}
	switch rc.s.set.ValidateRestore {
	case "absent":
		return reply.ARMError(http.StatusNotFound, "InvalidResourceType", "The resource type 'backupTriggerValidateOperation' could not be found.")
	case "forbidden":
		return reply.ARMError(http.StatusForbidden, "AuthorizationFailed",
			"The client does not have authorization to perform action 'Microsoft.RecoveryServices/Vaults/backupTriggerValidateOperation/action'.")
	}
	if err := rawjson.CheckObject(rc.body); err != nil {
		return invalidContent(err)
	}
	asked := rawjson.Parse(rc.body)
	if asked.Object("properties").Text("objectType") != "ValidateIaasVMRestoreOperationRequest" {
		return rc.unverified("restore-input", "Input for validation is not in proper format.")
	}
	p := rc.st.Points.Get(ids.Key(asked.Text("id")))
	if p == nil || rc.st.Items.Get(p.Item) == nil {
		return pointNotFound()
	}
	it := rc.st.Items.Get(p.Item)
	rows := []settings.Finding{}
	for _, r := range rc.restoreRefusals(v, it, p, asked.Object("properties").Object("restoreRequest")) {
		rows = append(rows, settings.Finding{Code: r.Code, Message: rawjson.TextAt(r.Body, "error", "message"), Recommendations: []string{}})
	}
	rows = append(rows, rc.s.set.RestoreFindings...)
	id := rc.guid("validate")
	vaultPath := ids.VaultPart(rc.path)
	op := &state.Operation{
		ID: id, Action: state.ActValidate, Vault: v.Key, Version: rc.version, State: state.InProgress,
		StatusPath: vaultPath + "/backupValidateOperationsStatuses/" + id, ResultPath: vaultPath + "/backupValidateOperationResults/" + id,
		Started: rc.now, Ends: rc.now.Add(rc.s.sampleDuration("validate", it.Key)), Request: rawjson.Encode(rows),
	}
	rc.startOperation(op)
	r := rc.acceptedReply(op)
	rc.setRetryAfterSeconds(&r, 10)
	return r
}
