// Package conformance runs independent clients against the simulator: `make conformance`. The Azure SDK for Go is in
// the tests of this project; HashiCorp's client and the Azure SDK for JavaScript have folders of their own, so that
// their dependencies stay out of azbackup's module.
//
// To read it: azuresdk_test.go, azuresdk_client_test.go, azuresdk_calls_test.go, azuresdk_restore_test.go.
package conformance
