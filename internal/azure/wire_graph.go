package azure

import "encoding/json"

// wireGraphPage is a page of an answer of Resource Graph (docs/azure.md §10).
type wireGraphPage struct {
	tolerantRow
	Total     int               `json:"totalRecords"`
	Data      []json.RawMessage `json:"data"`
	Truncated string            `json:"resultTruncated"`
	Token     string            `json:"$skipToken"`
}

// problem describes what was not understood of the page as a whole; "" = nothing.
func (p *wireGraphPage) problem() string {
	if p.Data == nil && p.wrong == "" {
		return "the answer has no list in it"
	}
	return p.wrong
}
