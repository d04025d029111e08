// Package settings configures the simulated service where Azure's behaviour varies or is unknown, and describes the faults
// that a server injects. It is data with defaults and checks: nothing here acts.
//
// To read it: settings.go (the fields, their defaults, how two are merged), durations.go (how a duration is drawn),
// faults.go (faults and other clients' changes).
package settings
