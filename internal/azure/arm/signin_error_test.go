package arm

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/cloud"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"
	"github.com/google/go-cmp/cmp"
)

// answered returns a credential's error for an answer of Microsoft Entra.
func answered(status int, body string) error {
	return &azidentity.AuthenticationFailedError{RawResponse: &http.Response{
		StatusCode: status, Body: io.NopCloser(strings.NewReader(body)),
		Request: &http.Request{Method: http.MethodPost, URL: &url.URL{Scheme: "https", Host: "login.test"}},
	}}
}

type refuses struct{ err error }

func (r refuses) GetToken(context.Context, policy.TokenRequestOptions) (azcore.AccessToken, error) {
	return azcore.AccessToken{}, r.err
}

// chained returns azidentity's error for a chain of credentials with these errors.
func chained(t *testing.T, errs ...error) error {
	t.Helper()
	var creds []azcore.TokenCredential
	for _, err := range errs {
		creds = append(creds, refuses{err})
	}
	chain, err := azidentity.NewChainedTokenCredential(creds, nil)
	if err != nil {
		t.Fatal(err)
	}
	_, err = chain.GetToken(t.Context(), policy.TokenRequestOptions{Scopes: []string{"s"}})
	return err
}

func TestASignInThatFailsNamesEachCredentialInALine(t *testing.T) {
	unavailable := azidentity.NewCredentialUnavailableError
	const secret = "AADSTS7000215: Invalid client secret provided. Ensure the secret being sent is the value. Trace ID: 1 Correlation ID: 2"
	for name, test := range map[string]struct {
		err      error
		message  string
		attempts []string
	}{
		"nothing is configured": {
			chained(t, unavailable("EnvironmentCredential: missing environment variable AZURE_TENANT_ID"),
				unavailable("ManagedIdentityCredential: managed identity timed out. See https://aka.ms/x for more information"),
				unavailable("AzureCLICredential: ERROR: Please run 'az login'\nto setup account.\nTo troubleshoot, visit https://aka.ms/y")),
			"none of the 3 credentials that were tried gave a token",
			[]string{
				"EnvironmentCredential: missing environment variable AZURE_TENANT_ID",
				"ManagedIdentityCredential: managed identity timed out",
				"AzureCLICredential: ERROR: Please run 'az login' to setup account",
			},
		},
		"one is configured, and fails": {
			chained(t, unavailable("EnvironmentCredential: missing environment variable AZURE_TENANT_ID"),
				answered(401, `{"error":"invalid_client","error_description":"`+secret+`","error_codes":[7000215]}`)),
			"AADSTS7000215: Invalid client secret provided (AZURE_CLIENT_SECRET is not the value of a secret of this application)",
			[]string{
				"EnvironmentCredential: missing environment variable AZURE_TENANT_ID",
				"AADSTS7000215: Invalid client secret provided (AZURE_CLIENT_SECRET is not the value of a secret of this application)",
			},
		},
		"a code that is not known": {
			answered(400, `{"error_description":"AADSTS9: No.\r\nTrace ID: 1","error_codes":[9]}`),
			"AADSTS9: No",
			[]string{"AADSTS9: No"},
		},
		"a code, and nothing else": {answered(400, `{"error_codes":[53003]}`), "AADSTS53003 (" + describeAADSTS(53003) + ")", []string{"AADSTS53003 (" + describeAADSTS(53003) + ")"}},
		"an identity that is not there": {
			answered(400, `{"error":"invalid_request","error_description":"Identity not found"}`),
			"the answer was 400 Bad Request: Identity not found",
			[]string{"the answer was 400 Bad Request: Identity not found"},
		},
		"a proxy's page": {answered(502, `<html>`), "the answer was 502 Bad Gateway", []string{"the answer was 502 Bad Gateway"}},
		"az says the code": {
			chained(t, unavailable("AzureCLICredential: ERROR: AADSTS700024: Client assertion is not within its valid time range. More. Trace ID: 1")),
			"AzureCLICredential: AADSTS700024: Client assertion is not within its valid time range (" + describeAADSTS(700024) + ")",
			[]string{"AzureCLICredential: AADSTS700024: Client assertion is not within its valid time range (" + describeAADSTS(700024) + ")"},
		},
		"az cannot answer a challenge": {
			errors.New("AzureCLICredential.GetToken(): Azure CLI requires additional claims. Run this command then retry the operation: az login --claims-challenge eyJ9"),
			"AzureCLICredential: Azure CLI requires additional claims. Run this command then retry the operation: az login --claims-challenge eyJ9",
			[]string{"AzureCLICredential: Azure CLI requires additional claims. Run this command then retry the operation: az login --claims-challenge eyJ9"},
		},
		"az hangs": {
			errors.New("AzureCLICredential: signal: killed. To troubleshoot, visit https://aka.ms/y"),
			"AzureCLICredential: the command gave no answer in time, and was ended",
			[]string{"AzureCLICredential: the command gave no answer in time, and was ended"},
		},
		"no credential of azidentity": {errors.New("no\nanswer"), "no answer", []string{"no answer"}},
		"nothing":                     {errors.New(""), "", []string{""}},
		"much":                        {errors.New(strings.Repeat("é", 1000)), strings.Repeat("é", 400) + "…", []string{strings.Repeat("é", 400) + "…"}},
	} {
		e := signInError(test.err)
		if e.Message != test.message {
			t.Errorf("%s: message %q, want %q", name, e.Message, test.message)
		}
		if d := cmp.Diff(test.attempts, e.Attempts); d != "" {
			t.Errorf("%s: attempts (-want +got):\n%s", name, d)
		}
	}
}

