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
	"github.com/azbackup/azbackup/internal/simulator/rules"
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

func (o *restoreOrder) isInstant() bool { return o.Tier == rules.InstantTier }

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
	if r := rc.rules().CheckGuards(v, rules.GuardedRestore, sent, true); r != nil {
		return *r
	}
	if refusals := rc.rules().RestoreRefusals(v, it, p, sent, len(wantedDisks(rc.s.disksIn(p, it), sent))); len(refusals) > 0 {
		return refusals[0]
	}
	if rc.restoresToday(v, it) >= maxRestores && (rc.s.set.DailyLimits || rc.s.set.Quota != "") {
		return rc.unverified("restores", "Operation is blocked as you have reached the limit on number of operations permitted in 24 hours.")
	}
	if r := rc.rules().BusyItemReply(it.Key); r != nil {
		return *r
	}
	o := rc.restoreOrder(v, it, p, sent)
	op := rc.operationUnder(ids.Before(rc.path, "recoveryPoints"), "restore", state.Operation{
		Action: state.ActRestore, Vault: v.Key, Target: it.Key,
		Ends: rc.now.Add(rc.s.sampleDuration("restoreTrigger", it.Key)), Request: rawjson.Encode(o),
	})
	rc.s.scheduleRestore(op, o, it.Key)
	// The job has the operation's id (docs/azure.md §33.47).
	op.Jobs = []string{rc.s.fileJob(rc.now, op.ID, v, it.Friendly, it.ContainerKey, "Restore", startedRestore(o), []string{"Cancellable"})}
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

// maxRestores is how many restores of one item the service accepts in 24 hours (docs/azure.md §19).
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

func (rc *requestContext) restoreOrder(v *state.Vault, it *state.Item, p *state.Point, sent rawjson.Object) *restoreOrder {
	held := rc.s.disksIn(p, it)
	return &restoreOrder{
		Account: cmp.Or(rawjson.TextAt(sent.Raw("identityBasedRestoreDetails"), "targetStorageAccountId"), sent.Text("storageAccountId")),
		Group:   sent.Text("targetResourceGroupId"), Region: v.Region, Tier: rules.RestorableTier(rules.TiersOf(rc.st, p)), Taken: p.Taken,
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
	wanted := asked.Object("properties").Object("restoreRequest")
	for _, r := range rc.rules().RestoreRefusals(v, it, p, wanted, len(wantedDisks(rc.s.disksIn(p, it), wanted))) {
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
