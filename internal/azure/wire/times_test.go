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
