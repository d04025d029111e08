package report

import (
	"bytes"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode"

	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/extension"
	"github.com/yuin/goldmark/renderer/html"
	nethtml "golang.org/x/net/html"

	"github.com/azbackup/azbackup/apply"
	"github.com/azbackup/azbackup/plan"
)

// nasty returns what a name, a tag, a message or the config may hold.
func nasty() []string {
	return []string{
		"@team", "hello @org/team!", "see #123 and org/repo#4 and GH-12", "a@example.com", "www.example.com", "https://example.com/x?y=1",
		"<script>alert(1)</script>", "<img src=x onerror=alert(1)>", "&lt;b&gt; &#64;team", "</details></summary><h1>x",
		"a|b", `a\|b`, `a\\|b`, "|", `\`, "trailing\\", "`", "``", "`a`", "a``b`c", "` `", " ", "  ", " a ", "",
		"a\nb", "a\r\n| x | y |\n\n# head", "\n\n<!-- -->\n", "tab\there", "nul\x00byte", "esc\x1b[31mred\x1b[0m", "c1\u009b31m",
		"rtl\u202edlrow", "mark\u200f\u200e", "zero\u200bwidth", "bom\ufeff", "line\u2028sep", "bad\xff\xfeutf8", "עברית",
		"::error file=x::boo", "##vso[task.setvariable variable=x]y", "##[error]boo",
		"*bold* _it_ ~~gone~~", "[x](javascript:alert(1))", "![x](https://example.com/x.png)", "$x^2$", "$`x`$", ":smile:",
		"- item", "1. item", "> quote", "# head", "---", "[^1]: note", "[x]: y", "{{ template }}", "'); DROP TABLE", "=cmd()",
		strings.Repeat("x", 5000), strings.Repeat("`", 400), strings.Repeat("| ", 400), strings.Repeat("@a ", 400),
	}
}

// poisoned returns a plan in which every text that comes from outside is s.
func poisoned(s string) plan.Plan {
	p := fleet()
	for i := range p.Changes {
		c := &p.Changes[i]
		c.Because, c.Notes, c.WaitsFor = s, []string{s}, s
		c.Rule = &plan.RuleRef{Name: s, File: s, Line: 1}
		c.Target = vm(clean(s), clean(s))
		if c.Action == plan.CreateVault {
			c.Vault = "/subscriptions/" + clean(s) + "/resourceGroups/" + clean(s) + "/providers/Microsoft.RecoveryServices/vaults/" + clean(s)
		}
		if c.After != nil && c.After.Policy != "" {
			c.After.Policy = "/x/" + clean(s)
		}
		for j := range c.Fields {
			c.Fields[j] = plan.Field{Path: s, Before: s, After: s}
		}
	}
	for i := range p.Gaps {
		p.Gaps[i] = plan.Gap{Kind: plan.GapKind(s), Target: s, Code: s, Message: s, RequestID: s}
	}
	for i := range p.Refusals {
		p.Refusals[i].Message, p.Refusals[i].Flag = s, s
	}
	p.Fingerprint = s
	return p
}

// clean keeps an id in one piece.
func clean(s string) string {
	if s = strings.ReplaceAll(s, "/", "∕"); strings.TrimSpace(s) == "" {
		return "x"
	}
	return s
}

func render(t testing.TB, markdown []byte) *nethtml.Node {
	t.Helper()
	md := goldmark.New(goldmark.WithExtensions(extension.GFM), goldmark.WithRendererOptions(html.WithUnsafe()))
	var b bytes.Buffer
	if err := md.Convert(markdown, &b); err != nil {
		t.Fatal(err)
	}
	root, err := nethtml.Parse(&b)
	if err != nil {
		t.Fatal(err)
	}
	return root
}

// walk visits every node; inCode says that a <code> stands around it.
func walk(n *nethtml.Node, inCode bool, visit func(n *nethtml.Node, inCode bool)) {
	visit(n, inCode)
	for c := n.FirstChild; c != nil; c = c.NextSibling {
		walk(c, inCode || n.Data == "code", visit)
	}
}

