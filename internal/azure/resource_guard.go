package azure

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/azbackup/azbackup/apply"
	"github.com/azbackup/azbackup/plan"
)

// guardRequestsKey is the property of a write that names the requests of resource guards (docs/azure.md §20).
const guardRequestsKey = "resourceGuardOperationRequests"

// guardRequestIDs returns the ids that the write of a change names, as the vault's proxies list them.
func guardRequestIDs(ch plan.Change) []string {
	var ids []string
	for _, g := range ch.ResourceGuard {
		ids = append(ids, g.Request)
	}
	return ids
}

// guardError returns the error of a write that named a guard's request. No code of a guard's refusal is known, so any
// 403 is taken for one, and a 400 whose text has the guard's id (docs/azure.md §26). Its message names the guard
// and the operation that it refused; the hint of the engine names who approves.
func guardError(ch plan.Change, err error) error {
	e, ok := errors.AsType[*apply.Error](err)
	if !ok || len(ch.ResourceGuard) == 0 {
		return err
	}
	var words []string
	isNamed := false
	for _, g := range ch.ResourceGuard {
		words = append(words, fmt.Sprintf("resource guard %s did not let %s through", g.Guard, g.Operation))
		isNamed = isNamed || strings.Contains(strings.ToLower(e.Message), strings.ToLower(g.Guard))
	}
	if e.Status != http.StatusForbidden && (e.Status != http.StatusBadRequest || !isNamed) {
		return err
	}
	refused := *e
	refused.Message = strings.Join(words, ", ") + ": " + e.Message
	return &refused
}

// namesGuardRequest reports whether the body of a write names a request of a resource guard.
func namesGuardRequest(body []byte) bool {
	var b struct {
		Properties struct {
			Requests []string `json:"resourceGuardOperationRequests"`
		} `json:"properties"`
	}
	return json.Unmarshal(body, &b) == nil && len(b.Properties.Requests) > 0
}
