// Package arm sends requests to Azure Resource Manager. It knows nothing of backup: its owner decides which requests
// may be sent, and which writes carry the tokens of further tenants ([Rules]).
//
//	azcore pipeline:  allow-list → names → retry → [ quota → time limit → decode → token → count ] → transport
//	                  and host                                                            no redirects,
//	                                                                                      bounded bodies
//
// # Contract
//
// Reads are repeated by the pipeline, a body that breaks off included; half a list is no list. A write is sent exactly
// once, and an error says whether its outcome is unknown ([apply.Error.Unknown]). A 401 is no exception: a write refused
// so was not done, and is sent once more with another token.
//
// The bearer token goes to the configured endpoint (scheme, host and port) and nowhere else: nextLink, Location
// and Azure-AsyncOperation are followed verbatim, because they are signed (docs/azure.md §4), but only there; redirects
// are not followed. [Rules.Allow] is asked before the token is attached.
//
// Lists are decoded element by element inside the retry loop, so that a page that breaks off is read again and a vault
// with many items is never in memory as text.
//
// # Decisions
//
//   - The form of a page is Resource Manager's and is decoded here; what a row means is decoded by a function that the
//     caller passes. So arm and wire do not know each other.
//   - The allow-list is not here: its table names commands, rights and backup's resources. This room calls it, and holds the
//     rule about hosts, which no owner can lift.
//   - Of package apply it uses [apply.Error] alone, the form in which the engine gets the error of a request.
//
// # Reading order
//
//	the client, and whom it signs in  client.go, cloud.go, credential.go, tokens.go, auxiliary_tokens.go
//	what is sent                      request.go, list.go, pipeline.go
//	what comes back                   decode.go, clock.go, exchange.go
//	what went wrong                   errors.go, error_body.go, signin_error.go
package arm
