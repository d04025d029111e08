package arm

import (
	"net/http"
	"testing"
	"time"
)

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
		"a negative number":            {map[string]string{"Retry-After": "-5"}, text, 17 * time.Second},
		"more than a minute":           {map[string]string{"Retry-After": "61"}, text, 61 * time.Second},
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
