package wire

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestATextIsUnderstoodUpToItsGreatestLength(t *testing.T) {
	for most, read := range map[int]func(r *fieldReader, f Field) string{
		maxWord: func(r *fieldReader, f Field) string { return r.word("name", f) },
		MaxID:   func(r *fieldReader, f Field) string { return r.id("name", f) },
	} {
		longest := strings.Repeat("x", most)
		for text, want := range map[string]string{longest: longest, longest + "x": ""} {
			var r fieldReader
			if got := read(&r, Field(text)); got != want || (r.describeProblems() == "") != (want != "") {
				t.Errorf("%d of %d bytes: %d were read, %q", len(text), most, len(got), r.describeProblems())
			}
		}
	}
}

func TestAMachineWithoutTagsHasNoneHoweverItIsRead(t *testing.T) {
	alone, _ := (*StringPool)(nil).internTags("")
	shared, ok := NewStringPool().internTags("")
	if d := cmp.Diff(alone, shared); d != "" || !ok {
		t.Error(d, ok)
	}
}

func TestATagIsUnderstoodUpToItsGreatestLength(t *testing.T) {
	longest := strings.Repeat("x", maxTag)
	for raw, want := range map[string]map[string]string{
		`{"a":"b","c":""}`:         {"a": "b", "c": ""},
		`{}`:                       {},
		`null`:                     nil,
		`{"` + longest + `":"b"}`:  {longest: "b"},
		`{"a":"` + longest + `"}`:  {"a": longest},
		`{"` + longest + `x":"b"}`: nil,
		`{"a":"` + longest + `x"}`: nil,
		`{"a":null}`:               nil,
		`{"a":1}`:                  nil,
		`["a"]`:                    nil,
	} {
		tags, ok := tagField(raw).parse()
		if d := cmp.Diff(want, tags); d != "" || ok != (want != nil || raw == "null") {
			t.Errorf("%.40s of %d bytes: %t %.200s", raw, len(raw), ok, d)
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
		var w Item
		if err := json.Unmarshal([]byte(`{"properties":`+tt.properties+`}`), &w); err != nil {
			t.Fatal(err)
		}
		if got := w.purgeAt(tt.deleted, tt.at); !got.Equal(tt.want) {
			t.Errorf("%s: %v, want %v", name, got, tt.want)
		}
	}
}

func TestValuesAreShownShortAndHarmless(t *testing.T) {
	for raw, want := range map[Field]string{
		"a\u001b[31m\n\"b\"":                      `x is "a\x1b[31m\n\"b\""`,
		Field(strings.Repeat("ä", 100)):           `x is "` + strings.Repeat("ä", 30) + `…"`,
		notText + `{"a":[1,"b"]}`:                 `x is {"a":[1,"b"]}`,
		notText + Field(strings.Repeat(`[`, 100)): `x is ` + strings.Repeat("[", 60) + `…`,
		notText + "[\"\u202e\"]":                  `x is ["\u202e"]`,
	} {
		r := &fieldReader{}
		r.recordMisread("x", raw)
		if got := r.describeProblems(); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}
