package azure

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"testing"
	"time"

	"github.com/azbackup/azbackup/internal/azure/arm"
	"github.com/azbackup/azbackup/internal/azure/azuretest"
	"github.com/azbackup/azbackup/internal/azure/quota"
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
	page := roundTripper(func(r *http.Request) (*http.Response, error) {
		h := http.Header{"Content-Type": {"application/json"}}
		return &http.Response{StatusCode: http.StatusOK, Header: h, Body: io.NopCloser(bytes.NewReader(body.Bytes())), Request: r}, nil
	})
	c, err := New(CommandPlan, arm.Options{Endpoint: "https://arm.test", AccessToken: token, Transport: page, Now: time.Now})
	if err != nil {
		b.Fatal(err)
	}
	b.SetBytes(int64(body.Len()))
	b.ReportAllocs()
	for b.Loop() {
		found, err := c.fetchItems(b.Context(), vaultID, quota.Other, nil)
		if err != nil || len(found.items) != 100_000 {
			b.Fatal(err, len(found.items))
		}
	}
}
