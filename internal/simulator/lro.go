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

	"github.com/azbackup/azbackup/internal/simulator/rawjson"
)

// Lengths of the signature's parts as recorded (docs/azure.md §33.7).
const (
	certLength = 2395
	sigLength  = 342
	hashLength = 43
)

// signedURL returns the URL of a poll: long, and different each time, to expose a client that rebuilds, compares or
// truncates it (docs/azure.md §4, §33.7).
func (rc *requestContext) signedURL(path, version string) string {
	u := rc.base + (&url.URL{Path: path}).EscapedPath() + "?api-version=" + version
	u = strings.ReplaceAll(u, "%3B", ";")
	if rc.s.set.UnsignedURLs {
		return u
	}
	// .NET ticks: 100 ns since the year 1.
	t := strconv.FormatInt(rc.now.UnixNano()/100+621355968000000000, 10)
	rc.s.polls++
	return u + "&t=" + t + "&c=" + rc.s.certificate +
		"&s=" + rc.s.opaqueToken("", u+t+strconv.Itoa(rc.s.polls), sigLength) + "&h=" + rc.s.opaqueToken("", "h"+u+t, hashLength)
}

// opaqueToken returns n characters of base64url that depend on what.
func (s *Server) opaqueToken(prefix, what string, n int) string {
	var b strings.Builder
	b.WriteString(prefix)
	for i := 0; b.Len() < n; i++ {
		d := s.digest(what, i)
		b.WriteString(base64.RawURLEncoding.EncodeToString(d[:]))
	}
	return b.String()[:n]
}

// setRetryAfter sets the Retry-After of backup's operations (docs/azure.md §1, §4; §33.6).
func (rc *requestContext) setRetryAfter(r *reply) { rc.setRetryAfterSeconds(r, 60) }

// setRetryAfterSeconds sets Retry-After, unless the settings override it.
func (rc *requestContext) setRetryAfterSeconds(r *reply, seconds int) {
	if set := rc.s.set.RetryAfter; set != nil {
		seconds = *set
	}
	if seconds < 0 {
		return
	}
	if longest := rc.s.opt.Longest; longest > 0 {
		seconds = min(seconds, int(math.Ceil(longest.Seconds())))
	}
	r.set("Retry-After", strconv.Itoa(rc.s.scaleSeconds(seconds)))
}

// scaleSeconds shortens seconds that the client will wait on the wall clock.
func (s *Server) scaleSeconds(seconds int) int {
	return int(math.Ceil(float64(seconds) / max(s.opt.Speed, 1)))
}

// getStatus handles operationsStatus, backupOperations and the policies' operations: always 200.
func (rc *requestContext) getStatus() reply {
	op := rc.operation()
	if op == nil {
		return rc.operationNotFound()
	}
	r := ok(op.statusBody())
	if op.isRunning() {
		rc.setRetryAfter(&r)
	}
	return r
}

// getResult handles operationResults and backupOperationResults (docs/azure.md §4, §33.4, §33.5).
func (rc *requestContext) getResult() reply {
	op := rc.operation()
	if op == nil {
		return rc.operationNotFound()
	}
	switch {
	case op.isRunning() && op.Action == actRefresh:
		// No body and Location only (docs/azure.md §33.4).
		r := rc.acceptedReply(op)
		r.header.Del("Azure-Asyncoperation")
		return r
	case op.isRunning():
		r := rc.acceptedReply(op)
		r.body = []byte("{}")
		return r
	case op.State == failed:
		return errorReply(http.StatusBadRequest, op.Code, "%s", op.Message) // UNVERIFIED status
	case op.Action == actValidate:
		return ok(rawjson.NewObject("validateOperationResponse", rawjson.NewObject("validationResults", op.Request)).Bytes())
	case op.Action == actBackup || op.Action == actRestore:
		// 204 that still has the polling headers: a poller that continues while a header is present never ends
		// (docs/azure.md §33.5).
		r := rc.acceptedReply(op)
		r.header.Del("Location")
		r.status = http.StatusNoContent
		return r
	case op.Action == actPolicy:
		if p := rc.st.policies.get(op.Target); p != nil {
			return ok(rc.policyBody(p))
		}
	case strings.Contains(op.ResultPath, "/protectedItems/") || strings.Contains(op.ResultPath, "/protecteditems/"):
		if it := rc.st.items.get(op.Target); it != nil {
			return ok(rc.itemBody(it))
		}
	}
	return reply{status: http.StatusNoContent}
}

// operation returns the operation that a poll names, in the vault that it names.
func (rc *requestContext) operation() *operation {
	op := rc.st.ops[rc.params["op"]]
	if op == nil || op.StatusPath == "" || op.Vault != rc.vaultKey() {
		return nil
	}
	return op
}

func (rc *requestContext) operationNotFound() reply {
	return errorReply(http.StatusNotFound, "OperationNotFound", "The operation '%s' was not found.", rc.params["op"]) // UNVERIFIED code
}

// vaultOperationID returns an id of a vault operation: base64 with "=" of a number and a GUID (docs/azure.md §33.11).
func vaultOperationID(number, guid string) string {
	return base64.StdEncoding.EncodeToString([]byte(number + ";" + guid))
}

// pageToken hides a row number in a paging token of the recorded kind: base64 with "/", "+" and "=", escaped in lower
// case, so that decoding and encoding it again changes it (docs/azure.md §33.25).
func (s *Server) pageToken(list string, row int) string {
	d := s.digest("token", list, row)
	raw := fmt.Sprintf("%s|%d|%s", hex.EncodeToString(d[:4]), row, s.opaqueToken("", list+strconv.Itoa(row), 400))
	b64 := base64.StdEncoding.EncodeToString([]byte("\xff\xfe" + raw))
	b64 = strings.ReplaceAll(b64, "+", "%2b")
	b64 = strings.ReplaceAll(b64, "/", "%2f")
	return strings.ReplaceAll(b64, "=", "%3d")
}

// rowOf returns the row number in a token that token made for this list; false for any other token.
func (s *Server) rowOf(list, token string) (int, bool) {
	// A URL's token is decoded already, a Resource Graph body's is verbatim.
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
