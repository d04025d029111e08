package report

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/azbackup/azbackup/internal/audit"
)

// TestHTMLInABrowser opens the report in Chromium, at the sizes it is made for, and uses it.
func TestHTMLInABrowser(t *testing.T) {
	b := newBrowser(t)
	for _, n := range []int{0, 10, 1000, 10000} {
		t.Run(fmt.Sprintf("%d VMs", n), func(t *testing.T) {
			b.t = t
			r := sampleAudit(n)
			b.media("", "light")
			b.do(chromedp.EmulateViewport(1280, 900))
			b.open(r)
			b.shows(r)
			b.searches(r)
			b.sorts(r)
			b.filters(r)
			b.isAccessible()
			b.fitsNarrow()
			b.prints(r)
			b.quiet()
		})
	}
}

// TestALargeReportIsShownPageByPage opens a report of 100,000 machines: what the browser lays out is one page of them, and
// the numbers are those of all.
func TestALargeReportIsShownPageByPage(t *testing.T) {
	b := newBrowser(t)
	r := sampleAudit(100_000)
	b.open(r)
	b.is("machines", b.text("#shown"), "100,000 machines")
	b.is("page", b.text("#page"), "1–50 of 100,000")
	if nodes := eval[int](b, `document.getElementsByTagName("*").length`); nodes > 5000 {
		t.Errorf("%d elements are laid out", nodes)
	}
	t.Logf("%.0f ms from the first byte to a page that can be used", eval[float64](b, `performance.timing.domContentLoadedEventEnd - performance.timing.responseStart`))
	b.quiet()
}

// text returns what an element shows.
func (b *browser) text(selector string) string {
	b.t.Helper()
	return eval[string](b, fmt.Sprintf(`document.querySelector(%q).innerText.trim()`, selector))
}

func (b *browser) is(what, got, want string) {
	b.t.Helper()
	if got != want {
		b.t.Errorf("%s: the page says %q, want %q", what, got, want)
	}
}

// shows compares the numbers on the page with the result's.
func (b *browser) shows(r audit.Result) {
	b.t.Helper()
	b.is("coverage", b.text("#coverage"), formatPercent(r.Summary.Coverage))
	b.is("covered", b.text("#covered"), formatNumber(r.Summary.Covered))
	for _, s := range audit.States() {
		b.is(string(s), b.text(fmt.Sprintf("[data-count=%q]", s)), formatNumber(r.Summary.States[s]))
	}
	b.is("findings", b.text("#finding-count"), fmt.Sprintf("%s, worst first", formatCount(len(r.Findings), "finding")))
	b.is("machines", b.text("#shown"), formatNumber(len(r.VMs))+" machines")
	b.is("rows", fmt.Sprint(b.rows()), fmt.Sprint(min(50, len(r.VMs))))
	if shown := eval[bool](b, `document.getElementById("unread") !== null`); shown != (len(r.Gaps) > 0) {
		b.t.Errorf("the part on what could not be read is there: %v, gaps: %d", shown, len(r.Gaps))
	}
}

func (b *browser) rows() int {
	return eval[int](b, `document.querySelectorAll("#rows > tr:not(.more-row)").length`)
}

func (b *browser) machines(n int, of audit.Result) string {
	if n == len(of.VMs) {
		return formatNumber(n) + " machines"
	}
	return formatNumber(n) + " of " + formatNumber(len(of.VMs)) + " machines"
}

// searches types into the search field, as a person does.
func (b *browser) searches(r audit.Result) {
	b.t.Helper()
	if len(r.VMs) == 0 {
		return
	}
	vm := r.VMs[len(r.VMs)/2]
	for words, want := range map[string]int{
		strings.ToUpper(vm.Name): 1, vm.Name + " no-such-word": 0, vm.ResourceGroup + " " + vm.Name: 1,
		"owner=team-a env=prod": count(r, func(v audit.VM) bool { return v.Tags["owner"] == "team-a" && v.Tags["env"] == "prod" }),
	} {
		b.types(words)
		b.is("search for "+words, b.text("#shown"), b.machines(want, r))
	}
	b.types("x" + kb.Backspace)
	b.is("search taken back", b.text("#shown"), b.machines(len(r.VMs), r))
	lag := eval[float64](b, `(() => { const q = document.getElementById("q"), start = performance.now();
		for (const w of ["s", "sa", "sap", "sap0", ""]) { q.value = w; q.dispatchEvent(new Event("input")); document.body.offsetHeight; }
		return (performance.now() - start) / 5; })()`)
	b.t.Logf("a key in the search field takes %.0f ms", lag) // depends on the machine: what is laid out is bounded instead
}

// types replaces what stands in the search field.
func (b *browser) types(words string) {
	b.t.Helper()
	b.do(chromedp.Click(chromedp.CSS("#q")), chromedp.Func(func(ctx context.Context, target *chromedp.Target) error {
		_, err := cdp.Call(ctx, target, runtime.Evaluate, runtime.EvaluateParams{Expression: `document.getElementById("q").select()`})
		return err
	}), chromedp.KeyEvent(kb.Delete), chromedp.KeyEvent(words))
}

