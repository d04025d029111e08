package simulator

import (
	"encoding/json"
	"strings"
)

// echo puts the client's spelling of the vault into the ids of an answer: "/Subscriptions/…" is answered with
// "/Subscriptions/…" (docs/azure.md §33.16). Ids inside properties keep the spelling they were PUT with.
func (c *call) echo(r reply) reply {
	asked := vaultPart(c.path)
	v := c.st.vaults.get(key(asked))
	if v == nil || asked == v.id || r.status >= 300 || len(r.body) == 0 || r.body[0] != '{' {
		return r
	}
	list := get(r.body, "value")
	if len(list) == 0 || list[0] != '[' {
		r.body = echoed(r.body, v.id, asked)
		return r
	}
	rows := []json.RawMessage{}
	_, _ = walkArray(list, 0, 0, func(row []byte) { rows = append(rows, echoed(row, v.id, asked)) })
	r.body = edit(r.body, func(o *object) { o.set("value", rows) })
	return r
}

func echoed(body []byte, stored, asked string) json.RawMessage {
	id := text(body, "id")
	if len(id) < len(stored) || !strings.EqualFold(id[:len(stored)], stored) {
		return body
	}
	return edit(body, func(o *object) { o.set("id", asked+id[len(stored):]) })
}
