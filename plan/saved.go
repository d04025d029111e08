package plan

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/go-json-experiment/json/jsontext"
)

// digestKey is the key of the digest in a saved plan.
const digestKey = "digest"

// WithDigest returns the plan with the digest of its JSON form, ready to be saved.
func WithDigest(p Plan) (Plan, error) {
	p.Digest = ""
	data, err := json.Marshal(p)
	if err != nil {
		return p, fmt.Errorf("saving the plan: %w", err)
	}
	p.Digest, err = digest(data)
	return p, err
}

// ParseSaved parses a plan that was saved as JSON. The error says why the text is no such plan: no JSON, another version,
// or altered. White space, the order of keys and the spelling of strings do not count, so that tools may format the file;
// every key and every value does, including those that this program does not know. The digest detects an edit by hand. It
// is no signature: a writer of the file can also write another digest.
func ParseSaved(data []byte) (Plan, error) {
	var p Plan
	if err := json.Unmarshal(data, &p); err != nil {
		return Plan{}, err
	}
	if p.FormatVersion != FormatVersion {
		return Plan{}, fmt.Errorf("format_version is %q, this program reads %q", p.FormatVersion, FormatVersion)
	}
	if p.Digest == "" {
		return Plan{}, errors.New("it has no digest")
	}
	now, err := digest(data)
	if err != nil {
		return Plan{}, err
	}
	if now != p.Digest {
		return Plan{}, errors.New("it was changed after it was saved: its digest is another one")
	}
	return p, nil
}

// digest returns "sha256:…" over the canonical form (RFC 8785) of a JSON object without its key [digestKey]; numbers
// keep their digits. A duplicate key is an error: parsers differ on which of the two counts.
func digest(object []byte) (string, error) {
	canonical := jsontext.Value(slices.Clone(object))
	err := canonical.Canonicalize(jsontext.CanonicalizeRawInts(false), jsontext.CanonicalizeRawFloats(false))
	if err != nil {
		return "", err
	}
	h := sha256.New()
	d := jsontext.NewDecoder(bytes.NewReader(canonical))
	if _, err := d.ReadToken(); err != nil {
		return "", err
	}
	for d.PeekKind() == '"' {
		key, err := d.ReadToken()
		if err != nil {
			return "", err
		}
		name := key.String()
		value, err := d.ReadValue()
		if err != nil {
			return "", err
		}
		if name != digestKey {
			h.Write(fmt.Appendf(nil, "%q:", name))
			h.Write(value)
			h.Write([]byte{'\n'})
		}
	}
	return "sha256:" + hex.EncodeToString(h.Sum(nil)), nil
}
