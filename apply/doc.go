// Package apply carries a plan out: bounded writes, bounded polling, events, a report per change.
package apply
