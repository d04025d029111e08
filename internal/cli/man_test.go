package cli

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// manual writes the manual to a folder.
func manual(t *testing.T) (dir string, names []string) {
	t.Helper()
	dir = t.TempDir()
	var out strings.Builder
	none := func(string) (string, bool) { return "", false }
	if code := Main(t.Context(), []string{"man", dir}, Streams{Out: &out, Err: &out, Env: none, Version: "v1.2.3"}); code != 0 {
		t.Fatalf("exit code %d: %s", code, out.String())
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return dir, names
}

func TestEveryCommandAndEveryTopicHasAManualPage(t *testing.T) {
	dir, names := manual(t)
	all := " " + strings.Join(names, " ") + " "
	for _, want := range []string{"azbackup.1", "azbackup-plan.1", "azbackup-completion-install.1", "azbackup-exit-codes.7", "azbackup-guards.7"} {
		if !strings.Contains(all, " "+want+" ") {
			t.Errorf("there is no page %s among%s", want, all)
		}
	}
	if strings.Contains(all, "azbackup-man.1") || strings.Contains(all, "azbackup-help.1") {
		t.Errorf("a hidden command has a page:%s", all)
	}
	page, err := os.ReadFile(filepath.Join(dir, "azbackup-plan.1"))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		".TH \"AZBACKUP-PLAN\" 1 \"\" \"azbackup v1.2.3\" \"azbackup manual\"\n", ".SH EXIT STATUS\n", "\\fB\\-\\-only\\fR \\fIrule=NAME|vault=NAME|group=GLOB|vm=GLOB|restore\\-tests\\fR\n",
		"\\fB\\-f\\fR, \\fB\\-\\-file\\fR \\fIFILE\\fR\n", "\\fBazbackup\\-exit\\-codes\\fR(7)",
	} {
		if !strings.Contains(string(page), want) {
			t.Errorf("the page of plan lacks %q:\n%s", want, page)
		}
	}
}

func TestAManualPageShowsEveryCharacterOfItsText(t *testing.T) {
	for text, want := range map[string]string{
		".dot": `\&.dot`, "'quote": `\&'quote`, `back\slash`: `back\eslash`, "a\n.b": "a\n\\&.b", "--flag": `\-\-flag`, "*": "*",
	} {
		if got := roff(text); got != want {
			t.Errorf("roff(%q) = %q, want %q", text, got, want)
		}
	}
	if got := manText("one\ntwo\n\n  - kept\n  - so"); got != "one\ntwo\n.PP\n.nf\n  \\- kept\n  \\- so\n.fi\n" {
		t.Errorf("got %q", got)
	}
}

// The formatter itself is the judge of its language.
func TestTheFormatterHasNoComplaintAboutAnyPage(t *testing.T) {
	groff, err := exec.LookPath("groff")
	if err != nil {
		t.Skip("NOT TESTED: no groff on this machine")
	}
	dir, names := manual(t)
	for _, name := range names {
		cmd := exec.CommandContext(t.Context(), groff, "-ww", "-man", "-Tutf8", "-K", "utf8", "-P-c", filepath.Join(dir, name))
		var complaints strings.Builder
		cmd.Stderr = &complaints
		if err := cmd.Run(); err != nil || complaints.Len() > 0 {
			t.Errorf("%s: %v\n%s", name, err, complaints.String())
		}
	}
}