// What a command printed in place of a token is told with the name of its credential, and without Go's types.
func TestAnAnswerThatIsNoTokenIsToldWithItsCredential(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("the command is a script for sh")
	}
	for printed, want := range map[string]string{
		"echo '<html>'":               "AzureCLICredential: the command printed something that is no token: invalid character '<' looking for beginning of value",
		"exit 0":                      "AzureCLICredential: the command printed something that is no token: unexpected end of JSON input",
		"echo '{\"accessToken\": 5}'": "AzureCLICredential: the command printed something that is no token",
	} {
		path := t.TempDir()
		if err := os.WriteFile(filepath.Join(path, "az"), []byte("#!/bin/sh\n"+printed+"\n"), 0o700); err != nil { //nolint:gosec // it is run
			t.Fatal(err)
		}
		t.Setenv("PATH", path)
		for choice, attempts := range map[string]int{"azureclicredential": 1, "dev": 3} {
			t.Setenv(tokenCredentials, choice)
			cred, err := newCredential(cloud.AzurePublic, "", false)
			if err != nil {
				t.Fatal(err)
			}
			_, err = cred.GetToken(t.Context(), policy.TokenRequestOptions{Scopes: []string{"https://management.test/.default"}})
			e, ok := errors.AsType[*SignInError](err)
			if !ok || len(e.Attempts) != attempts || e.Attempts[0] != want {
				t.Errorf("%s, %s: %v, want %d attempts, the first %q", printed, choice, e.Attempts, attempts, want)
			}
		}
	}
}

func TestTheChoiceOfCredentialsMustBeOneThatIsThere(t *testing.T) {
	for _, value := range []string{"", "Dev", "az"} {
		t.Setenv(tokenCredentials, value)
		_, err := New(Options{Now: time.Now}, Rules{})
		e, ok := errors.AsType[*SignInError](err)
		if !ok || !strings.HasPrefix(e.Message, `AZURE_TOKEN_CREDENTIALS is "`+value+`", but must be one of dev, prod, EnvironmentCredential, `) {
			t.Errorf("%q: %v", value, err)
		}
	}
	for _, value := range CredentialChoices() {
		t.Setenv(tokenCredentials, value)
		if _, err := New(Options{Now: time.Now}, Rules{}); err != nil {
			t.Errorf("%q: %v", value, err)
		}
	}
}
