package config

import (
	"encoding/json"
	"os"
	"strings"
	"testing"
)

const production = "../examples/production.yaml"

func TestTheProductionExampleIsSilentAndShowsEveryKeyAndDefault(t *testing.T) {
	if got := messages(t, production); got != "" {
		t.Errorf("messages:\n%s", got)
	}
	if err := validate(compileSchema(t), production); err != nil {
		t.Error(err)
	}
	text, err := os.ReadFile(production)
	if err != nil {
		t.Fatal(err)
	}
	if first, _, _ := strings.Cut(string(text), "\n"); first != "# yaml-language-server: $schema="+schemaID {
		t.Errorf("the first line is %q: editors find the schema there", first)
	}
	var doc any
	if err := json.Unmarshal(Schema(), &doc); err != nil {
		t.Fatal(err)
	}
	keys := map[string]bool{}
	collectKeys(doc, keys)
	if len(keys) < 60 {
		t.Errorf("the schema has only %d keys", len(keys))
	}
	for key := range keys {
		if !strings.Contains(string(text), key+":") {
			t.Errorf("the example does not show %q", key)
		}
	}
}

// collectKeys gathers the names of all properties in a schema.
func collectKeys(v any, keys map[string]bool) {
	switch v := v.(type) {
	case map[string]any:
		properties, _ := v["properties"].(map[string]any)
		for key := range properties {
			keys[key] = true
		}
		for _, inner := range v {
			collectKeys(inner, keys)
		}
	case []any:
		for _, inner := range v {
			collectKeys(inner, keys)
		}
	}
}
