package azure

import (
	"encoding/json"
	"strconv"

	"github.com/azbackup/azbackup/plan"
)

// wireJob is a backup job (azure-api.md §5, §11).
type wireJob struct {
	ID         string `json:"id"`
	Properties struct {
		ContainerName string         `json:"containerName"`
		Name          string         `json:"entityFriendlyName"`
		Operation     string         `json:"operation"`
		Status        string         `json:"status"`
		StartTime     string         `json:"startTime"`
		EndTime       string         `json:"endTime"`
		ErrorDetails  []wireJobError `json:"errorDetails"`
		ExtendedInfo  struct {
			Tasks []struct {
				ID     string `json:"taskId"`
				Status string `json:"status"`
			} `json:"tasksList"`
			Bag map[string]string `json:"propertyBag"`
		} `json:"extendedInfo"`
	} `json:"properties"`
}

type wireJobError struct {
	Code            json.RawMessage `json:"errorCode"` // an integer; the old ones were strings of digits
	Title           string          `json:"errorTitle"`
	Message         string          `json:"errorString"`
	Recommendations []string        `json:"recommendations"`
}

func (w wireJob) job(vault string) plan.Job {
	p := w.Properties
	j := plan.Job{
		ID: w.ID, Vault: vault, Container: p.ContainerName, Name: p.Name, Operation: p.Operation, Status: p.Status,
		Start: parseTime(p.StartTime), End: parseTime(p.EndTime),
	}
	for _, e := range p.ErrorDetails {
		j.Errors = append(j.Errors, e.jobError())
	}
	return j
}

func (e wireJobError) jobError() plan.JobError {
	digits := string(e.Code)
	if unquoted, err := strconv.Unquote(digits); err == nil {
		digits = unquoted
	}
	code, _ := strconv.Atoi(digits) // what is no number stays 0; title and message say the rest
	return plan.JobError{Code: code, Title: e.Title, Message: e.Message, Recommendations: e.Recommendations}
}
