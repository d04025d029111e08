// Package rawjson reads, edits and writes JSON bodies as bytes. An [Object] keeps the order of its keys and unknown
// values, so that a field that no document mentions survives a write, as it does in Azure; a [Reader] takes a
// document apart value by value without holding it.
//
// Bodies are never changed in place, so values may be shared between goroutines; an Object and a Reader belong to one.
// Functions that read take valid JSON, which [CheckObject] and [Reader] establish, and return nothing where nothing is.
//
// To read it: scan.go (the scanner), object.go (editing), reader.go (streams), times.go (times as the service writes them).
package rawjson
