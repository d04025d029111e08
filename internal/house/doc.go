// Package house holds the tests of the project's layout: which names stand at the top level and which room
// may import which. It has no code of its own.
//
// To read it: imports_test.go (which room may import which), places_test.go, order_test.go (where things stand),
// citations_test.go, clock_test.go, goroutines_test.go, licenses_test.go.
package house
