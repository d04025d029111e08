package simulator

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"

	"github.com/azbackup/azbackup/internal/simulator/ids"
	"github.com/azbackup/azbackup/internal/simulator/query"
	"github.com/azbackup/azbackup/internal/simulator/rawjson"
	"github.com/azbackup/azbackup/internal/simulator/reply"
	"github.com/azbackup/azbackup/internal/simulator/state"
)

// queryOf returns a request's query by lower-cased name. net/url is not used because it drops pairs with a bare ";",
// which occurs in container names.
func queryOf(raw string) map[string]string {
	q := map[string]string{}
	for pair := range strings.SplitSeq(raw, "&") {
		name, value, _ := strings.Cut(pair, "=")
		n, errName := url.QueryUnescape(name)
		v, errValue := url.QueryUnescape(value)
		if errName == nil && errValue == nil && n != "" {
			q[strings.ToLower(n)] = v
		}
	}
	return q
}

// rowIterator visits the rows of a list from row on; body is only called for rows that are sent.
type rowIterator func(from int, visit func(row int, body func() []byte) bool)

// list returns one page of a list. Bodies are sent as stored, so a page of 500 costs one copy.
func (rc *requestContext) list(kind string, walk rowIterator) reply.Reply {
	size := max(rc.s.set.Pages[kind], 1)
	name := ids.Key(rc.path) + "?" + queryOf(rc.r.URL.RawQuery)["$filter"]
	from := 0
	if token := queryOf(rc.r.URL.RawQuery)["$skiptoken"]; token != "" {
		row, known := rc.s.seed.RowOf(name, token)
		if !known {
			return reply.Error(http.StatusBadRequest, "InvalidSkipToken", "The skip token is not one this list gave out.") // UNVERIFIED code
		}
		from = row
	}
	var b bytes.Buffer
	b.WriteString(`{"value":[`)
	n, next := 0, -1
	walk(from, func(row int, body func() []byte) bool {
		if n == size {
			next = row
			return false
		}
		if n++; n > 1 {
			b.WriteByte(',')
		}
		b.Write(body())
		return true
	})
	b.WriteByte(']')
	if next >= 0 {
		// On the last page the key is absent, not null (docs/azure.md §2, §33.25).
		b.WriteString(`,"nextLink":`)
		b.Write(rawjson.Encode(rc.nextLink(rc.s.seed.PageToken(name, next))))
	}
	b.WriteByte('}')
	return reply.OK(b.Bytes())
}

// nextLink returns the request's own URL with a token (docs/azure.md §33.25).
func (rc *requestContext) nextLink(token string) string {
	var kept []string
	for pair := range strings.SplitSeq(rc.r.URL.RawQuery, "&") {
		name, _, _ := strings.Cut(pair, "=")
		if n, err := url.QueryUnescape(name); err == nil && pair != "" && !strings.EqualFold(n, "$skiptoken") {
			kept = append(kept, pair)
		}
	}
	kept = append(kept, "%24skiptoken="+token)
	base := rc.base
	if rc.fault != nil && rc.fault.NextLink != "" {
		base = rc.fault.NextLink
	}
	return base + strings.ReplaceAll(rc.r.URL.EscapedPath(), "%3B", ";") + "?" + strings.Join(kept, "&")
}

// each returns an iterator over the records of one list that keep accepts.
func each[R any](t *state.Table[R], group string, keep func(*R) bool, body func(*R) []byte) rowIterator {
	return func(from int, visit func(int, func() []byte) bool) {
		t.Group(group, from, func(row int, r *R) bool {
			return !keep(r) || visit(row, func() []byte { return body(r) })
		})
	}
}

// slice returns an iterator over bodies built for the reply.
func slice(bodies [][]byte) rowIterator {
	return func(from int, visit func(int, func() []byte) bool) {
		for i := from; i < len(bodies); i++ {
			if !visit(i, func() []byte { return bodies[i] }) {
				return
			}
		}
	}
}

// filter reads the request's $filter, which may use these names.
func (rc *requestContext) filter(names ...string) (query.Filter, *reply.Reply) {
	f, err := query.ParseFilter(queryOf(rc.r.URL.RawQuery)["$filter"])
	if err == nil {
		err = f.CheckNames(names...)
	}
	if err != nil {
		r := rc.unverified("filter-input", "The filter is not valid: %s", err)
		return nil, &r
	}
	return f, nil
}

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
