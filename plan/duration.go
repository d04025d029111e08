package plan

import "time"

// Duration is a [time.Duration] that reads and writes ISO 8601 in JSON ("PT4M").
type Duration time.Duration
