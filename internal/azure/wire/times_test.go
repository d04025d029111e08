package wire

import (
	"testing"
	"time"
)

func TestTimeSpans(t *testing.T) {
	for s, want := range map[string]time.Duration{
		"13.23:59:42.8656002": 13*24*time.Hour + 23*time.Hour + 59*time.Minute + 42*time.Second + 865600200,
		"00:20:23":            20*time.Minute + 23*time.Second,
		"1.00:00:00":          24 * time.Hour,
	} {
		if got, err := parseTimeSpan(s); err != nil || got != want {
			t.Errorf("%s: %v, %v", s, got, err)
		}
	}
	for _, s := range []string{"", "P1D", "1.2.3:4:5", "-1.00:00:00", "-00:00:01", "a:b:c", "1:2"} {
		if got, err := parseTimeSpan(s); err == nil {
			t.Errorf("%q was read as %v", s, got)
		}
	}
}

// Azure says "never" by two times that nothing of it can have; those beside them are times.
func TestTheServicesTwoTimesForNeverAreAbsent(t *testing.T) {
	second := time.Date(2001, 1, 1, 0, 0, 0, 0, time.UTC)
	for s, want := range map[string]time.Time{
		"":                          {},
		"0001-01-01T00:00:00":       {},
		"0001-01-01T00:00:00Z":      {},
		"2001-01-01T00:00:00Z":      {},
		"2001-01-01T00:00:00":       {},
		"2001-01-01T02:00:00+02:00": {},
		"0002-01-01T00:00:00Z":      time.Date(2, 1, 1, 0, 0, 0, 0, time.UTC),
		"2001-01-01T00:00:01Z":      second.Add(time.Second),
		"2001-01-02T00:00:00Z":      second.AddDate(0, 0, 1),
		"2000-12-31T23:59:59Z":      second.Add(-time.Second),
		"2024-04-28T06:37:52.5":     time.Date(2024, 4, 28, 6, 37, 52, 500000000, time.UTC),
		"2024-04-28T06:37:52+02:00": time.Date(2024, 4, 28, 4, 37, 52, 0, time.UTC),
	} {
		if got, ok := parseTime(s); !ok || got != want {
			t.Errorf("%q: %v, %t, want %v", s, got, ok, want)
		}
	}
	for _, s := range []string{"yesterday", "2024-04-28", "2024-13-01T00:00:00Z", " "} {
		if got, ok := parseTime(s); ok {
			t.Errorf("%q was read as %v", s, got)
		}
	}
}

func TestATimeOfAScheduleIsItsHourAndMinute(t *testing.T) {
	for s, want := range map[string]string{"2024-04-28T16:30:00Z": "16:30", "23:00:00Z": "23:00", "08:15": "08:15"} {
		if got, ok := parseClock(s); !ok || got != want {
			t.Errorf("%q: %q, %t", s, got, ok)
		}
	}
	for _, s := range []string{"", "8:15", "noon", "24:00", "2024-04-28T", "2024-04-28"} {
		if got, ok := parseClock(s); ok {
			t.Errorf("%q was read as %q", s, got)
		}
	}
}
