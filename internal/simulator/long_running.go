package simulator

import (
	"encoding/base64"
	"encoding/json"
	"math"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/azbackup/azbackup/internal/simulator/rawjson"
	"github.com/azbackup/azbackup/internal/simulator/reply"
	"github.com/azbackup/azbackup/internal/simulator/state"
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
		"&s=" + rc.s.seed.OpaqueToken("", u+t+strconv.Itoa(rc.s.polls), sigLength) + "&h=" + rc.s.seed.OpaqueToken("", "h"+u+t, hashLength)
}

// setRetryAfter sets the Retry-After of backup's operations (docs/azure.md §1, §4; §33.6).
func (rc *requestContext) setRetryAfter(r *reply.Reply) { rc.setRetryAfterSeconds(r, 60) }

// setRetryAfterSeconds sets Retry-After, unless the settings override it.
func (rc *requestContext) setRetryAfterSeconds(r *reply.Reply, seconds int) {
	if set := rc.s.set.RetryAfter; set != nil {
		seconds = *set
	}
	if seconds < 0 {
		return
	}
	if longest := rc.s.opt.Longest; longest > 0 {
		seconds = min(seconds, int(math.Ceil(longest.Seconds())))
	}
	r.Set("Retry-After", strconv.Itoa(rc.s.scaleSeconds(seconds)))
}

// scaleSeconds shortens seconds that the client will wait on the wall clock.
func (s *Server) scaleSeconds(seconds int) int {
	return int(math.Ceil(float64(seconds) / max(s.opt.Speed, 1)))
}

// getStatus handles operationsStatus, backupOperations and the policies' operations: always 200.
func (rc *requestContext) getStatus() reply.Reply {
	op := rc.operation()
	if op == nil {
		return rc.operationNotFound()
	}
	r := reply.OK(statusBody(op))
	if op.IsRunning() {
		rc.setRetryAfter(&r)
	}
	return r
}

// getResult handles operationResults and backupOperationResults (docs/azure.md §4, §33.4, §33.5).
func (rc *requestContext) getResult() reply.Reply {
	op := rc.operation()
	if op == nil {
		return rc.operationNotFound()
	}
	switch {
	case op.IsRunning() && op.Action == state.ActRefresh:
		// No body and Location only (docs/azure.md §33.4).
		r := rc.acceptedReply(op)
		r.Header.Del("Azure-Asyncoperation")
		return r
	case op.IsRunning():
		r := rc.acceptedReply(op)
		r.Body = []byte("{}")
		return r
	case op.State == state.Failed:
		return reply.Error(http.StatusBadRequest, op.Code, "%s", op.Message) // UNVERIFIED status
	case op.Action == state.ActValidate:
		return reply.OK(rawjson.NewObject("validateOperationResponse", rawjson.NewObject("validationResults", op.Request)).Bytes())
	case op.Action == state.ActBackup || op.Action == state.ActRestore:
		// 204 that still has the polling headers: a poller that continues while a header is present never ends
		// (docs/azure.md §33.5).
		r := rc.acceptedReply(op)
		r.Header.Del("Location")
		r.Status = http.StatusNoContent
		return r
	case op.Action == state.ActPolicy:
		if p := rc.st.Policies.Get(op.Target); p != nil {
			return reply.OK(rc.policyBody(p))
		}
	case strings.Contains(op.ResultPath, "/protectedItems/") || strings.Contains(op.ResultPath, "/protecteditems/"):
		if it := rc.st.Items.Get(op.Target); it != nil {
			return reply.OK(rc.itemBody(it))
		}
	}
	return reply.Reply{Status: http.StatusNoContent}
}

// operation returns the operation that a poll names, in the vault that it names.
func (rc *requestContext) operation() *state.Operation {
	op := rc.st.Ops[rc.params["op"]]
	if op == nil || op.StatusPath == "" || op.Vault != rc.vaultKey() {
		return nil
	}
	return op
}

func (rc *requestContext) operationNotFound() reply.Reply {
	return reply.Error(http.StatusNotFound, "OperationNotFound", "The operation '%s' was not found.", rc.params["op"]) // UNVERIFIED code
}

// vaultOperationID returns an id of a vault operation: base64 with "=" of a number and a GUID (docs/azure.md §33.11).
func vaultOperationID(number, guid string) string {
	return base64.StdEncoding.EncodeToString([]byte(number + ";" + guid))
}

// statusBody returns the body of operationsStatus, backupOperations and policy operations (docs/azure.md §4, §8.1).
func statusBody(op *state.Operation) json.RawMessage {
	body := rawjson.NewObject("id", op.ID, "name", op.ID, "status", op.State, "startTime", rawjson.Time(op.Started))
	if op.IsRunning() {
		body.Set("endTime", rawjson.NoTime)
		return body.Bytes()
	}
	// endTime equals startTime, whatever the operation took (docs/azure.md §4).
	body.Set("endTime", rawjson.Time(op.Started))
	if op.State == state.Failed {
		body.Set("error", rawjson.NewObject("code", op.Code, "message", op.Message))
	}
	switch {
	case op.Action == state.ActPolicy:
		failedJobs := op.JobsFailed
		if failedJobs == nil {
			failedJobs = map[string]string{}
		}
		body.Set("properties", rawjson.NewObject("objectType", "OperationStatusJobsExtendedInfo", "jobIds", slices.Clone(op.Jobs), "failedJobsError", failedJobs))
	case op.Action == state.ActValidate && op.State == state.Succeeded:
		body.Set("properties", rawjson.NewObject("objectType", "OperationStatusValidateOperationExtendedInfo", "validateOperationResponse", rawjson.NewObject("validationResults", op.Request)))
	case len(op.Jobs) > 0:
		body.Set("properties", rawjson.NewObject("objectType", "OperationStatusJobExtendedInfo", "jobId", op.Jobs[0]))
	}
	return body.Bytes()
}

// asyncVersion returns the api-version in Azure-AsyncOperation: a different one for refresh and cancel (docs/azure.md
// §33.4).
func asyncVersion(op *state.Operation) string {
	if op.Action == state.ActRefresh || op.Action == state.ActCancel {
		return "2019-05-13-preview"
	}
	return op.Version
}
