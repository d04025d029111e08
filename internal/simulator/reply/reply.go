package reply

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"

	"github.com/azbackup/azbackup/internal/simulator/rawjson"
)

// Reply is a response before it is written, so that faults and the journal can act in between.
type Reply struct {
	Status int
	Header http.Header
	Body   []byte
	// Code is the error code in the body, for the log.
	Code string
}

// Set sets a header.
func (r *Reply) Set(name, value string) {
	if r.Header == nil {
		r.Header = http.Header{}
	}
	r.Header.Set(name, value)
}

// New returns a reply with a body; nil: none.
func New(status int, body json.RawMessage) Reply { return Reply{Status: status, Body: body} }

// OK returns a 200 with a body.
func OK(body json.RawMessage) Reply { return New(http.StatusOK, body) }

// Error returns ARM's error envelope (docs/azure.md §12).
func Error(status int, code, format string, args ...any) Reply {
	message := fmt.Sprintf(format, args...)
	r := New(status, rawjson.NewObject("error", rawjson.NewObject("code", code, "message", message)).Bytes())
	r.Code = code
	return r
}

// ARMError returns an error of ARM itself (docs/azure.md §7.1, §12).
func ARMError(status int, code, format string, args ...any) Reply {
	r := Error(status, code, format, args...)
	r.Set("X-Ms-Failure-Cause", "gateway")
	return r
}

// ResourceNotFound returns ARM's reply for a resource that does not exist, word for word as recorded.
func ResourceNotFound(kind, name, group string) Reply {
	return ARMError(http.StatusNotFound, "ResourceNotFound",
		"The Resource '%s/%s' under resource group '%s' was not found. For more details please go to https://aka.ms/ARMResourceNotFoundFix",
		kind, name, group)
}

// Unverified returns the error that choices, Settings.Unverified, hold under name: no source confirms its status or code.
func Unverified(choices map[string]string, name, format string, args ...any) Reply {
	status, code, found := strings.Cut(choices[name], " ")
	n := http.StatusBadRequest
	if found {
		_, _ = fmt.Sscanf(status, "%d", &n)
	} else {
		code = status
	}
	return Error(n, code, format, args...)
}
