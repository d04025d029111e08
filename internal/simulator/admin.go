package simulator

import (
	"bytes"
	"encoding/json"
)

// The simulator's own endpoints, below /_simulator/. They are not Azure's and are not counted.

// adminState returns the estate file as it would be written now.
func (rc *requestContext) adminState() reply {
	var b bytes.Buffer
	if err := rc.st.write(&b); err != nil {
		return errorReply(500, "InternalServerError", "%s", err)
	}
	return ok(b.Bytes())
}

func (rc *requestContext) adminStats() reply {
	raw, err := json.Marshal(rc.s.stats.Stats)
	if err != nil {
		return errorReply(500, "InternalServerError", "%s", err)
	}
	return ok(raw)
}
