package wire

import (
	"fmt"
	"reflect"
	"testing"
	"unsafe"
)

// A list of a million rows has a few sets of tags, and holds each once.
func TestRowsWithTheSameTagsShareThem(t *testing.T) {
	w := NewStringPool()
	tags := func(i int) map[string]string {
		got, ok := w.internTags(tagField(fmt.Sprintf(`{"cost":"%d"}`, i)))
		if !ok || got["cost"] != fmt.Sprint(i) {
			t.Errorf("%d: %v, %t", i, got, ok)
		}
		return got
	}
	isShared := func(i int) bool {
		one, two := tags(i), tags(i)
		return reflect.ValueOf(one).Pointer() == reflect.ValueOf(two).Pointer() && len(one) == len(two)
	}
	for i := range maxWords {
		if !isShared(i) {
			t.Fatalf("set %d is not shared", i)
		}
	}
	if isShared(maxWords) || len(w.tags) != maxWords {
		t.Errorf("%d sets of tags are kept, want %d", len(w.tags), maxWords)
	}
	if !isShared(0) {
		t.Error("a set that was kept is forgotten")
	}
	if got, ok := w.internTags(`[]`); ok || got != nil {
		t.Errorf("a list is taken for tags: %v", got)
	}
}

func TestEqualTextsOfAListAreKeptOnce(t *testing.T) {
	w := NewStringPool()
	isKeptOnce := func(i int) bool {
		one := unsafe.StringData(w.intern(fmt.Sprint("policy ", i)))
		return one == unsafe.StringData(w.intern(fmt.Sprint("policy ", i)))
	}
	for i := range maxWords {
		if !isKeptOnce(i) {
			t.Fatalf("text %d is kept twice", i)
		}
	}
	if isKeptOnce(maxWords) || len(w.texts) != maxWords {
		t.Errorf("%d texts are kept, want %d", len(w.texts), maxWords)
	}
}
