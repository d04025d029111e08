package config

import (
	"math"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"
)

// decodeForm decodes the types that may be written in more than one way. It returns false for all others.
func (dec *decoder) decodeForm(n *node, to any, l fieldLimits, p *path) bool {
	switch v := to.(type) {
	case *time.Duration:
		*v = dec.decodeDuration(n, p)
	case *Date:
		*v = dec.decodeDate(n, p)
	case *Protect:
		*v = dec.decodeProtect(n, p)
	case *Share:
		*v = dec.decodeShare(n, 0, p)
	case *Sample:
		*v = dec.decodeSample(n, p)
	case *Price:
		*v = dec.decodePrice(n, l, p)
	case *RestoreDisks:
		dec.decodeRestoreDisks(n, v, p)
	case *Operations:
		*v = dec.operations(n, p)
	case *SubscriptionIDs:
		return dec.decodeSubscriptions(n, p)
	case *Disks:
		dec.decodeDisks(n, v, p)
	case *[]Selector:
		dec.decodeSelectors(n, v, p)
	case *map[string]string:
		*v = dec.decodeTags(n, p)
	case *map[string][]string:
		*v = dec.decodeTagValues(n, p)
	case *Schedule:
		dec.decodeStruct(n, addressable(v), p)
		dec.checkExactlyOne(n, p, addressable(v))
	case *Cloud:
		return dec.decodeCloudName(n, v, l, p)
	case *Archive:
		return dec.decodeArchiveWord(n, v, p)
	default:
		return false
	}
	return true
}

// decodeDuration reads whole numbers with units; unlike Go's, a day is d (24 h) and a week is w.
func (dec *decoder) decodeDuration(n *node, p *path) time.Duration {
	if n.kind != scalar || n.isNull() {
		dec.wrongType(n, p, dec.formats["duration"].want)
		return 0
	}
	if !dec.isAllowed(n, fieldLimits{format: "duration"}, p) {
		return 0
	}
	d, ok := ParseDuration(n.text)
	if !ok {
		dec.fail(n, "duration", "", "%s is too long: %s", p, quote(n.text))
	} else if d == 0 {
		dec.fail(n, "duration", "", "%s must be longer than zero", p)
	}
	return d
}

// ParseDuration reads a duration as the file writes it: whole numbers with their units s, m, h, d (24 hours) and w, e.g.
// 1d12h. It returns false for what is not one, and for what does not fit in 290 years.
func ParseDuration(s string) (time.Duration, bool) {
	units := map[byte]time.Duration{
		's': time.Second, 'm': time.Minute, 'h': time.Hour, 'd': 24 * time.Hour, 'w': 7 * 24 * time.Hour,
	}
	if s == "" {
		return 0, false
	}
	var sum time.Duration
	for s != "" {
		end := strings.IndexAny(s, "smhdw")
		if end < 0 {
			return 0, false
		}
		count, err := strconv.ParseUint(s[:end], 10, 63)
		unit := units[s[end]]
		if err != nil || int64(count) > (math.MaxInt64-int64(sum))/int64(unit) {
			return 0, false
		}
		sum += time.Duration(count) * unit
		s = s[end+1:]
	}
	return sum, true
}

const lastWord = "last"

func (dec *decoder) decodeDate(n *node, p *path) Date {
	if n.isText() && (n.text == lastWord || !n.hasVariable) {
		if n.text != lastWord {
			dec.fail(n, "value", "", "%s must be a day of the month or %s, not %s", p, quote(lastWord), quote(n.text))
		}
		return LastDay
	}
	first, last := 1, 28 // docs/azure.md §8.3: later days are not known to be accepted
	if i, err := strconv.Atoi(n.text); err == nil && isNumber(n.text) && n.kind == scalar && !n.isQuoted && i > last && i <= 31 {
		dec.fail(n, "range", "write last for the last day of the month", "%s must be from %d to %d or %s, not %d: not every month has that day",
			p, first, last, quote(lastWord), i)
		return LastDay
	}
	i, _ := dec.decodeNumber(n, fieldLimits{min: &first, max: &last}, p)
	if n.isInvalid && n.tag == tagInt {
		return LastDay
	}
	return Date(i)
}

func (dec *decoder) decodeProtect(n *node, p *path) Protect {
	if n.isText() && n.text == string(ProtectStopped) {
		return ProtectStopped
	}
	if n.isText() && !n.hasVariable && !isBool(n.text) {
		dec.fail(n, "value", hintFor(n.text, []string{string(ProtectOn), string(ProtectOff), string(ProtectStopped)}),
			"%s cannot be %s", p, quote(n.text))
		return ""
	}
	if n.kind != scalar || n.isNull() {
		dec.wrongType(n, p, "true, false or stopped")
		return ""
	}
	on, ok := dec.decodeBool(n, p)
	switch {
	case !ok:
		return ""
	case on:
		return ProtectOn
	}
	return ProtectOff
}

