package azure

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestATextIsUnderstoodUpToItsGreatestLength(t *testing.T) {
	for most, read := range map[int]func(r *fieldReader, f field) string{
		maxWord: func(r *fieldReader, f field) string { return r.word("name", f) },
		maxID:   func(r *fieldReader, f field) string { return r.id("name", f) },
	} {
		longest := strings.Repeat("x", most)
		for text, want := range map[string]string{longest: longest, longest + "x": ""} {
			var r fieldReader
			if got := read(&r, field(text)); got != want || (r.describeProblems() == "") != (want != "") {
				t.Errorf("%d of %d bytes: %d were read, %q", len(text), most, len(got), r.describeProblems())
			}
		}
	}
}

func TestAMachineWithoutTagsHasNoneHoweverItIsRead(t *testing.T) {
	alone, _ := (*stringPool)(nil).internTags("")
	shared, ok := newStringPool().internTags("")
	if d := cmp.Diff(alone, shared); d != "" || !ok {
		t.Error(d, ok)
	}
}

// The text of a throttled answer is the last resort, where no header says a time.
func TestARetryAfterIsTheFirstThatSaysATime(t *testing.T) {
	const text = "try again after '17' seconds"
	for name, tt := range map[string]struct {
		headers map[string]string
		message string
		want    time.Duration
	}{
		"nothing":                      {nil, "", 0},
		"seconds":                      {map[string]string{"Retry-After": "5"}, text, 5 * time.Second},
		"one second":                   {map[string]string{"Retry-After": "1"}, text, time.Second},
		"no seconds":                   {map[string]string{"Retry-After": "0"}, text, 17 * time.Second},
		"milliseconds":                 {map[string]string{"retry-after-ms": "1", "Retry-After": "5"}, text, time.Millisecond},
		"milliseconds of another name": {map[string]string{"x-ms-retry-after-ms": "1", "Retry-After": "5"}, text, time.Millisecond},
		"no milliseconds":              {map[string]string{"retry-after-ms": "0", "Retry-After": "5"}, text, 5 * time.Second},
		"a date after that of now":     {map[string]string{"Retry-After": "Wed, 18 Nov 2026 10:00:30 GMT", "Date": "Wed, 18 Nov 2026 10:00:00 GMT"}, text, 30 * time.Second},
		"a date that is over":          {map[string]string{"Retry-After": "Wed, 18 Nov 2026 09:00:00 GMT", "Date": "Wed, 18 Nov 2026 10:00:00 GMT"}, text, 0},
		"a text":                       {nil, text, 17 * time.Second},
	} {
		h := http.Header{}
		for name, value := range tt.headers {
			h.Set(name, value)
		}
		if got := parseRetryAfter(h, tt.message); got != tt.want {
			t.Errorf("%s: %v, want %v", name, got, tt.want)
		}
	}
}

func TestAnItemIsPurgedAfterItsRetentionElseWhenTheServiceSays(t *testing.T) {
	at := time.Date(2026, 11, 18, 10, 0, 30, 0, time.UTC)
	deleted := at.AddDate(0, 0, -4)
	for name, tt := range map[string]struct {
		properties string
		deleted    time.Time
		at         time.Time
		want       time.Time
	}{
		"by its retention":                  {`{"softDeleteRetentionPeriodInDays":14,"deferredDeleteTimeRemaining":"5.00:00:00"}`, deleted, at, deleted.AddDate(0, 0, 14)},
		"without the time of its deletion":  {`{"softDeleteRetentionPeriodInDays":14,"deferredDeleteTimeRemaining":"5.00:00:00"}`, time.Time{}, at, at.AddDate(0, 0, 5).Truncate(time.Minute)},
		"without a retention":               {`{"deferredDeleteTimeRemaining":"5.00:00:00"}`, deleted, at, at.AddDate(0, 0, 5).Truncate(time.Minute)},
		"by the longest time that is left":  {`{"deferredDeleteTimeRemaining":"180.00:00:00"}`, deleted, at, at.AddDate(0, 0, 180).Truncate(time.Minute)},
		"a time that is too long":           {`{"deferredDeleteTimeRemaining":"180.00:00:01"}`, deleted, at, time.Time{}},
		"a time that is not understood":     {`{"deferredDeleteTimeRemaining":"soon"}`, deleted, at, time.Time{}},
		"nothing":                           {`{}`, deleted, at, time.Time{}},
		"what is left at an unknown moment": {`{"deferredDeleteTimeRemaining":"5.00:00:00"}`, deleted, time.Time{}, time.Time{}},
	} {
		var w wireItem
		if err := json.Unmarshal([]byte(`{"properties":`+tt.properties+`}`), &w); err != nil {
			t.Fatal(err)
		}
		if got := w.purgeAt(tt.deleted, tt.at); !got.Equal(tt.want) {
			t.Errorf("%s: %v, want %v", name, got, tt.want)
		}
	}
}

func TestAPathThatTheServiceMightReadOtherwiseIsNotUsed(t *testing.T) {
	for path, want := range map[string]string{
		"/a/b": "a b", "/a/b/": "a b", "/a%3Bb/c": "a;b c",
		"/a//b": "", "/a/./b": "", "/a/../b": "", "/a/%2e%2e/b": "", "/a/b%2Fc": "", "/a/b%5Cc": "", "/": "",
	} {
		u, err := url.Parse("https://arm.test" + path)
		if err != nil {
			t.Fatal(err)
		}
		segments, ok := pathSegments(u)
		if got := strings.Join(segments, " "); got != want || ok != (want != "") {
			t.Errorf("%s: %q, %t", path, got, ok)
		}
	}
}
