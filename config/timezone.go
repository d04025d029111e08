package config

import "strings"

// IANAZone is an IANA name for a Windows time zone, the form that [time.LoadLocation] reads; where a zone has
// several names, it is the first.
func IANAZone(windows string) (string, bool) {
	zones := windowsZones()
	for _, name := range sortedKeys(zones) {
		if strings.EqualFold(zones[name], windows) && strings.Contains(name, "/") {
			return name, true
		}
	}
	return "", false
}

// zones knows the time zones that a policy can have: Azure takes Windows names only (azure-api.md §8.2).
type zones struct {
	windows map[string]string
	alike   map[string][]string
}

func newZones() *zones { return &zones{windowsZones(), alikeZones()} }

// names are all names that a file may write, sorted.
func (z *zones) names() []string { return sortedKeys(z.windows) }

// hint says what to write instead of a name that is not known.
func (z *zones) hint(name string) string {
	if alike := z.alike[name]; len(alike) > 0 {
		return "it has no Windows name of its own; these keep the same time: " + quoteAll(alike)
	}
	if near, ok := nearest(name, z.names()); ok {
		return "did you mean " + quote(near) + "?"
	}
	return `write a Windows name such as "W. Europe Standard Time", or an IANA name such as "Europe/Berlin"`
}
