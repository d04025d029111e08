package report

import (
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"iter"
	"slices"
	"strconv"
	"strings"

	"github.com/jstemmer/go-junit-report/v2/junit"

	"github.com/azbackup/azbackup/internal/armid"
	"github.com/azbackup/azbackup/internal/audit"
)

// AuditJUnit writes an audit for CI systems: one test case per VM (an error when it is unknown, skipped when it
// is excluded or unsupported, a failure when a finding reaches the result's FailOn), one per finding on
// something else, one per restore test of a VM, and one error per read that failed. Each case is written as it is made: memory does not grow with
// their number.
func AuditJUnit(w io.Writer, r audit.Result) error {
	all := []junitSuite{junitVMs(r), junitOthers(r), junitRestores(r), junitReads(r)}
	total := junit.Testsuites{Name: "azbackup audit"}
	for i := range all {
		all[i].count()
		total.AddSuite(junit.Testsuite{
			Tests: all[i].head.Tests, Errors: all[i].head.Errors, Failures: all[i].head.Failures, Skipped: all[i].head.Skipped,
		})
	}
	if _, err := io.WriteString(w, `<?xml version="1.0" encoding="UTF-8"?>`+"\n"); err != nil {
		return err
	}
	enc := xml.NewEncoder(w)
	enc.Indent("", "\t")
	start := startTag("testsuites", attribute("name", total.Name), countOf("tests", total.Tests), countOf("errors", total.Errors),
		countOf("failures", total.Failures), countOf("skipped", total.Skipped))
	err := enc.EncodeToken(start)
	for i, s := range all {
		if err == nil && (i == 0 || s.head.Tests > 0) {
			err = s.write(enc)
		}
	}
	if err = errors.Join(err, enc.EncodeToken(start.End()), enc.Flush()); err != nil {
		return err
	}
	_, err = io.WriteString(w, "\n")
	return err
}

// junitSuite is a test suite whose cases are made one by one, as often as they are asked for.
type junitSuite struct {
	head  junit.Testsuite // without its cases
	cases iter.Seq[junit.Testcase]
}

// count fills in the numbers of the head, which stand before the cases.
func (s *junitSuite) count() {
	for c := range s.cases {
		s.head.AddTestcase(c)
		s.head.Testcases = nil
	}
}

func (s *junitSuite) write(enc *xml.Encoder) error {
	h := s.head
	start := startTag("testsuite", attribute("name", h.Name), attribute("tests", strconv.Itoa(h.Tests)),
		attribute("failures", strconv.Itoa(h.Failures)), attribute("errors", strconv.Itoa(h.Errors)), attribute("id", strconv.Itoa(h.ID)),
		countOf("skipped", h.Skipped), attribute("time", h.Time), attribute("timestamp", h.Timestamp))
	if err := enc.EncodeToken(start); err != nil {
		return err
	}
	if h.Properties != nil {
		properties := startTag("properties")
		if err := enc.EncodeToken(properties); err != nil {
			return err
		}
		for _, p := range *h.Properties {
			if err := enc.EncodeElement(p, startTag("property")); err != nil {
				return err
			}
		}
		if err := enc.EncodeToken(properties.End()); err != nil {
			return err
		}
	}
	for c := range s.cases {
		if err := enc.EncodeElement(c, startTag("testcase")); err != nil {
			return err
		}
	}
	return enc.EncodeToken(start.End())
}

func startTag(name string, attributes ...xml.Attr) xml.StartElement {
	given := slices.DeleteFunc(attributes, func(a xml.Attr) bool { return a.Name.Local == "" })
	return xml.StartElement{Name: xml.Name{Local: name}, Attr: given}
}

func attribute(name, value string) xml.Attr {
	return xml.Attr{Name: xml.Name{Local: name}, Value: value}
}

// countOf returns an attribute that is left out where it is 0.
func countOf(name string, n int) xml.Attr {
	if n == 0 {
		return xml.Attr{}
	}
	return attribute(name, strconv.Itoa(n))
}

func junitVMs(r audit.Result) junitSuite {
	suite := newSuite("VMs", r)
	suite.AddProperty("coverage", formatPercent(r.Summary.Coverage)+", "+describeLeftOut(r.Summary))
	suite.AddProperty("fail-on", string(r.Made.FailOn))
	if r.Made.Source != "" {
		suite.AddProperty("vm-list", r.Made.Source)
	}
	if shard := describeShard(r.Shard); shard != "" {
		suite.AddProperty("shard", shard)
	}
	at := map[armid.Key][]audit.Finding{}
	for _, f := range r.Findings {
		at[armid.Of(f.Target)] = append(at[armid.Of(f.Target)], f)
	}
	names := namesakesOfAudit(r, idsOfVMs(r))
	return junitSuite{suite, func(yield func(junit.Testcase) bool) {
		for _, vm := range r.VMs {
			if !yield(junitVM(names.testName(vm), vm, at[armid.Of(vm.ID)], r.Made.FailOn)) {
				return
			}
		}
	}}
}

// testName returns the name of a VM, with its subscription where others have one of its name in a group of its group's name.
func (n namesakes) testName(vm audit.VM) string {
	if n.shared[strings.ToLower(displayName(vm.ID))] {
		return vm.Name + " (" + n.label(vm.Subscription) + ")"
	}
	return vm.Name
}

func junitVM(name string, vm audit.VM, findings []audit.Finding, failOn audit.Severity) junit.Testcase {
	c := junit.Testcase{
		Name: escapeInvisible(name), Classname: escapeInvisible(vm.Subscription + "." + vm.ResourceGroup), Status: string(vm.State),
	}
	switch {
	case vm.State == audit.Unknown:
		c.Error = junitResult("unknown", vm.Because, findings)
	case vm.State.IsLeftOut():
		c.Skipped = &junit.Result{Message: escapeInvisible(string(vm.State) + ": " + vm.Because)}
	case hasAtLeast(findings, failOn):
		c.Failure = junitResult(string(vm.State), vm.Because, findings)
	case len(findings) > 0:
		c.SystemOut = &junit.Output{Data: junitText(findings)}
	}
	return c
}

func junitOthers(r audit.Result) junitSuite {
	others := map[armid.Key]bool{} // targets that are no VMs
	for _, f := range r.Findings {
		others[armid.Of(f.Target)] = true
	}
	for _, vm := range r.VMs {
		delete(others, armid.Of(vm.ID))
	}
	return junitSuite{newSuite("vaults, policies and data", r), func(yield func(junit.Testcase) bool) {
		for _, f := range r.Findings {
			if !others[armid.Of(f.Target)] {
				continue
			}
			c := junit.Testcase{Name: escapeInvisible(f.Message), Classname: f.Code}
			if f.Severity.IsAtLeast(r.Made.FailOn) {
				c.Failure = junitResult(f.Code, f.Message, []audit.Finding{f})
			} else {
				c.SystemOut = &junit.Output{Data: junitText([]audit.Finding{f})}
			}
			if !yield(c) {
				return
			}
		}
	}}
}

func junitReads(r audit.Result) junitSuite {
	names := namesakesOfAudit(r, idsOfComparison(nil))
	return junitSuite{newSuite("reads", r), func(yield func(junit.Testcase) bool) {
		for _, g := range r.Gaps {
			if !yield(junit.Testcase{
				Name: escapeInvisible(fmt.Sprintf("%s of %s", g.Kind, names.gapPlace(g))), Classname: "reads",
				Error: &junit.Result{Type: string(g.Kind), Message: escapeInvisible(describeGapCause(g))},
			}) {
				return
			}
		}
	}}
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
