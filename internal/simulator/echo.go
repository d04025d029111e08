package simulator

import (
	"encoding/json"
	"strings"

	"github.com/azbackup/azbackup/internal/simulator/ids"
	"github.com/azbackup/azbackup/internal/simulator/rawjson"
	"github.com/azbackup/azbackup/internal/simulator/reply"
)

// echoCasing puts the client's spelling of the vault into the ids of a reply: "/Subscriptions/…" is answered with
// "/Subscriptions/…" (docs/azure.md §33.16). Ids inside properties keep the spelling they were PUT with.
func (rc *requestContext) echoCasing(r reply.Reply) reply.Reply {
	asked := ids.VaultPart(rc.path)
	v := rc.st.Vaults.Get(ids.Key(asked))
	if v == nil || asked == v.ID || r.Status >= 300 || len(r.Body) == 0 || r.Body[0] != '{' {
		return r
	}
	list := rawjson.RawAt(r.Body, "value")
	if len(list) == 0 || list[0] != '[' {
		r.Body = withCasing(r.Body, v.ID, asked)
		return r
	}
	rows := []json.RawMessage{}
	_, _ = rawjson.WalkArray(list, 0, 0, func(row []byte) { rows = append(rows, withCasing(row, v.ID, asked)) })
	r.Body = rawjson.Edit(r.Body, func(o *rawjson.Object) { o.Set("value", rows) })
	return r
}

func withCasing(body []byte, stored, asked string) json.RawMessage {
	id := rawjson.TextAt(body, "id")
	if len(id) < len(stored) || !strings.EqualFold(id[:len(stored)], stored) {
		return body
	}
	return rawjson.Edit(body, func(o *rawjson.Object) { o.Set("id", asked+id[len(stored):]) })
}
