package config

import (
	"maps"
	"slices"
	"strings"
	"unicode"
)

// IANAZone returns an IANA name for a Windows time zone, the form that [time.LoadLocation] reads; where a zone has
// several names, it is the first.
func IANAZone(windows string) (string, bool) {
	zones := windowsZones()
	for _, name := range slices.Sorted(maps.Keys(zones)) {
		if strings.EqualFold(zones[name], windows) && strings.Contains(name, "/") {
			return name, true
		}
	}
	return "", false
}

// zones knows the time zones that a policy can have: Azure takes Windows names only (docs/azure.md §8.2).
type zones struct {
	windows  map[string]string
	sameTime map[string][]string
}

func newZones() *zones { return &zones{windowsZones(), alikeZones()} }

// names returns all names that a file may write, sorted.
func (z *zones) names() []string { return slices.Sorted(maps.Keys(z.windows)) }

// hint returns what to write instead of an unknown name: the zone that is meant, as far as that can be told.
func (z *zones) hint(name string) string {
	name = strings.TrimSpace(name)
	if short := zoneAbbreviations()[strings.ToUpper(name)]; len(short) > 0 {
		return describeZones(short)
	}
	if alike := z.sameTime[name]; len(alike) > 0 {
		return "it has no Windows name of its own; these keep the same time: " + quoteAll(alike)
	}
	for _, season := range []string{"Daylight", "Summer"} {
		if all, is := z.windows[strings.Replace(name, season, "Standard", 1)]; is {
			return "write " + quote(all) + ": it is the zone's name all the year, and Azure does not move run times for summer time"
		}
	}
	titled := titledZones(name)
	if near, ok := nearestName(name, z.names()); ok && !strings.HasPrefix(name, "(") {
		return "did you mean " + quote(near) + "?"
	}
	if len(titled) > 0 {
		return describeZones(titled)
	}
	return `write a Windows name such as "W. Europe Standard Time", or an IANA name such as "Europe/Berlin"`
}

// maxMeant bounds how many zones a hint names.
const maxMeant = 4

func describeZones(zones []string) string {
	if len(zones) == 1 {
		return "write " + quote(zones[0])
	}
	if len(zones) > maxMeant {
		return "write one of " + quoteAll(zones[:maxMeant]) + ", … whichever keeps the time that is meant"
	}
	return "write one of " + quoteAll(zones) + ", whichever keeps the time that is meant"
}

// titledZones returns the zones whose title in the portal shares the most words with the name, those of its offset only
// where it says one: "(UTC+01:00) Amsterdam, Berlin" or "Eastern Time".
func titledZones(name string) []string {
	offset, places := splitTitle(name)
	wanted := titleWords(places)
	var found []string
	best, fewest := 0, 0
	for _, t := range zoneTitles() {
		if offset != "" && t.offset != offset {
			continue
		}
		has := titleWords(t.places + " " + t.zone)
		common := 0
		for w := range wanted {
			if has[w] {
				common++
			}
		}
		switch {
		case common > best, common == best && common > 0 && len(has) < fewest:
			best, fewest, found = common, len(has), []string{t.zone}
		case common == best && (common == 0 && offset != "" || common > 0 && len(has) == fewest):
			found = append(found, t.zone)
		}
	}
	return found
}

// splitTitle splits "(UTC+01:00) Amsterdam, …" into "+01:00" and the places; offset is "" where the name begins with
// none.
func splitTitle(name string) (offset, places string) {
	before, after, closed := strings.Cut(name, ")")
	if !closed || !strings.HasPrefix(before, "(") {
		return "", name
	}
	offset = strings.TrimPrefix(strings.TrimPrefix(strings.ToUpper(before[1:]), "UTC"), "GMT")
	if offset = strings.ReplaceAll(offset, "−", "-"); offset == "" {
		offset = "+00:00"
	}
	return offset, after
}

// titleWords returns the words of a title by which zones differ.
func titleWords(s string) map[string]bool {
	words := map[string]bool{}
	for _, w := range strings.FieldsFunc(strings.ToLower(s), func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) }) {
		switch w {
		case "time", "standard", "daylight", "summer", "utc", "old", "of", "and", "is":
		default:
			words[w] = true
		}
	}
	return words
}

// WindowsZone returns the name that Windows has for a zone, given in any case; false for a zone that it does not list.
func WindowsZone(name string) (string, bool) {
	for _, t := range zoneTitles() {
		if strings.EqualFold(t.zone, name) {
			return t.zone, true
		}
	}
	return "", false
}
