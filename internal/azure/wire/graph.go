package wire

import "encoding/json"

// GraphPage is a page of an answer of Resource Graph (docs/azure.md §10).
type GraphPage struct {
	tolerantRow
	Total     int               `json:"totalRecords"`
	Data      []json.RawMessage `json:"data"`
	Truncated string            `json:"resultTruncated"`
	Token     string            `json:"$skipToken"`
}

// Problem describes what was not understood of the page as a whole; "" = nothing.
func (p *GraphPage) Problem() string {
	if p.Data == nil && p.wrong == "" {
		return "the answer has no list in it"
	}
	return p.wrong
}
