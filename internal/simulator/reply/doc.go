// Package reply makes the replies of the service: a body, or an error in ARM's envelope. A [Reply] is written when faults and
// the journal have acted on it.
package reply
