package report

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"github.com/azbackup/azbackup/apply"
	"github.com/azbackup/azbackup/plan"
)

func testedRun() Run {
	const disk = "/subscriptions/1/resourceGroups/rg-tests/providers/Microsoft.Compute/disks/d1"
	return Run{Report: apply.Report{FormatVersion: apply.FormatVersion, Results: []apply.Result{{
		ID: "restore-test:x", Action: plan.RestoreTest, Target: "/subscriptions/1/resourceGroups/rg-app/providers/Microsoft.Compute/virtualMachines/web1",
		Vault: "/subscriptions/1/resourceGroups/rg/providers/Microsoft.RecoveryServices/vaults/v", Outcome: apply.Done, Job: "j1", Message: "3 disks, Linux",
		Steps: []apply.Step{
			{Name: apply.StepValidate, Outcome: apply.NotStarted, Message: "the service does not offer this check here"},
			{Name: apply.StepRestore, Outcome: apply.Done, Seconds: 90},
			{Name: apply.StepCheck, Outcome: apply.Done, Seconds: 5},
			{Name: apply.StepCleanUp, Outcome: apply.Failed, Seconds: 61, Message: "left behind: 1 disk of 3"},
		},
		LeftBehind: []apply.LeftBehind{
			{Kind: apply.LeftStaging, ID: "st/web1-1", Why: "azbackup cannot remove it"},
			{Kind: apply.LeftDisk, ID: disk, Why: "it is attached to \x1b[31mvm9"},
		},
		Made: &apply.Made{Disks: []string{disk}, Template: "https://st/t.json", Seconds: 88},
	}}}}
}

// What a restore test leaves is told also where it went well and nobody asks for more.
func TestTheTextOfARestoreTestTellsWhatItLeaves(t *testing.T) {
	var quiet, verbose bytes.Buffer
	if err := ApplyText(&quiet, testedRun(), Style{}); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"done  restore test  rg-app/web1  3 disks, Linux", "validate: not started after 0s: the service does not offer this check here",
		"clean-up: failed after 1m 1s: left behind: 1 disk of 3", "left behind: staging st/web1-1: azbackup cannot remove it", "left behind: disk d1: it is attached to",
	} {
		if !strings.Contains(quiet.String(), want) {
			t.Errorf("%q is not in\n%s", want, quiet.String())
		}
	}
	if strings.Contains(quiet.String(), "restore: done") || strings.Contains(quiet.String(), "\x1b") {
		t.Errorf("%q", quiet.String())
	}
	if err := ApplyText(&verbose, testedRun(), Style{Verbose: true}); err != nil || !strings.Contains(verbose.String(), "restore: done after 1m 30s") {
		t.Errorf("%v\n%s", err, verbose.String())
	}
}

func TestTheJSONOfARestoreTestHasItsSteps(t *testing.T) {
	var b bytes.Buffer
	if err := WriteApply(&b, "json", testedRun(), Style{}); err != nil {
		t.Fatal(err)
	}
	var got struct {
		Results []struct {
			Job, Template string
			Disks         []string
			Seconds       int64
			Steps         []struct {
				Name, Outcome, Message string
				Seconds                int64
			}
			LeftBehind []struct{ Kind, ID, Why string } `json:"left_behind"`
		}
	}
	if err := json.Unmarshal(b.Bytes(), &got); err != nil {
		t.Fatal(err)
	}
	r := got.Results[0]
	if r.Job != "j1" || r.Template == "" || len(r.Disks) != 1 || r.Seconds != 88 || len(r.Steps) != 4 || r.Steps[3].Name != "clean-up" || r.Steps[3].Outcome != "failed" ||
		r.Steps[3].Seconds != 61 || len(r.LeftBehind) != 2 || r.LeftBehind[1].Kind != "disk" {
		t.Errorf("%s", b.String())
	}
}
