package cli

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/azbackup/azbackup/internal/report"
)

// span is a flag whose value is a duration that may be days: 30d, 36h, 90m.
type span time.Duration

// Set reads the flag.
func (s *span) Set(text string) error {
	if number, ok := strings.CutSuffix(text, "d"); ok {
		days, err := strconv.Atoi(number)
		if err != nil || days < 0 || days > math.MaxInt64/int(24*time.Hour) {
			return fmt.Errorf("%q is not a duration like 30d or 36h", text)
		}
		*s = span(time.Duration(days) * 24 * time.Hour)
		return nil
	}
	d, err := time.ParseDuration(text)
	if err != nil || d < 0 {
		return fmt.Errorf("%q is not a duration like 30d or 36h", text)
	}
	*s = span(d)
	return nil
}

// String is the value for help.
func (s *span) String() string {
	if *s == 0 {
		return ""
	}
	return report.Duration(time.Duration(*s))
}

// Type names the value in help.
func (*span) Type() string { return "duration" }
