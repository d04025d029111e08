package plan

import (
	"testing"
	"time"
)

func TestWhichPointsACutLetsGoOf(t *testing.T) {
	now := time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)
	keep := func(n int, days ...string) *KeepSpec { return &KeepSpec{Keep: n, Days: days} }
	for _, tt := range []struct {
		name          string
		before, after *RetentionSpec
		lets          []string // ages of points that may expire
		beyond        []string // ages of points older than all retentions allow
	}{
		{"fewer days", &RetentionSpec{Days: 60}, &RetentionSpec{Days: 30}, []string{"31d", "80d", "400d"}, []string{"31d", "80d", "400d"}},
		{
			"fewer days, and weeks that stay: a weekly point cannot be told from a daily one",
			&RetentionSpec{Days: 60, Weeks: keep(12, "Sunday")},
			&RetentionSpec{Days: 30, Weeks: keep(12, "Sunday")},
			[]string{"31d", "80d", "400d"},
			[]string{"400d"},
		},
		{
			"fewer weeks: what is younger stays",
			&RetentionSpec{Days: 30, Weeks: keep(20, "Sunday")},
			&RetentionSpec{Days: 30, Weeks: keep(10, "Sunday")},
			[]string{"80d", "400d"},
			[]string{"80d", "400d"},
		},
		{
			"another day of the week: any weekly point may go",
			&RetentionSpec{Days: 30, Weeks: keep(12, "Sunday")},
			&RetentionSpec{Days: 30, Weeks: keep(12, "Monday")},
			[]string{"31d", "80d", "400d"},
			[]string{"400d"},
		},
		{
			"no weeks",
			&RetentionSpec{Days: 7, Weeks: keep(12, "Sunday")},
			&RetentionSpec{Days: 7},
			[]string{"8d", "30d", "31d", "80d", "400d"},
			[]string{"8d", "30d", "31d", "80d", "400d"},
		},
		{
			"fewer months", &RetentionSpec{Days: 30, Months: keep(24)}, &RetentionSpec{Days: 30, Months: keep(12)},
			[]string{"400d"},
			[]string{"400d"},
		},
		{
			"fewer years", &RetentionSpec{Days: 30, Months: keep(2), Years: keep(9)}, &RetentionSpec{Days: 30, Months: keep(2), Years: keep(1)},
			[]string{"400d"},
			[]string{"400d"},
		},
		{
			"a weekly policy keeps no days", &RetentionSpec{Weeks: keep(12, "Sunday")}, &RetentionSpec{Weeks: keep(4, "Sunday")},
			[]string{"30d", "31d", "80d", "400d"},
			[]string{"30d", "31d", "80d", "400d"},
		},
		{"all that a stopped item has", nil, &RetentionSpec{Days: 30, Years: keep(2)}, []string{"31d", "80d", "400d"}, nil},
		{"longer", &RetentionSpec{Days: 30}, &RetentionSpec{Days: 60}, nil, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var before *PolicySpec
			if tt.before != nil {
				before = &PolicySpec{Retention: *tt.before}
			}
			l := &expiry{before: before, after: &PolicySpec{Retention: *tt.after}}
			if cuts := newExpiry(l.before, l.after, 0) != nil; cuts != (tt.lets != nil) {
				t.Errorf("a loss: %t", cuts)
			}
			for age, days := range map[string]int{"1d": 1, "8d": 8, "30d": 30, "31d": 31, "80d": 80, "400d": 400} {
				taken := now.AddDate(0, 0, -days)
				if got, want := l.expires(taken, now), contains(tt.lets, age); got != want {
					t.Errorf("lets go of a point of %s: %t", age, got)
				}
				if got, want := l.expires(taken, now) && tt.after.isExpired(taken, now), contains(tt.beyond, age); got != want {
					t.Errorf("a point of %s is older than all that is kept: %t", age, got)
				}
			}
		})
	}
}

func contains(list []string, s string) bool { return containsAll(list, []string{s}) }
