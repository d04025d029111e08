package config

import (
	"reflect"
	"slices"
	"strconv"
	"strings"
)

// field is one key of a mapping, read from the struct that the mapping is decoded into: the `yaml` tag spells
// the key, the `jsonschema` tag says what is allowed. The same tags make the JSON Schema.
type field struct {
	key      string
	index    int
	required bool
	unless   string // another key of the mapping, beside which this one is not required
	limits   fieldLimits
}

// fieldLimits is what the `jsonschema` tag allows; for a list it speaks of the items, but for the last two.
type fieldLimits struct {
	enum     []string
	min, max *int
	format   string
	minItems int
	unique   bool
}

// fieldsOf reads the keys of a struct type.
func fieldsOf(t reflect.Type) []field {
	var fields []field
	for i := range t.NumField() {
		key := t.Field(i).Tag.Get("yaml")
		if key == "" || key == "-" {
			continue
		}
		f := field{key: key, index: i}
		for part := range strings.SplitSeq(t.Field(i).Tag.Get("jsonschema"), ",") {
			f.read(strings.TrimSpace(part))
		}
		fields = append(fields, f)
	}
	return fields
}

func (f *field) read(part string) {
	name, value, _ := strings.Cut(part, "=")
	switch name {
	case "required":
		f.required = true
	case "unless":
		f.unless = value
	case "enum":
		f.limits.enum = append(f.limits.enum, value)
	case "minimum":
		f.limits.min = number(value)
	case "maximum":
		f.limits.max = number(value)
	case "format":
		f.limits.format = value
	case "minItems":
		f.limits.minItems = *number(value)
	case "uniqueItems":
		f.limits.unique = true
	}
}

func number(s string) *int {
	n, _ := strconv.Atoi(s) // the tags are ours; a test reads them all
	return &n
}

func keysOf(fields []field) []string {
	keys := make([]string, len(fields))
	for i, f := range fields {
		keys[i] = f.key
	}
	return keys
}

// nearestName returns the name that s was probably meant to be: the same without case, or one or two slips away.
func nearestName(s string, names []string) (string, bool) {
	best, bestDistance := "", 3
	for _, name := range names {
		distance := editDistance(strings.ToLower(s), strings.ToLower(name))
		// A short word is near to everything: allow one slip per three characters.
		if distance < bestDistance && distance <= (max(len(s), len(name))+1)/3 {
			best, bestDistance = name, distance
		}
	}
	return best, best != ""
}

// editDistance counts insertions, deletions, replacements and swaps of neighbours between a and b (Damerau,
// optimal string alignment). Words longer than any name count as far.
func editDistance(a, b string) int {
	const far = 1 << 10
	if len(a) > 100 || len(b) > 100 {
		return far
	}
	before, last := make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range last {
		last[j] = j
	}
	for i := 1; i <= len(a); i++ {
		row := make([]int, len(b)+1)
		row[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			row[j] = min(last[j]+1, row[j-1]+1, last[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		before, last = last, row
	}
	return last[len(b)]
}

// hintFor returns the hint for an unknown name: the near miss, or what there is.
func hintFor(s string, names []string) string {
	if near, ok := nearestName(s, names); ok {
		return "did you mean " + quote(near) + "?"
	}
	if len(names) == 0 {
		return ""
	}
	const listed = 20
	if len(names) > listed {
		names = append(slices.Clone(names[:listed]), "…")
	}
	return "expected one of " + quoteAll(names)
}
