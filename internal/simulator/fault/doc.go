// Package fault picks the fault that hits a request, and makes the reply that a fault gives instead of the service's. An
// [Injector] counts, so it is not safe for concurrent use. What a fault does to operations, tokens and connections is the
// server's: it happens where those are.
package fault
