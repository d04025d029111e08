// Package house holds the tests of the project's layout: which names stand at the top level and which room
// may import which. It has no code of its own.
package house
