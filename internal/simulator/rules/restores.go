package rules

import (
	"cmp"
	"strings"

	"github.com/azbackup/azbackup/internal/simulator/ids"
	"github.com/azbackup/azbackup/internal/simulator/rawjson"
	"github.com/azbackup/azbackup/internal/simulator/reply"
	"github.com/azbackup/azbackup/internal/simulator/state"
)

// InstantTier is the tier of the snapshots.
const InstantTier = "InstantRP"

// RestoreRefusals returns the errors that refuse a restore of so many disks, the one to return first in front.
func (ck Checker) RestoreRefusals(v *state.Vault, it *state.Item, p *state.Point, sent rawjson.Object, disks int) []reply.Reply {
	var out []reply.Reply
	for _, check := range []func() *reply.Reply{
		func() *reply.Reply { return ck.checkRestoreInput(v, it, sent) },
		func() *reply.Reply { return ck.checkTier(p) },
		func() *reply.Reply { return ck.checkStaging(v, sent) },
		func() *reply.Reply { return ck.checkTarget(p, sent) },
		func() *reply.Reply { return ck.checkDiskQuota(v, sent, disks) },
	} {
		if r := check(); r != nil {
			out = append(out, *r)
		}
	}
	return out
}

func (ck Checker) checkRestoreInput(v *state.Vault, it *state.Item, sent rawjson.Object) *reply.Reply {
	var r reply.Reply
	switch {
	case sent.Text("objectType") != "IaasVMRestoreRequest" || sent.Text("recoveryType") != "RestoreDisks" || sent.Text("sourceResourceId") == "":
		r = ck.unverified("restore-input", "Input for restore is not in proper format.")
	case ids.Region(sent.Text("region")) != v.Region:
		r = ck.unverified("restore-region", "The region '%s' of the restore is not that of the vault.", sent.Text("region"))
	case it.IsDeleted:
		r = ck.unverified("restore-soft-deleted", "The item is in soft deleted state and must be undeleted before a restore.")
	default:
		return nil
	}
	return &r
}

// checkTier enforces: an archived point has to be rehydrated first (docs/azure.md §19); a snapshot may have been deleted.
func (ck Checker) checkTier(p *state.Point) *reply.Reply {
	tiers := TiersOf(ck.State, p)
	if RestorableTier(tiers) != "" {
		return nil
	}
	var r reply.Reply
	if _, archived := tiers["ArchivedRP"]; archived {
		r = ck.unverified("restore-archived", "The recovery point is in the archive tier and must be rehydrated before a restore.")
	} else {
		r = ck.unverified("restore-snapshot-gone", "Restore failed because the snapshot of the VM was not found. The snapshot could have been deleted, please check.")
	}
	return &r
}

// TiersOf returns the status of each tier of a recovery point.
func TiersOf(st *state.State, p *state.Point) map[string]string {
	tiers := map[string]string{}
	list := rawjson.RawAt(st.Read(p.Body), "properties", "recoveryPointTierDetails")
	if i := rawjson.SkipSpace(list, 0); i < len(list) && list[i] == '[' {
		_, _ = rawjson.WalkArray(list, i, 0, func(t []byte) { tiers[rawjson.TextAt(t, "type")] = rawjson.TextAt(t, "status") })
	}
	return tiers
}

// RestorableTier returns the tier a restore reads: the snapshot if one exists; "" if no tier can be restored.
func RestorableTier(tiers map[string]string) string {
	switch {
	case tiers[InstantTier] == "Valid":
		return InstantTier
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
func (ck Checker) checkTarget(p *state.Point, sent rawjson.Object) *reply.Reply {
	private := string(rawjson.RawAt(ck.State.Read(p.Body), "properties", "isPrivateAccessEnabledOnAnyDisk")) == "true"
	group := sent.Text("targetResourceGroupId")
	var r reply.Reply
	switch {
	case group != "" && ck.State.Groups.Get(ids.Key(group)) == nil:
		r = ck.unverified("restore-group-missing", "The target resource group '%s' was not found.", ids.LastSegment(group))
	case group != "" && private != sent.Has("targetDiskNetworkAccessSettings"):
		r = ck.unverified("restore-network", "The network access settings of the restored disks are not valid for the recovery point.")
	default:
		return nil
	}
	return &r
}

// checkDiskQuota enforces: the disks fit into the subscription (Settings.DiskQuota).
func (ck Checker) checkDiskQuota(v *state.Vault, sent rawjson.Object, disks int) *reply.Reply {
	if ck.Settings.DiskQuota == 0 || sent.Text("targetResourceGroupId") == "" {
		return nil
	}
	n := disks
	ck.State.Disks.All(0, func(_ int, d *state.Resource) bool {
		if d.Sub == v.Sub {
			n++
		}
		return true
	})
	if n <= ck.Settings.DiskQuota {
		return nil
	}
	r := ck.unverified("disk-quota", "The subscription has reached its quota of %d disks.", ck.Settings.DiskQuota)
	return &r
}

// checkStaging enforces: the account that stages a restore exists, in the vault's region, and is of a kind that can
// (docs/azure.md §19, §25.3).
func (ck Checker) checkStaging(v *state.Vault, sent rawjson.Object) *reply.Reply {
	id := cmp.Or(rawjson.TextAt(sent.Raw("identityBasedRestoreDetails"), "targetStorageAccountId"), sent.Text("storageAccountId"))
	a := ck.State.Accounts.Get(ids.Key(id))
	var r reply.Reply
	switch {
	case id == "":
		r = ck.unverified("restore-input", "The storage account of the restore is required.")
	case a == nil:
		r = ck.unverified("restore-staging-missing", "The storage account '%s' was not found.", ids.LastSegment(id))
	case a.Region != v.Region:
		r = ck.unverified("restore-staging-region", "The storage account '%s' is in '%s', the vault is in '%s'.", a.Name, a.Region, v.Region)
	case ck.cannotStage(a):
		r = ck.unverified("restore-staging-kind", "The storage account '%s' is of a kind that cannot be used for a restore.", a.Name)
	default:
		return nil
	}
	return &r
}

// cannotStage reports whether the account is zone-redundant or for blobs alone (docs/azure.md §25.3).
func (ck Checker) cannotStage(a *state.Resource) bool {
	body := ck.State.Read(a.Body)
	kind := rawjson.TextAt(body, "kind")
	return strings.HasSuffix(strings.ToUpper(rawjson.TextAt(body, "sku", "name")), "ZRS") ||
		strings.EqualFold(kind, "BlobStorage") || strings.EqualFold(kind, "BlockBlobStorage")
}
