package config

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"gopkg.in/yaml.v3"
)

// compileSchema reads the schema with a validator that knows nothing of how it was made.
func compileSchema(t testing.TB) *jsonschema.Schema {
	t.Helper()
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(Schema()))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource("schema.json", doc); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile("schema.json")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// validate checks a file as an editor does: YAML to values, values against the schema.
func validate(s *jsonschema.Schema, file string) error {
	text, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	return validateText(s, text)
}

// errNoJSON says that a YAML value, such as .inf, has no JSON form.
var errNoJSON = errors.New("no JSON")

func validateText(s *jsonschema.Schema, text []byte) error {
	var value any
	if err := yaml.Unmarshal(text, &value); err != nil {
		if strings.Contains(err.Error(), "excessive aliasing") { // the library's own limit for values is lower
			return fmt.Errorf("%w: %w", errNoJSON, err)
		}
		return err
	}
	j, err := json.Marshal(textDates(value))
	if err != nil {
		return fmt.Errorf("%w: %w", errNoJSON, err)
	}
	instance, err := jsonschema.UnmarshalJSON(bytes.NewReader(j))
	if err != nil {
		return err
	}
	return s.Validate(instance)
}

// textDates keeps what YAML 1.1 reads as a date a text, as editors (YAML 1.2) do; keys become texts.
func textDates(value any) any {
	switch v := value.(type) {
	case map[string]any:
		for k := range v {
			v[k] = textDates(v[k])
		}
	case map[any]any:
		m := map[string]any{}
		for k := range v {
			m[fmt.Sprint(k)] = textDates(v[k])
		}
		return m
	case []any:
		for i := range v {
			v[i] = textDates(v[i])
		}
	case fmt.Stringer:
		return v.String()
	}
	return value
}

// parts lists a test file, or the files of a directory.
func parts(t *testing.T, path string) []string {
	t.Helper()
	if strings.HasSuffix(path, ".yaml") {
		return []string{path}
	}
	files, err := filepath.Glob(filepath.Join(path, "*.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	return files
}

func TestTheSchemaAcceptsEveryGoodFile(t *testing.T) {
	s := compileSchema(t)
	for _, name := range cases(t, "testdata/ok") {
		for _, file := range parts(t, filepath.Join("testdata/ok", name)) {
			if err := validate(s, file); err != nil {
				t.Errorf("%s: %v", file, err)
			}
		}
	}
}

func TestTheSchemaRefusesFaultsOfShapeAndAcceptsFaultsOfMeaning(t *testing.T) {
	s := compileSchema(t)
	for _, name := range cases(t, "testdata/err") {
		for _, file := range parts(t, filepath.Join("testdata/err", name)) {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			first, _, _ := strings.Cut(strings.TrimPrefix(string(text), byteOrderMark), "\n")
			err = validate(s, file)
			switch first {
			case "# shape":
				if err == nil {
					t.Errorf("%s: the schema accepts it", file)
				}
			case "# meaning":
				if err != nil {
					t.Errorf("%s: %v", file, err)
				}
			default:
				// A file without bytes, or in UTF-16, has no first line to read.
				if !strings.Contains(file, "empty-zero") && !strings.Contains(file, "utf16") {
					t.Errorf("%s: the first line is %q, want # shape or # meaning", file, first)
				}
			}
		}
	}
}

// Every value that is a scalar somewhere must admit ${…}: a schema that does not would draw red lines under it.
func TestEveryScalarAdmitsAVariable(t *testing.T) {
	s := compileSchema(t)
	var doc any
	if err := json.Unmarshal(Schema(), &doc); err != nil {
		t.Fatal(err)
	}
	defs := doc.(map[string]any)["$defs"].(map[string]any)
	var scalars, described int
	check := func(where string, property map[string]any) {
		if property["description"] == nil {
			t.Errorf("%s has no description", where)
		}
		described++
		text, err := json.Marshal(property)
		if err != nil {
			t.Fatal(err)
		}
		free := []string{`"$ref":"#/$defs/Variable"`, `{"minLength":1,"type":"string"}`, `{"type":"string"}`}
		isFree := func(form string) bool { return strings.Contains(string(text), form) }
		if property["type"] == "string" || slices.ContainsFunc(free, isFree) {
			scalars++
		} else if !strings.Contains(string(text), `"$ref"`) {
			t.Errorf("%s admits no variable: %s", where, text)
		}
	}
	for name, def := range defs {
		for _, form := range append([]any{def}, anyList(def.(map[string]any)["anyOf"])...) {
			properties, _ := form.(map[string]any)["properties"].(map[string]any)
			for key, p := range properties {
				check(name+"."+key, p.(map[string]any))
			}
		}
	}
	for key, p := range doc.(map[string]any)["properties"].(map[string]any) {
		check(key, p.(map[string]any))
	}
	if scalars < 40 || described < 70 {
		t.Errorf("saw only %d scalars in %d properties", scalars, described)
	}
	if err := validate(s, "testdata/ok/variables.yaml"); err != nil {
		t.Error(err)
	}
}

func anyList(v any) []any {
	list, _ := v.([]any)
	return list
}
