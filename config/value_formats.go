package config

import (
	"regexp"
	"time"
)

// format is a set of allowed texts: those of a pattern, or a list of words. The decoder and the JSON Schema share it.
type format struct {
	pattern string
	words   []string
	code    code
	want    string // "must be …"
	hint    string
}

// formatTimeZone is checked against a list, not a pattern.
const formatTimeZone = "time-zone"

// formats returns the values of `format=` in a `jsonschema` tag.
func formats() map[string]format {
	return map[string]format{
		"guid": {
			pattern: `^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$`, code: "value",
			want: "a GUID such as 11111111-1111-1111-1111-111111111111",
		},
		"time": {
			pattern: `^([01][0-9]|2[0-3]):[03]0$`, code: "time",
			want: "a time on the hour or half hour, from \"00:00\" to \"23:30\"",
			hint: "Azure starts backups on :00 and :30 only", // docs/azure.md §8.3
		},
		"duration": {
			pattern: `^([0-9]+[wdhms])+$`, code: "duration",
			want: "a number with a unit: s, m, h, d or w, such as 4h, 30m or 30d",
		},
		"currency": {
			pattern: `^[A-Z]{3}$`, code: "value",
			want: "a currency code of three capital letters such as EUR",
		},
		"location": {
			pattern: `^[A-Za-z][A-Za-z0-9 ]*$`, code: "value",
			want: "an Azure region such as westeurope",
		},
		"glob": {
			pattern: `^[^/\[\]{}\\]+$`, code: "value",
			want: "a name in which * stands for any characters and ? for one",
			hint: "alternatives are written as a list: [app-*, web-*]",
		},
		"day":   {words: []string{"Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"}},
		"week":  {words: []string{"First", "Second", "Third", "Fourth", "Last"}},
		"month": {words: months()},
		"part": {
			pattern: `^[^/\s]([^/]*[^/\s])?$`, code: "value",
			want: "a name as it stands in a resource id, without / and without space at its ends",
		},
	}
}

func months() []string {
	var names []string
	for m := time.January; m <= time.December; m++ {
		names = append(names, m.String())
	}
	return names
}

// compile makes the patterns ready for use.
func compile(formats map[string]format) map[string]*regexp.Regexp {
	compiled := make(map[string]*regexp.Regexp, len(formats))
	for name, f := range formats {
		if f.pattern != "" {
			compiled[name] = regexp.MustCompile(f.pattern)
		}
	}
	return compiled
}
