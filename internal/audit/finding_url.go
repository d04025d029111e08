package audit

import "strings"

// URL returns the address of the page that explains the code. It stays where it is, as the code does.
func (h CodeHelp) URL() string {
	return "https://github.com/azbackup/azbackup/blob/main/docs/findings.md#" + strings.ToLower(h.Code)
}