func count(r audit.Result, is func(audit.VM) bool) int {
	n := 0
	for _, vm := range r.VMs {
		if is(vm) {
			n++
		}
	}
	return n
}

// sorts clicks on headings.
func (b *browser) sorts(r audit.Result) {
	b.t.Helper()
	if len(r.VMs) == 0 {
		return
	}
	names := make([]string, len(r.VMs))
	for i, vm := range r.VMs {
		names[i] = vm.Name
	}
	slices.SortFunc(names, cmp.Compare[string])
	first := func() string { return b.text("#rows > tr td.m b") }
	click := func(by string) {
		b.do(chromedp.Click(chromedp.CSS(fmt.Sprintf("[data-sort=%q]", by))))
	}
	click("name")
	b.is("sorted by name", first(), names[0])
	click("name")
	b.is("sorted by name, downwards", first(), names[len(names)-1])
	b.is("aria-sort", eval[string](b, `document.querySelector("th[aria-sort]").getAttribute("aria-sort")`), "descending")
	click("age")
	ages := eval[[]string](b, `[...document.querySelectorAll("#rows > tr td:nth-child(4)")].slice(0, 3).map((td) => td.textContent)`)
	youngest := int64(-1)
	for _, vm := range r.VMs {
		if vm.AgeSeconds != nil && (youngest < 0 || *vm.AgeSeconds < youngest) {
			youngest = *vm.AgeSeconds
		}
	}
	if youngest >= 0 {
		want := fmt.Sprintf("%d h", youngest/3600)
		if youngest < 3600 {
			want = fmt.Sprintf("%d min", youngest/60)
		}
		b.is("youngest point first", ages[0], want)
	}
	click("state")
}

// filters clicks on a state, on a group, opens a row and turns a page.
func (b *browser) filters(r audit.Result) {
	b.t.Helper()
	for _, s := range audit.States() {
		b.do(chromedp.Click(chromedp.CSS(fmt.Sprintf("button.state[data-value=%q]", s))))
		b.is("only "+string(s), b.text("#shown"), b.machines(r.Summary.States[s], r))
	}
	eval[bool](b, `(() => { const s = document.getElementById("state"); s.value = ""; s.dispatchEvent(new Event("change")); return true; })()`)
	if len(r.VMs) == 0 {
		return
	}
	b.do(chromedp.Click(chromedp.CSS("#tab-by-region")), chromedp.Click(chromedp.CSS("#by-region button.share")))
	region := eval[string](b, `document.querySelector("#by-region button.share").dataset.value`)
	b.is("only "+region, b.text("#shown"), b.machines(count(r, func(v audit.VM) bool { return v.Location == region }), r))
	b.do(chromedp.Click(chromedp.CSS("#chip")))
	b.is("filter taken back", b.text("#shown"), b.machines(len(r.VMs), r))
	b.do(chromedp.Click(chromedp.CSS("#rows .x button")))
	if facts := b.text("#rows .more-row"); !strings.Contains(facts, r.VMs[0].Subscription) && !strings.Contains(facts, "/subscriptions/") {
		b.t.Errorf("an opened row does not show the resource id: %q", facts)
	}
	b.do(chromedp.Click(chromedp.CSS("#rows .x button")))
	if len(r.VMs) > 50 {
		b.do(chromedp.Click(chromedp.CSS("#next")))
		b.is("second page", b.text("#page"), fmt.Sprintf("51–%d of %s", min(100, len(r.VMs)), formatNumber(len(r.VMs))))
		b.do(chromedp.Click(chromedp.CSS("#last")))
		b.do(chromedp.Click(chromedp.CSS("#first")))
	}
}

// isAccessible looks for text of too little contrast, controls without a name, ids that stand twice, and headings
// that leave a level out; and uses the keyboard.
func (b *browser) isAccessible() {
	b.t.Helper()
	for _, scheme := range []string{"light", "dark"} {
		b.media("", scheme)
		for _, bad := range eval[[]string](b, contrastJS) {
			b.t.Errorf("%s: too little contrast: %s", scheme, bad)
		}
	}
	b.media("", "light")
	for _, bad := range eval[[]string](b, `(() => {
		const bad = [], name = (e) => (e.getAttribute("aria-label") || e.getAttribute("aria-labelledby") || e.textContent || e.closest("label")?.textContent || "").trim();
		for (const e of document.querySelectorAll("button, a, input, select, summary, svg[role=img]")) if (!e.closest("[hidden]") && !name(e)) bad.push("no name: " + e.outerHTML.slice(0, 90));
		const ids = [...document.querySelectorAll("[id]")].map((e) => e.id);
		for (const id of new Set(ids.filter((id, i) => ids.indexOf(id) !== i))) bad.push("id twice: " + id);
		let level = 0;
		for (const h of document.querySelectorAll("h1, h2, h3, h4")) { const l = +h.tagName[1]; if (l > level + 1) bad.push("heading: " + h.textContent); level = l; }
		if (document.querySelectorAll("h1").length !== 1) bad.push("not one h1");
		for (const t of document.querySelectorAll("table")) if (!t.closest("[hidden]") && !t.caption && !t.closest("section[aria-labelledby]")) bad.push("table without a name");
		return bad; })()`) {
		b.t.Error(bad)
	}
	b.worksByKeyboard()
}

