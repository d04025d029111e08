package simulator

import (
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"math"
	"net/http"
	"net/url"
	"strconv"
	"strings"
)

// Lengths of the signature's parts as recorded (docs/azure.md §33.7).
const (
	certLength = 2395
	sigLength  = 342
	hashLength = 43
)

// signed makes the URL of a poll: long, and another one each time, so that a client that rebuilds, compares or
// truncates it is found out (docs/azure.md §4, §33.7).
func (c *call) signed(path, version string) string {
	u := c.base + (&url.URL{Path: path}).EscapedPath() + "?api-version=" + version
	u = strings.ReplaceAll(u, "%3B", ";")
	if c.s.set.UnsignedURLs {
		return u
	}
	// .NET ticks: 100 ns since the year 1.
	t := strconv.FormatInt(c.now.UnixNano()/100+621355968000000000, 10)
	c.s.polls++
	return u + "&t=" + t + "&c=" + c.s.certificate +
		"&s=" + c.s.filler("", u+t+strconv.Itoa(c.s.polls), sigLength) + "&h=" + c.s.filler("", "h"+u+t, hashLength)
}

// filler is n characters of base64url that depend on what.
func (s *Server) filler(prefix, what string, n int) string {
	var b strings.Builder
	b.WriteString(prefix)
	for i := 0; b.Len() < n; i++ {
		d := s.digest(what, i)
		b.WriteString(base64.RawURLEncoding.EncodeToString(d[:]))
	}
	return b.String()[:n]
}

// comeBack sets the Retry-After of backup's operations (docs/azure.md §1, §4; §33.6).
func (c *call) comeBack(r *reply) { c.comeBackAfter(r, 60) }

// comeBackAfter sets Retry-After, unless the settings say otherwise.
func (c *call) comeBackAfter(r *reply, seconds int) {
	if set := c.s.set.RetryAfter; set != nil {
		seconds = *set
	}
	if seconds < 0 {
		return
	}
	if longest := c.s.opt.Longest; longest > 0 {
		seconds = min(seconds, int(math.Ceil(longest.Seconds())))
	}
	r.set("Retry-After", strconv.Itoa(c.s.scaled(seconds)))
}

// scaled shortens seconds that the client will wait on the wall clock.
func (s *Server) scaled(seconds int) int {
	return int(math.Ceil(float64(seconds) / max(s.opt.Speed, 1)))
}

// getStatus answers operationsStatus, backupOperations and the policies' operations: always 200.
func (c *call) getStatus() reply {
	op := c.operation()
	if op == nil {
		return c.noOperation()
	}
	r := ok(op.statusBody())
	if op.running() {
		c.comeBack(&r)
	}
	return r
}

// getResult answers operationResults and backupOperationResults (docs/azure.md §4, §33.4, §33.5).
func (c *call) getResult() reply {
	op := c.operation()
	if op == nil {
		return c.noOperation()
	}
	switch {
	case op.running() && op.Action == actRefresh:
		// No body and Location only (docs/azure.md §33.4).
		r := c.accepted(op)
		r.header.Del("Azure-Asyncoperation")
		return r
	case op.running():
		r := c.accepted(op)
		r.body = []byte("{}")
		return r
	case op.State == failed:
		return fail(http.StatusBadRequest, op.Code, "%s", op.Message) // UNVERIFIED status
	case op.Action == actValidate:
		return ok(obj("validateOperationResponse", obj("validationResults", op.Request)).bytes())
	case op.Action == actBackup || op.Action == actRestore:
		// 204 that still tells the client to come back: a poller that goes on while a header is there never ends (docs/azure.md §33.5).
		r := c.accepted(op)
		r.header.Del("Location")
		r.status = http.StatusNoContent
		return r
	case op.Action == actPolicy:
		if p := c.st.policies.get(op.Target); p != nil {
			return ok(c.policyBody(p))
		}
	case strings.Contains(op.ResultPath, "/protectedItems/") || strings.Contains(op.ResultPath, "/protecteditems/"):
		if it := c.st.items.get(op.Target); it != nil {
			return ok(c.itemBody(it))
		}
	}
	return reply{status: http.StatusNoContent}
}

// operation finds the operation a poll asks for, in the vault it asks for it in.
func (c *call) operation() *operation {
	op := c.st.ops[c.params["op"]]
	if op == nil || op.StatusPath == "" || op.Vault != c.vaultKey() {
		return nil
	}
	return op
}

func (c *call) noOperation() reply {
	return fail(http.StatusNotFound, "OperationNotFound", "The operation '%s' was not found.", c.params["op"]) // UNVERIFIED code
}

// vaultOperationID makes an id as vault operations have: base64 with "=" of a number and a GUID (docs/azure.md §33.11).
func vaultOperationID(number, guid string) string {
	return base64.StdEncoding.EncodeToString([]byte(number + ";" + guid))
}

// token hides a row number in a paging token of the recorded kind: base64 with "/", "+" and "=", escaped in lower
// case, so that decoding and encoding it again changes it (docs/azure.md §33.25).
func (s *Server) token(list string, row int) string {
	d := s.digest("token", list, row)
	raw := fmt.Sprintf("%s|%d|%s", hex.EncodeToString(d[:4]), row, s.filler("", list+strconv.Itoa(row), 400))
	b64 := base64.StdEncoding.EncodeToString([]byte("\xff\xfe" + raw))
	b64 = strings.ReplaceAll(b64, "+", "%2b")
	b64 = strings.ReplaceAll(b64, "/", "%2f")
	return strings.ReplaceAll(b64, "=", "%3d")
}

// row is the row number in a token that token made for this list; false when it did not.
func (s *Server) row(list, token string) (int, bool) {
	// From a URL it comes decoded, from a Resource Graph body as it was given.
	token = strings.NewReplacer("%2b", "+", "%2f", "/", "%3d", "=", " ", "+").Replace(token)
	raw, err := base64.StdEncoding.DecodeString(token)
	if err != nil || len(raw) < 2 {
		return 0, false
	}
	parts := strings.SplitN(string(raw[2:]), "|", 3)
	if len(parts) != 3 {
		return 0, false
	}
	n, err := strconv.Atoi(parts[1])
	d := s.digest("token", list, n)
	return n, err == nil && n >= 0 && parts[0] == hex.EncodeToString(d[:4])
}
