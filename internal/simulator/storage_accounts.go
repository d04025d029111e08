package simulator

import (
	"github.com/azbackup/azbackup/internal/simulator/ids"
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
