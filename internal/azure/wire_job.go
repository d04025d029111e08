package azure

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/azbackup/azbackup/plan"
)

// wireJob is a backup job (docs/azure.md §5, §11).
type wireJob struct {
	tolerantRow
	ID         field `json:"id"`
	Properties struct {
		ContainerName field          `json:"containerName"`
		Name          field          `json:"entityFriendlyName"`
		Operation     field          `json:"operation"`
		Status        field          `json:"status"`
		StartTime     field          `json:"startTime"`
		EndTime       field          `json:"endTime"`
		ErrorDetails  []wireJobError `json:"errorDetails"`
		ExtendedInfo  struct {
			Tasks []struct {
				ID     string `json:"taskId"`
				Status string `json:"status"`
			} `json:"tasksList"`
			Bag map[string]field `json:"propertyBag"`
		} `json:"extendedInfo"`
	} `json:"properties"`
	// detail says what of the extendedInfo was of the wrong type: it decides about restores alone.
	detail string
}

// misread leaves out what only explains.
func (w *wireJob) misread(err *json.UnmarshalTypeError) {
	switch {
	case strings.HasPrefix(err.Field, "properties.errorDetails"):
	case strings.HasPrefix(err.Field, "properties.extendedInfo"):
		w.detail = misreadDetail(err.Field, err.Value)
	default:
		w.tolerantRow.misread(err)
	}
}

type wireJobError struct {
	Code            json.RawMessage `json:"errorCode"` // an integer; the old ones were strings of digits
	Title           string          `json:"errorTitle"`
	Message         string          `json:"errorString"`
	Recommendations []string        `json:"recommendations"`
}

// toJob is the job in plan's words; the second value says what of it was not understood. A job whose status was not is
// running: at of a zero time nothing is to come.
func (w wireJob) toJob(vault string, at time.Time) (plan.Job, string) {
	p, r := w.Properties, &fieldReader{}
	r.checkForm(w.tolerantRow)
	j := plan.Job{
		ID: r.id("id", w.ID), Vault: vault, Name: p.Name.textOrEmpty(), Container: r.required("containerName", p.ContainerName),
		Operation: plan.CanonicalWord(r.required("operation", p.Operation)), Status: plan.CanonicalWord(r.required("status", p.Status)),
		Start: r.pastTime("startTime", p.StartTime, at),
	}
	if w.ID == "" {
		r.addProblem("id is missing")
	}
	if p.StartTime == "" {
		r.addProblem("startTime is missing")
	}
	j.End, _ = p.EndTime.parsePastTime(at)
	for _, e := range p.ErrorDetails {
		j.Errors = append(j.Errors, e.jobError())
	}
	odd := r.describeProblems()
	if odd != "" {
		odd = fmt.Sprintf("job %s: %s", printable(operationID(w.ID.textOrEmpty()), true), odd)
	}
	return j, odd
}

func (e wireJobError) jobError() plan.JobError {
	digits := string(e.Code)
	if unquoted, err := strconv.Unquote(digits); err == nil {
		digits = unquoted
	}
	code, _ := strconv.Atoi(digits) // what is no number stays 0; title and message say the rest
	return plan.JobError{Code: code, Title: e.Title, Message: e.Message, Recommendations: e.Recommendations}
}
