package house

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"
)

// A reason that cannot be found is none. So every citation of a page of docs leads to a section that is there, and
// nothing outside the repository is cited.
func TestEveryCitationLeadsToASection(t *testing.T) {
	pages, found := readPages(t), 0
	marks := []string{"§", "docs/", "azure-" + "api", "FACT" + "S", "design" + ".md", "style" + ".md", "users" + ".md", "names" + ".md"}
	eachText(t, func(name, text string) {
		if !slices.ContainsFunc(marks, func(m string) bool { return strings.Contains(text, m) }) {
			return
		}
		found += len(pages.follow(text, ownPage(name), func(offset int, wrong string) {
			t.Errorf("%s:%d: %s", name, lineOf(text, offset), wrong)
		}))
	})
	if found < 300 {
		t.Errorf("only %d citations were found: the test looks in the wrong place", found)
	}
}

// The reader of a help text has the program alone: the text cites nothing but what `azbackup help` shows.
func TestHelpTextsCiteNothingButHelpTopics(t *testing.T) {
	page := regexp.MustCompile(`§|\bdocs/|\b\w+\.md\b|\bREADME\b`)
	address := regexp.MustCompile(`https://\S+`) // what the reader can open
	eachText(t, func(name, text string) {
		if !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") || standsOutside("/"+name) {
			return
		}
		for offset, literal := range literals(t, name, text) {
			if page.MatchString(address.ReplaceAllString(literal, "")) {
				t.Errorf("%s:%d: the text %.60q… cites a page that its reader does not have", name, lineOf(text, offset), literal)
			}
		}
	})
}

// A topic of help that is named somewhere is there.
func TestEveryHelpTopicThatIsNamedIsThere(t *testing.T) {
	var topics []string
	topic, named := regexp.MustCompile(`topic\("([a-z-]+)"|Use:\s+"([a-z-]+)`), regexp.MustCompile("azbackup help ([a-z-]+[a-z])")
	eachText(t, func(name, text string) {
		if strings.HasPrefix(name, "internal/cli/") && strings.HasSuffix(name, ".go") {
			for _, m := range topic.FindAllStringSubmatch(text, -1) {
				topics = append(topics, m[1]+m[2])
			}
		}
	})
	eachText(t, func(file, text string) {
		for _, m := range named.FindAllStringSubmatchIndex(text, -1) {
			if name := text[m[2]:m[3]]; !slices.Contains(topics, name) {
				t.Errorf("%s:%d: `azbackup help %s` is no topic and no command", file, lineOf(text, m[0]), name)
			}
		}
	})
}

func TestWrongCitationsAreFound(t *testing.T) {
	pages := pages{"docs/azure.md": {"4", "12", "33.8"}, "docs/design.md": {"4"}, "docs/operations.md": {"Changed meanwhile"}}
	for text, want := range map[string]int{
		"(docs/azure.md §4, §33.8)":                            0,
		"docs/azure.md\n// §4 and §12, docs/design.md §4":      0,
		"docs/azure.md §4-12":                                  0,
		"docs/operations.md, \"Changed\n// meanwhile\"":        0,
		"docs/azure.md §5":                                     1,
		"docs/azure.md §4. Later (§5), and §12" + ".9":         2,
		"docs/azure.md §4-13":                                  1,
		"docs/design.md §12":                                   1,
		"§4":                                                   1,
		"docs/operations.md, \"Changed\"":                      1,
		"docs/nowhere" + ".md":                                 1,
		"azure-" + "api.md §" + "4":                            2, // no page, and a section of none
		"FACT" + "S 16, and design" + ".md":                    2,
		"a link to [it](design" + ".md) outside of docs":       1,
		"docs/azure.md §4, azure-" + "api-2.md, FACT" + "S.md": 2,
	} {
		wrong := 0
		pages.follow(text, "", func(int, string) { wrong++ })
		if wrong != want {
			t.Errorf("%q: %d faults found, want %d", text, wrong, want)
		}
	}
	pages.follow("§4, and [§12](azure.md), design"+".md", "docs/azure.md", func(_ int, wrong string) {
		t.Errorf("a page that cites itself and its neighbours: %s", wrong)
	})
}

// pages are the headings of docs, by page: the numbers of those that have one, the whole text of the others.
type pages map[string][]string

