package arm

import (
	"bytes"
	"cmp"
	"encoding/json"
	"encoding/xml"
	"strconv"
	"strings"
)

// parseErrorBody returns the code and the text of an error's body, "" where there is none: the forms of docs/azure.md
// §12, §33.38 and §32.
func parseErrorBody(body []byte) (code, message string) {
	body = bytes.TrimSpace(bytes.TrimPrefix(body, []byte(bom)))
	if bytes.HasPrefix(body, []byte("<")) {
		return parseXMLErrorBody(body)
	}
	var e struct {
		Error jsonError `json:"error"`
		OData jsonError `json:"odata.error"`
		jsonError
		OldCode json.RawMessage `json:"ErrorCode"`
	}
	if unmarshalTolerant(body, &e) != nil {
		return "", ""
	}
	code = cmp.Or(formatText(e.Error.Code), formatText(e.OData.Code), formatText(e.Code), formatText(e.OldCode))
	return code, cmp.Or(e.Error.text(), e.OData.text(), e.text())
}

// jsonError is an error in JSON: its code may be a number, its text may be an object with a language.
type jsonError struct {
	Code    json.RawMessage `json:"code"`
	Message json.RawMessage `json:"message"`
	Details []struct {
		Message json.RawMessage `json:"message"`
	} `json:"details"`
}

func (e jsonError) text() string {
	if s := formatText(e.Message); s != "" || len(e.Details) == 0 {
		return s
	}
	return formatText(e.Details[0].Message)
}

// formatText returns a string, a number, or the value of a text with a language.
func formatText(raw json.RawMessage) string {
	var s string
	var n json.Number
	var localised struct{ Value string }
	switch {
	case len(raw) == 0:
	case json.Unmarshal(raw, &s) == nil:
		return s
	case json.Unmarshal(raw, &n) == nil:
		return formatPlainDigits(n)
	case json.Unmarshal(raw, &localised) == nil:
		return localised.Value
	}
	return ""
}

// formatPlainDigits returns a number in plain digits.
func formatPlainDigits(n json.Number) string {
	if f, err := n.Float64(); err == nil {
		return strconv.FormatFloat(f, 'f', -1, 64)
	}
	return ""
}

// parseXMLErrorBody reads <Error><Code/><Message/></Error>, in any namespace and case. A proxy's page is not one.
func parseXMLErrorBody(body []byte) (code, message string) {
	d := xml.NewDecoder(bytes.NewReader(body))
	var open []string
	for {
		token, err := d.Token()
		if err != nil {
			return strings.TrimSpace(code), strings.TrimSpace(message)
		}
		switch token := token.(type) {
		case xml.StartElement:
			open = append(open, strings.ToLower(token.Name.Local))
			if open[0] != "error" {
				return "", ""
			}
		case xml.EndElement:
			open = open[:len(open)-1]
		case xml.CharData:
			switch strings.Join(open, "/") {
			case "error/code":
				code += string(token)
			case "error/message":
				message += string(token)
			}
		}
	}
}
