package cli

import (
	"testing"
	"time"

	"github.com/azbackup/azbackup/config"
)

// A duration of the file is accepted on the command line, too, with the same value.
func TestADurationOfTheFileIsOneOnTheCommandLine(t *testing.T) {
	for text, want := range map[string]time.Duration{
		"30s": 30 * time.Second, "90m": 90 * time.Minute, "36h": 36 * time.Hour, "30d": 720 * time.Hour, "1w": 168 * time.Hour,
		"1d12h": 36 * time.Hour, "1w1d": 192 * time.Hour, "1h30m": 90 * time.Minute, "0d": 0,
	} {
		var s durationFlag
		if err := s.Set(text); err != nil || time.Duration(s) != want {
			t.Errorf("%s: %v on the command line (%v), want %v", text, time.Duration(s), err, want)
		}
		if d, ok := config.ParseDuration(text); !ok || d != want {
			t.Errorf("%s: %v in the file (%t), want %v", text, d, ok, want)
		}
	}
	for _, text := range []string{"", "1", "d", "-1d", "-1h", "+1d", "1.5d", "1d-12h", "300000d", "9223372036854775807w", "1 d", "1D"} {
		var s durationFlag
		if err := s.Set(text); err == nil {
			t.Errorf("%q is %v on the command line, want an error", text, time.Duration(s))
		}
		if d, ok := config.ParseDuration(text); ok {
			t.Errorf("%q is %v in the file, want none", text, d)
		}
	}
}
