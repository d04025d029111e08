package cli

import (
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"

	"github.com/azbackup/azbackup/internal/azure"
	"github.com/azbackup/azbackup/internal/report"
)

func (a *app) versionCommand() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "version",
		Short: "Show the version",
		Long: "Shows the version. --json adds the commit and its date, where the program was built from a repository, and the\n" +
			"api-versions of Azure that it speaks.",
		Args: withUsageError(cobra.NoArgs),
		RunE: func(*cobra.Command, []string) error {
			if !asJSON {
				fmt.Fprintf(a.Out, "azbackup %s %s/%s %s\n", a.Version, runtime.GOOS, runtime.GOARCH, runtime.Version())
				return nil
			}
			build, _ := debug.ReadBuildInfo()
			return report.WriteJSON(a.Out, describeBuild(a.Version, build))
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "as JSON, with all that is known of the build")
	return cmd
}

// buildDocument is the JSON of `azbackup version --json`.
type buildDocument struct {
	FormatVersion string `json:"format_version"`
	Version       string `json:"version"`
	// Commit, CommitDate (RFC 3339) and Modified are absent from a build outside a repository.
	Commit      string             `json:"commit,omitempty"`
	CommitDate  string             `json:"commit_date,omitempty"`
	Modified    bool               `json:"modified,omitempty"`
	Go          string             `json:"go"`
	OS          string             `json:"os"`
	Arch        string             `json:"arch"`
	APIVersions []azure.APIVersion `json:"api_versions"`
}

// describeBuild returns the document of a version; build may be nil, where nothing is known of the build.
func describeBuild(version string, build *debug.BuildInfo) buildDocument {
	d := buildDocument{
		FormatVersion: "1", Version: version, Go: runtime.Version(), OS: runtime.GOOS, Arch: runtime.GOARCH, APIVersions: azure.APIVersions(),
	}
	if build == nil {
		return d
	}
	for _, s := range build.Settings {
		switch s.Key {
		case "vcs.revision":
			d.Commit = s.Value
		case "vcs.time":
			d.CommitDate = s.Value
		case "vcs.modified":
			d.Modified = s.Value == "true"
		}
	}
	return d
}
