// Package plan works out the difference between what is and what should be. It is pure: no I/O, no clock,
// no log; the same input gives the same bytes.
package plan
