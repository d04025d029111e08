package config

import (
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/santhosh-tekuri/jsonschema/v6"
)

// FuzzLoad: whatever a file holds, reading it ends soon and without a panic, every problem lies inside the file
// and is safe to print, and the schema accepts what is accepted here.
func FuzzLoad(f *testing.F) {
	for _, pattern := range []string{"testdata/ok/*.yaml", "testdata/ok/*/*.yaml", "testdata/err/*.yaml", "testdata/err/*/*.yaml"} {
		files, err := filepath.Glob(pattern)
		if err != nil {
			f.Fatal(err)
		}
		for _, file := range files {
			text, err := os.ReadFile(file)
			if err != nil {
				f.Fatal(err)
			}
			f.Add(string(text))
		}
	}
	schema := compileSchema(f)
	f.Fuzz(func(t *testing.T, text string) { checkText(t, schema, text) })
}

func checkText(t *testing.T, schema *jsonschema.Schema, text string) {
	t.Helper()
	start := time.Now()
	out := &diagnostics{}
	c := read([]*source{{name: "fuzz.yaml", text: text}}, true, newVariables(testEnv, out), out)
	warnings, err := out.sortedResult(nil)
	if took := time.Since(start); took > 5*time.Second {
		t.Errorf("took %v", took)
	}
	problems := warnings
	if loadErr, ok := errors.AsType[*LoadError](err); ok {
		problems = append(problems, loadErr.Problems...)
	}
	for _, p := range problems {
		checkPlace(t, text, p)
	}
	if err != nil {
		return
	}
	if c == nil {
		t.Fatal("neither a config nor a problem")
	}
	c.Explain(target("app01", map[string]string{"env": "prod"}))
	for i := range c.Policies {
		c.VaultsOf(&c.Policies[i])
	}
	checkEncoded(t, c)
	if err := validateText(schema, []byte(text)); err != nil && !errors.Is(err, errNoJSON) {
		t.Errorf("accepted here, but not by the schema: %v", err)
	}
}

// checkEncoded: what was read can be written, and is read back as it was.
func checkEncoded(t *testing.T, c *Config) {
	t.Helper()
	text, err := c.Encode(nil)
	if err != nil {
		t.Fatal(err)
	}
	out := &diagnostics{}
	again := read([]*source{{name: "again.yaml", text: string(text)}}, true, newVariables(testEnv, out), out)
	if _, err := out.sortedResult(nil); err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	opts := cmp.Options{cmpopts.IgnoreTypes(Position{}), cmpopts.IgnoreUnexported(Config{}), cmpopts.EquateEmpty()}
	if diff := cmp.Diff(c, again, opts); diff != "" {
		t.Errorf("read (-), written and read again (+):\n%s\n%s", diff, text)
	}
}

func checkPlace(t *testing.T, text string, p Problem) {
	t.Helper()
	lines := strings.Split(text, "\n")
	if p.Line < 1 || p.Line > len(lines) {
		t.Fatalf("line %d of %d: %s", p.Line, len(lines), p.Message)
	}
	if length := utf8.RuneCountInString(lines[p.Line-1]); p.Column < 1 || p.Column > length+1 {
		t.Errorf("column %d of %d: %s", p.Column, length, p.Message)
	}
	for _, r := range p.String() {
		if r != '\n' && !unicode.IsPrint(r) {
			t.Errorf("%q cannot be printed: %q", r, p.String())
		}
	}
	if strings.Contains(p.Message+p.Hint, "\n") {
		t.Errorf("a message with a line break: %q", p.Message+p.Hint)
	}
}

// Every value of the good files is replaced by every kind of value in turn.
func TestEveryValueMayBeAnything(t *testing.T) {
	kinds := []string{
		"", "null", "true", "-1", "0", "7", "1.5", "0x1F", "1e3", ".inf", "2024-01-01", "x", "''", "'7'", "'true'", "${SET}", "${DAYS}", "${EMPTY}",
		"[]", "{}", "[a]", "[[a]]", "[null]", "[1, 1]", "{a: b}", "{? [a]: b}", "[{}]", "*x", "&x y", "!t z", "|\n  z", "last", "10%", "4h", "\"\\0\"",
	}
	value := regexp.MustCompile(`(?:: |\[|, |- )([^\[\]{},\n]+)`)
	schema, changes := compileSchema(t), 0
	for _, name := range cases(t, "testdata/ok") {
		for _, file := range parts(t, filepath.Join("testdata/ok", name)) {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			for _, at := range value.FindAllSubmatchIndex(text, -1) {
				for _, kind := range kinds {
					changed := string(text[:at[2]]) + kind + string(text[at[3]:])
					checkText(t, schema, changed)
					changes++
					if t.Failed() {
						t.Fatalf("%s with %q in place of %q", file, kind, text[at[2]:at[3]])
					}
				}
			}
		}
	}
	if changes < 5000 {
		t.Errorf("only %d changes were tried", changes)
	}
}
