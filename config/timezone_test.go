package config

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// Each of these was written by somebody who meant a zone that Azure knows.
func TestATimeZoneThatIsNotKnownGetsTheOneThatIsMeant(t *testing.T) {
	z := newZones()
	for name, want := range map[string][]string{
		"GMT":                              {"GMT Standard Time", "UTC"},
		"gmt":                              {"GMT Standard Time", "UTC"},
		"CET":                              {"W. Europe Standard Time", "Central Europe Standard Time", "Central European Standard Time", "Romance Standard Time"},
		"CEST":                             {"W. Europe Standard Time"},
		"EST":                              {"Eastern Standard Time"},
		"Zulu":                             {"UTC"},
		"Coordinated Universal Time":       {"UTC"},
		"(UTC) Coordinated Universal Time": {"UTC"},
		"(UTC+01:00) Amsterdam, Berlin, Bern, Rome, Stockholm, Vienna": {"W. Europe Standard Time"},
		"(GMT+01:00) Berlin":                     {"W. Europe Standard Time"},
		"(UTC+01:00) Paris, Madrid":              {"Romance Standard Time"},
		"(UTC-05:00) Eastern Time (US & Canada)": {"Eastern Standard Time"},
		"(UTC+05:30)":                            {"India Standard Time", "Sri Lanka Standard Time"},
		"Eastern Time (US & Canada)":             {"Eastern Standard Time"},
		"Stockholm":                              {"W. Europe Standard Time"},
		"W. Europe Daylight Time":                {"W. Europe Standard Time"},
		"GMT Daylight Time":                      {"GMT Standard Time"},
		"W. Europe Standrd Time":                 {"W. Europe Standard Time"},
		"utc":                                    {"UTC"},
		"w. europe standard time":                {"W. Europe Standard Time"},
		"Mars":                                   {"W. Europe Standard Time"},
	} {
		hint := z.hint(name)
		for _, w := range want {
			if !strings.Contains(hint, `"`+w+`"`) {
				t.Errorf("%s: %s, want %s", name, hint, w)
			}
		}
	}
}

func TestEachTitleAndEachDaylightNameMeansItsZone(t *testing.T) {
	z := newZones()
	for _, title := range zoneTitles() {
		if hint, want := z.hint("(UTC"+title.offset+") "+title.places), describeZones([]string{title.zone}); hint != want {
			t.Errorf("%s: %s", title, hint)
		}
		if daylight := strings.Replace(title.zone, "Standard", "Daylight", 1); daylight != title.zone && !strings.Contains(z.hint(daylight), `"`+title.zone+`"`) {
			t.Errorf("%s: %s", daylight, z.hint(daylight))
		}
		if got, ok := WindowsZone(strings.ToUpper(title.zone)); !ok || got != title.zone {
			t.Errorf("%s is not found without case: %q", title.zone, got)
		}
	}
	for short, zones := range zoneAbbreviations() {
		for _, zone := range zones {
			if z.windows[zone] != zone {
				t.Errorf("%s: Azure does not know %s", short, zone)
			}
		}
	}
}

// The titles and the names are two lists of the same zones.
func TestWhatWindowsListsIsKnown(t *testing.T) {
	var titled []string
	for _, title := range zoneTitles() {
		titled = append(titled, title.zone)
	}
	known := slices.Compact(slices.Sorted(maps.Values(windowsZones())))
	if d := cmp.Diff(slices.Sorted(slices.Values(titled)), known); d != "" {
		t.Errorf("titled (-), known (+):\n%s", d)
	}
	if _, ok := WindowsZone("Mexico Standard Time"); ok {
		t.Error("a zone that Windows dropped is known")
	}
}
