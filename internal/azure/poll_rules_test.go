package azure

import (
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/azbackup/azbackup/apply"
	"github.com/azbackup/azbackup/internal/azure/arm"
)

func TestOnlyAnOperationThatMayNotBeAskedIsReadBackInstead(t *testing.T) {
	for name, tt := range map[string]struct {
		err  error
		want bool
	}{
		"another host":            {&arm.RefusedError{}, true},
		"no such operation":       {&apply.Error{Status: http.StatusNotFound}, true},
		"not allowed":             {&apply.Error{Status: http.StatusForbidden}, true},
		"not signed in":           {&apply.Error{Status: http.StatusUnauthorized}, true},
		"the operation's own end": {&apply.Error{Status: http.StatusNotFound, Ended: true}, false},
		"a fault of the service":  {&apply.Error{Status: http.StatusInternalServerError}, false},
		"throttled":               {&apply.Error{Status: http.StatusTooManyRequests}, false},
		"no answer":               {&apply.Error{}, false},
		"something else":          {errors.New("odd"), false},
		"nothing":                 {nil, false},
	} {
		if got := isUnpollable(tt.err); got != tt.want {
			t.Errorf("%s: %v, want %v", name, got, tt.want)
		}
	}
}

func TestThePolicyOperationNamesTheFirstItemThatDidNotTakeIt(t *testing.T) {
	var w operationStatus
	for text, want := range map[string]string{
		`{}`: "",
		`{"failedJobsError":{"vm2":"second","vm1":"first"}}`: "2 of its items did not take it; vm1: first",
		`{"failedJobsError":{"vm1":{"code":"X"}}}`:           `1 of its items did not take it; vm1: {"code":"X"}`,
	} {
		w = operationStatus{}
		if err := json.Unmarshal([]byte(`{"properties":`+text+`}`), &w); err != nil {
			t.Fatal(err)
		}
		err := failedJobs(apply.Operation{}, w, "r1")
		if want == "" {
			if err != nil {
				t.Errorf("%s: %v, want nothing", text, err)
			}
			continue
		}
		e, ok := errors.AsType[*apply.Error](err)
		if !ok || !e.Ended || e.Code != "FailedJobs" || e.RequestID != "r1" || !strings.Contains(e.Message, want) {
			t.Errorf("%s: %v, want %q", text, err, want)
		}
	}
}
