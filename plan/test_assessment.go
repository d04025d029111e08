package plan

import (
	"cmp"
	"strconv"
	"strings"
	"time"

	"github.com/azbackup/azbackup/config"
)

// testClockSlack is how far in the future a job may have ended: the clocks of the service's machines differ.
const testClockSlack = 5 * time.Minute

// TestAssessment is the state of the restore tests of a file, without a plan of further tests.
type TestAssessment struct {
	VMs []TestedVM // the VMs that a test covers, by test in the order of the file
	// LeftBehind are the free disks of earlier tests.
	LeftBehind []DiskLeftBehind
}

// TestedVM is the state of the restore test of one VM, with the latest failure.
type TestedVM struct {
	VM string // id
	TestExplanation
	Group string // the id of the resource group of the test, in the vault's subscription; "" = the VM has no item
	// Failed is the latest restore into Group that failed after Proven; nil = none is known.
	Failed *RestoreFailure
}

// RestoreFailure is a restore into the group of a test that failed or was cancelled.
type RestoreFailure struct {
	Time    time.Time `json:"time"` // the end of the job
	Job     string    `json:"job"`  // resource id
	Code    string    `json:"code"` // of the job's first error, or else the status of the job
	Message string    `json:"message"`
}

// newRestoreFailure returns the failure of a job that has failed.
func newRestoreFailure(j *RestoreJob) *RestoreFailure {
	f := &RestoreFailure{Time: j.End.UTC(), Job: j.ID, Code: j.Status}
	if len(j.Errors) > 0 {
		e := j.Errors[0]
		if e.Code != 0 {
			f.Code = strconv.Itoa(e.Code)
		}
		f.Message = strings.TrimSpace(cmp.Or(e.Message, e.Title))
	}
	return f
}

// AssessTests returns the state of the restore tests of the file, decided as by [Make], and the reads that it still needs:
// the caller does them and calls AssessTests again. Until then all VMs of the tests are [TestUnknown]. It is pure.
func AssessTests(c *config.Config, o Observed, now time.Time) (TestAssessment, []TestQuestion) {
	if len(c.RestoreTests) == 0 {
		return TestAssessment{}, nil
	}
	m := newPlanner(c, &o, Options{Now: now}, nil)
	m.planVaults()
	isKnown := m.assessTests(m.vmStates(), newAsked(o.Tests.Asked))
	var out TestAssessment
	for _, t := range m.tests {
		for _, v := range t.vms {
			out.VMs = append(out.VMs, TestedVM{VM: v.vm.id, TestExplanation: *m.testExplanation(v.vm), Group: v.group, Failed: v.failed})
		}
	}
	if isKnown {
		out.LeftBehind = o.Tests.leftBehind()
	}
	for i := range m.questionsOfTests {
		m.questionsOfTests[i].Failed = m.questionsOfTests[i].Kind == AskJobs
	}
	return out, m.questionsOfTests
}
