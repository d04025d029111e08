package wire

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// parseTime parses a time of the service; zero where absent, false where it is no time. The service's sentinels count
// as absent: year 1 ("0001-01-01T00:00:00", without a zone) and 2001-01-01 (docs/azure.md §33.8, §33.30).
func parseTime(s string) (time.Time, bool) {
	if s == "" {
		return time.Time{}, true
	}
	t, err := time.Parse(time.RFC3339Nano, s)
	if err != nil {
		if t, err = time.Parse("2006-01-02T15:04:05.999999999", s); err != nil {
			return time.Time{}, false
		}
	}
	t = t.UTC()
	if t.Year() <= 1 || t.Equal(time.Date(2001, time.January, 1, 0, 0, 0, 0, time.UTC)) {
		return time.Time{}, true
	}
	return t, true
}

// parseTimeSpan parses a .NET TimeSpan, "[d.]hh:mm:ss[.fffffff]" (docs/azure.md §33.32: not ISO 8601).
func parseTimeSpan(s string) (time.Duration, error) {
	clock := s
	days := "0"
	if d, rest, ok := strings.Cut(s, "."); ok && !strings.Contains(d, ":") {
		days, clock = d, rest
	}
	parts := strings.Split(clock, ":")
	if len(parts) != 3 {
		return 0, fmt.Errorf("%q is not a time span", s)
	}
	total, err := time.ParseDuration(parts[2] + "s")
	for unit, digits := range map[time.Duration]string{24 * time.Hour: days, time.Hour: parts[0], time.Minute: parts[1]} {
		n, bad := strconv.ParseUint(digits, 10, 16)
		err = errors.Join(err, bad)
		total += time.Duration(n) * unit //nolint:gosec // 16 bits of days are no overflow
	}
	if err != nil || total < 0 {
		return 0, fmt.Errorf("%q is not a time span", s)
	}
	return total, nil
}

// parseClock returns the "HH:MM" of a schedule's time. The service rewrites the date (docs/azure.md §8.2) and accepts
// times without one (§8.3), so nothing else of it can be compared.
func parseClock(s string) (string, bool) {
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
