package simulator

import (
	"cmp"
	"strings"

	"github.com/azbackup/azbackup/internal/simulator/ids"
	"github.com/azbackup/azbackup/internal/simulator/rawjson"
	"github.com/azbackup/azbackup/internal/simulator/reply"
	"github.com/azbackup/azbackup/internal/simulator/state"
)

// Storage accounts stage restores (docs/azure.md §19); no other use is simulated.

func (rc *requestContext) listAccounts() reply.Reply {
	return rc.listResourcesOf("accounts", rc.st.Accounts, storageAccount)
}

func (rc *requestContext) getAccount() reply.Reply {
	if r := rc.groupNotFound(); r != nil {
		return *r
	}
	a := rc.st.Accounts.Get(ids.Key(rc.path))
	if a == nil {
		return reply.ResourceNotFound("Microsoft.Storage/storageAccounts", rc.params["account"], rc.params["group"])
	}
	return storageAccount(reply.OK(rc.st.Read(a.Body)))
}

// getClassicAccount returns not found: there are none, but clients read one first (docs/azure.md §33.44).
func (rc *requestContext) getClassicAccount() reply.Reply {
	if r := rc.groupNotFound(); r != nil {
		return *r
	}
	return reply.ResourceNotFound("Microsoft.ClassicStorage/storageAccounts", rc.params["account"], rc.params["group"])
}

// storageAccount sets the Content-Type of storage replies: without a charset, as recorded.
func storageAccount(r reply.Reply) reply.Reply {
	r.Set("Content-Type", "application/json")
	return r
}

// listResourcesOf lists the resources of a group or, without one in the path, of the subscription.
func (rc *requestContext) listResourcesOf(kind string, t *state.Table[state.Resource], finish func(reply.Reply) reply.Reply) reply.Reply {
	body := func(r *state.Resource) []byte { return rc.st.Read(r.Body) }
	if rc.params["group"] != "" {
		if r := rc.groupNotFound(); r != nil {
			return *r
		}
		return finish(rc.list(kind, each(t, ids.Key(rc.groupID()), func(*state.Resource) bool { return true }, body)))
	}
	sub := ids.Key(rc.params["sub"])
	return finish(rc.list(kind, func(from int, visit func(int, func() []byte) bool) {
		t.All(from, func(row int, r *state.Resource) bool {
			return r.Sub != sub || visit(row, func() []byte { return body(r) })
		})
	}))
}

// checkStaging enforces: the account that stages a restore exists, in the vault's region, and is of a kind that can
// (docs/azure.md §19, §25.3).
func (rc *requestContext) checkStaging(v *state.Vault, sent rawjson.Object) *reply.Reply {
	id := cmp.Or(rawjson.TextAt(sent.Raw("identityBasedRestoreDetails"), "targetStorageAccountId"), sent.Text("storageAccountId"))
	a := rc.st.Accounts.Get(ids.Key(id))
	var r reply.Reply
	switch {
	case id == "":
		r = rc.unverified("restore-input", "The storage account of the restore is required.")
	case a == nil:
		r = rc.unverified("restore-staging-missing", "The storage account '%s' was not found.", ids.LastSegment(id))
	case a.Region != v.Region:
		r = rc.unverified("restore-staging-region", "The storage account '%s' is in '%s', the vault is in '%s'.", a.Name, a.Region, v.Region)
	case rc.cannotStage(a):
		r = rc.unverified("restore-staging-kind", "The storage account '%s' is of a kind that cannot be used for a restore.", a.Name)
	default:
		return nil
	}
	return &r
}

// cannotStage reports whether the account is zone-redundant or for blobs alone (docs/azure.md §25.3).
func (rc *requestContext) cannotStage(a *state.Resource) bool {
	body := rc.st.Read(a.Body)
	kind := rawjson.TextAt(body, "kind")
	return strings.HasSuffix(strings.ToUpper(rawjson.TextAt(body, "sku", "name")), "ZRS") ||
		strings.EqualFold(kind, "BlobStorage") || strings.EqualFold(kind, "BlockBlobStorage")
}
