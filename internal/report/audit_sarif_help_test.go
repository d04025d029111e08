package report

import (
	"testing"

	"github.com/azbackup/azbackup/internal/audit"
)

func TestEveryRuleInSARIFLinksToItsPage(t *testing.T) {
	for _, h := range audit.Codes() {
		if r := sarifRule(h); r.HelpURI == nil || *r.HelpURI != h.URL() {
			t.Errorf("the rule %s has the address %v, want %s", h.Code, r.HelpURI, h.URL())
		}
	}
}
