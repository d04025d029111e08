package wire

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/google/go-cmp/cmp"

	"github.com/azbackup/azbackup/internal/azure/azuretest"
)

// readBothWays decodes raw as a row and with encoding/json, and returns the difference.
func readBothWays[T any](raw string) string {
	var row, whole T
	d := NewRowDecoder[T](nil)
	rowErr := d.Decode([]byte(raw), &row)
	var again T
	if d.Decode([]byte(raw), &again); fmt.Sprintf("%#v", again) != fmt.Sprintf("%#v", row) {
		return fmt.Sprintf("again: %#v, first: %#v", again, row)
	}
	wholeErr := Unmarshal([]byte(raw), &whole)
	if (rowErr == nil) != (wholeErr == nil) {
		return fmt.Sprintf("as a row: %v; whole: %v", rowErr, wholeErr)
	}
	said := strings.ReplaceAll(fmt.Sprintf("%#v", whole), "osDisk.vmDisk.", "osDisk.") // json names the embedded type
	return cmp.Diff(said, fmt.Sprintf("%#v", row))
}

// FuzzRowsAreReadAsJSONReadsThem checks that the decoder of rows, which skips unused fields, and encoding/json agree on
// every valid row.
func FuzzRowsAreReadAsJSONReadsThem(f *testing.F) {
	item := azuretest.Item(vaultID, "VM1", azuretest.SoftDeleted)
	for _, raw := range []string{
		item, strings.ReplaceAll(item, `:`, " :\n\t"), strings.ReplaceAll(item, `"properties"`, `"PROPERTIES"`), strings.ReplaceAll(item, `"id"`, `"\u0069d"`),
		`{"properties":{"TIMEZONE":"UTC"}}`, `{"NAME":"x","TAGS":{"a":"b"},"LOCATION":"w","PROPERTIES":{"STORAGEPROFILE":{"OSDISK":{"DISKSIZEGB":5}}}}`, `{"ID":"a"}`, `{"@d":"a","[D":"b"}`, `{"` + strings.Repeat("i", longestName) + `":"a"}`, `{"` + strings.Repeat("i", longestName+1) + `":"a"}`,
		`{}`, `null`, `7`, `"x"`, `[]`, `true`, `{"id":null}`, `{"id":{"a":[1,"]}"]}}`, `{"id":"\\\"}","name":"\ud83d\ude00"}`,
		`{"properties":[{"id":1}]}`, `{"properties":null,"id":"a"}`, `{"properties":"?","id":7.5e3}`,
		`{"tags":{"a":"b","c":null},"properties":{"storageProfile":{"dataDisks":[{"lun":1},null,{"lun":"x","managedDisk":7}]}}}`,
		`{"tags":[],"properties":{"storageProfile":{"osDisk":{"managedDisk":[],"diskSizeGB":1,"diffDiskSettings":{"option":"Local"}},"dataDisks":{"a":1}}}}`,
		`{"properties":{"storageProfile":{"dataDisks":null}},"plan":false}`, `{"properties":{"storageProfile":{"dataDisks":[5]}}}`,
		`{"properties":{"extendedProperties":{"diskExclusionProperties":{"diskLunList":[1],"isInclusionList":true}},"errorDetails":[{"errorCode":"x"}]}}`,
	} {
		f.Add(raw)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		// encoding/json has its own rule for duplicate keys, and for case folding beyond ASCII.
		if !jsontext.Value(raw).IsValid() || !json.Valid([]byte(raw)) || strings.ContainsAny(raw, "ſK") {
			t.Skip()
		}
		raw = strings.TrimSpace(raw)
		for name, d := range map[string]string{
			"VM": readBothWays[VM](raw), "item": readBothWays[Item](raw), "vault": readBothWays[Vault](raw),
			"job": readBothWays[Job](raw), "policy": readBothWays[Policy](raw),
		} {
			if d != "" {
				t.Errorf("%s %s: %s", name, raw, d)
			}
		}
	})
}

// A value that is named twice has its last value, as encoding/json has it.
func TestANullOfARowTakesAListBack(t *testing.T) {
	for _, raw := range []string{
		`{"properties":{"storageProfile":{"dataDisks":[{"lun":1}],"dataDisks":null}}}`,
		`{"properties":{"storageProfile":{"dataDisks":[{"lun":1}]},"storageProfile":{"dataDisks":null}}}`,
		`{"id":"a","id":null}`,
	} {
		if d := readBothWays[VM](raw); d != "" {
			t.Errorf("%s: %s", raw, d)
		}
	}
}
