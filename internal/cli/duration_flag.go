package cli

import (
	"fmt"
	"time"

	"github.com/azbackup/azbackup/config"
	"github.com/azbackup/azbackup/internal/report"
)

// durationFlag is a flag whose value is a duration as in the file (30d, 1w, 36h), or in Go's notation (1.5h).
type durationFlag time.Duration

// Set parses the flag.
func (s *durationFlag) Set(text string) error {
	d, ok := config.ParseDuration(text)
	if !ok {
		var err error
		if d, err = time.ParseDuration(text); err != nil || d < 0 {
			return fmt.Errorf("%q is not a duration like 30d or 36h", text)
		}
	}
	*s = durationFlag(d)
	return nil
}

// String returns the value for help.
func (s *durationFlag) String() string {
	if *s == 0 {
		return ""
	}
	return report.FormatDuration(time.Duration(*s))
}

// Type names the value in help.
func (*durationFlag) Type() string { return "duration" }
