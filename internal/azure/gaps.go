package azure

import (
	"errors"
	"net/http"

	"github.com/azbackup/azbackup/apply"
	"github.com/azbackup/azbackup/internal/azure/arm"
	"github.com/azbackup/azbackup/plan"
)

// is404 reports whether err is any 404. It is a reason to wait on for the effect of a write, but no proof of absence.
func is404(err error) bool {
	e, ok := errors.AsType[*apply.Error](err)
	return ok && e.Status == http.StatusNotFound
}

// isAbsenceProven reports whether a read's error proves that a resource does not exist: a 404 with the code of a
// missing resource, group or item. Other 404s (an invisible subscription, an unknown resource type, a proxy's page)
// prove nothing.
func isAbsenceProven(err error) bool {
	e, ok := errors.AsType[*apply.Error](err)
	if !ok || e.Status != http.StatusNotFound {
		return false
	}
	switch e.Code {
	case "ResourceNotFound", "ResourceGroupNotFound", "BMSUserErrorDataSourceObjectNotFound":
		return true
	}
	return false
}

// asGap converts a read's error to a gap; where describes its subject.
func asGap(where plan.Gap, err error) plan.Gap {
	where.Message = err.Error()
	if e, ok := errors.AsType[*apply.Error](err); ok {
		where.Code, where.Message, where.RequestID, where.Status = e.Code, e.Message, e.RequestID, e.Status
	} else if e, ok := errors.AsType[*arm.RefusedError](err); ok {
		where.Code, where.Message = "Refused", e.Error()
	} else if e, ok := errors.AsType[*arm.SignInError](err); ok {
		where.Code, where.Message, where.RequestID = arm.CodeNotSignedIn, e.Message, e.RequestID
	}
	return where
}
