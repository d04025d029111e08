package config

import (
	"bytes"
	"encoding/json"
	"maps"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/invopop/jsonschema"
)

// schemaID is where editors find the schema.
const schemaID = "https://raw.githubusercontent.com/azbackup/azbackup/main/config/schema.json"

func TestTheSchemaIsMadeFromTheStructs(t *testing.T) {
	got := makeSchema(t)
	if *update {
		if err := os.WriteFile("schema.json", got, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if diff := cmp.Diff(string(Schema()), string(got)); diff != "" {
		t.Errorf("schema.json is out of date, run go generate (-have +want):\n%s", diff)
	}
}

// makeSchema reflects the structs of the format, and then puts in what reflection cannot know: the forms of the
// types that may be written in several ways, and that ${…} may stand for every scalar.
func makeSchema(t *testing.T) []byte {
	t.Helper()
	r := &jsonschema.Reflector{
		FieldNameTag: "yaml", RequiredFromJSONSchemaTags: true, ExpandedStruct: true, Anonymous: true, Mapper: schemaForms,
	}
	if err := r.AddGoComments("github.com/azbackup/azbackup/config", "."); err != nil {
		t.Fatal(err)
	}
	s := r.Reflect(&Config{})
	lists, query := r.Reflect(&diskLists{}), r.Reflect(&SubscriptionQuery{})
	m := schemaMaker{formats: formats(), zones: newZones().names()}
	delete(s.Definitions, "Position")
	s.Definitions["DiskLists"], s.Definitions["SubscriptionQuery"] = lists, query
	for _, name := range slices.Sorted(maps.Keys(s.Definitions)) {
		m.object(s.Definitions[name])
		s.Definitions[name].Description = "" // speaks of Go; the properties have their own
	}
	m.object(s)
	s.Required = []string{keyVersion}                              // of several files only one has to list the subscriptions
	s.PatternProperties = map[string]*jsonschema.Schema{"^x-": {}} // a place for anchored values
	lists.Version, lists.ID = "", ""
	query.Version, query.ID = "", ""
	s.ID, s.Title = schemaID, "azbackup"
	s.Description = "What azbackup backs up: vaults, policies, and rules for VMs."
	s.Definitions["Variable"] = &jsonschema.Schema{
		Description: "${NAME} or ${NAME:-default}", Type: "string", Pattern: `\$\{[A-Za-z_][A-Za-z0-9_]*(:-[^}]*)?\}`,
	}
	m.forms(s.Definitions)
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(s); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// schemaForms describes the types with several forms; the walker's forms.go is their twin.
func schemaForms(t reflect.Type) *jsonschema.Schema {
	word := func(words ...any) *jsonschema.Schema { return &jsonschema.Schema{Type: "string", Enum: words} }
	switch t {
	case reflect.TypeFor[time.Duration]():
		return &jsonschema.Schema{Type: "string", Format: "duration"}
	case reflect.TypeFor[Date]():
		return anyOf(&jsonschema.Schema{Type: "integer", Minimum: "1", Maximum: "28"}, word(lastWord))
	case reflect.TypeFor[Protect]():
		return anyOf(&jsonschema.Schema{Type: "boolean"}, word(string(ProtectStopped)))
	case reflect.TypeFor[Share]():
		return anyOf(&jsonschema.Schema{Type: "integer", Minimum: "0"}, &jsonschema.Schema{Type: "string", Pattern: "^(100|[0-9]|[1-9][0-9])%$"})
	case reflect.TypeFor[Sample]():
		return anyOf(&jsonschema.Schema{Type: "integer", Minimum: "1"}, &jsonschema.Schema{Type: "string", Pattern: "^(100|[1-9]|[1-9][0-9])%$"}, word(allWord))
	case reflect.TypeFor[RestoreDisks]():
		lun := &jsonschema.Schema{Type: "integer", Minimum: "0", Maximum: "63"}
		list := &jsonschema.Schema{Type: "array", Items: anyOf(lun, variable()), MinItems: new(uint64(1)), UniqueItems: true}
		return anyOf(word(allWord, osWord), lun, list)
	case reflect.TypeFor[Operations]():
		return anyOf(&jsonschema.Schema{Type: "integer", Minimum: "1"}, word(autoWord))
	case reflect.TypeFor[SubscriptionIDs]():
		id := &jsonschema.Schema{Type: "string", Pattern: formats()["guid"].pattern}
		list := &jsonschema.Schema{Type: "array", Items: anyOf(id, variable()), MinItems: new(uint64(1)), UniqueItems: true}
		return anyOf(list, id, word(allWord), &jsonschema.Schema{Ref: "#/$defs/SubscriptionQuery"})
	case reflect.TypeFor[Disks]():
		return anyOf(word(string(DisksAll), string(DisksOSOnly)), &jsonschema.Schema{Ref: "#/$defs/DiskLists"})
	case reflect.TypeFor[map[string]string]():
		return &jsonschema.Schema{
			Type: "object", PropertyNames: &jsonschema.Schema{MinLength: new(uint64(1))},
			AdditionalProperties: anyScalar(),
		}
	case reflect.TypeFor[map[string][]string]():
		values := &jsonschema.Schema{Type: "array", Items: anyScalar(), MinItems: new(uint64(1)), UniqueItems: true}
		return &jsonschema.Schema{
			Type: "object", MinProperties: new(uint64(1)), PropertyNames: &jsonschema.Schema{MinLength: new(uint64(1))},
			AdditionalProperties: anyOf(anyScalar(), values, &jsonschema.Schema{Type: "null"}),
		}
	}
	return nil
}

func anyOf(forms ...*jsonschema.Schema) *jsonschema.Schema { return &jsonschema.Schema{AnyOf: forms} }

// anyScalar returns a tag value: a number or a truth value stands for the text that it is written as.
func anyScalar() *jsonschema.Schema {
	return anyOf(&jsonschema.Schema{Type: "string"}, &jsonschema.Schema{Type: "number"}, &jsonschema.Schema{Type: "boolean"})
}

type schemaMaker struct {
	formats map[string]format
	zones   []string
}

// object completes the properties of a mapping.
func (m schemaMaker) object(s *jsonschema.Schema) {
	slices.Sort(s.Required)
	for p := s.Properties.Oldest(); p != nil; p = p.Next() {
		p.Value = m.value(p.Value)
	}
}

// value completes one value: formats become patterns, ${…} may stand for a scalar, one value for a list of one.
func (m schemaMaker) value(s *jsonschema.Schema) *jsonschema.Schema {
	description := strings.ReplaceAll(s.Description, "\n", " ")
	s.Description = ""
	switch s.Type {
	case "array":
		s = m.list(s)
	case "string":
		s = m.text(s)
	case "integer", "boolean":
		s = anyOf(s, variable())
	case "":
		if s.AnyOf != nil {
			s = m.union(s)
		}
	}
	s.Description = description
	return s
}

func (m schemaMaker) list(s *jsonschema.Schema) *jsonschema.Schema {
	if s.Items.Ref == "#/$defs/Selector" {
		s.MinItems = new(uint64(1))
		return anyOf(&jsonschema.Schema{Ref: s.Items.Ref}, s)
	}
	if s.Items.Ref != "" {
		return s
	}
	s.Items = m.value(s.Items)
	return anyOf(slices.Concat([]*jsonschema.Schema{s}, formsOf(s.Items))...)
}

// formsOf returns the forms of one item.
func formsOf(item *jsonschema.Schema) []*jsonschema.Schema {
	if item.AnyOf != nil {
		return item.AnyOf
	}
	return []*jsonschema.Schema{item}
}

func (m schemaMaker) text(s *jsonschema.Schema) *jsonschema.Schema {
	f := m.formats[s.Format]
	switch {
	case s.Format == formatTimeZone:
		s.Enum = anys(m.zones)
	case f.words != nil:
		s.Enum = anys(f.words)
	case f.pattern != "":
		s.Pattern = f.pattern
	case s.Enum == nil && s.Pattern == "":
		s.MinLength = new(uint64(1))
		return s
	}
	s.Format = ""
	return anyOf(s, variable())
}

// union adds ${…} to the forms of a value, of which at least one is a scalar.
func (m schemaMaker) union(s *jsonschema.Schema) *jsonschema.Schema {
	s.AnyOf = append(s.AnyOf, variable())
	return s
}

// forms puts in the types that are a word or a mapping, and the mappings of which one key may be said.
func (m schemaMaker) forms(defs jsonschema.Definitions) {
	defs["VaultSelector"].MinProperties = new(uint64(1))
	whole := defs["Vault"].Required
	defs["Vault"].Required = nil
	defs["Vault"].AnyOf = []*jsonschema.Schema{{Required: whole}, {Required: []string{"match"}}}
	defs["Selector"].MinProperties, defs["SubscriptionQuery"].MinProperties = new(uint64(1)), new(uint64(1))
	for _, name := range []string{"Schedule", "DiskLists"} {
		defs[name].MinProperties, defs[name].MaxProperties = new(uint64(1)), new(uint64(1))
	}
	for name, words := range map[string][]string{"Cloud": cloudNames(), "Archive": {"recommended"}} {
		object := *defs[name]
		defs[name] = anyOf(&jsonschema.Schema{Type: "string", Enum: anys(words)}, variable(), &object)
	}
}

func cloudNames() []string {
	for _, f := range fieldsOf(reflect.TypeFor[Config]()) {
		if f.key == "cloud" {
			return f.limits.enum
		}
	}
	return nil
}

func variable() *jsonschema.Schema { return &jsonschema.Schema{Ref: "#/$defs/Variable"} }

func anys(words []string) []any {
	all := make([]any, len(words))
	for i, w := range words {
		all[i] = w
	}
	return all
}
