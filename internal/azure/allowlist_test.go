package azure

import (
	"net/url"
	"strings"
	"testing"
)

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
