package main

import (
	"bytes"
	"image"
	"image/color"
	"image/png"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestThePicturesOfTerminalsAreWhatTheProgramPrints(t *testing.T) {
	t.Chdir("../../..")
	made, err := terminals(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range made {
		have, err := os.ReadFile(filepath.Join(folder, name))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(string(have), string(want)); diff != "" {
			t.Errorf("%s is not of today's program, run make generate (-have +want):\n%s", name, diff)
		}
	}
}

// Who cannot see a picture is told what it says.
func TestTheReadmeSaysInWordsWhatThePicturesShow(t *testing.T) {
	t.Chdir("../../..")
	text, err := recordPlan(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	page, err := auditPage(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	readme, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	plain := regexp.MustCompile("\x1b\\[[0-9;]*m").ReplaceAllString(strings.TrimSpace(text), "")
	total := plain[strings.LastIndex(plain, "\n")+1:]
	coverage := regexp.MustCompile(`\d+ of \d+ virtual machines can be restored from a fresh backup; \d+ cannot\.`).Find(page)
	for _, want := range []string{total, string(coverage)} {
		if want == "" || !regexp.MustCompile(`<img alt="[^"]*`+regexp.QuoteMeta(want)).Match(readme) {
			t.Errorf("no picture of the README says %q", want)
		}
	}
}

func TestThePicturesOfTheAuditAreOfTodaysPage(t *testing.T) {
	t.Chdir("../../..")
	page, err := auditPage(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, scheme := range schemes() {
		picture, err := os.ReadFile(filepath.Join(folder, auditPicture(scheme)))
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(digestIn(picture), digest(page)) {
			t.Errorf("%s is of another page than the audit writes now: make generate takes it anew, with Chromium", auditPicture(scheme))
		}
	}
}

// Browsers and fonts differ a little from machine to machine; another page or the other scheme differs in most of it.
func TestThePicturesOfTheAuditAreWhatABrowserShows(t *testing.T) {
	if findBrowser() == "" || testing.Short() {
		t.Skip("PICTURES NOT COMPARED: no Chromium on this machine, or -short")
	}
	t.Chdir("../../..")
	page, err := auditPage(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	shots := map[string]image.Image{}
	for _, scheme := range schemes() {
		shot, err := photograph(t.Context(), page, scheme)
		if err != nil {
			t.Fatal(err)
		}
		shots[scheme] = decode(t, shot)
		kept, err := os.ReadFile(filepath.Join(folder, auditPicture(scheme)))
		if err != nil {
			t.Fatal(err)
		}
		if share := difference(t, decode(t, kept), shots[scheme]); share > 0.1 {
			t.Errorf("%s: %.0f %% of it is not what the browser shows", auditPicture(scheme), 100*share)
		}
	}
	if share := difference(t, shots["light"], shots["dark"]); share < 0.5 {
		t.Errorf("light and dark differ in %.0f %% only", 100*share)
	}
}

func decode(t *testing.T, data []byte) image.Image {
	t.Helper()
	picture, err := png.Decode(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	return picture
}

// difference returns the share of pixels whose brightness differs by an eighth of the whole scale or more.
func difference(t *testing.T, a, b image.Image) float64 {
	t.Helper()
	if a.Bounds() != b.Bounds() {
		t.Fatalf("one is %v, the other %v", a.Bounds(), b.Bounds())
	}
	bounds, other := a.Bounds(), 0
	for y := bounds.Min.Y; y < bounds.Max.Y; y++ {
		for x := bounds.Min.X; x < bounds.Max.X; x++ {
			p, q := int(color.GrayModel.Convert(a.At(x, y)).(color.Gray).Y), int(color.GrayModel.Convert(b.At(x, y)).(color.Gray).Y)
			if max(p-q, q-p) >= 32 {
				other++
			}
		}
	}
	return float64(other) / float64(bounds.Dx()*bounds.Dy())
}

func TestAPictureOfATerminalKeepsColoursColumnsAndOddNames(t *testing.T) {
	svg, err := draw("a & b", "\x1b[32m+\x1b[0m name   \x1b[1;31m<b>\x1b[22m&\x1b[39m x\n", themes()[0])
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		`aria-label="a &amp; b"`,
		`<text x="16.0" y="30" textLength="8.4" lengthAdjust="spacingAndGlyphs" fill="#116329">+</text>`,
		`<text x="32.8" y="30" textLength="33.6" lengthAdjust="spacingAndGlyphs">name</text>`,
		`<text x="91.6" y="30" textLength="25.2" lengthAdjust="spacingAndGlyphs" fill="#cf222e" font-weight="bold">&lt;b&gt;</text>`,
		`fill="#cf222e">&amp;</text>`,
	} {
		if !strings.Contains(string(svg), want) {
			t.Errorf("it lacks %s:\n%s", want, svg)
		}
	}
	for _, text := range []string{"\x1b[2K", "\x1b[48;5;1mx", "\x1b[1mx\x1b[A"} {
		if _, err := draw("", text, themes()[0]); err == nil {
			t.Errorf("%q is drawn", text)
		}
	}
}

func TestOnlyAPNGTakesADigest(t *testing.T) {
	if _, err := withDigest([]byte("no picture"), digest(nil)); err == nil {
		t.Error("a text took one")
	}
	if digestIn([]byte("no picture")) != nil {
		t.Error("a text has one")
	}
}
