package simulator

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"

	"github.com/azbackup/azbackup/internal/simulator/rawjson"
)

// reply is a response before it is written, so that faults and the journal can act in between.
type reply struct {
	status int
	header http.Header
	body   []byte
	// code is the error code in the body, for the log.
	code string
}

func (r *reply) set(name, value string) {
	if r.header == nil {
		r.header = http.Header{}
	}
	r.header.Set(name, value)
}

func newReply(status int, body json.RawMessage) reply { return reply{status: status, body: body} }

func ok(body json.RawMessage) reply { return newReply(http.StatusOK, body) }

// errorReply returns ARM's error envelope (docs/azure.md §12).
func errorReply(status int, code, format string, args ...any) reply {
	message := fmt.Sprintf(format, args...)
	r := newReply(status, rawjson.NewObject("error", rawjson.NewObject("code", code, "message", message)).Bytes())
	r.code = code
	return r
}

// armError returns an error of ARM itself (docs/azure.md §7.1, §12).
func armError(status int, code, format string, args ...any) reply {
	r := errorReply(status, code, format, args...)
	r.set("X-Ms-Failure-Cause", "gateway")
	return r
}

// resourceNotFound returns ARM's reply for a resource that does not exist, word for word as recorded.
func resourceNotFound(kind, name, group string) reply {
	return armError(http.StatusNotFound, "ResourceNotFound",
		"The Resource '%s/%s' under resource group '%s' was not found. For more details please go to https://aka.ms/ARMResourceNotFoundFix",
		kind, name, group)
}

// unverified returns the error that choices, Settings.Unverified, hold under name: no source confirms its status or code.
func unverified(choices map[string]string, name, format string, args ...any) reply {
	status, code, found := strings.Cut(choices[name], " ")
	n := http.StatusBadRequest
	if found {
		_, _ = fmt.Sscanf(status, "%d", &n)
	} else {
		code = status
	}
	return errorReply(n, code, format, args...)
}
