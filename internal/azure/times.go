package azure

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// parseTime reads a time of the service; zero where it said none. Its sentinels are none: year 1 ("0001-01-01T00:00:00",
// without a zone) and 2001-01-01 (FACTS 8, 30).
func parseTime(s string) time.Time {
	if s == "" {
		return time.Time{}
	}
	t, err := time.Parse(time.RFC3339Nano, s)
	if err != nil {
		if t, err = time.Parse("2006-01-02T15:04:05.999999999", s); err != nil {
			return time.Time{}
		}
	}
	t = t.UTC()
	if t.Year() <= 1 || t.Equal(time.Date(2001, time.January, 1, 0, 0, 0, 0, time.UTC)) {
		return time.Time{}
	}
	return t
}

// parseTimeSpan reads a .NET TimeSpan, "[d.]hh:mm:ss[.fffffff]" (FACTS 32: not ISO 8601).
func parseTimeSpan(s string) (time.Duration, error) {
	parts := strings.Split(s, ":")
	if len(parts) != 3 {
		return 0, fmt.Errorf("%q is not a time span", s)
	}
	days := 0
	if d, h, ok := strings.Cut(parts[0], "."); ok {
		n, err := strconv.Atoi(d)
		if err != nil || n < 0 {
			return 0, fmt.Errorf("%q is not a time span", s)
		}
		days, parts[0] = n, h
	}
	rest, err := time.ParseDuration(parts[0] + "h" + parts[1] + "m" + parts[2] + "s")
	if err != nil || rest < 0 {
		return 0, fmt.Errorf("%q is not a time span", s)
	}
	return time.Duration(days)*24*time.Hour + rest, nil
}

// clock is the "HH:MM" of a schedule's time. The service rewrites the date (azure-api.md §8.2) and takes times without one
// (§8.3), so nothing else of it can be compared.
func clock(s string) (string, bool) {
	if _, after, ok := strings.Cut(s, "T"); ok {
		s = after
	}
	if len(s) < 5 {
		return "", false
	}
	if _, err := time.Parse("15:04", s[:5]); err != nil {
		return "", false
	}
	return s[:5], true
}
