package plan

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// This file has the display form of the values of a policy, a vault and a disk filter, in the terms of the config file. ""
// means that the value is absent.

func (s ScheduleSpec) describe() string {
	switch s.Frequency {
	case FrequencyWeekly:
		return fmt.Sprintf("weekly on %s at %s", strings.Join(s.Days, ", "), s.At)
	case FrequencyHourly:
		return fmt.Sprintf("every %dh from %s for %dh", s.Every, s.At, s.Window)
	case FrequencyDaily:
		return "daily at " + s.At
	}
	return s.Frequency
}

func (k *KeepSpec) describe() string {
	if k == nil {
		return ""
	}
	parts := []string{"keep " + strconv.Itoa(k.Keep)}
	for _, list := range [][]string{k.Months, k.Weeks, k.Days} {
		if len(list) > 0 {
			parts = append(parts, strings.Join(list, ", "))
		}
	}
	if len(k.Dates) > 0 {
		dates := make([]string, len(k.Dates))
		for i, d := range k.Dates {
			if dates[i] = strconv.Itoa(d); d == 0 {
				dates[i] = "last"
			}
		}
		parts = append(parts, "on "+strings.Join(dates, ", "))
	}
	return strings.Join(parts, "; ")
}

// The modes of an archive.
const (
	ArchiveRecommended = "TierRecommended"
	ArchiveAfter       = "TierAfter"
)

func (a *ArchiveSpec) describe() string {
	switch {
	case a == nil:
		return ""
	case a.Mode == ArchiveRecommended:
		return "recommended"
	}
	return fmt.Sprintf("after %d %s", a.After, strings.ToLower(a.Unit))
}

func (i *InstantRestoreSpec) describe() string {
	if i == nil {
		return ""
	}
	return i.Prefix + "*" + i.Suffix
}

func (d *Disks) describe() string {
	d = d.normalize()
	switch {
	case d == nil:
		return "all"
	case d.Include && len(d.LUNs) == 0:
		return "osOnly"
	}
	luns := make([]string, len(d.LUNs))
	for i, lun := range d.LUNs {
		luns[i] = strconv.Itoa(lun)
	}
	verb := "exclude"
	if d.Include {
		verb = "include"
	}
	return verb + " " + strings.Join(luns, ", ")
}

func describeCount(n int) string {
	if n == 0 {
		return ""
	}
	return strconv.Itoa(n)
}

func describeBool(b *bool) string {
	if b == nil {
		return ""
	}
	return strconv.FormatBool(*b)
}

func describeInt(n *int) string {
	if n == nil {
		return ""
	}
	return strconv.Itoa(*n)
}

// describeAge returns an age in the notation of the file: in hours, or in whole days from two on.
func describeAge(d time.Duration) string {
	const day = 24 * time.Hour
	switch {
	case d >= 2*day && d%day == 0:
		return fmt.Sprintf("%dd", d/day)
	case d%time.Hour == 0:
		return fmt.Sprintf("%dh", d/time.Hour)
	}
	return d.String()
}
