// Package seed makes everything random in a server: durations, ids, tokens, paging tokens. A value depends on the seed and on
// its purpose, not on the order of requests.
package seed
