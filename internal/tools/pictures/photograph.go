package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
)

// The part of the page that a picture shows, in CSS pixels.
const pageWidth, pageHeight = 1120, 760

var errNoBrowser = errors.New("the page of an audit changed, and its picture is taken with Chromium, which this machine lacks (Debian: apt-get install chromium)")

// photograph returns a PNG of the top of a page, in a scheme.
func photograph(ctx context.Context, page []byte, scheme string) ([]byte, error) {
	browser := findBrowser()
	if browser == "" {
		return nil, errNoBrowser
	}
	dir, err := os.MkdirTemp("", "azbackup-page-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir) //nolint:errcheck // Chromium's children may still write there: what stays is the temporary folder's
	file := filepath.Join(dir, "audit.html")
	if err := os.WriteFile(file, page, 0o600); err != nil {
		return nil, err
	}
	ctx, stop := chromedp.NewExecAllocator(ctx, append(slices.Clone(chromedp.DefaultExecAllocatorOptions[:]),
		chromedp.ExecPath(browser), chromedp.NoSandbox, chromedp.DisableGPU, chromedp.UserDataDir(filepath.Join(dir, "profile")),
		chromedp.Flag("disable-background-networking", true), chromedp.Flag("disable-component-update", true), chromedp.Flag("disable-sync", true),
		chromedp.Flag("hide-scrollbars", true), chromedp.Flag("font-render-hinting", "none"))...)
	defer stop()
	ctx, closeTab := chromedp.NewContext(ctx)
	defer closeTab()
	err = chromedp.Do(ctx, chromedp.EmulateViewport(pageWidth, pageHeight), chromedp.Func(func(ctx context.Context, target *chromedp.Target) error {
		_, err := cdp.Call(ctx, target, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
			Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}, {Name: "prefers-reduced-motion", Value: "reduce"}},
		})
		return err
	}), chromedp.Navigate((&url.URL{Scheme: "file", Path: file}).String()))
	if err != nil {
		return nil, err
	}
	return chromedp.Run(ctx, chromedp.CaptureScreenshot())
}

// findBrowser returns the path of Chromium, or "".
func findBrowser() string {
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome", "chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	return ""
}

func digest(page []byte) []byte {
	sum := sha256.Sum256(page)
	return sum[:]
}

// chunkType is that of the chunk of a PNG that has the digest of the page it shows: by its letters' case one that readers may
// skip, of nobody else's, and not to be copied into another picture (PNG, section 5.4).
const chunkType = "azBP"

const signatureAndHeader = 8 + 25 // bytes: the signature, and IHDR, which comes first

// withDigest adds the digest of the page to a PNG, so that a picture and what it shows can be compared without a browser.
func withDigest(picture, sum []byte) ([]byte, error) {
	if len(picture) < signatureAndHeader || !bytes.HasPrefix(picture, []byte("\x89PNG\r\n\x1a\n")) {
		return nil, errors.New("the browser's picture is no PNG")
	}
	body := append([]byte(chunkType), sum...)
	chunk := binary.BigEndian.AppendUint32(nil, uint32(len(sum)))
	chunk = binary.BigEndian.AppendUint32(append(chunk, body...), crc32.ChecksumIEEE(body))
	return slices.Concat(picture[:signatureAndHeader], chunk, picture[signatureAndHeader:]), nil
}

// digestIn returns the digest that withDigest added, or nil.
func digestIn(picture []byte) []byte {
	const at = signatureAndHeader + 4
	if len(picture) < at+len(chunkType)+sha256.Size || string(picture[at:at+len(chunkType)]) != chunkType {
		return nil
	}
	return picture[at+len(chunkType):][:sha256.Size]
}
