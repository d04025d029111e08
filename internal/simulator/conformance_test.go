package simulator

import (
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/azbackup/azbackup/internal/simulator/ids"
	"github.com/azbackup/azbackup/internal/simulator/settings"
)

// conformance collects the results of the comparison.
type conformance struct {
	requests, skipped int
	compared, agreed  map[string]int
	ignoredN          map[string]int
	differences       map[string]string // field: first example
	times             map[string]int

	ignored, normalised *lookup
}

func newConformance() *conformance {
	return &conformance{
		compared: map[string]int{}, agreed: map[string]int{}, ignoredN: map[string]int{}, differences: map[string]string{},
		times: map[string]int{}, ignored: newLookup(ignored()), normalised: newLookup(normalised()),
	}
}

// share returns the part of the compared fields that agrees.
func (n *conformance) share() float64 {
	return float64(total(n.agreed)) / float64(max(total(n.compared), 1))
}

func total(m map[string]int) int {
	sum := 0
	for _, v := range m {
		sum += v
	}
	return sum
}

// kindOf returns the kind of resource in a reply's body.
func kindOf(x *exchange) string {
	low := strings.ToLower(x.path)
	last := ids.LastSegment(low)
	switch {
	case strings.Contains(low, "/operationstatus/"):
		return "vault operation"
	case strings.Contains(low, "/backupoperations/") || strings.Contains(low, "/operationresults/"):
		return "operation"
	case strings.Contains(low, "/recoverypoints"):
		if x.Method == "POST" {
			return "restore"
		}
		return "recovery point"
	case strings.Contains(low, "/backupjobs"):
		if x.Method == "POST" {
			return "cancel"
		}
		return "job"
	case strings.Contains(low, "/backuppolicies"):
		return "policy"
	case last == "backupprotecteditems" || strings.Contains(low, "/protecteditems/"):
		return "item"
	case last == "backupprotectableitems":
		return "protectable item"
	case strings.HasSuffix(last, "protectioncontainers"):
		return "container"
	case strings.Contains(low, "/storageaccounts/"):
		return "storage account"
	case strings.Contains(low, "/virtualmachines/"):
		return "vm"
	case strings.Contains(low, "/vaults/") && strings.Count(low, "/") == 8:
		return "vault"
	case strings.Count(low, "/") == 4:
		return "resource group"
	}
	return last
}

// compare compares the simulator's reply with the recorded one.
func (n *conformance) compare(x *exchange, got answered, r *replay) {
	n.requests++
	kind := kindOf(x)
	recorded := map[string]string{}
	for name, value := range x.Headers {
		recorded[name] = r.translate(value)
	}
	want := n.fields(kind, x.Status, recorded, []byte(r.translate(string(x.body()))))
	headers := map[string]string{}
	for name := range got.header {
		headers[strings.ToLower(name)] = got.header.Get(name)
	}
	have := n.fields(kind, got.status, headers, got.body)
	for _, f := range slices.Sorted(maps.Keys(want)) {
		n.field(x, f, want[f], have[f], true)
	}
	for _, f := range slices.Sorted(maps.Keys(have)) {
		if _, both := want[f]; !both {
			n.field(x, f, nil, have[f], false)
		}
	}
}

// fields flattens a reply: status, headers and leaves, each under "kind: path". Leaves of a list's elements are keyed
// by the element's name.
func (n *conformance) fields(kind string, status int, headers map[string]string, body []byte) map[string]any {
	out := map[string]any{kind + ": status": float64(status)}
	for name, value := range headers {
		out[kind+": header "+name] = value
	}
	out[kind+": empty body"] = len(body) == 0
	var v any
	if json.Unmarshal(body, &v) == nil {
		flatten(out, kind+": ", "", v)
	}
	return out
}

func flatten(out map[string]any, kind, path string, v any) {
	switch v := v.(type) {
	case map[string]any:
		if len(v) == 0 {
			out[kind+path] = "{}"
		}
		for k, inner := range v {
			flatten(out, kind, strings.TrimPrefix(path+"."+k, "."), inner)
		}
	case []any:
		if len(v) == 0 {
			out[kind+path] = "[]"
		}
		for i, inner := range v {
			flatten(out, kind, fmt.Sprintf("%s[%s]", path, elementName(i, inner)), inner)
		}
	default:
		out[kind+path] = v
	}
}

// elementName returns the key of a list's element: its name if it has one, so that the order of lists that Azure does
// not sort is not compared; jobs, which it sorts, are keyed by index.
func elementName(i int, v any) string {
	if m, isMap := v.(map[string]any); isMap {
		name, _ := m["name"].(string)
		if name != "" && !guidPattern.MatchString(name) && !formats["digits"].MatchString(name) {
			return name
		}
	}
	return strconv.Itoa(i)
}

var elementPattern = regexp.MustCompile(`^value\[[^\]]*\]\.?|\[[^\]]*\]`)