const autoWord = "auto"

// operations reads a count of at least one, or the word that leaves the count to the engine.
func (dec *decoder) operations(n *node, p *path) Operations {
	one := 1
	if n.isText() && (n.text == autoWord || !n.hasVariable) {
		if n.text != autoWord {
			dec.fail(n, "value", hintFor(n.text, []string{autoWord}), "%s must be a number or %s, not %s", p, quote(autoWord), quote(n.text))
		}
		return OperationsAuto
	}
	i, _ := dec.decodeNumber(n, fieldLimits{min: &one}, p)
	return Operations(i)
}

// decodeShare reads a count, or a percentage with its sign; both are at least as large as least.
func (dec *decoder) decodeShare(n *node, least int, p *path) Share {
	hundred := 100
	digits, percent := strings.CutSuffix(n.text, "%")
	if !percent || !n.isText() {
		i, _ := dec.decodeNumber(n, fieldLimits{min: &least}, p)
		return Share{Count: i}
	}
	i, err := strconv.Atoi(digits)
	if err != nil || strconv.Itoa(i) != digits {
		dec.fail(n, "value", "", "%s must be a whole number or a percentage such as 10%%, not %s", p, quote(n.text))
		return Share{}
	}
	dec.isInRange(n, i, fieldLimits{min: &least, max: &hundred}, p)
	return Share{Count: i, Percent: true}
}

const allWord = "all"

// decodeSubscriptions reads how subscriptions are found; it returns false for a list of ids.
func (dec *decoder) decodeSubscriptions(n *node, p *path) bool {
	switch {
	case n.isText() && n.text == allWord:
		dec.subscriptionQuery = &SubscriptionQuery{}
	case n.kind == mapping && len(n.pairs) == 0:
		dec.fail(n, "value", "write all for every subscription that the identity sees", "%s must not be an empty mapping", p)
	case n.kind == mapping:
		dec.subscriptionQuery = &SubscriptionQuery{}
		dec.decodeStruct(n, addressable(dec.subscriptionQuery), p)
	default:
		return false
	}
	return true
}

// diskLists are the mapping forms of `disks:`.
type diskLists struct {
	Include []int `yaml:"include" jsonschema:"minimum=0,minItems=1,uniqueItems=true" jsonschema_description:"The LUNs of the data disks to back up."`
	Exclude []int `yaml:"exclude" jsonschema:"minimum=0,minItems=1,uniqueItems=true" jsonschema_description:"The LUNs of the data disks to leave out."`
}

func (dec *decoder) decodeDisks(n *node, v *Disks, p *path) {
	if n.kind == scalar && !n.isNull() {
		words := []string{string(DisksAll), string(DisksOSOnly)}
		if text, ok := dec.decodeText(n, fieldLimits{enum: words}, p); ok {
			v.Kind = DisksKind(text)
		}
		return
	}
	var lists diskLists
	dec.decodeStruct(n, addressable(&lists), p)
	dec.checkExactlyOne(n, p, addressable(&lists))
	switch {
	case lists.Include != nil:
		v.Kind, v.LUNs = DisksInclude, lists.Include
	case lists.Exclude != nil:
		v.Kind, v.LUNs = DisksExclude, lists.Exclude
	}
	slices.Sort(v.LUNs)
}

// checkExactlyOne reports a mapping that has none or several of the keys of its struct.
func (dec *decoder) checkExactlyOne(n *node, p *path, v reflect.Value) {
	keys := keysOf(dec.fieldsOf(v.Type()))
	count := 0
	for _, k := range keys {
		if n.get(k) != nil || n.suggests(k) {
			count++
		}
	}
	if n.kind == mapping && count != 1 {
		dec.fail(n, "exactly-one", "", "%s must have exactly one of %s", p, quoteAll(keys))
	}
}

const hintEveryVM = `to select every VM write: {names: ["*"]}`

// decodeSelectors reads a list of selectors; a mapping is a list of one.
func (dec *decoder) decodeSelectors(n *node, v *[]Selector, p *path) {
	items := n.items
	switch {
	case n.kind == mapping:
		items = []*node{n}
	case n.kind != list:
		dec.wrongType(n, p, "a mapping or a list of mappings")
		return
	case len(items) == 0:
		dec.fail(n, "empty-selector", hintEveryVM, "%s must not be an empty list", p)
		return
	}
	*v = make([]Selector, len(items))
	for i, item := range items {
		if item.kind == mapping && len(item.pairs) == 0 {
			dec.fail(item, "empty-selector", hintEveryVM, "a selector of %s is empty", p)
			continue
		}
		dec.decode(item, addressable(&(*v)[i]), fieldLimits{}, &path{up: p})
	}
}

