package wire

import (
	"encoding/json"
	"testing"

	"pgregory.net/rapid"
)

// TestATextDoesNotDependOnThoseReadBefore checks the cache, whose places several texts share, against encoding/json.
func TestATextDoesNotDependOnThoseReadBefore(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := newTextCache()
		for _, raw := range rapid.SliceOfN(rapid.OneOf(
			rapid.Map(rapid.StringN(0, 3, -1), func(s string) string { b, _ := json.Marshal(s); return string(b) }),
			rapid.SampledFrom([]string{"null", "0", "true", "false", "1", "-1", "[]", "{}", `[""]`, `"\u0000"`, `"\u00001"`, "\"\xff\"", `"1"`}),
		), 0, 3*textCacheSize).Draw(t, "rows") {
			var want Field
			wantErr := want.UnmarshalJSON([]byte(raw))
			if got, err := c.field([]byte(raw)); got != want || (err == nil) != (wantErr == nil) {
				t.Fatalf("%s is read as %q, %v; expected %q, %v", raw, got, err, want, wantErr)
			}
			if got := c.text([]byte(raw)); got != raw {
				t.Fatalf("%s is kept as %q", raw, got)
			}
		}
	})
}
