package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"text/template"
	"time"

	"github.com/spf13/cobra"

	"github.com/azbackup/azbackup/internal/telemetry"
)

// notifyTimeout is how long the post of a summary may take.
const notifyTimeout = 15 * time.Second

// notifyFlags select where the summary of a run is posted, and in which form.
type notifyFlags struct{ url, template string }

func (f *notifyFlags) addFlags(cmd *cobra.Command, when string) {
	cmd.Flags().StringVar(&f.url, "notify", "", "post a JSON summary to the webhook `URL` "+when+"; a failed post is a warning")
	cmd.Flags().StringVar(&f.template, "notify-template", "", "make the body of that post by the Go template in `FILE` (see examples/notify)")
}

// notification is the body of a post without a template, and the data of a template.
type notification struct {
	FormatVersion string         `json:"format_version"`
	Command       string         `json:"command"`
	ExitCode      int            `json:"exit_code"`
	Text          string         `json:"text"` // one line for people
	Summary       any            `json:"summary"`
	Items         []notifiedItem `json:"items"`
	More          int            `json:"more,omitempty"` // items that were left out
}

// notifiedItem is one failed change or one finding.
type notifiedItem struct {
	What    string `json:"what"` // the outcome and action, or the finding's code
	Target  string `json:"target"`
	Message string `json:"message"`
}

// maxNotified is the highest number of items in a notification: chat systems cut long messages.
const maxNotified = 20

// webhook is a parsed --notify with its template.
type webhook struct {
	url  *url.URL
	body *template.Template // nil = the notification itself
}

// parse returns the webhook of the flags, nil where none is named. It is called before anything is done. Its errors do
// not hold the URL, because webhooks carry their secret in it.
func (f *notifyFlags) parse() (*webhook, error) {
	if f.url == "" {
		if f.template != "" {
			return nil, usageError("--notify-template goes with --notify")
		}
		return nil, nil
	}
	u, err := url.Parse(f.url)
	if err != nil || u.Host == "" || u.Scheme != "https" && (u.Scheme != "http" || !isLoopbackHost(u.Hostname())) {
		return nil, usageError("--notify is no https URL (it is not shown, because it may grant access); http is for loopback only")
	}
	w := &webhook{url: u}
	if f.template == "" {
		return w, nil
	}
	text, err := os.ReadFile(f.template)
	if err != nil {
		return nil, fmt.Errorf("reading the template of --notify: %w", err)
	}
	w.body, err = template.New("notify").Option("missingkey=error").Funcs(template.FuncMap{"json": toJSON}).Parse(string(text))
	if err != nil {
		return nil, usageError("--notify-template: %w", err)
	}
	return w, nil
}

func isLoopbackHost(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// toJSON writes a value as JSON, so that no text of Azure can break out of a template's body.
func toJSON(v any) (string, error) {
	b, err := json.Marshal(v)
	return string(b), err
}

// notify posts n; it does nothing where w is nil. A failure is a warning and never changes the exit code. Of the URL it
// prints the host alone. It posts even when ctx has ended.
func (a *app) notify(ctx context.Context, w *webhook, n notification) {
	if w == nil {
		return
	}
	if len(n.Items) > maxNotified {
		n.Items, n.More = n.Items[:maxNotified], len(n.Items)-maxNotified
	}
	if err := w.post(context.WithoutCancel(ctx), n); err != nil {
		a.log.Warn("the summary could not be posted to "+oneLine(w.url.Host)+": "+oneLine(err.Error()), "host", w.url.Host)
		return
	}
	a.log.Info("summary posted to "+oneLine(w.url.Host), "host", w.url.Host)
}

// post sends n. What its error says holds no part of the URL, and nothing that was answered but the status.
func (w *webhook) post(ctx context.Context, n notification) error {
	var body bytes.Buffer
	if w.body == nil {
		if err := json.NewEncoder(&body).Encode(n); err != nil {
			return err
		}
	} else if err := w.body.Execute(&body, n); err != nil {
		return err
	}
	if !json.Valid(body.Bytes()) {
		return errors.New("the template does not make JSON")
	}
	ctx, cancel := context.WithTimeout(ctx, notifyTimeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, w.url.String(), &body)
	if err != nil {
		return errors.New("the URL is not usable")
	}
	req.Header.Set("Content-Type", "application/json")
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	resp, err := client.Do(req)
	if err != nil {
		return errors.New(telemetry.DescribeFailure(err))
	}
	defer resp.Body.Close() // the status says all: what else is answered is not waited for
	if resp.StatusCode < 200 || resp.StatusCode > 299 {
		return fmt.Errorf("the webhook answered %d %s", resp.StatusCode, http.StatusText(resp.StatusCode))
	}
	return nil
}
