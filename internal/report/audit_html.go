package report

import (
	"io"

	"github.com/azbackup/azbackup/internal/audit"
)

func AuditHTML(w io.Writer, r audit.Result) error { return nil }
