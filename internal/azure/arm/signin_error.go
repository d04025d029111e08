package arm

import (
	"cmp"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"strconv"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"
)

// SignInError reports that sign-in failed, or that Azure refuses every read. Its texts come from outside: untrusted
// wherever they are printed.
type SignInError struct {
	// Message describes the failure, for display.
	Message string
	// Attempts are the credentials that were tried, in order, each with its failure in a line; nil when no token was
	// requested.
	Attempts []string
	// RequestID is that of the answer that refused access; "" when no token could be obtained.
	RequestID string
	Err       error
}

func (e *SignInError) Error() string {
	s := "signing in: " + e.Message
	if e.RequestID != "" {
		s += " (request " + e.RequestID + ")"
	}
	return s
}

func (e *SignInError) Unwrap() error { return e.Err }

// NonRetriable makes azcore give up: a retry cannot help.
func (e *SignInError) NonRetriable() {}

// signInError returns the error for a credential that gave no token. azidentity's own has a text for each credential it
// tried, each over many lines, the body of an answer included (docs/azure.md §28.2, §28.4). tried are the names of these
// credentials, in order, as far as they are known: not each text has one.
func signInError(err error, tried ...string) *SignInError {
	if e, ok := errors.AsType[*SignInError](err); ok {
		return e
	}
	e := &SignInError{Err: err}
	for i, text := range splitAttempts(err.Error()) {
		if i < len(tried) && credentialKey(text) == "" {
			text = nameAttempt(tried[i], text)
		}
		e.Attempts = append(e.Attempts, shortenAttempt(text))
	}
	last := len(e.Attempts) - 1
	failed, isFailure := errors.AsType[*azidentity.AuthenticationFailedError](err)
	if isFailure && failed.RawResponse != nil {
		// A configured credential that fails ends the chain: the answer is the last one's.
		e.Attempts[last] = credentialKey(splitAttempts(err.Error())[last]) + describeEntraError(failed.RawResponse)
	}
	e.Message = e.Attempts[last]
	if !isFailure && last > 0 {
		e.Message = fmt.Sprintf("none of the %d credentials that were tried gave a token", last+1)
	}
	return e
}

// splitAttempts splits azidentity's text about a chain into its credentials; a single credential's text is one attempt.
func splitAttempts(text string) []string {
	_, list, isChain := strings.Cut(text, "Attempted credentials:")
	if !isChain {
		return []string{text}
	}
	var all []string
	for line := range strings.Lines(list) {
		switch {
		case strings.TrimSpace(line) == "":
		case strings.HasPrefix(line, "\t\t") && len(all) > 0:
			all[len(all)-1] += line
		default:
			all = append(all, line)
		}
	}
	if len(all) == 0 {
		return []string{text}
	}
	return all
}

// credentialNamePattern matches the name of a credential at the start of its text.
var credentialNamePattern = regexp.MustCompile(`^\s*(\w+Credential)\b`)

// credentialKey returns the name of a text's credential, as AZURE_TOKEN_CREDENTIALS takes it, with a colon.
func credentialKey(text string) string {
	m := credentialNamePattern.FindStringSubmatch(text)
	if m == nil {
		return ""
	}
	switch m[1] {
	case "ClientSecretCredential":
		return "EnvironmentCredential (client secret): "
	case "ClientCertificateCredential":
		return "EnvironmentCredential (client certificate): "
	case "UsernamePasswordCredential":
		return "EnvironmentCredential (user name and password): "
	}
	return m[1] + ": "
}

// nameAttempt returns the text of an attempt that does not say whose it is, with the name of the credential. Such a text comes
// of decoding what a command, such as az, has printed.
func nameAttempt(name, text string) string {
	const noToken = "the command printed something that is no token"
	if text = oneLine(text); strings.HasPrefix(text, "json: ") { // it names Go's types
		return name + ": " + noToken
	}
	return name + ": " + noToken + ": " + text
}

// Tunable: maxAttemptText is how many bytes of a credential's text are shown: enough for the az login command of a
// challenge.
const maxAttemptText = 400

