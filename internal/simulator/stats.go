package simulator

import (
	"bytes"
	"encoding/json"
	"maps"

	"github.com/azbackup/azbackup/internal/simulator/reply"
)

// Stats counts the clients' requests since the server was created.
type Stats struct {
	// Requests counts requests by kind; the kinds are those of the routes: "items.list", "item.put", "vault.get" ….
	// Requests without a route are "unknown".
	Requests map[string]int `json:"requests"`
	// Reads and Writes are GETs and the rest.
	Reads  int `json:"reads"`
	Writes int `json:"writes"`
	// Statuses counts replies by HTTP status; Codes by error code.
	Statuses map[int]int    `json:"statuses"`
	Codes    map[string]int `json:"codes"`
	// Faults counts injected faults by name.
	Faults map[string]int `json:"faults"`
}

// Total returns the number of requests.
func (s Stats) Total() int { return s.Reads + s.Writes }

// Throttled returns the number of requests answered 429.
func (s Stats) Throttled() int { return s.Statuses[429] }

type counters struct{ Stats }

func newCounters() *counters {
	return &counters{Stats{Requests: map[string]int{}, Statuses: map[int]int{}, Codes: map[string]int{}, Faults: map[string]int{}}}
}

func (n *counters) count(c *requestContext, r *reply.Reply) {
	kind := c.kind
	if kind == "simulator" {
		return
	}
	if kind == "" {
		kind = "unknown"
	}
	n.Requests[kind]++
	if c.r.Method == "GET" {
		n.Reads++
	} else {
		n.Writes++
	}
	n.Statuses[r.Status]++
	if r.Code != "" {
		n.Codes[r.Code]++
	}
}

// Stats returns a copy of the counters.
func (s *Server) Stats() Stats {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := s.stats.Stats
	out.Requests, out.Statuses = maps.Clone(out.Requests), maps.Clone(out.Statuses)
	out.Codes, out.Faults = maps.Clone(out.Codes), maps.Clone(out.Faults)
	return out
}

// The simulator's own endpoints, below /_simulator/. They are not Azure's and are not counted.

// adminState returns the estate file as it would be written now.
func (rc *requestContext) adminState() reply.Reply {
	var b bytes.Buffer
	if err := rc.st.Write(&b); err != nil {
		return reply.Error(500, "InternalServerError", "%s", err)
	}
	return reply.OK(b.Bytes())
}

func (rc *requestContext) adminStats() reply.Reply {
	raw, err := json.Marshal(rc.s.stats.Stats)
	if err != nil {
		return reply.Error(500, "InternalServerError", "%s", err)
	}
	return reply.OK(raw)
}
