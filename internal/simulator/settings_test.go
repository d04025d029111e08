package simulator

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/azbackup/azbackup/internal/simulator/rawjson"
	"github.com/azbackup/azbackup/internal/simulator/settings"
	"github.com/azbackup/azbackup/internal/simulator/state"
)

func TestSettingsOfTheFileAreOverriddenFieldByField(t *testing.T) {
	one, zero := 1, 0
	file := settings.Settings{Seed: 7, RetryAfter: &one, Durations: map[string]settings.Range{"protect": settings.Fixed(time.Second)}, Quota: "300"}
	got := file.With(settings.Settings{RetryAfter: &zero, Durations: map[string]settings.Range{"": settings.Fixed(2 * time.Second)}})
	if *got.RetryAfter != 0 || got.Seed != 7 || got.Quota != "300" || got.Durations["protect"].Min != 2*time.Second || got.Durations["stop"].Min != 2*time.Second {
		t.Errorf("%+v", got)
	}
	if *file.RetryAfter != 1 || len(file.Durations) != 1 {
		t.Errorf("the file's settings changed: %+v", file)
	}
}

func TestSettingsReadBackAsWritten(t *testing.T) {
	const want = `{"durations":{"protect":"31s..5m24s","stop":"0s"},"retryAfter":-1,"latency":"50ms","pages":{"":2},"tokenLifetime":"10m0s"}`
	var s settings.Settings
	if err := json.Unmarshal([]byte(want), &s); err != nil {
		t.Fatal(err)
	}
	equalJSON(t, rawjson.Encode(s), []byte(want))
}

func TestMistakesInSettingsAreErrors(t *testing.T) {
	for _, bad := range []string{
		`{"durations":{"protekt":"1s"}}`, `{"pages":{"x":1}}`, `{"unverified":{"x":"y"}}`, `{"era":"1999"}`,
		`{"durations":{"protect":"fast"}}`, `{"durations":{"protect":"2s..1s"}}`, `{"colour":"red"}`, `{"latency":"-1s"}`,
	} {
		e, err := state.Read(strings.NewReader(`{"format_version":"1","settings":` + bad + `}`))
		if err == nil {
			_, err = New(e, Options{})
		}
		if err == nil {
			t.Errorf("%s was taken", bad)
		}
	}
}

func TestDurationsLieInTheirSpanWithTheMedianNearItsStart(t *testing.T) {
	span := settings.DefaultDurations()["protect"]
	if got := span.Sample(0.5); got < 34*time.Second || got > 38*time.Second {
		t.Errorf("median %v, recorded 36 s", got)
	}
	if lo, hi := span.Sample(0), span.Sample(0.999999); lo != 31*time.Second || hi < 5*time.Minute || hi > 324*time.Second {
		t.Errorf("from %v to %v", lo, hi)
	}
}

// serveFaults serves an estate whose file has these faults.
func serveFaults(faults string) (*Server, error) {
	e, err := state.Read(strings.NewReader(`{"format_version":"1","settings":{"faults":` + faults + `}}`))
	if err != nil {
		return nil, err
	}
	return New(e, Options{})
}

func TestFaultsAreReadStrictly(t *testing.T) {
	s, err := serveFaults(`[{"name":"x","kind":"item.put","status":500,"latency":"2s"}]`)
	if err != nil || len(s.set.Faults) != 1 || s.set.Faults[0].Latency != settings.Duration(2*time.Second) {
		t.Errorf("%+v %v", s, err)
	}
	for _, bad := range []string{`[{"nam":"x"}]`, `{}`, `[{"reset":"often"}]`, `[{"name":"x","disks":"maybe"}]`} {
		if _, err := serveFaults(bad); err == nil {
			t.Errorf("%s was taken", bad)
		}
	}
}

func TestTimesAreWrittenAsTheServiceDoes(t *testing.T) {
	for d, want := range map[time.Duration]string{
		41*time.Minute + 16*time.Second + 212267100*time.Nanosecond: "PT41M16.2122671S",
		2*time.Second + 729646400*time.Nanosecond:                   "PT2.7296464S",
		0:                               "PT0S",
		time.Hour:                       "PT1H",
		time.Hour + 100*time.Nanosecond: "PT1H0.0000001S",
	} {
		if got := rawjson.Duration(d); got != want {
			t.Errorf("%v: %s, want %s", d, got, want)
		}
	}
	for d, want := range map[time.Duration]string{
		14*24*time.Hour - 17*time.Second - 134399800*time.Nanosecond: "13.23:59:42.8656002",
		90 * time.Minute: "01:30:00",
		-time.Second:     "00:00:00",
	} {
		if got := rawjson.TimeSpan(d); got != want {
			t.Errorf("%v: %s, want %s", d, got, want)
		}
	}
}
