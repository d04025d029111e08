package wire

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/azbackup/azbackup/internal/armid"
	"github.com/azbackup/azbackup/plan"
)

// Job is a backup job (docs/azure.md §5, §11).
type Job struct {
	tolerantRow
	ID         Field `json:"id"`
	Properties struct {
		ContainerName Field      `json:"containerName"`
		Name          Field      `json:"entityFriendlyName"`
		Operation     Field      `json:"operation"`
		Status        Field      `json:"status"`
		StartTime     Field      `json:"startTime"`
		EndTime       Field      `json:"endTime"`
		ErrorDetails  []jobError `json:"errorDetails"`
		ExtendedInfo  struct {
			Tasks []struct {
				ID     string `json:"taskId"`
				Status string `json:"status"`
			} `json:"tasksList"`
			Bag map[string]Field `json:"propertyBag"`
		} `json:"extendedInfo"`
	} `json:"properties"`
	// detail describes the parts of extendedInfo of an unexpected type: it decides about restores alone.
	detail string
}

// misread ignores the fields that only explain.
func (w *Job) misread(err *json.UnmarshalTypeError) {
	switch {
	case strings.HasPrefix(err.Field, "properties.errorDetails"):
	case strings.HasPrefix(err.Field, "properties.extendedInfo"):
		w.detail = misreadDetail(err.Field, err.Value)
	default:
		w.tolerantRow.misread(err)
	}
}

type jobError struct {
	Code            json.RawMessage `json:"errorCode"` // an integer; the old ones were strings of digits
	Title           string          `json:"errorTitle"`
	Message         string          `json:"errorString"`
	Recommendations []string        `json:"recommendations"`
}

// ToPlan converts w to plan's type; the second value describes what was not understood. A job whose status was not
// understood counts as running. at is when it was read (zero: future times are accepted).
func (w Job) ToPlan(vault string, at time.Time) (plan.Job, string) {
	p, r := w.Properties, &fieldReader{}
	r.checkForm(w.tolerantRow)
	j := plan.Job{
		ID: r.id("id", w.ID), Vault: vault, Name: p.Name.Text(), Container: r.required("containerName", p.ContainerName),
		Operation: plan.CanonicalWord(r.required("operation", p.Operation)), Status: plan.CanonicalWord(r.required("status", p.Status)),
		Start: r.pastTime("startTime", p.StartTime, at),
	}
	if w.ID == "" {
		r.addProblem("id is missing")
	}
	if p.StartTime == "" {
		r.addProblem("startTime is missing")
	}
	j.End, _ = p.EndTime.PastTime(at)
	for _, e := range p.ErrorDetails {
		j.Errors = append(j.Errors, e.toPlan())
	}
	odd := r.describeProblems()
	if odd != "" {
		_, name := armid.CutName(w.ID.Text())
		odd = fmt.Sprintf("job %s: %s", Quote(name), odd)
	}
	return j, odd
}

func (e jobError) toPlan() plan.JobError {
	digits := string(e.Code)
	if unquoted, err := strconv.Unquote(digits); err == nil {
		digits = unquoted
	}
	code, _ := strconv.Atoi(digits) // 0 where it is no number; title and message have the rest
	return plan.JobError{Code: code, Title: e.Title, Message: e.Message, Recommendations: e.Recommendations}
}
