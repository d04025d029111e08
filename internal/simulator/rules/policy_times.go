package rules

import (
	"strings"
	"time"
)

// hasFutureTime reports whether a run or retention time of the policy is in the future, read in the policy's own zone:
// such an update is refused (docs/azure.md §32). A time without a date does not count.
func (s *Policy) hasFutureTime(now time.Time) bool {
	r := s.Retention
	times := s.runTimes()
	for _, kept := range []*retained{r.Daily, r.Weekly} {
		if kept != nil {
			times = append(times, kept.Times...)
		}
	}
	for _, kept := range []*periodics{r.Monthly, r.Yearly} {
		if kept != nil {
			times = append(times, kept.Times...)
		}
	}
	for _, written := range times {
		if at, isTime := TimeOfDay(written); isTime && at.Year() > 0 && at.Add(-offsetOf(s.TimeZone)).After(now) {
			return true
		}
	}
	return false
}

// offsetOf returns the offset of a Windows zone from UTC, without summer time: run times do not follow it
// (docs/azure.md §8.2). An unlisted zone counts as UTC.
func offsetOf(zone string) time.Duration {
	for offset, names := range zonesByOffset() {
		for _, name := range names {
			if strings.EqualFold(name, zone) {
				return time.Duration(offset) * time.Minute
			}
		}
	}
	return 0
}

// zonesByOffset returns the Windows time zones, by their offset from UTC in minutes (positive: ahead).
func zonesByOffset() map[int][]string {
	return map[int][]string{
		-720: {
			"Dateline Standard Time",
		},
		-660: {
			"UTC-11",
		},
		-600: {
			"Aleutian Standard Time", "Hawaiian Standard Time",
		},
		-570: {
			"Marquesas Standard Time",
		},
		-540: {
			"Alaskan Standard Time", "UTC-09",
		},
		-480: {
			"Pacific Standard Time", "Pacific Standard Time (Mexico)", "UTC-08",
		},
		-420: {
			"Mountain Standard Time", "Mountain Standard Time (Mexico)", "US Mountain Standard Time", "Yukon Standard Time",
		},
		-360: {
			"Canada Central Standard Time", "Central America Standard Time", "Central Standard Time",
			"Central Standard Time (Mexico)", "Easter Island Standard Time",
		},
		-300: {
			"Cuba Standard Time", "Eastern Standard Time", "Eastern Standard Time (Mexico)", "Haiti Standard Time",
			"SA Pacific Standard Time", "Turks And Caicos Standard Time", "US Eastern Standard Time",
		},
		-240: {
			"Atlantic Standard Time", "Central Brazilian Standard Time", "Pacific SA Standard Time",
			"SA Western Standard Time", "Venezuela Standard Time",
		},
		-210: {
			"Newfoundland Standard Time",
		},
		-180: {
			"Argentina Standard Time", "Bahia Standard Time", "E. South America Standard Time", "Magallanes Standard Time",
			"Montevideo Standard Time", "Paraguay Standard Time", "SA Eastern Standard Time", "Saint Pierre Standard Time",
			"Tocantins Standard Time",
		},
		-120: {
			"Greenland Standard Time", "Mid-Atlantic Standard Time", "UTC-02",
		},
		-60: {
			"Azores Standard Time", "Cape Verde Standard Time",
		},
		0: {
			"GMT Standard Time", "Greenwich Standard Time", "Morocco Standard Time", "Sao Tome Standard Time", "UTC",
		},
		60: {
			"Central Europe Standard Time", "Central European Standard Time", "Romance Standard Time",
			"W. Central Africa Standard Time", "W. Europe Standard Time",
		},
		120: {
			"E. Europe Standard Time", "Egypt Standard Time", "FLE Standard Time", "GTB Standard Time",
			"Israel Standard Time", "Kaliningrad Standard Time", "Libya Standard Time", "Middle East Standard Time",
			"Namibia Standard Time", "South Africa Standard Time", "South Sudan Standard Time", "Sudan Standard Time",
			"West Bank Standard Time",
		},
		180: {
			"Arab Standard Time", "Arabic Standard Time", "Belarus Standard Time", "E. Africa Standard Time",
			"Jordan Standard Time", "Russian Standard Time", "Syria Standard Time", "Turkey Standard Time",
			"Volgograd Standard Time",
		},
		210: {
			"Iran Standard Time",
		},
		240: {
			"Arabian Standard Time", "Astrakhan Standard Time", "Azerbaijan Standard Time", "Caucasus Standard Time",
			"Georgian Standard Time", "Mauritius Standard Time", "Russia Time Zone 3", "Saratov Standard Time",
		},
		270: {
			"Afghanistan Standard Time",
		},
		300: {
			"Ekaterinburg Standard Time", "Pakistan Standard Time", "Qyzylorda Standard Time", "West Asia Standard Time",
		},
		330: {
			"India Standard Time", "Sri Lanka Standard Time",
		},
		345: {
			"Nepal Standard Time",
		},
		360: {
			"Bangladesh Standard Time", "Central Asia Standard Time", "Omsk Standard Time",
		},
		390: {
			"Myanmar Standard Time",
		},
		420: {
			"Altai Standard Time", "N. Central Asia Standard Time", "North Asia Standard Time", "SE Asia Standard Time",
			"Tomsk Standard Time", "W. Mongolia Standard Time",
		},
		480: {
			"China Standard Time", "North Asia East Standard Time", "Singapore Standard Time", "Taipei Standard Time",
			"Ulaanbaatar Standard Time", "W. Australia Standard Time",
		},
		525: {
			"Aus Central W. Standard Time",
		},
		540: {
			"Korea Standard Time", "North Korea Standard Time", "Tokyo Standard Time", "Transbaikal Standard Time",
			"Yakutsk Standard Time",
		},
		570: {
			"AUS Central Standard Time", "Cen. Australia Standard Time",
		},
		600: {
			"AUS Eastern Standard Time", "E. Australia Standard Time", "Tasmania Standard Time", "Vladivostok Standard Time",
			"West Pacific Standard Time",
		},
		630: {
			"Lord Howe Standard Time",
		},
		660: {
			"Bougainville Standard Time", "Central Pacific Standard Time", "Magadan Standard Time", "Norfolk Standard Time",
			"Russia Time Zone 10", "Sakhalin Standard Time",
		},
		720: {
			"Fiji Standard Time", "Kamchatka Standard Time", "New Zealand Standard Time", "Russia Time Zone 11", "UTC+12",
		},
		765: {
			"Chatham Islands Standard Time",
		},
		780: {
			"Samoa Standard Time", "Tonga Standard Time", "UTC+13",
		},
		840: {
			"Line Islands Standard Time",
		},
	}
}

// TimeOfDay reads a run time: a full date and time, or a time alone (docs/azure.md §8.3: both parse).
func TimeOfDay(s string) (time.Time, bool) {
	for _, layout := range []string{time.RFC3339Nano, "2006-01-02T15:04:05", "15:04:05Z07:00", "15:04Z07:00"} {
		if t, err := time.Parse(layout, s); err == nil {
			return t.UTC(), true
		}
	}
	return time.Time{}, false
}
