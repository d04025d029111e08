package costs

import (
	"io"
	"testing"
	"testing/synctest"
)

// Every work runs on a small estate, with recorded replies alone.
func TestEveryWorkRuns(t *testing.T) {
	w, err := NewWorld(t.Context(), t.TempDir(), Shape{VMs: 40, Vaults: 4, Rules: 4, Policies: 2, Subscriptions: 2, Protected: 9})
	if err != nil {
		t.Fatal(err)
	}
	for _, k := range Works() {
		if err := k.Run(t.Context(), w, io.Discard); err != nil {
			t.Errorf("%s: %v", k.Name, err)
		}
	}
	if got := len(w.observed.Items); got != 36 || len(w.plan.Changes) == 0 {
		t.Errorf("%d items and %d changes, want 36 items and a change for each other machine", got, len(w.plan.Changes))
	}
}

// The cost of discovery is counted without the server: no request reaches it twice.
func TestOnlyWhatWasAskedBeforeIsAnswered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) { // the client tries again, and waits in between
		w, err := NewWorld(t.Context(), t.TempDir(), Shape{VMs: 4, Protected: 10})
		if err != nil {
			t.Fatal(err)
		}
		w.canned.answers = map[string]answer{}
		if o, _, err := w.Discover(t.Context(), false); err == nil && len(o.Gaps) == 0 {
			t.Error("discovery succeeded without an answer")
		}
	})
}
