// Package report writes plans, apply reports and findings for their readers: people at a terminal, people
// in a pull request, programs, and a metrics collector.
//
// Each pair of a result and a format has one function. All formats of one result are made from the same value, so they
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
//
// # Reading order
//
//	every result and every format, one row each                 formats.go
//	what all of them share                                      text.go, text_table.go, palette.go, escape.go,
//	                                                            markdown_escape.go, namesakes.go
//	the JSON of plan and audit: their structs, with their tags  json.go, json_stream.go
//	a plan                                                      plan_text.go, plan_groups.go, plan_cost.go, plan_drift.go,
//	                                                            plan_markdown.go, plan_markdown_tables.go
//	what decides about one VM                                   explain.go, explain_json.go
//	a run                                                       apply.go, apply_text.go, apply_json.go, apply_prometheus.go,
//	                                                            apply_merge.go, error_codes.go
//	restores and their tests                                    restored.go, restore_next.go, restore_tables.go,
//	                                                            restore_tests.go
//	recovery points                                             points.go, points_text.go, points_json.go, points_csv.go
//	an audit, for people                                        audit_wording.go, audit_text.go, audit_markdown.go,
//	                                                            audit_csv.go, audit_restores.go
//	its page; the template is html/audit.html                   audit_html.go, audit_html_charts.go, audit_html_data.go,
//	                                                            audit_html_restores.go
//	an audit, for programs                                      audit_sarif.go, audit_junit.go, audit_prometheus.go
//	results of a part of the subscriptions                      shard.go
package report
