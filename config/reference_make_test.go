package config

import (
	"bytes"
	"fmt"
	"os"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/invopop/jsonschema"
)

// reference is the page that lists every key; what stands between its marks is made from the structs.
const (
	reference      = "../docs/config.md"
	referenceBegin = "<!-- keys: made from config/model.go by go generate -->\n"
	referenceEnd   = "<!-- end of keys -->\n"
)

func TestTheReferenceIsMadeFromTheStructs(t *testing.T) {
	page, err := os.ReadFile(reference)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, begins := strings.Cut(string(page), referenceBegin)
	_, after, ends := strings.Cut(rest, referenceEnd)
	if !begins || !ends {
		t.Fatalf("%s lacks the marks around its keys", reference)
	}
	got := before + referenceBegin + "\n" + makeReference(t) + referenceEnd + after
	if *update {
		if err := os.WriteFile(reference, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if diff := cmp.Diff(string(page), got); diff != "" {
		t.Errorf("%s is out of date, run make generate (-have +want):\n%s", reference, diff)
	}
}

// makeReference returns a table for each mapping of the format: the comment of each field beside its key.
func makeReference(t *testing.T) string {
	t.Helper()
	comments := &jsonschema.Reflector{}
	if err := comments.AddGoComments("github.com/azbackup/azbackup/config", "."); err != nil {
		t.Fatal(err)
	}
	m := referenceMaker{t: t, comments: comments.CommentMap, said: map[reflect.Type]bool{}}
	m.mapping("the file", "", reflect.TypeFor[Config]())
	return m.out.String()
}

type referenceMaker struct {
	t        *testing.T
	out      bytes.Buffer
	comments map[string]string
	said     map[reflect.Type]bool // mappings that have a table already
}

// mapping writes the table of a struct, and then those of the mappings in it. prefix is what its keys are called by.
func (m *referenceMaker) mapping(title, prefix string, t reflect.Type) {
	m.said[t] = true
	fmt.Fprintf(&m.out, "### %s\n\n| key | value | |\n|---|---|---|\n", title)
	for _, f := range fieldsOf(t) {
		field := t.Field(f.index)
		comment := m.comments[t.PkgPath()+"."+t.Name()+"."+field.Name]
		if comment == "" {
			comment = field.Tag.Get("jsonschema_description")
		}
		if comment == "" {
			m.t.Errorf("%s.%s has no comment", t.Name(), field.Name)
		}
		value := m.value(field.Type, f.limits)
		switch {
		case f.unless != "":
			value += "; **required** unless `" + f.unless + "` is there"
		case f.required:
			value += "; **required**"
		}
		fmt.Fprintf(&m.out, "| `%s` | %s | %s |\n", f.key, cell(value), cell(strings.ReplaceAll(comment, "\n", " ")))
	}
	m.out.WriteString("\n")
	for _, f := range fieldsOf(t) {
		inner, mark := elem(t.Field(f.index).Type)
		path := prefix + f.key + mark
		if isMapping(inner) && !m.said[inner] {
			m.mapping("`"+path+"`", path+".", inner)
		}
	}
}

// elem returns what a field holds: the element of a list, what a pointer points to. Disks are written as a mapping of lists.
func elem(t reflect.Type) (inner reflect.Type, mark string) {
	if t == reflect.TypeFor[SubscriptionIDs]() {
		return reflect.TypeFor[SubscriptionQuery](), ""
	}
	for t.Kind() == reflect.Pointer || t.Kind() == reflect.Slice {
		if t.Kind() == reflect.Slice {
			mark = "[]"
		}
		t = t.Elem()
	}
	if t == reflect.TypeFor[Disks]() {
		t = reflect.TypeFor[diskLists]()
	}
	return t, mark
}

func isMapping(t reflect.Type) bool { return t.Kind() == reflect.Struct && len(fieldsOf(t)) > 0 }

// value says in words what may stand there.
func (m *referenceMaker) value(t reflect.Type, l fieldLimits) string {
	if t.Kind() == reflect.Pointer {
		return m.value(t.Elem(), l)
	}
	switch t {
	case reflect.TypeFor[time.Duration]():
		return "a duration: `30m`, `4h`, `30d`"
	case reflect.TypeFor[Date]():
		return "1 to 28, or `last`"
	case reflect.TypeFor[Protect]():
		return "`true`, `false`, `stopped`"
	case reflect.TypeFor[Share]():
		return "a number, or a percentage: `10%`"
	case reflect.TypeFor[Sample]():
		return "a number, 1 or more, a percentage: `10%`, or `all`"
	case reflect.TypeFor[RestoreDisks]():
		return "`all`, `os`, or a list of numbers, 0 to 63"
	case reflect.TypeFor[Operations]():
		return "a number, 1 or more, or `auto`"
	case reflect.TypeFor[SubscriptionIDs]():
		return "a list: a GUID; or `all`; or a mapping"
	case reflect.TypeFor[Disks]():
		return "`all`, `osOnly`, or a mapping"
	case reflect.TypeFor[Archive]():
		return "`recommended`, or a mapping"
	case reflect.TypeFor[Cloud]():
		return oneOf(l.enum) + ", or a mapping"
	case reflect.TypeFor[map[string]string]():
		return "names and values"
	case reflect.TypeFor[map[string][]string]():
		return "names, each with a value, a list, or `null`"
	case reflect.TypeFor[[]Selector]():
		return "a mapping, or a list of them"
	}
	switch t.Kind() {
	case reflect.Slice:
		if isMapping(t.Elem()) {
			return "a list of mappings"
		}
		return "a list: " + m.value(t.Elem(), l)
	case reflect.Struct:
		return "a mapping"
	case reflect.Bool:
		return "`true`, `false`"
	case reflect.Int:
		return "a number" + between(l)
	case reflect.String:
		return text(l)
	default:
		m.t.Fatalf("no words for a value of type %v", t)
		return ""
	}
}

func between(l fieldLimits) string {
	switch {
	case len(l.enum) > 0:
		return ": " + oneOf(l.enum)
	case l.min != nil && l.max != nil:
		return fmt.Sprintf(", %d to %d", *l.min, *l.max)
	case l.min != nil:
		return fmt.Sprintf(", %d or more", *l.min)
	}
	return ""
}

// text says what a text may be: its words, or what its format is called.
func text(l fieldLimits) string {
	f := formats()[l.format]
	switch {
	case len(l.enum) > 0:
		return oneOf(l.enum)
	case f.words != nil:
		return oneOf(f.words)
	}
	return map[string]string{
		"guid": "a GUID", "part": "a name", "location": "a region", "time": "a time: `\"22:00\"`",
		"glob": "a name, with `*` and `?`", formatTimeZone: "a time zone", "": "text",
	}[l.format]
}

func oneOf(all []string) string { return "`" + strings.Join(all, "`, `") + "`" }

func cell(s string) string { return strings.ReplaceAll(s, "|", `\|`) }
