package report

import (
	"context"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"

	"github.com/azbackup/azbackup/internal/audit"
)

// browser is a Chromium with one tab, which remembers what a page must not do: complain, and ask for anything.
type browser struct {
	t   *testing.T
	ctx context.Context

	mu       sync.Mutex
	requests []string
	errors   []string
}

// newBrowser starts Chromium, or skips the test aloud.
func newBrowser(t *testing.T) *browser {
	t.Helper()
	path := ""
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome", "chrome"} {
		if p, err := exec.LookPath(name); err == nil {
			path = p
			break
		}
	}
	if path == "" {
		t.Skip("REPORT NOT LOOKED AT: no Chromium on this machine")
	}
	if testing.Short() {
		t.Skip("REPORT NOT LOOKED AT: -short")
	}
	ctx, stop := chromedp.NewExecAllocator(context.Background(), append(slices.Clone(chromedp.DefaultExecAllocatorOptions[:]),
		chromedp.ExecPath(path), chromedp.NoSandbox, chromedp.DisableGPU, chromedp.UserDataDir(profile(t)), chromedp.WindowSize(1280, 900),
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-component-update", true), chromedp.Flag("disable-sync", true),
		chromedp.Flag("disable-background-networking", true))...)
	t.Cleanup(stop)
	ctx, closeTab := chromedp.NewContext(ctx)
	t.Cleanup(closeTab)
	b := &browser{t: t, ctx: ctx}
	b.must(chromedp.Listen(ctx, b.event))
	b.must(chromedp.Do(ctx, chromedp.Func(func(ctx context.Context, target *chromedp.Target) error {
		if _, err := cdp.Call(ctx, target, network.Enable, network.EnableParams{}); err != nil {
			return err
		}
		_, err := cdp.Call(ctx, target, log.Enable, cdp.Empty{})
		return err
	})))
	return b
}

// profile returns a fresh folder; Chromium's children may still write there for a moment after it has ended.
func profile(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "azbackup-chromium-") //nolint:usetesting // t.TempDir fails the test when a child still writes there
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		for range 50 {
			if os.RemoveAll(dir) == nil {
				return
			}
			time.Sleep(50 * time.Millisecond)
		}
	})
	return dir
}

func (b *browser) event(ev any) {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch ev := ev.(type) {
	case *network.EventRequestWillBeSent:
		b.requests = append(b.requests, ev.Request.URL)
	case *runtime.EventExceptionThrown:
		b.errors = append(b.errors, fmt.Sprintf("exception: %s %v", ev.ExceptionDetails.Text, ev.ExceptionDetails.Exception))
	case *runtime.EventConsoleAPICalled:
		b.errors = append(b.errors, fmt.Sprintf("console.%s", ev.Type))
	case *log.EventEntryAdded:
		b.errors = append(b.errors, fmt.Sprintf("log: %s: %s", ev.Entry.Level, ev.Entry.Text))
	}
}

func (b *browser) must(err error) {
	b.t.Helper()
	if err != nil {
		b.t.Fatal(err)
	}
}

// do acts in the page; what takes longer than a person would wait fails the test.
func (b *browser) do(steps ...chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, 20*time.Second)
	defer cancel()
	b.must(chromedp.Do(ctx, steps...))
}

// open writes a result as a page and opens it.
func (b *browser) open(r audit.Result) {
	b.t.Helper()
	path := filepath.Join(b.t.TempDir(), "audit.html")
	f, err := os.Create(path)
	b.must(err)
	b.must(AuditHTML(f, r))
	b.must(f.Close())
	b.must(chromedp.Do(b.ctx, chromedp.Navigate((&url.URL{Scheme: "file", Path: path}).String())))
}

// eval evaluates JavaScript in the page.
func eval[T any](b *browser, js string) T {
	b.t.Helper()
	v, err := chromedp.Run(b.ctx, chromedp.Evaluate[T](js))
	if err != nil {
		b.t.Fatalf("%s: %v", js, err)
	}
	return v
}

// quiet fails when the page complained or asked for anything but itself.
func (b *browser) quiet() {
	b.t.Helper()
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, e := range b.errors {
		b.t.Errorf("the page complains: %s", e)
	}
	for _, u := range b.requests {
		if !strings.HasPrefix(u, "file:///") && !strings.HasPrefix(u, "data:") && u != "about:blank" {
			b.t.Errorf("a request leaves the file: %s", u)
		}
	}
}

func (b *browser) media(media, scheme string) {
	b.t.Helper()
	b.must(chromedp.Do(b.ctx, chromedp.Func(func(ctx context.Context, target *chromedp.Target) error {
		_, err := cdp.Call(ctx, target, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
			Media: media, Features: []*emulation.MediaFeature{
				// Without smooth scrolling, so that a click meets what it was aimed at.
				{Name: "prefers-color-scheme", Value: scheme}, {Name: "prefers-reduced-motion", Value: "reduce"},
			},
		})
		return err
	})))
}

// TestHTMLLooks writes screenshots for people when AZBACKUP_SHOTS names a folder.
func TestHTMLLooks(t *testing.T) {
	dir := os.Getenv("AZBACKUP_SHOTS")
	if dir == "" {
		t.Skip("AZBACKUP_SHOTS is not set: no screenshots")
	}
	b := newBrowser(t)
	shot := func(name string) {
		for i := range 3 {
			eval[float64](b, fmt.Sprintf("scrollTo({top: %d*(innerHeight-60), behavior: 'instant'}), scrollY", i))
			png, err := chromedp.Run(b.ctx, chromedp.CaptureScreenshot())
			b.must(err)
			b.must(os.WriteFile(filepath.Join(dir, fmt.Sprintf("%s-%d.png", name, i)), png, 0o644))
		}
	}
	for _, n := range []int{0, 10, 1000, 10000} {
		b.must(chromedp.Do(b.ctx, chromedp.EmulateViewport(1280, 1300)))
		b.media("", "light")
		b.open(sampleAudit(n))
		shot(fmt.Sprintf("%d-light", n))
		b.media("", "dark")
		shot(fmt.Sprintf("%d-dark", n))
		b.media("", "light")
		b.must(chromedp.Do(b.ctx, chromedp.EmulateViewport(390, 1200)))
		shot(fmt.Sprintf("%d-narrow", n))
		b.must(chromedp.Do(b.ctx, chromedp.ResetViewport()))
		pdf, err := chromedp.Run(b.ctx, chromedp.PrintToPDF(chromedp.PDFPaper(chromedp.PaperA4)))
		b.must(err)
		b.must(os.WriteFile(filepath.Join(dir, fmt.Sprintf("%d.pdf", n)), pdf, 0o644))
	}
	b.quiet()
}
