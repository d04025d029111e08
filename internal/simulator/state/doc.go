// Package state is the data of one server: an estate as it was read from its file, the changes since, the operations that
// run, and the journal that keeps all of it over a kill. It knows no request.
//
//   - [Estate]: the resources of a file, in tables by kind. Servers share one and never change it.
//   - [State]: an estate's tables with the changes of one server. Each Put and Remove is one change, reported to the
//     observer and kept for the journal until DrainChanges. It is not safe for concurrent use: the server's lock guards it.
//   - [Operation]: work that goes on after its request was answered. It holds absolute times, so it continues after a kill.
//   - [WriteAheadLog]: the changes on disk, before they are answered; Compact merges them into the file.
//
// Records and bodies never change once they are stored, so a pointer or a body that was read stays valid.
//
// To read it: table.go, records.go (what is indexed of each kind), estate.go (reading a file), state.go (writing), operation.go
// (operations and timers), queries.go (what the handlers ask), effects.go (what observers are told), wal.go, compact.go.
package state
