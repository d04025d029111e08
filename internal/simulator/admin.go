package simulator

import (
	"bytes"
	"encoding/json"

	"github.com/azbackup/azbackup/internal/simulator/reply"
)

// The simulator's own endpoints, below /_simulator/. They are not Azure's and are not counted.

// adminState returns the estate file as it would be written now.
func (rc *requestContext) adminState() reply.Reply {
	var b bytes.Buffer
	if err := rc.st.Write(&b); err != nil {
		return reply.Error(500, "InternalServerError", "%s", err)
	}
	return reply.OK(b.Bytes())
}

func (rc *requestContext) adminStats() reply.Reply {
	raw, err := json.Marshal(rc.s.stats.Stats)
	if err != nil {
		return reply.Error(500, "InternalServerError", "%s", err)
	}
	return reply.OK(raw)
}
