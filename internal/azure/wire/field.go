package wire

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/azbackup/azbackup/plan"
)

// Field is a field of an answer that decides something. Decoding it never fails: it keeps the raw value until a
// fieldReader classifies it as read, absent ("" and null are absent, too), or not understood. Text is kept as itself;
// anything else as its JSON, behind a mark that no text of the service begins with.
type Field string

const notText = "\x00"

// UnmarshalJSON implements [json.Unmarshaler]. It does not allocate the common words again.
func (f *Field) UnmarshalJSON(b []byte) error {
	switch string(b) {
	case `null`:
		*f = ""
	case `"AzureIaasVM"`:
		*f = managementVM
	case `"VM"`:
		*f = workloadVM
	case `"Microsoft.Compute/virtualMachines"`:
		*f = typeVM
	case `"Protected"`:
		*f = plan.StateProtected
	case `"Completed"`:
		*f = "Completed"
	case `"Passed"`:
		*f = "Passed"
	case `0`:
		*f = notText + "0"
	case `true`:
		*f = notText + "true"
	case `false`:
		*f = notText + "false"
	default:
		if b[0] != '"' {
			*f = Field(notText + string(b))
			return nil
		}
		if plain := b[1 : len(b)-1]; bytes.IndexByte(plain, '\\') < 0 && utf8.Valid(plain) {
			*f = Field(plain)
			return nil
		}
		return json.Unmarshal(b, (*string)(f))
	}
	return nil
}

// isText reports whether the field is text, or absent.
func (f Field) isText() bool { return !strings.HasPrefix(string(f), notText) }

// Text returns the text of a field that decides nothing after all; one that is not understood counts as absent.
func (f Field) Text() string {
	if !f.isText() {
		return ""
	}
	return string(f)
}

// Tunable: the greatest lengths of texts that are understood, in bytes.
const (
	maxWord = 256  // words, names, regions, times
	MaxID   = 2048 // ids
)

// fieldReader collects the fields of a row that were not understood.
type fieldReader struct{ problems []string }

// maxProblems is the highest number of fields of one row that are named.
const maxProblems = 3

// recordMisread records a field that was not understood, with its value.
func (r *fieldReader) recordMisread(name string, f Field) {
	r.addProblem("%s is %s", name, f.Printable())
}

func (r *fieldReader) addProblem(format string, args ...any) {
	if len(r.problems) < maxProblems {
		r.problems = append(r.problems, fmt.Sprintf(format, args...))
	}
}

// describeProblems returns the fields that were not understood, with their values, in words; "" = there are none.
func (r *fieldReader) describeProblems() string { return strings.Join(r.problems, "; ") }

// maxPrinted is how many bytes of a value are displayed at most.
const maxPrinted = 60

// Quote returns a text for display: short, in one line, quoted, and without control sequences.
func Quote(text string) string {
	if len(text) > maxPrinted {
		text = strings.ToValidUTF8(text[:maxPrinted], "") + "…"
	}
	return fmt.Sprintf("%q", text)
}

// Printable returns JSON for display, as [Quote] does, but without quotes of its own.
func Printable(json string) string {
	text := Quote(json)
	return strings.ReplaceAll(text[1:len(text)-1], `\"`, `"`)
}

// Printable returns the value of the field for display.
func (f Field) Printable() string {
	if f.isText() {
		return Quote(string(f))
	}
	return Printable(string(f[len(notText):]))
}

// word returns a text of at most maxWord bytes; "" = absent.
func (r *fieldReader) word(name string, f Field) string { return r.text(name, f, maxWord) }

// id returns a text of at most maxID bytes; "" = absent.
func (r *fieldReader) id(name string, f Field) string { return r.text(name, f, MaxID) }

func (r *fieldReader) text(name string, f Field, most int) string {
	if !f.isText() || len(f) > most {
		r.recordMisread(name, f)
		return ""
	}
	return string(f)
}

// required returns a word; an absent one is not understood.
func (r *fieldReader) required(name string, f Field) string {
	if f == "" {
		r.addProblem("%s is missing", name)
	}
	return r.word(name, f)
}

