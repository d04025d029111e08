package simulator

import (
	"bytes"
	"encoding/json"
)

// The simulator's own endpoints, below /_simulator/. They are not Azure's and are not counted.

// adminState answers the estate file as it would be written now.
func (c *call) adminState() reply {
	var b bytes.Buffer
	if err := c.st.write(&b); err != nil {
		return fail(500, "InternalServerError", "%s", err)
	}
	return ok(b.Bytes())
}

func (c *call) adminStats() reply {
	raw, err := json.Marshal(c.s.stats.Stats)
	if err != nil {
		return fail(500, "InternalServerError", "%s", err)
	}
	return ok(raw)
}
