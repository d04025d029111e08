package azure

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/azbackup/azbackup/plan"
)

// field is a field of an answer by which something is decided. Decoding it never fails: it keeps what came until a
// [fieldReader] says what that means, which is one of three: read, absent ("" and null are absent, too), or not understood.
// Text stands in it as itself; anything else as its JSON, behind a mark that no text of the service begins with.
type field string

const notText = "\x00"

// UnmarshalJSON implements [json.Unmarshaler]. The words of nearly every row are not allocated again.
func (f *field) UnmarshalJSON(b []byte) error {
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
			*f = field(notText + string(b))
			return nil
		}
		if plain := b[1 : len(b)-1]; bytes.IndexByte(plain, '\\') < 0 && utf8.Valid(plain) {
			*f = field(plain)
			return nil
		}
		return json.Unmarshal(b, (*string)(f))
	}
	return nil
}

// isText says whether the field is text, or absent.
func (f field) isText() bool { return !strings.HasPrefix(string(f), notText) }

// textOrEmpty is the text of a field by which nothing is decided after all: what is not understood counts as not said.
func (f field) textOrEmpty() string {
	if !f.isText() {
		return ""
	}
	return string(f)
}

// The lengths beyond which no text is understood, in bytes.
const (
	maxWord = 256  // words, names, regions, times
	maxID   = 2048 // ids
)

// fieldReader gathers what of a row was not understood.
type fieldReader struct{ problems []string }

// maxProblems is how many fields of one row are named.
const maxProblems = 3

// recordMisread notes a field that was not understood, with its value.
func (r *fieldReader) recordMisread(name string, f field) {
	raw := strings.TrimPrefix(string(f), notText)
	if f.isText() {
		r.addProblem("%s is %s", name, printable(raw, true))
		return
	}
	r.addProblem("%s is %s", name, printable(raw, false))
}

func (r *fieldReader) addProblem(format string, args ...any) {
	if len(r.problems) < maxProblems {
		r.problems = append(r.problems, fmt.Sprintf(format, args...))
	}
}

// describeProblems says what was not understood of all that decides; "" = nothing.
func (r *fieldReader) describeProblems() string { return strings.Join(r.problems, "; ") }

// printable is a value for people: short, in one line, and without anything that a terminal would obey.
func printable(raw string, text bool) string {
	const most = 60
	short := raw
	if len(short) > most {
		short = strings.ToValidUTF8(short[:most], "") + "…"
	}
	quoted := fmt.Sprintf("%q", short)
	if text {
		return quoted
	}
	return strings.ReplaceAll(quoted[1:len(quoted)-1], `\"`, `"`)
}

// word is a text of at most maxWord bytes; "" = absent.
func (r *fieldReader) word(name string, f field) string { return r.text(name, f, maxWord) }

// id is a text of at most maxID bytes; "" = absent.
func (r *fieldReader) id(name string, f field) string { return r.text(name, f, maxID) }

func (r *fieldReader) text(name string, f field, most int) string {
	if !f.isText() || len(f) > most {
		r.recordMisread(name, f)
		return ""
	}
	return string(f)
}

// required is a word that must be there.
func (r *fieldReader) required(name string, f field) string {
	if f == "" {
		r.addProblem("%s is missing", name)
	}
	return r.word(name, f)
}

// boolean is a boolean; absent is false.
func (r *fieldReader) boolean(name string, f field) bool {
	switch f {
	case notText + "true":
		return true
	case "", notText + "false":
		return false
	}
	r.recordMisread(name, f)
	return false
}

// pastTime is a time of the past, or zero where the service says none. A time that is still to come is not understood;
// now, where it is zero, forbids none.
func (r *fieldReader) pastTime(name string, f field, now time.Time) time.Time {
	t, ok := f.parsePastTime(now)
	if !ok {
		r.recordMisread(name, f)
	}
	return t
}

// clockSlack is how far in the future a time of the past may lie: the service's machines do not share one clock.
const clockSlack = 5 * time.Minute

func (f field) parsePastTime(now time.Time) (time.Time, bool) {
	if f == "" {
		return time.Time{}, true
	}
	t, ok := parseTime(string(f))
	if !ok || !now.IsZero() && t.After(now.Add(clockSlack)) {
		return time.Time{}, false
	}
	return t, true
}

// number is an integer from 0 to most; absent is 0.
func (r *fieldReader) number(name string, f field, most int) int {
	n, ok := f.parseNumber(most)
	if !ok {
		r.recordMisread(name, f)
	}
	return n
}

func (f field) parseNumber(most int) (int, bool) {
	if f == "" {
		return 0, true
	}
	var n int
	if f.isText() || json.Unmarshal([]byte(f[len(notText):]), &n) != nil || n < 0 || n > most {
		return 0, false
	}
	return n, true
}

// tagField are the tags of a resource, as JSON: most rows of a list say the same, which is decoded once (see [stringPool]).
// Their names and values are bounded by Azure (512 and 256 characters).
type tagField string

const maxTag = 2048

// UnmarshalJSON implements [json.Unmarshaler] and never fails.
func (t *tagField) UnmarshalJSON(b []byte) error {
	*t = tagField(b)
	return nil
}

// parse is the tags; false = they were not understood.
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

func (r *fieldReader) tags(t tagField, w *stringPool) map[string]string {
	tags, ok := w.internTags(t)
	if !ok {
		r.addProblem("tags is %s", printable(string(t), false))
	}
	return tags
}

// tolerantRow is embedded in what is read of a row or document. All fields that decide are [field]s, which take anything; so
// what is of another type than expected is an object or a list that holds some of them.
type tolerantRow struct{ wrong string }

func (o *tolerantRow) misread(err *json.UnmarshalTypeError) {
	if o.wrong == "" {
		name := err.Field
		if name == "" {
			name = "the entry"
		}
		o.wrong = fmt.Sprintf("%s is of type %s", name, printable(err.Value, false))
	}
}

// checkForm notes what of the outer form was not understood.
func (r *fieldReader) checkForm(o tolerantRow) {
	if o.wrong != "" {
		r.addProblem("%s", o.wrong)
	}
}

// tolerate takes what is of an unexpected type as not said, and lets v know of it where v asks for that.
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
