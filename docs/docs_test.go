// Package docs holds the pages for those who maintain azbackup. Its tests hold that what they show is so.
package docs

import (
	"flag"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/azbackup/azbackup/config"
	"github.com/azbackup/azbackup/internal/audit"
	"github.com/azbackup/azbackup/internal/cli"
	"github.com/azbackup/azbackup/plan"
)

var update = flag.Bool("update", false, "rewrite the table of findings")

// pages returns the texts of the project's pages, by their path from its root.
func pages(t *testing.T) map[string]string {
	t.Helper()
	all := map[string]string{}
	for _, folder := range []string{"docs", ".github", "."} {
		err := filepath.WalkDir(filepath.Join("..", folder), func(path string, d fs.DirEntry, err error) error {
			if err != nil {
				return err
			}
			if d.IsDir() && folder == "." && path != ".." {
				return fs.SkipDir
			}
			if filepath.Ext(path) != ".md" {
				return nil
			}
			text, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			name, err := filepath.Rel("..", path)
			all[filepath.ToSlash(name)] = string(text)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if len(all) < 10 {
		t.Fatalf("only %d pages were found", len(all))
	}
	return all
}

func TestEveryFileThatIsShownLoadsSilently(t *testing.T) {
	shown := 0
	for name, page := range pages(t) {
		for _, m := range regexp.MustCompile("(?s)```yaml\n(.*?)```").FindAllStringSubmatch(page, -1) {
			shown++
			file := filepath.Join(t.TempDir(), "azbackup.yaml")
			if err := os.WriteFile(file, []byte(m[1]), 0o600); err != nil {
				t.Fatal(err)
			}
			_, warnings, err := config.Load([]string{file}, func(string) (string, bool) { return "x", true })
			if err != nil {
				t.Errorf("%s: %v", name, err)
			}
			for _, w := range warnings {
				t.Errorf("%s: %v", name, w)
			}
		}
	}
	if shown < 2 {
		t.Errorf("only %d files are shown", shown)
	}
}

func TestEveryLinkLeadsSomewhere(t *testing.T) {
	all := pages(t)
	for name, page := range all {
		links := regexp.MustCompile(`\]\(([^)\s]+)\)`).FindAllStringSubmatch(page, -1)
		links = append(links, regexp.MustCompile(`\b(?:src|srcset|href)="([^"]+)"`).FindAllStringSubmatch(page, -1)...)
		for _, m := range links {
			target, anchor, _ := strings.Cut(m[1], "#")
			if strings.Contains(target, "://") || strings.Contains(page, "`"+m[0]) {
				continue
			}
			path := name
			if target != "" {
				path = filepath.ToSlash(filepath.Join(filepath.Dir(name), target))
			}
			if _, err := os.Stat(filepath.Join("..", path)); err != nil {
				t.Errorf("%s links to %s, which is not there", name, m[1])
			} else if text, is := all[path]; is && anchor != "" && !anchors(text)[anchor] {
				t.Errorf("%s links to %s: there is no such heading", name, m[1])
			}
		}
	}
}

// A new reader starts at the top: what it is, how it is had, what it is for, and what it costs; the
// reference comes after.
func TestTheReadmeTellsThingsInTheOrderTheyAreAskedFor(t *testing.T) {
	readme := pages(t)["README.md"]
	at := 0
	for _, part := range []string{
		"# azbackup\n", "\n```yaml\nversion: 1\n", "<picture>", "\n$ azbackup init ", "\n$ azbackup plan ", "\n## Install\n", "\n## The worst day\n", "\n## Pull requests\n",
		"\n## Audits\n", "<picture>", "\n## Performance\n", "\n## What it will never do\n",
	} {
		_, after, found := strings.Cut(readme[at:], part)
		if !found {
			t.Fatalf("%q does not come in its place", part)
		}
		at = len(readme) - len(after) - 1 // a part may begin with the end of the line before
	}
	_, rest, _ := strings.Cut(readme, "```yaml\n")
	file, _, _ := strings.Cut(rest, "```")
	if lines := strings.Count(file, "\n"); lines > 10 {
		t.Errorf("the first file has %d lines", lines)
	}
}

// anchors returns the headings of a page as links spell them.
func anchors(page string) map[string]bool {
	found := map[string]bool{}
	for _, m := range regexp.MustCompile(`(?m)^#+ (.+)$`).FindAllStringSubmatch(page, -1) {
		plain := regexp.MustCompile(`[^\p{L}\p{N} _-]`).ReplaceAllString(strings.ToLower(m[1]), "")
		found[strings.ReplaceAll(plain, " ", "-")] = true
	}
	return found
}

func TestTheFindingsAreThoseOfAudit(t *testing.T) {
	const begin, end = "<!-- findings: made by docs_test.go -->\n", "<!-- end of findings -->\n"
	page := pages(t)["docs/audit.md"]
	before, rest, begins := strings.Cut(page, begin)
	_, after, ends := strings.Cut(rest, end)
	if !begins || !ends {
		t.Fatal("audit.md lacks the marks around its findings")
	}
	var b strings.Builder
	b.WriteString(before + begin + "\n| code | name | severity | says |\n|---|---|---|---|\n")
	for _, c := range audit.Codes() {
		fmt.Fprintf(&b, "| %s | `%s` | %s | %s |\n", c.Code, c.Name, c.Severity, c.Title)
	}
	b.WriteString("\n" + end + after)
	if *update {
		if err := os.WriteFile("audit.md", []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if diff := cmp.Diff(page, b.String()); diff != "" {
		t.Errorf("audit.md is out of date, run make golden (-have +want):\n%s", diff)
	}
}

func TestEveryWordOfAClosedSetIsExplained(t *testing.T) {
	all := pages(t)
	var states, guards []string
	for _, s := range audit.States() {
		states = append(states, string(s))
	}
	for _, g := range plan.Guards() {
		guards = append(guards, "`"+g.Name+"`")
	}
	for page, words := range map[string][]string{"docs/audit.md": states, "docs/operations.md": guards} {
		for _, w := range words {
			if !strings.Contains(all[page], "\n| "+w+" |") {
				t.Errorf("%s has no row for %s", page, w)
			}
		}
	}
}

func TestTheExitCodesAreThoseOfTheProgram(t *testing.T) {
	topic := help(t, "exit-codes")
	codes := codesOf(topic, `(?m)^ +(\d+)  `)
	if len(codes) < 5 {
		t.Fatalf("only the codes %v were found in:\n%s", codes, topic)
	}
	all := pages(t)
	for _, page := range []string{"README.md", "docs/operations.md"} {
		_, section, _ := strings.Cut(all[page], "\n## Exit codes\n")
		section, _, _ = strings.Cut(section, "\n## ")
		if diff := cmp.Diff(codes, codesOf(section, `(?m)^\| (\d+) \|`)); diff != "" {
			t.Errorf("%s: the exit codes, in their order (-program +page):\n%s", page, diff)
		}
	}
}

// help returns a topic of azbackup help.
func help(t *testing.T, topic string) string {
	t.Helper()
	var out strings.Builder
	none := func(string) (string, bool) { return "", false }
	if code := cli.Main(t.Context(), []string{"help", topic}, cli.Streams{Out: &out, Err: &out, Env: none}); code != 0 {
		t.Fatalf("exit code %d: %s", code, out.String())
	}
	return out.String()
}

// The README shortens the beginnings of actions to "…".
func TestTheReadmeNamesTheActionsOfTheHelp(t *testing.T) {
	_, section, _ := strings.Cut(pages(t)["README.md"], "\n## Permissions\n")
	section, _, _ = strings.Cut(section, "\n## ")
	actions := regexp.MustCompile(`(?m)^  (Microsoft\.\S+)$`).FindAllStringSubmatch(help(t, "permissions"), -1)
	if len(actions) < 10 {
		t.Errorf("only %d actions were found", len(actions))
	}
	for _, m := range actions {
		end := strings.Join(strings.Split(m[1], "/")[max(0, strings.Count(m[1], "/")-1):], "/")
		if !strings.Contains(section, end) && !strings.Contains(section, "`/"+filepath.Base(m[1])+"`") {
			t.Errorf("the README does not name %s", m[1])
		}
	}
}

func TestEveryFileThatIsNamedIsThere(t *testing.T) {
	var files []string
	err := filepath.WalkDir("..", func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			files = append(files, filepath.ToSlash(strings.TrimPrefix(path, ".."+string(filepath.Separator))))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	isThere := func(name string) bool {
		return slices.ContainsFunc(files, func(f string) bool {
			path, err := filepath.Match(name, f)
			base, _ := filepath.Match(name, filepath.Base(f))
			return err == nil && (path || base || strings.HasSuffix(f, "/"+name))
		})
	}
	makefile, err := os.ReadFile("../Makefile")
	if err != nil {
		t.Fatal(err)
	}
	for page, text := range pages(t) {
		if !strings.HasPrefix(page, "docs/") {
			continue
		}
		for _, m := range regexp.MustCompile("`([\\w/*.-]+\\.(?:go|yaml|json|md))`").FindAllStringSubmatch(text, -1) {
			if !isThere(m[1]) && !strings.Contains(m[1], "NAME") {
				t.Errorf("%s names %s, which is not there", page, m[1])
			}
		}
		for _, m := range regexp.MustCompile("(?m)(?:`| {4})make ([a-z-]+)").FindAllStringSubmatch(text, -1) {
			if !strings.Contains(string(makefile), "\n"+m[1]+": ") {
				t.Errorf("%s names make %s, which is no target", page, m[1])
			}
		}
	}
}

func codesOf(text, pattern string) []string {
	var codes []string
	for _, m := range regexp.MustCompile(pattern).FindAllStringSubmatch(text, -1) {
		codes = append(codes, m[1])
	}
	return codes
}
