package fault

import (
	"fmt"
	"net/url"
	"strings"

	"github.com/azbackup/azbackup/internal/simulator/ids"
	"github.com/azbackup/azbackup/internal/simulator/seed"
	"github.com/azbackup/azbackup/internal/simulator/settings"
)

// Injector counts the requests that each fault matches, and picks the fault that hits one. It is not safe for concurrent
// use.
type Injector struct {
	list []settings.Fault
	seen []int
	seed seed.Seed
}

// Request is what a fault selects a request by. Path is decoded; Query is as sent.
type Request struct {
	Method, Kind, Path, Query string
}

// NewInjector returns an error for a fault that selects or does something unknown; kinds are those of the requests.
func NewInjector(list []settings.Fault, kinds map[string]bool, s seed.Seed) (*Injector, error) {
	for _, f := range list {
		if f.Kind != "" && !kinds[f.Kind] {
			return nil, fmt.Errorf("reading fault %q: there is no kind %q", f.Name, f.Kind)
		}
		if f.Reset != "" && f.Reset != "before" && f.Reset != "after" {
			return nil, fmt.Errorf("reading fault %q: reset is \"before\" or \"after\"", f.Name)
		}
		if f.Token != "" && f.Token != settings.TokenExpired && f.Token != settings.TokenChallenged {
			return nil, fmt.Errorf("reading fault %q: token is %q or %q", f.Name, settings.TokenExpired, settings.TokenChallenged)
		}
		switch f.Disks {
		case "", settings.DisksLeft, settings.DiskMissing, settings.DisksAttached:
		default:
			return nil, fmt.Errorf("reading fault %q: disks are %q, %q or %q", f.Name, settings.DisksLeft, settings.DiskMissing, settings.DisksAttached)
		}
		switch f.Operation {
		case "", "fails", "hangs", "lies":
		default:
			return nil, fmt.Errorf("reading fault %q: operation is \"fails\", \"hangs\" or \"lies\"", f.Name)
		}
	}
	return &Injector{list: list, seen: make([]int, len(list)), seed: s}, nil
}

// Hit returns the first fault that hits the request, or nil. Every fault that matches counts it.
func (n *Injector) Hit(r Request) *settings.Fault {
	var hit *settings.Fault
	for i := range n.list {
		f := &n.list[i]
		if !matches(f, r) {
			continue
		}
		n.seen[i]++
		if hit == nil && triggers(f, n.seen[i], n.seed.Uniform("fault", f.Name, n.seen[i])) {
			hit = f
		}
	}
	return hit
}

func matches(f *settings.Fault, r Request) bool {
	return (f.Method == "" || strings.EqualFold(f.Method, r.Method)) &&
		(f.Kind == "" || f.Kind == r.Kind) &&
		(f.Path == "" || ids.Match(ids.Key(f.Path), ids.Key(r.Path))) &&
		(f.Query == "" || strings.Contains(decodedQuery(r.Query), strings.ToLower(f.Query)))
}

func decodedQuery(raw string) string {
	if s, err := url.QueryUnescape(raw); err == nil {
		raw = s
	}
	return strings.ToLower(raw)
}

func triggers(f *settings.Fault, n int, u float64) bool {
	if f.Chance > 0 {
		return u < f.Chance
	}
	from, times := max(f.Nth, 1), f.Times
	if times == 0 {
		times = 1
	}
	return n >= from && (times < 0 || n < from+times)
}
