package report

import (
	"fmt"
	"io"
	"strings"

	"github.com/jstemmer/go-junit-report/v2/junit"

	"github.com/azbackup/azbackup/internal/armid"
	"github.com/azbackup/azbackup/internal/audit"
)

// AuditJUnit writes an audit for CI systems: one test case per VM (an error when it is unknown, skipped when it
// is excluded or unsupported, a failure when a finding reaches the result's FailOn), one per finding on
// something else, and one error per read that failed.
func AuditJUnit(w io.Writer, r audit.Result) error {
	suites := junit.Testsuites{Name: "azbackup audit"}
	suites.AddSuite(junitVMs(r))
	if s := junitOthers(r); s.Tests > 0 {
		suites.AddSuite(s)
	}
	if s := junitRestores(r); s.Tests > 0 {
		suites.AddSuite(s)
	}
	if s := junitReads(r); s.Tests > 0 {
		suites.AddSuite(s)
	}
	if _, err := io.WriteString(w, `<?xml version="1.0" encoding="UTF-8"?>`+"\n"); err != nil {
		return err
	}
	return suites.WriteXML(w)
}

func junitVMs(r audit.Result) junit.Testsuite {
	suite := newSuite("VMs", r)
	suite.AddProperty("coverage", formatPercent(r.Summary.Coverage)+", "+describeLeftOut(r.Summary))
	suite.AddProperty("fail-on", string(r.Made.FailOn))
	at := map[armid.Key][]audit.Finding{}
	for _, f := range r.Findings {
		at[armid.Of(f.Target)] = append(at[armid.Of(f.Target)], f)
	}
	for _, vm := range r.VMs {
		c := junit.Testcase{
			Name: escapeInvisible(vm.Name), Classname: escapeInvisible(vm.Subscription + "." + vm.ResourceGroup), Status: string(vm.State),
		}
		findings := at[armid.Of(vm.ID)]
		switch {
		case vm.State == audit.Unknown:
			c.Error = junitResult("unknown", vm.Because, findings)
		case vm.State.IsLeftOut():
			c.Skipped = &junit.Result{Message: escapeInvisible(string(vm.State) + ": " + vm.Because)}
		case hasAtLeast(findings, r.Made.FailOn):
			c.Failure = junitResult(string(vm.State), vm.Because, findings)
		case len(findings) > 0:
			c.SystemOut = &junit.Output{Data: junitText(findings)}
		}
		suite.AddTestcase(c)
	}
	return suite
}

func junitOthers(r audit.Result) junit.Testsuite {
	suite := newSuite("vaults, policies and data", r)
	vms := map[armid.Key]bool{}
	for _, vm := range r.VMs {
		vms[armid.Of(vm.ID)] = true
	}
	for _, f := range r.Findings {
		if vms[armid.Of(f.Target)] {
			continue
		}
		c := junit.Testcase{Name: escapeInvisible(f.Message), Classname: f.Code}
		if f.Severity.IsAtLeast(r.Made.FailOn) {
			c.Failure = junitResult(f.Code, f.Message, []audit.Finding{f})
		} else {
			c.SystemOut = &junit.Output{Data: junitText([]audit.Finding{f})}
		}
		suite.AddTestcase(c)
	}
	return suite
}

func junitReads(r audit.Result) junit.Testsuite {
	suite := newSuite("reads", r)
	for _, g := range r.Gaps {
		suite.AddTestcase(junit.Testcase{
			Name: escapeInvisible(fmt.Sprintf("%s of %s", g.Kind, describeGapPlace(g))), Classname: "reads",
			Error: &junit.Result{Type: string(g.Kind), Message: escapeInvisible(describeGapCause(g))},
		})
	}
	return suite
}

func newSuite(name string, r audit.Result) junit.Testsuite {
	suite := junit.Testsuite{Name: name}
	suite.SetTimestamp(r.Made.At)
	return suite
}

func hasAtLeast(findings []audit.Finding, floor audit.Severity) bool {
	for _, f := range findings {
		if f.Severity.IsAtLeast(floor) {
			return true
		}
	}
	return false
}

func junitResult(kind, message string, findings []audit.Finding) *junit.Result {
	return &junit.Result{Type: kind, Message: escapeInvisible(message), Data: junitText(findings)}
}

// junitText lists findings for the body of a test case.
func junitText(findings []audit.Finding) string {
	var b strings.Builder
	for _, f := range findings {
		fmt.Fprintf(&b, "%s %s: %s\n  %s\n", f.Code, f.Severity, escapeInvisible(f.Message), escapeInvisible(f.Hint))
	}
	return b.String()
}