// general returns a field's name without the names of elements, as in the lists of normalised fields.
func general(field string) string {
	kind, path, _ := strings.Cut(field, ": ")
	path = elementPattern.ReplaceAllStringFunc(path, func(m string) string {
		if strings.HasPrefix(m, "value[") {
			return ""
		}
		return "[]"
	})
	return kind + ": " + path
}

// lookup returns a field's entry in a table of patterns, and caches it.
type lookup struct {
	table map[string]string
	known map[string]string
}

func newLookup(table map[string]string) *lookup {
	return &lookup{table, map[string]string{}}
}

func (l *lookup) of(field string) (string, bool) {
	pattern, known := l.known[field]
	if !known {
		for _, p := range slices.Sorted(maps.Keys(l.table)) {
			if ids.Match(p, field) {
				pattern = p
				break
			}
		}
		l.known[field] = pattern
	}
	return l.table[pattern], pattern != ""
}

func (n *conformance) field(x *exchange, field string, want, have any, wanted bool) {
	name := general(field)
	kind, _, _ := strings.Cut(name, ": ")
	if _, skip := n.ignored.of(name); skip {
		n.ignoredN[kind]++
		return
	}
	n.compared[kind]++
	same := want != nil == (have != nil) && fmt.Sprint(want) == fmt.Sprint(have) && fmt.Sprintf("%T", want) == fmt.Sprintf("%T", have)
	if format, normal := n.normalised.of(name); normal && wanted && have != nil {
		same = formatOf(format, fmt.Sprint(want)) == formatOf(format, fmt.Sprint(have)) && fmt.Sprintf("%T", want) == fmt.Sprintf("%T", have)
	}
	if same {
		n.agreed[kind]++
		return
	}
	n.times[name]++
	if _, seen := n.differences[name]; !seen {
		n.differences[name] = fmt.Sprintf("%s: recorded %.200v, simulated %.200v", x, want, have)
	}
}

var formats = map[string]*regexp.Regexp{
	"guid": regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$`), "digits": regexp.MustCompile(`^\d{10,16}$`),
	"number": regexp.MustCompile(`^-?\d+(\.\d+)?$`), "time": regexp.MustCompile(`^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,7})?Z$`),
	"duration": regexp.MustCompile(`^PT(\d+H)?(\d+M)?(\d+(\.\d{1,7})?S)?$`), "time span": regexp.MustCompile(`^(\d+\.)?\d\d:\d\d:\d\d(\.\d{7})?$`),
	"etag": regexp.MustCompile(`^W/"datetime'\d{4}-\d\d-\d\dT\d\d%3A\d\d%3A\d\d(\.\d{1,7})?Z'"$`), "megabytes": regexp.MustCompile(`^\d+ MB$`),
	"transferred": regexp.MustCompile(`^\d+(\.\d+)? GBs / 127 GBs Transferred$`), "blob": regexp.MustCompile(`^[a-z0-9-]+(\.json)?$`),
	"blob uri": regexp.MustCompile(`^https://[a-z0-9]+\.blob\.core\.windows\.net/[a-z0-9-]+/[a-z0-9-]+\.json$`),
	"us date":  regexp.MustCompile(`^\d{1,2}/\d{1,2}/\d{4} \d{1,2}:\d\d:\d\d [AP]M$`), "base64": regexp.MustCompile(`^[A-Za-z0-9+/]{40,}={0,2}$`),
}

// formatOf reduces a value to its format: two values of one format give the same text.
func formatOf(format, value string) string {
	switch format {
	case "poll url":
		return urlShape(value)
	case "operation id", "job id", "point id", "vault operation id":
		if i := strings.LastIndexByte(value, '/'); i >= 0 {
			return value[:i] + "/{id}"
		}
		return "{id}"
	case "time":
		// The year 1, with or without zone, is a placeholder, not a time.
		if strings.HasPrefix(value, "0001-") || strings.HasPrefix(value, "2001-01-01T00:00:00") {
			return value
		}
	}
	if formats[format].MatchString(value) {
		return format
	}
	return value
}

// urlShape returns a poll URL without its ids and signature; it shows that a long signature is present.
func urlShape(u string) string {
	p, q, _ := strings.Cut(u, "?")
	i := strings.LastIndexByte(p, '/')
	version, signature, signed := strings.Cut(q, "&t=")
	parts := ""
	for _, name := range []string{"&c=", "&s=", "&h="} {
		if strings.Contains(signature, name) {
			parts += name
		}
	}
	return fmt.Sprintf("%s/{id}?%s signed=%v%s", p[:max(i, 0)], version, signed, parts)
}

func measure(t *testing.T, all map[string][]*exchange, breakage func(*exchange, *answered), names ...string) (*conformance, map[string]bool) {
	report := newConformance()
	proven := map[string]bool{}
	for _, name := range slices.Sorted(maps.Keys(all)) {
		if len(names) > 0 && !slices.Contains(names, name) {
			continue
		}
		bubble(t, func(t *testing.T) {
			for kind := range runRecording(t, all[name], report, breakage).Requests {
				proven[kind] = true
			}
		})
	}
	return report, proven
}

