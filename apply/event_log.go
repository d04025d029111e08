package apply

import (
	"encoding/json"
	"io"
)

// NewEventLog returns an observer that writes one JSON line per event. Each line is one Write, so a file opened for
// appending holds every event before the next one happens. A failed write is not reported: use the first
// error of w itself.
func NewEventLog(w io.Writer) Observer {
	return func(e Event) {
		line, err := json.Marshal(e)
		if err != nil {
			return
		}
		_, _ = w.Write(append(line, '\n'))
	}
}