func readPages(t *testing.T) pages {
	t.Helper()
	all := pages{}
	heading := regexp.MustCompile(`(?m)^#+ (?:(\d+(?:\.\d+)*)\.? .*|(.+))$`)
	eachText(t, func(name, text string) {
		if !strings.HasSuffix(name, ".md") {
			return
		}
		all[name] = nil
		for _, m := range heading.FindAllStringSubmatch(text, -1) {
			if h := m[1] + m[2]; !slices.Contains(all[name], h) {
				all[name] = append(all[name], h)
			} else if m[1] != "" {
				t.Errorf("%s has two sections %s", name, h)
			}
		}
	})
	return all
}

var (
	// What a citation is made of, in the order of a text: a page, with a heading in quotes or without; a section, or from
	// one to another; and what used to be cited outside the repository.
	citation = regexp.MustCompile(`\b(?:RFC|SARIF) [\d.]+,? §[\d.]+(?:(?:, | and )§[\d.]+)*` + // a standard's own
		`|(?P<page>\bdocs/[\w/-]+\.md)(?:, "(?P<heading>[^"]+)")?` +
		`|§(?P<from>\d+(?:\.\d+)*)(?:-(?P<to>\d+(?:\.\d+)*))?` +
		`|(?P<outside>\bazure-api(?:-2)?\.md|\bFACTS(?:\.md| \d+)|\b(?:style|users|names)\.md)|(?P<loose>\bdesign\.md)`)
	gap = regexp.MustCompile(`\s*\n\s*(?://|#)?\s*`)
)

// follow reports what is wrong with the citations of a text, and returns the sections that it cites. A section without
// a page is one of the page named last; own is the page that the text itself is, which it starts with.
func (p pages) follow(text, own string, report func(offset int, wrong string)) []string {
	var cited []string
	page := own
	for _, m := range citation.FindAllStringSubmatchIndex(text, -1) {
		part := func(name string) string {
			i := 2 * citation.SubexpIndex(name)
			if m[i] < 0 {
				return ""
			}
			return gap.ReplaceAllString(text[m[i]:m[i+1]], " ")
		}
		switch {
		case part("page") != "":
			page = part("page")
			if headings, there := p[page]; !there {
				report(m[0], "there is no page "+page)
			} else if h := part("heading"); h != "" && !slices.Contains(headings, h) {
				report(m[0], page+" has no section "+strconv.Quote(h))
			}
		case part("from") != "":
			for _, section := range []string{part("from"), part("to")} {
				if section == "" {
					continue
				}
				cited = append(cited, section)
				if !slices.Contains(p[page], section) {
					report(m[0], "§"+section+" is no section of "+cmpOr(page, "any page: none was named before"))
				}
			}
		case part("outside") != "", part("loose") != "" && own == "":
			report(m[0], text[m[0]:m[1]]+" is not in the repository: its sections are those of docs/azure.md, with the recorded facts "+
				"as §33.N, and of docs/design.md")
		}
	}
	return cited
}

func cmpOr(a, b string) string {
	if a != "" {
		return a
	}
	return b
}

// ownPage returns the page that a file is; "" for what is no page of docs.
func ownPage(name string) string {
	if strings.HasPrefix(name, "docs/") && strings.HasSuffix(name, ".md") {
		return name
	}
	return ""
}

// literals returns the texts in a Go file, by where they stand.
func literals(t *testing.T, name, source string) map[int]string {
	t.Helper()
	files := token.NewFileSet()
	file, err := parser.ParseFile(files, name, source, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	found := map[int]string{}
	ast.Inspect(file, func(n ast.Node) bool {
		if l, ok := n.(*ast.BasicLit); ok && l.Kind == token.STRING {
			if text, err := strconv.Unquote(l.Value); err == nil {
				found[files.Position(l.Pos()).Offset] = text
			}
		}
		return true
	})
	return found
}

func lineOf(text string, offset int) int { return strings.Count(text[:offset], "\n") + 1 }

// eachText visits the files of the project that a person wrote, by their path from its root.
func eachText(t *testing.T, visit func(name, text string)) {
	t.Helper()
	const tooLong = 1 << 20 // recordings and estates
	top := root(t)
	err := filepath.WalkDir(top, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && slices.Contains([]string{".git", "bin", "node_modules", "rapid", ".tools"}, d.Name()) {
			return fs.SkipDir
		}
		if !d.Type().IsRegular() {
			return nil
		}
		if info, err := d.Info(); err != nil || info.Size() > tooLong {
			return err
		}
		text, err := os.ReadFile(path)
		if err != nil || !utf8.Valid(text) {
			return err
		}
		name, err := filepath.Rel(top, path)
		if err != nil {
			return err
		}
		visit(filepath.ToSlash(name), string(text))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}
