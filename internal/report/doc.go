// Package report writes plans, apply reports and findings for their readers: people at a terminal, people
// in a pull request, programs, and a metrics collector.
//
// One Write function per (result, format); all formats of one result are made from the same value, so they
// cannot disagree.
//
// What stands in names, tags, messages and the config is untrusted. Each medium has one place that makes it
// harmless, and nothing is written around it:
//
//	terminal, log   escape.go           [Line]: one line, no control or direction characters, no CI commands
//	Markdown        markdown_escape.go  code spans; escaping "@team" is not enough, it lives again after rendering
//	spreadsheet     audit_csv.go        [csvCell]: no cell is a formula
//	HTML            html/audit.html     html/template, and a policy (CSP) that runs nothing but the page's own script
//	SARIF           audit_sarif.go      [sarifText]: no placeholders, no links
//	JUnit, metrics  the libraries       XML and label escaping
//
// Rejected: go-pretty's Markdown renderer (it leaves "<", "@" and backticks alive), text/template (a template
// cannot count what it writes, and the Markdown must end before 65,536 characters).
package report
