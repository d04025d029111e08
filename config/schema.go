package config

import (
	_ "embed"
	"slices"
)

// schema is made from the structs of the format by schema_test.go; see doc.go.
//
//go:embed schema.json
var schema []byte

// Schema returns the JSON Schema (draft 2020-12) of a config file, for editors. It accepts every file that [Load] accepts,
// and refuses the faults that can be told from one value alone.
func Schema() []byte { return slices.Clone(schema) }
