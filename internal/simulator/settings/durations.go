package settings

import (
	"fmt"
	"strings"
	"time"
)

// Duration is a time.Duration written as "36s".
type Duration time.Duration

// MarshalText implements encoding.TextMarshaler.
func (d Duration) MarshalText() ([]byte, error) { return []byte(time.Duration(d).String()), nil }

// UnmarshalText implements encoding.TextUnmarshaler.
func (d *Duration) UnmarshalText(b []byte) error {
	v, err := time.ParseDuration(string(b))
	if err == nil && v < 0 {
		err = fmt.Errorf("%q is negative", b)
	}
	*d = Duration(v)
	return err
}

// Range is a duration, fixed or drawn by the seed. It is written as "2s" or "31s..324s".
type Range struct {
	Min, Max time.Duration
	// isSet distinguishes a fixed 0s from an absent range.
	isSet bool
}

// Fixed returns a range that always yields d.
func Fixed(d time.Duration) Range { return Range{d, d, true} }

func rangeOf(lo, hi time.Duration) Range { return Range{lo, hi, true} }

// IsZero reports whether the range is absent.
func (s Range) IsZero() bool { return s == Range{} }

// MarshalText implements encoding.TextMarshaler.
func (s Range) MarshalText() ([]byte, error) {
	if s.Min == s.Max {
		return []byte(s.Min.String()), nil
	}
	return []byte(s.Min.String() + ".." + s.Max.String()), nil
}

// UnmarshalText implements encoding.TextUnmarshaler.
func (s *Range) UnmarshalText(b []byte) error {
	lo, hi, ranged := strings.Cut(string(b), "..")
	if !ranged {
		hi = lo
	}
	var low, high Duration
	if err := low.UnmarshalText([]byte(lo)); err != nil {
		return err
	}
	if err := high.UnmarshalText([]byte(hi)); err != nil {
		return err
	}
	if high < low {
		return fmt.Errorf("%q runs backwards", b)
	}
	*s = rangeOf(time.Duration(low), time.Duration(high))
	return nil
}

// Sample picks from the span; u is uniform in [0, 1). The sixth power puts the median near Min, as recorded
// (36 s of 31..324 s).
func (s Range) Sample(u float64) time.Duration {
	w := u * u * u
	return s.Min + time.Duration(float64(s.Max-s.Min)*w*w)
}

// Distribution is a weighted choice of durations. The last one gets the share that remains of 1.
type Distribution []Weight

// Weight is a duration range and the share of operations that it applies to.
type Weight struct {
	Share float64  `json:"share"`
	Takes Duration `json:"takes"`
}

// Sample picks from the mixture; u is uniform in [0, 1).
func (m Distribution) Sample(u float64) time.Duration {
	for _, s := range m {
		if u -= s.Share; u < 0 {
			return time.Duration(s.Takes)
		}
	}
	return time.Duration(m[len(m)-1].Takes)
}
