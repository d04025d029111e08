package config_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/azbackup/azbackup/config"
)

func TestAShardIsWrittenAsIndexAndCount(t *testing.T) {
	for text, want := range map[string]config.Shard{
		"1/1": {Index: 1, Count: 1}, "2/4": {Index: 2, Count: 4}, "200/200": {Index: 200, Count: 200},
		"": {}, "2": {}, "0/4": {}, "5/4": {}, "-1/4": {}, "1/0": {}, "1/-4": {}, "a/4": {}, "1/b": {}, "1/4/4": {}, "1.5/4": {}, "auto/4": {}, " 1/4": {},
	} {
		got, err := config.ParseShard(text)
		if got != want || (err == nil) != (want.Count > 0) {
			t.Errorf("%q: %v, %v, want %v", text, got, err, want)
		}
		if err == nil && got.String() != text {
			t.Errorf("%q is written as %q", text, got)
		}
	}
}

func TestEverySubscriptionIsInExactlyOneShardWhateverItsCase(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		id := rapid.StringMatching(`[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}`).Draw(t, "id")
		n := rapid.IntRange(1, 300).Draw(t, "count")
		in := 0
		for i := range n {
			s := config.Shard{Index: i + 1, Count: n}
			if s.Has(id) {
				in++
			}
			if s.Has(id) != s.Has(strings.ToUpper(id)) {
				t.Fatalf("shard %s: the case of %s decides", s, id)
			}
		}
		if in != 1 {
			t.Fatalf("%s is in %d of %d shards", id, in, n)
		}
		if !(config.Shard{}).Has(id) {
			t.Fatalf("%s is not in all of them", id)
		}
	})
}

// The shards of a saved plan and of runs on several machines must agree for ever: `printf ID | sha256sum` tells them.
func TestTheShardOfASubscriptionNeverChanges(t *testing.T) {
	for id, want := range map[string][2]string{
		"11111111-1111-1111-1111-111111111111": {"1/2", "1/5"},
		"aaaaaaaa-1111-1111-1111-111111111111": {"2/2", "1/5"},
		"bbbbbbbb-1111-1111-1111-111111111111": {"2/2", "5/5"},
	} {
		for _, text := range want {
			s, err := config.ParseShard(text)
			if err != nil || !s.Has(id) {
				t.Errorf("%s is not in shard %s (%v)", id, text, err)
			}
		}
	}
}

func TestShardsAreAboutEven(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2)) //nolint:gosec // ids for a test
	const ids, count = 8000, 8
	sizes := map[int]int{}
	for range ids {
		id := fmt.Sprintf("%08x-%04x-4000-8000-%012x", random.Uint32(), random.Uint32()>>16, random.Uint64()>>16)
		for i := 1; i <= count; i++ {
			if (config.Shard{Index: i, Count: count}).Has(id) {
				sizes[i]++
			}
		}
	}
	for i := 1; i <= count; i++ {
		if n := sizes[i]; n < ids/count*8/10 || n > ids/count*12/10 {
			t.Errorf("shard %d has %d of %d subscriptions", i, n, ids)
		}
	}
}
