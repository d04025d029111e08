package settings

import "encoding/json"

// Fault is one injected fault: it selects requests, which of them it hits, and the effect. Each fault counts requests
// from the start of the server on its own.
type Fault struct {
	// Name identifies the fault in Stats.Faults and in the log.
	Name string `json:"name"`

	// Method, Path, Kind and Query choose requests; empty: any. Path is compared without case and may hold "*" for any
	// text; Kind is one of the kinds in Stats.Requests.
	Method string `json:"method,omitempty"`
	Path   string `json:"path,omitempty"`
	Kind   string `json:"kind,omitempty"`
	// Query must be part of the decoded query, without case: "skiptoken" is every page but the first.
	Query string `json:"query,omitempty"`

	// Nth is the first match that is hit, from 1; 0 is 1. Times is how many are hit from there; 0 is 1, -1 all.
	Nth   int `json:"nth,omitempty"`
	Times int `json:"times,omitempty"`
	// Chance hits each match with this probability instead, by the seed.
	Chance float64 `json:"chance,omitempty"`

	// Status, Code, Message, Headers and Body are the reply; a Body replaces the error envelope.
	Status  int               `json:"status,omitempty"`
	Code    string            `json:"code,omitempty"`
	Message string            `json:"message,omitempty"`
	Headers map[string]string `json:"headers,omitempty"`
	Body    string            `json:"body,omitempty"`
	// ContentType replaces the reply's.
	ContentType string `json:"contentType,omitempty"`
	// AfterEffect makes the request take effect before Status is returned.
	AfterEffect bool `json:"afterEffect,omitempty"`
	// Latency delays the request.
	Latency Duration `json:"latency,omitzero"`
	// Reset breaks the connection off "before" or "after" the effect.
	Reset string `json:"reset,omitempty"`
	// Truncate closes the connection in the middle of the reply.
	Truncate bool `json:"truncate,omitempty"`
	// Operation is what becomes of the operation that the request starts: it "fails" (with Code and Message), "hangs",
	// or "lies": its status is Succeeded while its job fails, with Code and Message where the fault has them, and it
	// has no effect.
	Operation string `json:"operation,omitempty"`
	// Disks is what becomes of the disks of the restore that the request starts: they are "left" behind by a job that
	// fails, "missing" by one though it is Completed, or "attached" by another client as soon as they exist.
	Disks string `json:"disks,omitempty"`
	// Invisible is the number of reads that do not yet show the item the request creates or changes.
	Invisible int `json:"invisible,omitempty"`
	// NextLink puts another host into the list's nextLink: "https://elsewhere.example".
	NextLink string `json:"nextLink,omitempty"`
	// Token refuses the request and, from then on, every token issued so far: "expired" as an expired token,
	// "challenged" with a claims challenge (docs/azure.md §28.6). Tokens issued later are valid.
	Token string `json:"token,omitempty"`
	// ConcurrentClients act just before the request.
	ConcurrentClients []ConcurrentClient `json:"actors,omitempty"`
}

// ConcurrentClient is a change to the estate by another client: a request whose operation takes no time (Slow: the
// usual duration), or a body put into or an id removed from a section of the estate.
type ConcurrentClient struct {
	Method string          `json:"method,omitempty"`
	Path   string          `json:"path,omitempty"`
	Body   json.RawMessage `json:"body,omitempty"`
	Slow   bool            `json:"slow,omitempty"`

	Section string `json:"section,omitempty"`
	Remove  string `json:"remove,omitempty"`
	// Attach attaches the disks whose ids match, with "*" for any text, to a VM.
	Attach string `json:"attach,omitempty"`
}

// The ways in which a Fault revokes tokens (docs/azure.md §28.6).
const (
	TokenExpired    = "expired"
	TokenChallenged = "challenged"
)

// The values of Fault.Disks: the fate of a restore's disks.
const (
	DisksLeft     = "left"
	DiskMissing   = "missing"
	DisksAttached = "attached"
)
