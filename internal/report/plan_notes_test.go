package report

import (
	"strings"
	"testing"

	"github.com/azbackup/azbackup/plan"
)

func TestNotesOfAPlanAreShownAndAreDeadText(t *testing.T) {
	p := plan.Plan{Complete: true, Notes: []string{"2 VMs have the tag tier \"<b>@all\x1b[31m\""}}
	var text, markdown strings.Builder
	if err := PlanText(&text, p, Style{}); err != nil {
		t.Fatal(err)
	}
	if err := PlanMarkdown(&markdown, p); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(text.String(), "! 2 VMs have the tag tier") || strings.Contains(text.String(), "\x1b") {
		t.Errorf("%q", text.String())
	}
	if !strings.Contains(markdown.String(), "2 VMs have the tag tier") || !strings.Contains(markdown.String(), "`<b>@all") {
		t.Errorf("%q", markdown.String())
	}
}
