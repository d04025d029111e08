package config

import (
	"cmp"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Encode writes c as a file that Load reads back to the same value, with the comments at its head, one a line. Zero
// values are left out, but not the guards of a config that has its defaults filled in; of the defaults only those of
// `cloud` and `protect` are left out. Text is untrusted: a value that contains ${ is written so that it stays as it is,
// and comments cannot break out of their line.
func (c *Config) Encode(comments []string) ([]byte, error) {
	body, err := writeYAML(encodeConfig(c))
	if err != nil {
		return nil, fmt.Errorf("writing the config: %w", err)
	}
	var head strings.Builder
	for _, line := range comments {
		head.WriteString(strings.TrimRight("# "+escape(line), " ") + "\n")
	}
	return append([]byte(head.String()), body...), nil
}

// encodeConfig encodes the whole file, the subscriptions in the form in which it has them.
func encodeConfig(c *Config) []entry {
	if len(c.VaultMatches) > 0 {
		all := *c
		all.Vaults, all.VaultMatches = slices.Concat(c.Vaults, c.VaultMatches), nil
		c = &all
	}
	q := c.SubscriptionQuery
	if q == nil {
		return encodeStruct(reflect.ValueOf(*c))
	}
	var said any = allWord
	if keys := encodeStruct(reflect.ValueOf(*q)); len(keys) > 0 {
		said = keys
	}
	own := *c
	own.Subscriptions = SubscriptionIDs{allWord} // keeps the key in its place
	out := encodeStruct(reflect.ValueOf(own))
	for i := range out {
		if out[i].key == keySubscriptions {
			out[i].value = said
		}
	}
	return out
}

// entry is one key of a mapping to be written, in order. A value is a []entry, a []any, a string, an int, a
// bool or nil.
type entry struct {
	key   string
	value any
}

func encodeStruct(v reflect.Value) []entry {
	var out []entry
	for _, f := range fieldsOf(v.Type()) {
		value, isSet := encodeValue(v.Field(f.index))
		if !isSet {
			continue
		}
		if list, is := value.([]any); is && len(list) == 1 && f.key == "vault" {
			value = list[0] // most rules name one vault
		}
		out = append(out, entry{f.key, value})
	}
	return out
}

// encodeSettings writes the guards whole where Load has filled in the defaults: a zero was set on purpose then, and without it
// the file would be read back with a weaker guard.
func encodeSettings(s Settings) []entry {
	out := encodeStruct(reflect.ValueOf(s))
	if s.Limits.Writes == 0 || s.Limits.RunTimeout == 0 {
		return out
	}
	for _, f := range fieldsOf(reflect.TypeFor[Settings]()) {
		if guards := reflect.ValueOf(s).Field(f.index); guards.Type() == reflect.TypeFor[Guards]() {
			out = slices.DeleteFunc(out, func(e entry) bool { return e.key == f.key })
			out = append(out, entry{f.key, encodeWhole(guards)})
		}
	}
	return out
}

// encodeWhole writes zero values as well.
func encodeWhole(v reflect.Value) []entry {
	var out []entry
	for _, f := range fieldsOf(v.Type()) {
		value, isSet := encodeValue(v.Field(f.index))
		if !isSet {
			value = encodeZero(v.Field(f.index))
		}
		out = append(out, entry{f.key, value})
	}
	return out
}

// encodeValue returns the form in which a value is written, and whether the file says it at all.
func encodeValue(v reflect.Value) (any, bool) {
	if v.IsZero() {
		return nil, false
	}
	if value, isSet, ok := encodeForm(v.Interface()); ok {
		return value, isSet
	}
	switch v.Kind() {
	case reflect.Pointer:
		if value, ok := encodeValue(v.Elem()); ok {
			return value, true
		}
		return encodeZero(v.Elem()), true
	case reflect.Struct:
		out := encodeStruct(v)
		return out, len(out) > 0
	case reflect.Slice:
		list := make([]any, v.Len())
		for i := range list {
			if value, ok := encodeValue(v.Index(i)); ok {
				list[i] = value
			} else {
				list[i] = encodeZero(v.Index(i))
			}
		}
		return list, len(list) > 0
	case reflect.String:
		return v.String(), true
	case reflect.Int:
		return int(v.Int()), true
	case reflect.Bool:
		return v.Bool(), true
	default:
		panic("config: no encoder for " + v.Type().String()) // a test walks the whole format
	}
}

// encodeZero encodes a zero value that is set explicitly: a pointer to it is not nil, or it stands in a list.
func encodeZero(v reflect.Value) any {
	switch v.Type() {
	case reflect.TypeFor[Date]():
		return lastWord
	case reflect.TypeFor[Share]():
		return 0
	}
	switch v.Kind() {
	case reflect.Int:
		return 0
	case reflect.Bool:
		return false
	case reflect.String:
		return ""
	default:
		return []entry{}
	}
}

// encodeForm writes the types that decodeForm reads; ok is false for all others.
func encodeForm(v any) (value any, isSet, ok bool) {
	switch v := v.(type) {
	case time.Duration:
		return formatDuration(v), true, true
	case Date:
		return int(v), true, true
	case Protect:
		return encodeProtect(v), v != ProtectOn, true
	case Share:
		return encodeShare(v), true, true
	case Sample:
		return encodeShare(Share(v)), true, true
	case RestoreDisks:
		return encodeRestoreDisks(v), true, true
	case Operations:
		if v == OperationsAuto {
			return autoWord, true, true
		}
		return int(v), v != 0, true
	case Disks:
		return encodeDisks(v), v.Kind != "", true
	case []Selector:
		return encodeSelectors(v), len(v) > 0, true
	case map[string]string:
		return encodeTags(v, func(s string) any { return s }), true, true
	case map[string][]string:
		return encodeTags(v, encodeTagValues), true, true
	case Settings:
		settings := encodeSettings(v)
		return settings, len(settings) > 0, true
	case Cloud:
		if v.Name != "" {
			return v.Name, v.Name != "AzurePublic", true
		}
	case Archive:
		if v.Recommended {
			return "recommended", true, true
		}
	}
	return nil, false, false
}

func encodeProtect(p Protect) any {
	if p == ProtectOff {
		return false
	}
	return string(p)
}

func encodeShare(s Share) any {
	if s.Percent {
		return strconv.Itoa(s.Count) + "%"
	}
	return s.Count
}

func encodeRestoreDisks(luns RestoreDisks) any {
	if len(luns) == 0 {
		return osWord // nil, which is all, is the default
	}
	list := make([]any, len(luns))
	for i, lun := range luns {
		list[i] = lun
	}
	return list
}

func encodeDisks(d Disks) any {
	switch d.Kind {
	case DisksInclude, DisksExclude:
		luns := make([]any, len(d.LUNs))
		for i, lun := range d.LUNs {
			luns[i] = lun
		}
		return []entry{{string(d.Kind), luns}}
	default:
		return string(d.Kind)
	}
}

// encodeSelectors writes one selector as the mapping itself, several as a list.
func encodeSelectors(selectors []Selector) any {
	list := make([]any, len(selectors))
	for i, s := range selectors {
		list[i] = encodeStruct(reflect.ValueOf(s))
	}
	if len(list) == 1 {
		return list[0]
	}
	return list
}

func encodeTags[V any](tags map[string]V, value func(V) any) any {
	out := []entry{}
	for _, name := range slices.SortedFunc(maps.Keys(tags), func(a, b string) int {
		return cmp.Or(cmp.Compare(strings.ToLower(a), strings.ToLower(b)), cmp.Compare(a, b))
	}) {
		out = append(out, entry{name, value(tags[name])})
	}
	return out
}

func encodeTagValues(values []string) any {
	switch len(values) {
	case 0:
		return nil
	case 1:
		return values[0]
	}
	list := make([]any, len(values))
	for i, v := range values {
		list[i] = v
	}
	return list
}

// formatDuration writes whole days as days and else what [time.Duration] writes, without its zero parts.
func formatDuration(d time.Duration) string {
	const day = 24 * time.Hour
	if d%day == 0 {
		return strconv.FormatInt(int64(d/day), 10) + "d"
	}
	var b strings.Builder
	for _, unit := range []struct {
		size time.Duration
		name string
	}{{time.Hour, "h"}, {time.Minute, "m"}, {time.Second, "s"}} {
		if n := d / unit.size; n > 0 {
			fmt.Fprintf(&b, "%d%s", n, unit.name)
			d -= n * unit.size
		}
	}
	return b.String()
}