func TestAnswersAreThoseOfTheRecordings(t *testing.T) {
	report, proven := measure(t, loadRecordings(t), nil)
	t.Logf("%d recorded requests replayed, %d of other services skipped", report.requests, report.skipped)
	for _, kind := range slices.Sorted(maps.Keys(report.compared)) {
		t.Logf("%-34s compared %6d  agreed %6d  ignored %5d", kind, report.compared[kind], report.agreed[kind], report.ignoredN[kind])
	}
	t.Logf("share of the fields compared that agrees: %.4f (%d of %d)", report.share(), total(report.agreed), total(report.compared))
	for _, f := range slices.Sorted(maps.Keys(report.differences)) {
		if reason, known := newLookup(accepted()).of(f); known {
			t.Logf("accepted: %s (%d times): %s", f, report.times[f], reason)
			continue
		}
		t.Errorf("%s (%d times): %s", f, report.times[f], report.differences[f])
	}
	var unproven []string
	for _, r := range routes() {
		if !proven[r.kind] && !slices.Contains(unproven, r.kind) && r.kind != "simulator" {
			unproven = append(unproven, r.kind)
		}
	}
	slices.Sort(unproven)
	t.Logf("unproven by recordings: %s", strings.Join(unproven, ", "))
	t.Logf("unproven by any source, and therefore settings: %s", strings.Join(slices.Sorted(maps.Keys(settings.DefaultUnverified())), ", "))
}

// TestBrokenSimulatorLosesShare proves that the comparison detects mistakes: each of these must lower the share.
func TestBrokenSimulatorLosesShare(t *testing.T) {
	// One recording with a backup, a restore and a deletion is enough, and the test stays short.
	all := loadRecordings(t)
	whole, _ := measure(t, all, nil, "job")
	body := func(kind, old, replacement string) func(*exchange, *answered) {
		return func(x *exchange, a *answered) {
			if kindOf(x) == kind {
				a.body = []byte(strings.ReplaceAll(string(a.body), old, replacement))
			}
		}
	}
	header := func(method, name string) func(*exchange, *answered) {
		return func(x *exchange, a *answered) {
			if x.Method == method {
				a.header.Del(name)
			}
		}
	}
	for name, breakage := range map[string]func(*exchange, *answered){
		"200 for the 202 of a PUT": func(x *exchange, a *answered) {
			if x.Method == "PUT" && a.status == 202 {
				a.status = 200
			}
		},
		"a body in the 202": func(_ *exchange, a *answered) {
			if a.status == 202 {
				a.body = []byte("{}")
			}
		},
		"no Location on DELETE":             header("DELETE", "Location"),
		"no Azure-AsyncOperation on PUT":    header("PUT", "Azure-AsyncOperation"),
		"no remaining requests in a header": header("GET", "X-Ms-Ratelimit-Remaining-Subscription-Resource-Requests"),
		"item-level URLs for a deletion": func(x *exchange, a *answered) {
			if x.Method == "DELETE" {
				a.header.Set("Azure-AsyncOperation", strings.Replace(a.header.Get("Azure-AsyncOperation"), "/backupOperations/", "/operationsStatus/", 1))
			}
		},
		"poll URLs without a signature": func(_ *exchange, a *answered) {
			u, _, _ := strings.Cut(a.header.Get("Location"), "&t=")
			if u != "" {
				a.header.Set("Location", u)
			}
		},
		"a zone behind the year 1":           body("operation", `"0001-01-01T00:00:00"`, `"0001-01-01T00:00:00Z"`),
		"an operation without its endTime":   body("operation", `"endTime"`, `"ended"`),
		"upper case in an item's name":       body("item", `VM;iaasvmcontainerv2;clitest.rg`, `VM;iaasvmcontainerv2;CliTest.rg`),
		"no sentinel for the missing backup": body("item", `"lastBackupTime":"2001-01-01T00:00:00Z"`, `"lastBackupTime":null`),
		"a string for the number of threats": body("recovery point", `"threatStatus":0`, `"threatStatus":"0"`),
		"detail in the list of jobs": func(x *exchange, a *answered) {
			if strings.HasSuffix(x.path, "/backupJobs") {
				a.body = []byte(strings.ReplaceAll(string(a.body), `"status":`, `"extendedInfo":{"tasksList":[]},"status":`))
			}
		},
		"Protected for IRPending": body("item", `"IRPending"`, `"Protected"`),
	} {
		t.Run(name, func(t *testing.T) {
			broken, _ := measure(t, all, breakage, "job")
			if broken.share() >= whole.share() {
				t.Errorf("the share stayed at %.4f", broken.share())
			}
		})
	}
}
