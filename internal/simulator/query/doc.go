// Package query reads the two query languages of the service, as far as clients of backup use them: Resource Graph's
// (docs/azure.md §10) and the OData filters of lists (docs/azure.md §2, §3, §11). What it does not know is an error, never
// a guess. It is pure.
//
// To read it: graph.go, filter.go.
package query
