// Package conformance runs clients that nobody here wrote against the simulator: `make conformance`. The Azure SDK for
// Go is in the tests of this project; HashiCorp's client and the Azure SDK for JavaScript have folders of their own,
// so that what they depend on stays out of azbackup's module.
package conformance
