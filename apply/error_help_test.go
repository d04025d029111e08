package apply

import (
	"regexp"
	"strings"
	"testing"
)

func TestEveryKnownCodeIsExplainedOnce(t *testing.T) {
	seen := map[string]bool{}
	for _, h := range Codes() {
		for _, code := range h.Codes {
			if seen[code] {
				t.Errorf("%s stands twice", code)
			}
			seen[code] = true
			if HintFor(code) != h.Hint {
				t.Errorf("%s is hidden by a shorter code", code)
			}
			if !strings.HasSuffix(HelpURL(code), "/docs/errors.md#"+strings.ToLower(code)) {
				t.Errorf("%s has the address %s", code, HelpURL(code))
			}
		}
		for _, clause := range []string{h.Means, h.Does, h.Hint} {
			if clause == "" || strings.HasSuffix(clause, ".") || clause != strings.TrimSpace(clause) {
				t.Errorf("%v are explained by %q", h.Codes, clause)
			}
		}
	}
	if len(seen) < 40 {
		t.Errorf("only %d codes are known", len(seen))
	}
}

func TestACodeWithAVersionIsTheSameAndNothingOfAnAnswerIsInAnAddress(t *testing.T) {
	if got := HintFor("UserErrorVmNotFoundV2"); got != HintFor("UserErrorVmNotFound") || got == "" {
		t.Errorf("a code with a version has the hint %q", got)
	}
	if HintFor("SomethingElse") != "" || HintFor("") != "" || HelpURL("SomethingElse") != "" || HelpURL("") != "" {
		t.Error("a code that nobody knows has a hint or a page")
	}
	if got := HelpURL(`ScopeLocked"><script>alert(1)</script>`); !regexp.MustCompile(`^https://[a-z./]+#scopelocked$`).MatchString(got) {
		t.Errorf("the address of a code of somebody's making is %s", got)
	}
}

func TestWhatIsDoneAboutACodeIsDerivedFromItsPolicy(t *testing.T) {
	for code, want := range map[string]string{
		"TooManyRequests":                               "until the change's deadline",
		"InternalServerError":                           "5 times at most",
		"AuthorizationFailed":                           "once more, after 15s",
		"BMSUserErrorObjectLocked":                      "waits until that has ended",
		"BMSUserErrorInvalidConfigureProtectionRequest": "refreshes the vault's list of machines once",
		"ScopeLocked":                                   "lets this change fail",
	} {
		if got := policyFor(code, statusBadRequest).does(); !strings.Contains(got, want) {
			t.Errorf("%s: it is told %q, want %q", code, got, want)
		}
	}
	if got := policyForStatus(statusConflict).does(); got != "waits and sends the write again, 4 times at most" {
		t.Errorf("another conflict: %q", got)
	}
}