var alive = regexp.MustCompile(`@\w|#\d|\bGH-\d|www\.|://|:\w+:|\$`)

// mustBeDead fails when something of a rendered text can act: an element the writer does not use, or a
// mention, reference or address outside a code span.
func mustBeDead(t testing.TB, root *nethtml.Node) {
	t.Helper()
	ours := map[string]bool{
		"html": true, "head": true, "body": true, "h2": true, "h3": true, "p": true, "ul": true, "li": true, "table": true,
		"thead": true, "tbody": true, "tr": true, "th": true, "td": true, "code": true, "br": true, "details": true,
		"summary": true, "strong": true, "pre": true,
	}
	walk(root, false, func(n *nethtml.Node, inCode bool) {
		switch n.Type {
		case nethtml.ElementNode:
			if !ours[n.Data] {
				t.Errorf("a <%s> came to life", n.Data)
			}
			for _, a := range n.Attr {
				if a.Key != "open" && a.Key != "style" && a.Key != "align" {
					t.Errorf("<%s> has an attribute %s", n.Data, a.Key)
				}
			}
		case nethtml.TextNode:
			if m := alive.FindString(n.Data); m != "" && !inCode {
				t.Errorf("%q is alive in %q", m, n.Data)
			}
			for _, r := range n.Data {
				if !strings.ContainsRune("\n\ufe0f\u00a0", r) && !unicode.IsPrint(r) {
					t.Errorf("%U is in the rendered text", r)
					return
				}
			}
		case nethtml.CommentNode:
			if !regexp.MustCompile(`^ azbackup:fingerprint sha256:[0-9a-f]+ $`).MatchString(n.Data) {
				t.Errorf("a comment <!--%s-->", n.Data)
			}
		default:
		}
	})
}

// tables returns the number of cells of every row, table by table, short tables first.
func tables(root *nethtml.Node) [][]int {
	var all [][]int
	walk(root, false, func(n *nethtml.Node, _ bool) {
		switch {
		case n.Type != nethtml.ElementNode:
		case n.Data == "table":
			all = append(all, nil)
		case n.Data == "tr":
			cells := 0
			for c := n.FirstChild; c != nil; c = c.NextSibling {
				if c.Type == nethtml.ElementNode {
					cells++
				}
			}
			all[len(all)-1] = append(all[len(all)-1], cells)
		}
	})
	slices.SortFunc(all, slices.Compare)
	return all
}

func TestMarkdownKeepsUntrustedTextDead(t *testing.T) {
	want := tables(render(t, markdownOf(t, poisoned("plain"))))
	for i, s := range nasty() {
		t.Run(fmt.Sprintf("%d", i), func(t *testing.T) {
			text := markdownOf(t, poisoned(s))
			root := render(t, text)
			mustBeDead(t, root)
			if got := tables(root); fmt.Sprint(got) != fmt.Sprint(want) {
				t.Errorf("%q changes the tables:\n got %v\nwant %v\n%s", s, got, want, text)
			}
			if len(text) > mdLimit {
				t.Errorf("%d bytes", len(text))
			}
		})
	}
}

func markdownOf(t testing.TB, p plan.Plan) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := PlanMarkdown(&b, p); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestCodeSpanShowsTheTextItself(t *testing.T) {
	for _, s := range []string{"@team", "a|b", `a\|b`, `a\\|b`, "`", "``", "`a`", "a``b`c", "<b>", "&amp;", " a ", "a  b", `x\`, "東京"} {
		root := render(t, []byte(mdRow("a", "b")+mdRow("---", "---")+mdRow(mdCode(s), mdProse("x"))))
		var got []string
		walk(root, false, func(n *nethtml.Node, inCode bool) {
			if n.Type == nethtml.TextNode && inCode {
				got = append(got, n.Data)
			}
		})
		if len(got) != 1 || got[0] != s {
			t.Errorf("%q is shown as %q", s, got)
		}
	}
	if got := mdCode(strings.Repeat("`", 79)); strings.Contains(got, "``") {
		t.Errorf("the fence of %q is too long for cmark", got)
	}
}

