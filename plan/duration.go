package plan

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// Duration is a [time.Duration] that reads and writes ISO 8601 in JSON ("PT4M"). It never writes days,
// which are not always 24 hours long; it reads them as 24 hours.
type Duration time.Duration

// String returns the ISO 8601 form.
func (d Duration) String() string {
	if d == 0 {
		return "PT0S"
	}
	var b strings.Builder
	// Magnitudes are taken as uint64, so that the most negative duration has one too.
	rest := uint64(d)
	if d < 0 {
		b.WriteByte('-')
		rest = -rest
	}
	b.WriteString("PT")
	if h := rest / uint64(time.Hour); h > 0 {
		fmt.Fprintf(&b, "%dH", h)
	}
	if m := rest % uint64(time.Hour) / uint64(time.Minute); m > 0 {
		fmt.Fprintf(&b, "%dM", m)
	}
	if ns := rest % uint64(time.Minute); ns > 0 {
		s := strconv.FormatUint(ns/uint64(time.Second), 10)
		if frac := ns % uint64(time.Second); frac > 0 {
			s += "." + strings.TrimRight(fmt.Sprintf("%09d", frac), "0")
		}
		b.WriteString(s + "S")
	}
	return b.String()
}

// MarshalText writes ISO 8601.
func (d Duration) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

var iso8601 = regexp.MustCompile(`^(-)?P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:\.\d{1,9})?)S)?)?$`)

// UnmarshalText parses the output of MarshalText, and days, of 24 hours each. Its error names the text.
func (d *Duration) UnmarshalText(text []byte) error {
	m := iso8601.FindStringSubmatch(string(text))
	if m == nil || strings.HasSuffix(string(text), "P") || strings.HasSuffix(string(text), "T") {
		return fmt.Errorf("%q is not an ISO 8601 duration like PT4M", text)
	}
	days, err := parseCount(m[2])
	if err != nil || days > 100_000 {
		return fmt.Errorf("%q is too long a duration", text)
	}
	// The rest is Go's own notation in capitals, so time.ParseDuration parses it, with its overflow checks.
	clock := strings.ToLower(strings.Join([]string{
		suffix(m[1], ""), suffix(m[3], "H"), suffix(m[4], "M"), suffix(m[5], "S"), "0s", // days alone leave nothing else
	}, ""))
	rest, err := time.ParseDuration(clock)
	if err != nil {
		return fmt.Errorf("%q is too long a duration", text)
	}
	sum := time.Duration(days) * 24 * time.Hour
	if m[1] == "-" {
		sum = -sum
	}
	*d = Duration(sum + rest)
	return nil
}

func parseCount(s string) (int, error) {
	if s == "" {
		return 0, nil
	}
	return strconv.Atoi(s)
}

func suffix(s, unit string) string {
	if s == "" {
		return ""
	}
	return s + unit
}
