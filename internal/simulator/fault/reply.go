package fault

import (
	"cmp"
	"encoding/json"
	"net/http"

	"github.com/azbackup/azbackup/internal/simulator/reply"
	"github.com/azbackup/azbackup/internal/simulator/settings"
)

// ReplyOf returns the fault's reply; false when the handler replies.
func ReplyOf(f *settings.Fault) (reply.Reply, bool) {
	if f == nil || f.Status == 0 {
		return reply.Reply{}, false
	}
	var r reply.Reply
	switch {
	case f.Body != "":
		r = reply.New(f.Status, json.RawMessage(f.Body))
	case f.Code != "":
		r = reply.Error(f.Status, f.Code, "%s", cmp.Or(f.Message, defaultErrorText(f.Code)))
	default:
		r = reply.ARMError(f.Status, defaultErrorCode(f.Status), "%s", cmp.Or(f.Message, defaultErrorText(defaultErrorCode(f.Status))))
	}
	r.Code = cmp.Or(f.Code, defaultErrorCode(f.Status))
	for name, value := range f.Headers {
		r.Set(name, value)
	}
	if f.ContentType != "" {
		r.Set("Content-Type", f.ContentType)
	}
	return r, true
}

// defaultErrorCode returns the error code that ARM itself sends with a status (docs/azure.md §12, §14).
func defaultErrorCode(status int) string {
	switch status {
	case http.StatusUnauthorized:
		return "AuthenticationFailed"
	case http.StatusForbidden:
		return "AuthorizationFailed"
	case http.StatusNotFound:
		return "ResourceNotFound"
	case http.StatusConflict:
		return "Conflict"
	case http.StatusTooManyRequests:
		return "TooManyRequests"
	case http.StatusBadGateway:
		return "InvalidGatewayHost"
	case http.StatusServiceUnavailable:
		return "ServerBusy"
	case http.StatusGatewayTimeout:
		return "GatewayTimeout"
	}
	return "InternalServerError"
}

func defaultErrorText(code string) string {
	switch code {
	case "InternalServerError":
		return "Encountered internal server error. Diagnostic information: timestamp '', subscription id '', tracking id '', request correlation id ''."
	case "GatewayTimeout":
		return "The gateway did not receive a response from 'Microsoft.RecoveryServices' within the specified time period."
	}
	return "The request failed: " + code + "."
}
