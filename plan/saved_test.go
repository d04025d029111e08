package plan_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/azbackup/azbackup/plan"
)

func saved(t rapid.TB, p plan.Plan) []byte {
	t.Helper()
	p, err := plan.WithDigest(p)
	if err != nil {
		t.Fatal(err)
	}
	data, err := json.MarshalIndent(p, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func generic(t rapid.TB, data []byte) any {
	t.Helper()
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		t.Fatal(err)
	}
	return v
}

// spot is a value inside a JSON document, with functions to replace and to remove it.
type spot struct {
	path  string
	value any
	set   func(any)
	drop  func()
}

// spots returns every value of a document, leaves and containers.
func spots(path string, v any, set func(any), drop func()) []spot {
	out := []spot{{path, v, set, drop}}
	switch v := v.(type) {
	case map[string]any:
		for _, k := range slices.Sorted(maps.Keys(v)) {
			out = append(out, spots(path+"."+k, v[k], func(n any) { v[k] = n }, func() { delete(v, k) })...)
		}
	case []any:
		for i := range v {
			out = append(out, spots(fmt.Sprintf("%s[%d]", path, i), v[i], func(n any) { v[i] = n }, func() { set(slices.Delete(slices.Clone(v), i, i+1)) })...)
		}
	}
	return out
}

// edits returns the possible manual edits of a value.
func edits(s spot) map[string]func() {
	out := map[string]func(){
		"left out":      s.drop,
		"made null":     func() { s.set(nil) },
		"made a list":   func() { s.set([]any{s.value}) },
		"made a string": func() { s.set("{}") },
	}
	switch v := s.value.(type) {
	case nil:
		delete(out, "made null")
		out["made empty"] = func() { s.set("") }
	case string:
		out["longer"] = func() { s.set(v + " ") }
		out["in another case"] = func() { s.set(swapCase(v)) }
		out["empty"] = func() { s.set("") }
		out["a word of its own"] = func() { s.set("true") }
	case json.Number:
		out["one more"] = func() { s.set(json.Number("1" + v.String())) }
	case bool:
		out["flipped"] = func() { s.set(!v) }
	case map[string]any:
		out["with one more key"] = func() { v["unknown"] = nil }
	case []any:
		out["with one more entry"] = func() { s.set(append(slices.Clone(v), nil)) }
		if len(v) > 1 {
			out["in another order"] = func() {
				turned := slices.Clone(v)
				slices.Reverse(turned)
				s.set(turned)
			}
		}
	}
	return out
}

func swapCase(s string) string {
	if up := strings.ToUpper(s); up != s {
		return up
	}
	return strings.ToLower(s)
}

// Any manual edit of one value in a saved plan causes its refusal.
func TestASavedPlanThatWasEditedIsRefused(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := drawWorld(t)
		if rapid.Bool().Draw(t, "withGaps") {
			w.observed.Gaps = drawGaps(t, w)
		}
		data := saved(t, make1(w))
		document := generic(t, data)
		var replaced any
		all := spots("", document, func(n any) { replaced = n }, func() { replaced = []any{} })
		s := rapid.SampledFrom(all).Draw(t, "spot")
		changes := edits(s)
		name := rapid.SampledFrom(slices.Sorted(maps.Keys(changes))).Draw(t, "edit")
		changes[name]()
		if replaced != nil {
			document = replaced
		}
		edited, err := json.Marshal(document)
		if err != nil {
			t.Fatal(err)
		}
		if cmp.Equal(generic(t, data), generic(t, edited)) {
			return // no change, such as an empty string made empty
		}
		if _, err := plan.ParseSaved(edited); err == nil {
			t.Errorf("%s, %s: it is read as if nobody had touched it", s.path, name)
		}
	})
}

// Every value of one plan, with every edit: the property draws only some.
func TestNoValueOfASavedPlanMayBeEdited(t *testing.T) {
	c, o := bigVault(2, 2)
	o.Items[0].State, o.Items[0].PolicyID = plan.StateProtectionStopped, ""
	o.Gaps = []plan.Gap{{Kind: plan.GapJobs, Vault: vaultID("here"), Code: "X", Status: 403}}
	data := saved(t, plan.Make(c, o, plan.Options{Now: now}))
	document := generic(t, data)
	tried := 0
	for i, s := range spots("", document, func(any) {}, func() {}) {
		if s.path == "" {
			continue
		}
		for name := range edits(s) {
			copied := generic(t, data)
			again := spots("", copied, func(any) {}, func() {})[i]
			edits(again)[name]()
			edited, err := json.Marshal(copied)
			if err != nil {
				t.Fatal(err)
			}
			if cmp.Equal(document, generic(t, edited)) {
				continue
			}
			tried++
			if _, err := plan.ParseSaved(edited); err == nil {
				t.Errorf("%s, %s: it is read as if nobody had touched it", s.path, name)
			}
		}
	}
	if tried < 500 {
		t.Errorf("only %d edits were tried", tried)
	}
}