func TestProseShowsTheWords(t *testing.T) {
	for in, want := range map[string]string{
		`it is protected in vault "rsv-1" by @team (see x_y), now`: "it is protected in vault \"`rsv-1`\" by `@team` (see `x_y`), now",
		"12,345 items keep 30 days, not 4.5":                       "12,345 items keep 30 days, not 4.5",
		"a\nb":                                                     "a b",
		"wait 30m for GH-12":                                       "wait `30m` for `GH-12`",
		"x_1 y_2, z":                                               "`x_1 y_2`, z",
		"":                                                         "",
	} {
		if got := mdProse(in); got != want {
			t.Errorf("mdProse(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestTerminalTextIsOneHarmlessLine(t *testing.T) {
	for _, s := range nasty() {
		got := Line(s)
		for _, r := range got {
			if !unicode.IsPrint(r) {
				t.Errorf("Line(%q) = %q holds %U", s, got, r)
			}
		}
		if strings.Contains(got, "##") {
			t.Errorf("Line(%q) = %q holds the start of a CI command", s, got)
		}
		for _, style := range []Style{{}, {Width: 80, Verbose: true, All: true}, {Width: 20}} {
			lines := map[string]bool{}
			for _, text := range []string{planText1(t, poisoned(s), style), applyText1(t, s, style)} {
				for l := range strings.Lines(text) {
					lines[l] = true
					if style.Width == 0 && strings.HasPrefix(strings.TrimSpace(l), "::") {
						t.Errorf("a line starts as a CI command: %q", l)
					}
				}
				if i := strings.IndexFunc(text, func(r rune) bool { return r != '\n' && !unicode.IsPrint(r) }); i >= 0 {
					t.Errorf("%q lets %q through", s, text[i:min(i+8, len(text))])
				}
			}
		}
	}
}

func planText1(t *testing.T, p plan.Plan, s Style) string {
	t.Helper()
	var b bytes.Buffer
	if err := PlanText(&b, p, s); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func applyText1(t *testing.T, text string, s Style) string {
	t.Helper()
	r := night()
	for i := range r.Results {
		x := &r.Results[i]
		x.Code, x.Message, x.Hint, x.RequestID, x.Operation, x.Job = text, text, text, text, text, text
		x.Outcome = apply.Unconfirmed
		x.Target = vm(clean(text), clean(text))
	}
	var b bytes.Buffer
	if err := ApplyText(&b, r, s); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestJSONRoundTripsUntrustedText(t *testing.T) {
	for _, s := range nasty() {
		var b bytes.Buffer
		if err := PlanJSON(&b, poisoned(s), true); err != nil {
			t.Fatal(err)
		}
		var p plan.Plan
		if err := json.Unmarshal(b.Bytes(), &p); err != nil {
			t.Fatal(err)
		}
		if want := strings.ToValidUTF8(s, "\ufffd"); strings.Count(s, "\xff") == 0 && p.Changes[0].Because != want {
			t.Errorf("%q came back as %q", s, p.Changes[0].Because)
		}
	}
}

// A cell keeps its text inside: the row has its cells, and nothing but code spans and line breaks in them.
func FuzzMarkdownCell(f *testing.F) {
	for _, s := range nasty() {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		text := mdRow("a", "b", "c") + mdRow("---", "---", "---") + mdRow(mdCode(s), mdProse(s), "end") +
			"\n<details><summary>" + mdSummary(s) + "</summary>\n\n- x " + mdProse(s) + "\n- " + mdCode(s) + "\n\n</details>\n"
		root := render(t, []byte(text))
		mustBeDead(t, root)
		if got := fmt.Sprint(tables(root)); got != "[[3 3]]" {
			t.Errorf("the table became %s:\n%s", got, text)
		}
		items, details := 0, 0
		walk(root, false, func(n *nethtml.Node, _ bool) {
			switch {
			case n.Type == nethtml.ElementNode && n.Data == "li":
				items++
			case n.Type == nethtml.ElementNode && n.Data == "details":
				details++
			}
		})
		if items != 2 || details != 1 {
			t.Errorf("%d list items in %d folds:\n%s", items, details, text)
		}
	})
}
