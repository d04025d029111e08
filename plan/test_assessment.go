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

// TestAssessment is what is known of the restore tests of a file, without a plan of further ones.
type TestAssessment struct {
	VMs []TestedVM // those that a test covers, by test in the order of the file
	// LeftBehind are the free disks of earlier tests.
	LeftBehind []DiskLeftBehind
}

// TestedVM is what the restore test of the file says of a VM, as [TestExplanation], with the latest failure.
type TestedVM struct {
	VM string // id
	TestExplanation
	Group string // the id of the resource group that a restore proves something in; "" = the VM has no item
	// Failed is the latest restore into Group that failed after Proven; nil = none is known.
	Failed *RestoreFailure
}

// RestoreFailure is a restore test that failed or was cancelled.
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

// AssessTests returns what is known of the restore tests of the file, decided as by [Make], and the reads without which
// it is not known: the caller does them, and calls it again. A VM that they may concern is [TestUnknown] until then. It
// is pure.
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
