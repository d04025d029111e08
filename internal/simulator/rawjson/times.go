package rawjson

import (
	"fmt"
	"math"
	"strconv"
	"time"
)

// Time writes a time as the service does: UTC, seven digits, no trailing zeros.
func Time(t time.Time) string {
	return t.UTC().Truncate(100 * time.Nanosecond).Format(time.RFC3339Nano)
}

// NoTime is the end time of a job or operation that has not ended: the year 1 and no zone (docs/azure.md §4, §33.8).
const NoTime = "0001-01-01T00:00:00"

// Duration writes a duration as jobs do: PT41M16.2122671S.
func Duration(d time.Duration) string {
	d = max(d, 0).Truncate(100 * time.Nanosecond)
	out := "PT"
	if h := d / time.Hour; h > 0 {
		out += fmt.Sprintf("%dH", h)
		d -= h * time.Hour
	}
	if m := d / time.Minute; m > 0 {
		out += fmt.Sprintf("%dM", m)
		d -= m * time.Minute
	}
	if d > 0 || out == "PT" {
		out += strconv.FormatFloat(math.Round(d.Seconds()*1e7)/1e7, 'f', -1, 64) + "S"
	}
	return out
}

// TimeSpan writes a duration as .NET does: 13.23:59:42.8656002 (docs/azure.md §3).
func TimeSpan(d time.Duration) string {
	d = max(d, 0)
	days := d / (24 * time.Hour)
	d -= days * 24 * time.Hour
	out := ""
	if days > 0 {
		out = fmt.Sprintf("%d.", days)
	}
	out += fmt.Sprintf("%02d:%02d:%02d", d/time.Hour, d/time.Minute%60, d/time.Second%60)
	if ticks := d % time.Second / 100; ticks > 0 {
		out += fmt.Sprintf(".%07d", ticks)
	}
	return out
}
