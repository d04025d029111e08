package docs

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/azbackup/azbackup/apply"
	"github.com/azbackup/azbackup/internal/audit"
)

// Pages that are made from tables of the program, by their name.
func generatedPages(t *testing.T) map[string]string {
	t.Helper()
	return map[string]string{"findings.md": findingsPage(), "errors.md": errorsPage(t)}
}

func findingsPage() string {
	var b strings.Builder
	b.WriteString("<!-- Made by generated_test.go. -->\n# Findings\n\nWhat `azbackup audit` can find, by code. A code keeps its meaning for ever, and its heading here is its stable link: SARIF has\n" +
		"it as `helpUri`. [audit.md](audit.md) says how an audit is read.\n")
	for _, h := range audit.Codes() {
		fmt.Fprintf(&b, "\n## %s\n\n**%s** (`%s`, %s)\n\n%s\n\nWhat to do: %s.\n", h.Code, h.Title, h.Name, h.Severity, h.Means, h.Hint)
		if len(h.Controls) > 0 {
			fmt.Fprintf(&b, "\nEvidence for %s.\n", strings.Join(h.Controls, ", "))
		}
	}
	return b.String()
}

// errorsPage is made of the engine's table. Each code has a heading of its own, which is its stable link.
func errorsPage(t *testing.T) string {
	t.Helper()
	intro, _, _ := strings.Cut(help(t, "errors"), "\n\n")
	var b strings.Builder
	b.WriteString("<!-- Made by generated_test.go. -->\n# Error codes of Azure\n\n" + intro + "\n")
	for _, h := range apply.Codes() {
		for _, code := range h.Codes {
			fmt.Fprintf(&b, "\n## %s\n\nMeans: %s.\n\nWhat azbackup does: %s.\n\nWhat to do: %s.\n", code, h.Means, h.Does, h.Hint)
		}
	}
	b.WriteString("\n## Any other code\n\nThe HTTP status decides.\n\n| status | what azbackup does | what to do |\n|---|---|---|\n")
	for _, s := range apply.Statuses() {
		fmt.Fprintf(&b, "| %d | %s | %s |\n", s.Status, s.Does, s.Hint)
	}
	return b.String()
}

func TestTheGeneratedPagesAreThoseOfTheProgram(t *testing.T) {
	for name, want := range generatedPages(t) {
		if *update {
			if err := os.WriteFile(name, []byte(want), 0o644); err != nil {
				t.Fatal(err)
			}
			continue
		}
		have, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(string(have), want); diff != "" {
			t.Errorf("%s is out of date, run make golden (-have +want):\n%s", name, diff)
		}
	}
}

func TestTheAddressOfAnErrorCodeLeadsToItsHeading(t *testing.T) {
	headings := anchors(pages(t)["docs/errors.md"])
	for _, h := range apply.Codes() {
		for _, code := range h.Codes {
			page, anchor, _ := strings.Cut(apply.HelpURL(code), "#")
			if !strings.HasSuffix(page, "/docs/errors.md") || !headings[anchor] {
				t.Errorf("%s has the address %s", code, apply.HelpURL(code))
			}
		}
	}
}

// SARIF and HTML lead to the page by an address that is written in every upload: it has to lead somewhere.
func TestTheAddressOfAFindingLeadsToItsHeading(t *testing.T) {
	headings := anchors(pages(t)["docs/findings.md"])
	for _, h := range audit.Codes() {
		page, anchor, _ := strings.Cut(h.URL(), "#")
		if !strings.HasSuffix(page, "/docs/findings.md") || !headings[anchor] {
			t.Errorf("%s has the address %s", h.Code, h.URL())
		}
	}
}