// decodeTags reads the tags of a resource: any scalar is taken as the text it is written as.
func (dec *decoder) decodeTags(n *node, p *path) map[string]string {
	if n.kind == mapping && len(n.pairs) == 0 {
		return nil // says nothing, like a key that is left out
	}
	tags := map[string]string{}
	dec.forEachTag(n, p, func(name string, value *node, p *path) {
		if text, ok := dec.decodeTagText(value, p); ok {
			tags[name] = text
		}
	})
	return tags
}

// decodeTagValues reads the tags of a selector: per name one value, a list of values, or null for "has no such tag".
func (dec *decoder) decodeTagValues(n *node, p *path) map[string][]string {
	tags := map[string][]string{}
	if n.kind == mapping && len(n.pairs) == 0 {
		dec.fail(n, "empty-selector", "leave the key out", "%s names no tag", p)
	}
	dec.forEachTag(n, p, func(name string, value *node, p *path) {
		items := value.items
		switch {
		case value.isNull():
			tags[name] = []string{}
			return
		case value.kind != list:
			items = []*node{value}
		case len(items) == 0:
			dec.fail(value, "empty-selector", "write null for a VM without that tag", "%s has no values", p)
			return
		}
		for _, item := range items {
			if text, ok := dec.decodeTagText(item, p); ok {
				tags[name] = append(tags[name], text)
			}
		}
		dec.checkUnique(items, p)
	})
	return tags
}

func (dec *decoder) forEachTag(n *node, p *path, do func(name string, value *node, p *path)) {
	if n.kind != mapping {
		dec.wrongType(n, p, "a mapping of tag names to values")
		return
	}
	seen := map[string]*node{}
	for _, pair := range n.pairs {
		name := pair.key.text
		if name == "" {
			dec.fail(pair.key, "value", "", "a tag must have a name")
			continue
		}
		if first, ok := seen[strings.ToLower(name)]; ok {
			dec.fail(pair.key, "case-only", "Azure compares tag names without case",
				"tag %s differs from %s in line %d by case only", quote(name), quote(first.text), first.line)
			continue
		}
		seen[strings.ToLower(name)] = pair.key
		do(name, pair.value, &path{up: p, key: clip(name)})
	}
}

func (dec *decoder) decodeTagText(n *node, p *path) (string, bool) {
	if n.isInvalid {
		return "", false
	}
	if n.kind != scalar || n.isNull() {
		dec.wrongType(n, p, wantText)
		return "", false
	}
	return n.text, true
}

// decodeCloudName reads a well-known cloud; it returns false for a mapping, which is decoded like any other.
func (dec *decoder) decodeCloudName(n *node, v *Cloud, l fieldLimits, p *path) bool {
	if n.kind == mapping {
		return false
	}
	if text, ok := dec.decodeText(n, l, p); ok {
		v.Name = text
	}
	return true
}

// decodeArchiveWord reads `archive: recommended`; it returns false for a mapping.
func (dec *decoder) decodeArchiveWord(n *node, v *Archive, p *path) bool {
	if n.kind == mapping {
		return false
	}
	if _, ok := dec.decodeText(n, fieldLimits{enum: []string{"recommended"}}, p); ok {
		v.Recommended = true
	}
	return true
}

func addressable[T any](v *T) reflect.Value { return reflect.ValueOf(v).Elem() }

const osWord = "os"

// decodeSample reads a count or a percentage of at least one, or the word for all.
func (dec *decoder) decodeSample(n *node, p *path) Sample {
	if n.isText() && !strings.HasSuffix(n.text, "%") && (n.text == allWord || !n.hasVariable) {
		if n.text != allWord {
			dec.fail(n, "value", hintFor(n.text, []string{allWord}), "%s must be a number, a percentage such as 10%%, or %s, not %s", p, quote(allWord), quote(n.text))
		}
		return Sample{}
	}
	return Sample(dec.decodeShare(n, 1, p))
}

// decodeRestoreDisks reads a word, or LUNs, of which a single one may stand for a list of one.
func (dec *decoder) decodeRestoreDisks(n *node, v *RestoreDisks, p *path) {
	if n.isText() && (n.text == allWord || n.text == osWord || !n.hasVariable) {
		if text, ok := dec.decodeText(n, fieldLimits{enum: []string{allWord, osWord}}, p); ok && text == osWord {
			*v = RestoreDisks{}
		}
		return
	}
	first, last := 0, maxLUN
	var luns []int
	dec.decodeList(n, addressable(&luns), fieldLimits{min: &first, max: &last, minItems: 1, unique: true}, p)
	slices.Sort(luns)
	*v = luns
}

// maxLUN is the highest number of a data disk.
const maxLUN = 63