// boolean returns a boolean; absent is false.
func (r *fieldReader) boolean(name string, f Field) bool {
	switch f {
	case notText + "true":
		return true
	case "", notText + "false":
		return false
	}
	r.recordMisread(name, f)
	return false
}

// pastTime returns a time of the past, or zero where absent. A future time is not understood, unless now is zero.
func (r *fieldReader) pastTime(name string, f Field, now time.Time) time.Time {
	t, ok := f.PastTime(now)
	if !ok {
		r.recordMisread(name, f)
	}
	return t
}

// clockSlack is how far in the future a past time may be: the service's machines do not share one clock.
const clockSlack = 5 * time.Minute

// PastTime returns a time of the past in UTC, zero where absent; false = it was not understood. A time after now is not
// understood, unless now is zero.
func (f Field) PastTime(now time.Time) (time.Time, bool) {
	if f == "" {
		return time.Time{}, true
	}
	t, ok := parseTime(string(f))
	if !ok || !now.IsZero() && t.After(now.Add(clockSlack)) {
		return time.Time{}, false
	}
	return t, true
}

// number returns an integer from 0 to most; absent is 0.
func (r *fieldReader) number(name string, f Field, most int) int {
	n, ok := f.parseNumber(most)
	if !ok {
		r.recordMisread(name, f)
	}
	return n
}

func (f Field) parseNumber(most int) (int, bool) {
	if f == "" {
		return 0, true
	}
	if f.isText() {
		return 0, false
	}
	n, err := strconv.Atoi(string(f[len(notText):]))
	if err != nil || n < 0 || n > most {
		return 0, false
	}
	return n, true
}

// tagField is the tags of a resource, as JSON: most rows of a list have the same tags, which are decoded once (see
// [StringPool]). Azure bounds their names and values (512 and 256 characters).
type tagField string

const maxTag = 2048

// UnmarshalJSON implements [json.Unmarshaler] and never fails.
func (t *tagField) UnmarshalJSON(b []byte) error {
	*t = tagField(b)
	return nil
}

// parse returns the tags; false = they were not understood.
func (t tagField) parse() (map[string]string, bool) {
	if t == "" || t == "null" {
		return nil, true
	}
	var values map[string]*string
	if err := json.Unmarshal([]byte(t), &values); err != nil {
		return nil, false
	}
	tags := make(map[string]string, len(values))
	for k, v := range values {
		if v == nil || len(k) > maxTag || len(*v) > maxTag {
			return nil, false
		}
		tags[k] = *v
	}
	return tags, true
}

func (r *fieldReader) tags(t tagField, w *StringPool) map[string]string {
	tags, ok := w.internTags(t)
	if !ok {
		r.addProblem("tags is %s", Printable(string(t)))
	}
	return tags
}

// tolerantRow is embedded in the types of rows and documents. All fields that decide are [Field]s, which accept any
// type; so a value of an unexpected type is an object or a list that holds some of them.
type tolerantRow struct{ wrong string }

func (o *tolerantRow) misread(err *json.UnmarshalTypeError) {
	if o.wrong == "" {
		name := err.Field
		if name == "" {
			name = "the entry"
		}
		o.wrong = fmt.Sprintf("%s is of type %s", name, Printable(err.Value))
	}
}

// checkForm records the parts of the outer form that were not understood.
func (r *fieldReader) checkForm(o tolerantRow) {
	if o.wrong != "" {
		r.addProblem("%s", o.wrong)
	}
}

// tolerate treats values of an unexpected type as absent, and reports them to v where v has a method for it.
func tolerate(err error, v any) error {
	wrong, is := errors.AsType[*json.UnmarshalTypeError](err)
	if !is {
		return err
	}
	if o, asks := v.(interface {
		misread(*json.UnmarshalTypeError)
	}); asks {
		o.misread(wrong)
	}
	return nil
}

// Unmarshal is json.Unmarshal that treats a field of an unexpected type as [tolerate] does.
func Unmarshal(data []byte, v any) error { return tolerate(json.Unmarshal(data, v), v) }