// shortenAttempt returns the text of an attempt in a line: its name, its first sentences, and the meaning of its code.
func shortenAttempt(text string) string {
	name := credentialKey(text)
	rest := oneLine(text)
	if name != "" {
		rest = rest[len(credentialNamePattern.FindStringSubmatch(rest)[1]):]
		rest = strings.TrimLeft(strings.TrimPrefix(rest, ".GetToken()"), ": ")
	}
	for _, advice := range []string{"To troubleshoot, visit ", "See https://", "Trace ID: "} {
		rest, _, _ = strings.Cut(rest, advice)
	}
	if at := strings.Index(rest, "AADSTS"); at >= 0 {
		if code, sentence := parseAADSTS(rest[at:]); code != 0 {
			return name + explainAADSTS(code, sentence)
		}
	}
	if rest = strings.TrimRight(rest, " ."); rest == "signal: killed" {
		rest = "the command gave no answer in time, and was ended" // azidentity ends it after 10 seconds
	}
	if runes := []rune(rest); len(runes) > maxAttemptText {
		rest = string(runes[:maxAttemptText]) + "…"
	}
	return name + rest
}

// describeEntraError returns the text of a token endpoint's answer, in a line (docs/azure.md §28.2).
func describeEntraError(resp *http.Response) string {
	status := fmt.Sprintf("the answer was %d %s", resp.StatusCode, http.StatusText(resp.StatusCode))
	body, err := runtime.Payload(resp)
	if err != nil {
		return status
	}
	var said struct {
		Error       string `json:"error"`
		Description string `json:"error_description"`
		Codes       []int  `json:"error_codes"`
		Message     string `json:"message"` // App Service
	}
	if unmarshalTolerant(body, &said) != nil {
		return status
	}
	code, sentence := parseAADSTS(said.Description)
	if code == 0 && len(said.Codes) > 0 {
		code = said.Codes[0]
		sentence = strings.TrimRight(fmt.Sprintf("AADSTS%d: %s", code, sentence), ": ")
	}
	if code != 0 {
		return explainAADSTS(code, sentence)
	}
	if text := cmp.Or(sentence, said.Message, said.Error); text != "" {
		return status + ": " + text
	}
	return status
}

var aadstsPattern = regexp.MustCompile(`^AADSTS(\d+)`)

// parseAADSTS returns the code and the first sentence of a description by Microsoft Entra; code 0 = none.
func parseAADSTS(description string) (code int, sentence string) {
	sentence = oneLine(description)
	for _, end := range []string{" Trace ID: ", ". "} {
		sentence, _, _ = strings.Cut(sentence, end)
	}
	sentence = strings.TrimRight(sentence, ". ")
	if m := aadstsPattern.FindStringSubmatch(sentence); m != nil {
		code, _ = strconv.Atoi(m[1]) // digits; one that is too large counts as none
	}
	return code, sentence
}

// explainAADSTS appends the meaning of a code to Entra's sentence.
func explainAADSTS(code int, sentence string) string {
	if means := describeAADSTS(code); means != "" {
		return sentence + " (" + means + ")"
	}
	return sentence
}

// describeAADSTS returns the meaning of a code (docs/azure.md §28.2); "" = unknown.
func describeAADSTS(code int) string {
	switch code {
	case 7000215:
		return "AZURE_CLIENT_SECRET is not the value of a secret of this application"
	case 7000222:
		return "the client secret has expired: give the application a new one"
	case 700016:
		return "the application is not in this tenant: see AZURE_CLIENT_ID and AZURE_TENANT_ID"
	case 700024:
		return "the assertion is too old or too new: a federated token of CI lasts minutes, or the clock of this machine is wrong"
	case 700213, 70021:
		return "the application has no federated credential for the subject of this token"
	case 90002:
		return "there is no such tenant in this cloud: see AZURE_TENANT_ID, and cloud in the config"
	case 53003:
		return "Conditional Access of the tenant forbids it"
	}
	return ""
}

func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }

// CodeNotSignedIn is the code of the error of a request that was not sent, because no token could be obtained.
const CodeNotSignedIn = "NotSignedIn"
