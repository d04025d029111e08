package config

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"strconv"
	"strings"
)

// Shard is one of Count parts of the subscriptions, for runs on several machines: Index counts from 1. The zero value is
// all of them.
type Shard struct {
	Index int `json:"index"`
	Count int `json:"count"`
}

// ParseShard parses "2/4", the second of four parts.
func ParseShard(text string) (Shard, error) {
	index, count, _ := strings.Cut(text, "/")
	i, err := strconv.Atoi(index)
	n, err2 := strconv.Atoi(count)
	if err != nil || err2 != nil || i < 1 || i > n {
		return Shard{}, fmt.Errorf("%q is not I/N with I from 1 to N", text)
	}
	return Shard{i, n}, nil
}

// IsAll reports whether the shard is no part but all subscriptions.
func (s Shard) IsAll() bool { return s.Count == 0 }

// String returns the form that [ParseShard] parses, or "" for all.
func (s Shard) String() string {
	if s.IsAll() {
		return ""
	}
	return fmt.Sprintf("%d/%d", s.Index, s.Count)
}

// Has reports whether a subscription is in the shard: the first eight bytes of the SHA-256 of its lower-case id, as a
// big-endian number, modulo Count, plus 1, are Index. Every subscription is in exactly one of Count shards, on every
// machine and in every version.
func (s Shard) Has(subscription string) bool {
	if s.IsAll() {
		return true
	}
	sum := sha256.Sum256([]byte(strings.ToLower(subscription)))
	return binary.BigEndian.Uint64(sum[:8])%uint64(s.Count) == uint64(s.Index-1) //nolint:gosec // neither is negative
}

// WithShard returns a copy of c for the run of one shard. What the file names in subscriptions outside the shard, this
// run neither reads nor changes: see [Config.Owns].
func (c *Config) WithShard(s Shard) *Config {
	own := *c
	own.Shard = s
	return &own
}

// Owns reports whether the subscription is in the shard of the run; without a shard every one is. Whether the file's
// scope includes it is another question.
func (c *Config) Owns(subscription string) bool { return c.Shard.Has(subscription) }
