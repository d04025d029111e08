package azure

import (
	"bytes"
	"fmt"
	"testing"
	"time"

	"github.com/azbackup/azbackup/internal/azure/azuretest"
	"github.com/azbackup/azbackup/internal/azure/wire"
)

// The requirement of docs/design.md §10 and of large estates: 100,000 items in 1.5 s at most.
func BenchmarkItems100000(b *testing.B) {
	var body bytes.Buffer
	body.WriteString(`{"value":[`)
	for i := range 100_000 {
		if i > 0 {
			body.WriteByte(',')
		}
		body.WriteString(azuretest.Item(vaultID, fmt.Sprintf("vm-%05d", i)))
	}
	body.WriteString(`]}`)
	b.SetBytes(int64(body.Len()))
	b.ReportAllocs()
	for b.Loop() {
		p, err := decodePage(bytes.NewReader(body.Bytes()), 0, false, wire.NewRowFunc[wire.Item](nil))
		if err != nil || len(p.value) != 100_000 {
			b.Fatal(err, len(p.value))
		}
		for _, w := range p.value {
			if _, err := w.ToPlan(vaultID, time.Time{}); err != nil {
				b.Fatal(err)
			}
		}
	}
}
