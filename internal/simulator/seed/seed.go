package seed

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"
)

// Seed makes everything random in a server: durations, ids, tokens. A value depends on the seed and on its purpose, not
// on the order of requests, so that a run with parallel clients repeats.
type Seed uint64

// Digest returns 32 bytes derived from the seed and the purpose in parts.
func (s Seed) Digest(parts ...any) [32]byte {
	return sha256.Sum256(fmt.Appendf(nil, "%d %q", uint64(s), parts))
}

// Uniform returns a number uniform in [0, 1). It depends on the seed and its purpose, not on the order of requests, so
// that a run with parallel clients repeats.
func (s Seed) Uniform(parts ...any) float64 {
	d := s.Digest(parts...)
	return float64(binary.BigEndian.Uint64(d[:])>>11) / (1 << 53)
}

// GUID writes the head of a digest as a random GUID.
func GUID(d [32]byte) string {
	d[6], d[8] = d[6]&0x0f|0x40, d[8]&0x3f|0x80
	h := hex.EncodeToString(d[:16])
	return h[:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20] + "-" + h[20:]
}

// OpaqueToken returns n characters of base64url that depend on what.
func (s Seed) OpaqueToken(prefix, what string, n int) string {
	var b strings.Builder
	b.WriteString(prefix)
	for i := 0; b.Len() < n; i++ {
		d := s.Digest(what, i)
		b.WriteString(base64.RawURLEncoding.EncodeToString(d[:]))
	}
	return b.String()[:n]
}

// PageToken hides a row number in a paging token of the recorded kind: base64 with "/", "+" and "=", escaped in lower
// case, so that decoding and encoding it again changes it (docs/azure.md §33.25).
func (s Seed) PageToken(list string, row int) string {
	d := s.Digest("token", list, row)
	raw := fmt.Sprintf("%s|%d|%s", hex.EncodeToString(d[:4]), row, s.OpaqueToken("", list+strconv.Itoa(row), 400))
	b64 := base64.StdEncoding.EncodeToString([]byte("\xff\xfe" + raw))
	b64 = strings.ReplaceAll(b64, "+", "%2b")
	b64 = strings.ReplaceAll(b64, "/", "%2f")
	return strings.ReplaceAll(b64, "=", "%3d")
}

// RowOf returns the row number in a token that [Seed.PageToken] made for this list; false for any other token.
func (s Seed) RowOf(list, token string) (int, bool) {
	// A URL's token is decoded already, a Resource Graph body's is verbatim.
	token = strings.NewReplacer("%2b", "+", "%2f", "/", "%3d", "=", " ", "+").Replace(token)
	raw, err := base64.StdEncoding.DecodeString(token)
	if err != nil || len(raw) < 2 {
		return 0, false
	}
	parts := strings.SplitN(string(raw[2:]), "|", 3)
	if len(parts) != 3 {
		return 0, false
	}
	n, err := strconv.Atoi(parts[1])
	d := s.Digest("token", list, n)
	return n, err == nil && n >= 0 && parts[0] == hex.EncodeToString(d[:4])
}
