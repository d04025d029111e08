package azure

import "encoding/json"

type recorder struct{}

func (r *recorder) tap(string) func(json.RawMessage) { return nil }
func (r *recorder) add(string, json.RawMessage)      {}
func (r *recorder) refused(error)                    {}
