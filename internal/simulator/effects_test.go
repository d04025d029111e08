package simulator

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/azbackup/azbackup/internal/simulator/rawjson"
	"github.com/azbackup/azbackup/internal/simulator/settings"
	"github.com/azbackup/azbackup/internal/simulator/state"
)

// An operation's effect comes later than its request but is attributed to it; another client's effect is attributed to
// that client.
func TestEffectsNameTheirCause(t *testing.T) {
	bubble(t, func(t *testing.T) {
		var effects []state.Effect
		number := 0
		slow := settings.ConcurrentClient{Method: "PUT", Path: itemPath("VM2") + "?api-version=" + testAPI, Body: json.RawMessage(protectBody("VM2", "daily")), Slow: true}
		patch := settings.ConcurrentClient{Method: "PATCH", Path: testVault + "?api-version=" + testAPI, Body: json.RawMessage(`{"tags":{"owner":"somebody"}}`)}
		c := serve(t, estate(t), Options{
			Settings: quick(),
			Effects:  func(e state.Effect) { effects = append(effects, e) },
			ConcurrentClients: func(n int, r *http.Request) []settings.ConcurrentClient {
				number = n
				if r.Method != http.MethodPut {
					return nil
				}
				return []settings.ConcurrentClient{slow, patch}
			},
		})
		c.get(testVault)
		c.do("PUT", itemPath("VM1"), protectBody("VM1", "daily"), 202)
		put := number
		if put != 2 || len(effects) != 2 || tagOf(effects[1].After) != "somebody" || effects[1].Cause != (state.Cause{Request: put, IsConcurrentClient: true}) {
			t.Fatalf("request %d, effects %+v", put, effects)
		}
		time.Sleep(time.Minute)
		c.get(testVault)
		of := func(name string) state.Cause {
			i := slices.IndexFunc(effects, func(e state.Effect) bool {
				return e.Section == "protectedItems" && strings.EqualFold(rawjson.TextAt(e.After, "properties", "friendlyName"), name)
			})
			if i < 0 || effects[i].Before != nil {
				t.Fatalf("effects of %s: %+v", name, effects)
			}
			return effects[i].Cause
		}
		if ours, his := of("VM1"), of("VM2"); ours != (state.Cause{Request: put}) || his != (state.Cause{Request: put, IsConcurrentClient: true}) {
			t.Errorf("%+v, %+v", ours, his)
		}
		c.do("DELETE", itemPath("VM1"), "", 202)
		time.Sleep(20 * 24 * time.Hour)
		c.get(testVault)
		if last := effects[len(effects)-1]; last.After != nil || last.Before == nil || last.Cause != (state.Cause{}) {
			t.Errorf("the purge: %+v", last)
		}
	})
}

func tagOf(body []byte) string { return rawjson.TextAt(body, "tags", "owner") }
