package cli

import (
	"runtime/debug"
	"testing"
)

func TestTheCommitOfABuildIsThatOfItsBuildInformation(t *testing.T) {
	d := describeBuild("v1", &debug.BuildInfo{Settings: []debug.BuildSetting{
		{Key: "-trimpath", Value: "true"},
		{Key: "vcs.revision", Value: "3ab2e48"},
		{Key: "vcs.time", Value: "2026-11-28T09:00:00Z"},
		{Key: "vcs.modified", Value: "true"},
	}})
	if d.Version != "v1" || d.Commit != "3ab2e48" || d.CommitDate != "2026-11-28T09:00:00Z" || !d.Modified || d.Go == "" || len(d.APIVersions) == 0 {
		t.Errorf("%+v", d)
	}
	if d := describeBuild("v1", nil); d.Version != "v1" || d.Commit != "" || d.Modified {
		t.Errorf("without build information it says %+v", d)
	}
}