func TestASavedPlanMayBeFormatted(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := make1(drawWorld(t))
		data := saved(t, p)
		var compact bytes.Buffer
		if err := json.Compact(&compact, data); err != nil {
			t.Fatal(err)
		}
		sorted, err := json.MarshalIndent(generic(t, data), "\t", " ") // keys in the order of their names
		if err != nil {
			t.Fatal(err)
		}
		escaped := []byte(strings.ReplaceAll(compact.String(), "/", `\/`))
		for name, form := range map[string][]byte{
			"as saved": data, "compact": compact.Bytes(), "sorted": sorted, "escaped": escaped, "with a line at its end": append(data, '\n'),
		} {
			got, err := plan.ParseSaved(form)
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			got.Digest, got.Capacity, got.Compared = "", p.Capacity, p.Compared // they are not saved
			if diff := cmp.Diff(p, got); diff != "" {
				t.Errorf("%s: another plan:\n%s", name, diff)
			}
		}
	})
}

func TestWhatIsNoSavedPlanIsRefused(t *testing.T) {
	c, o := bigVault(0, 1)
	whole := string(saved(t, plan.Make(c, o, plan.Options{Now: now})))
	for name, test := range map[string]struct{ data, want string }{
		"nothing":                {"", "unexpected end"},
		"a list":                 {"[]", "cannot unmarshal"},
		"an empty object":        {"{}", `format_version is ""`},
		"an old format":          {`{"format_version": "0"}`, `format_version is "0", this program reads "1"`},
		"no digest":              {`{"format_version": "1"}`, "no digest"},
		"half of it":             {whole[:len(whole)/2], "unexpected end"},
		"two plans":              {whole + whole, "after top-level value"},
		"a key twice":            {strings.Replace(whole, `"complete":`, `"complete": false, "complete":`, 1), `duplicate object member name "complete"`},
		"a key in another case":  {strings.Replace(whole, `"complete":`, `"Complete": false, "complete":`, 1), "changed after it was saved"},
		"a second digest":        {strings.Replace(whole, `"complete":`, `"Digest": "sha256:0", "complete":`, 1), "changed after it was saved"},
		"a digest inside":        {strings.Replace(whole, `"forecast": {`, `"forecast": {"digest": "x",`, 1), "changed after it was saved"},
		"nested without an end":  {`{"format_version":"1","digest":"x","y":` + strings.Repeat("[", 20_000) + strings.Repeat("]", 20_000) + "}", "exceeded max depth"},
		"the digest of no plan":  {`{"format_version":"1","digest":"sha256:00"}`, "changed after it was saved"},
		"another kind of digest": {strings.Replace(whole, `"sha256:`, `"md5:`, 2), "changed after it was saved"},
	} {
		if _, err := plan.ParseSaved([]byte(test.data)); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: got %v, want %q", name, err, test.want)
		}
	}
}

// Documents with the same letters in other places are different documents.
func TestDocumentsThatLookAlikeHaveOtherDigests(t *testing.T) {
	seen := map[string]string{}
	for _, text := range []string{
		`{"a":"b"}`, `{"a":["b"]}`, `{"ab":""}`, `{"":"ab"}`, `{"a":"b","c":"d"}`, `{"a":"d","c":"b"}`, `{"a":{"c":"d"}}`,
		`{"a":1}`, `{"a":"1"}`, `{"a":true}`, `{"a":"true"}`, `{"a":null}`, `{"a":""}`, `{"a":[]}`, `{"a":{}}`, `{"a":[[]]}`,
		`{"a":["b","c"]}`, `{"a":["bc"]}`, `{"a":["c","b"]}`, `{"a":["b",["c"]]}`, `{"a":[null]}`, `{}`, `{"a":false}`, `{"a":0}`,
	} {
		var v map[string]any
		if err := json.Unmarshal([]byte(text), &v); err != nil {
			t.Fatal(err)
		}
		d := plan.DigestOf(text)
		if other, there := seen[d]; there {
			t.Errorf("%s and %s have the same digest", text, other)
		}
		seen[d] = text
	}
}
