// Package simulator is another Azure: an http.Handler over the state of an estate file that answers Azure Resource
// Manager, Compute and Recovery Services requests as the real services were recorded to answer them.
//
// It imports no other room of azbackup and shares no code with them: two readings of the same facts find each
// other's mistakes. The facts are azure-api.md and the recordings (FACTS n); every rule names its section.
package simulator
