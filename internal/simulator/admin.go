package simulator

import (
	"bytes"
	"encoding/json"
)

// The simulator's own endpoints, below /_simulator/. They are not Azure's and are not counted.

// adminState returns the estate file as it would be written now.
func (rc *requestContext) adminState() Reply {
	var b bytes.Buffer
	if err := rc.st.write(&b); err != nil {
		return ErrorReply(500, "InternalServerError", "%s", err)
	}
	return OK(b.Bytes())
}

func (rc *requestContext) adminStats() Reply {
	raw, err := json.Marshal(rc.s.stats.Stats)
	if err != nil {
		return ErrorReply(500, "InternalServerError", "%s", err)
	}
	return OK(raw)
}