// worksByKeyboard goes from the top of the page by Tab: the first stop skips to the table, and arrows move in the tabs.
func (b *browser) worksByKeyboard() {
	b.t.Helper()
	focus := func() string {
		return eval[string](b, `(document.activeElement.id || document.activeElement.className || document.activeElement.tagName)`)
	}
	eval[bool](b, `(document.activeElement.blur(), scrollTo(0, 0), true)`)
	b.do(chromedp.Focus(chromedp.CSS("a.skip")))
	b.is("first stop", focus(), "skip")
	b.do(chromedp.KeyEvent(kb.Tab))
	b.is("second stop", focus(), "A")
	b.do(chromedp.Click(chromedp.CSS("#tab-by-subscription")), chromedp.KeyEvent(kb.ArrowRight))
	b.is("arrow in the tabs", focus(), "tab-by-region")
	b.is("its panel", eval[string](b, `String(document.getElementById("by-region").hidden)`), "false")
}

// fitsNarrow looks at the page on a telephone.
func (b *browser) fitsNarrow() {
	b.t.Helper()
	b.do(chromedp.EmulateViewport(390, 844))
	if wide := eval[int](b, `document.scrollingElement.scrollWidth - innerWidth`); wide > 0 {
		b.t.Errorf("on 390 px the page is %d px too wide", wide)
	}
	b.do(chromedp.EmulateViewport(1280, 900))
}

// prints prints the page: as many rows as are worth it, and what was cut is said.
func (b *browser) prints(r audit.Result) {
	b.t.Helper()
	eval[bool](b, `dispatchEvent(new Event("beforeprint"))`)
	b.is("printed rows", fmt.Sprint(b.rows()), fmt.Sprint(min(200, len(r.VMs))))
	if cut := strings.Contains(b.text("#shown"), "the first 200 are printed"); cut != (len(r.VMs) > 200) {
		b.t.Errorf("of %d rows it is said that some are cut: %v", len(r.VMs), cut)
	}
	eval[bool](b, `dispatchEvent(new Event("afterprint"))`)
	b.is("rows after printing", fmt.Sprint(b.rows()), fmt.Sprint(min(50, len(r.VMs))))
	if len(r.VMs) > 1000 {
		return // the paper would be the same
	}
	if pdf, err := chromedp.Run(b.ctx, chromedp.PrintToPDF(chromedp.PDFPaper(chromedp.PaperA4))); err != nil || len(pdf) < 10000 {
		b.t.Errorf("printing gave %d bytes: %v", len(pdf), err)
	}
}

// contrastJS finds visible text whose contrast with what lies behind it is below WCAG AA (4.5, or 3 for large text).
const contrastJS = `(() => {
	const parse = (c) => { const m = c.match(/[\d.]+/g).map(Number); return { rgb: m.slice(0, 3), a: m.length > 3 ? m[3] : 1 }; };
	const canvas = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
	const rgba = (c) => { if (c.startsWith("rgb")) return parse(c); canvas.clearRect(0, 0, 1, 1); canvas.fillStyle = c; canvas.fillRect(0, 0, 1, 1); const d = canvas.getImageData(0, 0, 1, 1).data; return { rgb: [...d.slice(0, 3)], a: d[3] / 255 }; };
	const light = ({ rgb }) => { const [r, g, b] = rgb.map((v) => { v /= 255; return v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4; }); return 0.2126 * r + 0.7152 * g + 0.0722 * b; };
	const behind = (e) => { for (; e; e = e.parentElement) { const c = rgba(getComputedStyle(e).backgroundColor); if (c.a > 0.8) return c; } return { rgb: [255, 255, 255], a: 1 }; };
	const bad = new Set(), walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
	for (let n; (n = walker.nextNode());) {
		const e = n.parentElement;
		if (!n.data.trim() || e.closest("script, style, [hidden], .hidden, .skip, noscript") || !e.getClientRects().length || e.disabled) continue;
		const style = getComputedStyle(e), svg = e.namespaceURI.endsWith("svg");
		if (svg && (e.tagName === "title" || e.tagName === "desc")) continue;
		const front = rgba(svg ? style.fill : style.color), back = behind(e), [x, y] = [light(front), light(back)];
		const ratio = (Math.max(x, y) + 0.05) / (Math.min(x, y) + 0.05), size = parseFloat(style.fontSize);
		if (ratio < (size >= 24 || size >= 18.5 && style.fontWeight >= 700 ? 3 : 4.5)) bad.add(n.data.trim().slice(0, 30) + " " + ratio.toFixed(2) + " ." + e.className);
	}
	return [...bad].slice(0, 20);
})()`
