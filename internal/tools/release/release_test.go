package release

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
)

var (
	dist  = flag.String("dist", "", "the folder with a built release")
	again = flag.String("again", "", "the folder with another build of the same commit")
)

// built returns the files of the release by name; tests without a release are for `make release-check`.
func built(t *testing.T) map[string][]byte {
	t.Helper()
	if *dist == "" {
		t.Skip("NOT TESTED: no release is built; make release-check builds one and tests it")
	}
	return readFolder(t, *dist)
}

func readFolder(t *testing.T, dir string) map[string][]byte {
	t.Helper()
	files := map[string][]byte{}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		name, err := filepath.Rel(dir, path)
		if err != nil {
			return err
		}
		data, err := os.ReadFile(path)
		files[filepath.ToSlash(name)] = data
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// isPacked reports whether a file is an archive or a package.
func isPacked(name string) bool {
	return !strings.Contains(name, "/") && slices.Contains([]string{".gz", ".zip", ".deb", ".rpm", ".apk"}, filepath.Ext(name))
}

func TestEveryPlatformHasItsArchivesAndPackages(t *testing.T) {
	files := built(t)
	var kinds []string
	for name := range files {
		if isPacked(name) {
			platform := name[strings.LastIndex(name[:strings.LastIndex(name, "_")], "_")+1:]
			kinds = append(kinds, platform)
		}
	}
	slices.Sort(kinds)
	var want []string
	for _, arch := range []string{"amd64", "arm64"} {
		want = append(want, "darwin_"+arch+".tar.gz", "linux_"+arch+".tar.gz", "linux_"+arch+".deb", "linux_"+arch+".rpm", "linux_"+arch+".apk", "windows_"+arch+".zip")
	}
	slices.Sort(want)
	if !slices.Equal(kinds, want) {
		t.Errorf("there are %v, want %v", kinds, want)
	}
	sums := string(files["checksums.txt"])
	for name, data := range files {
		if isPacked(name) && !strings.Contains(sums, fmt.Sprintf("%x  %s\n", sha256.Sum256(data), name)) {
			t.Errorf("checksums.txt has not the checksum of %s", name)
		}
	}
	for _, place := range []string{"homebrew/Formula/azbackup.rb", "scoop/azbackup.json"} {
		if len(files[place]) == 0 {
			t.Errorf("there is no %s", place)
		}
	}
}

func TestWhatIsUnpackedRunsAndBringsItsManualAndItsCompletions(t *testing.T) {
	for name, data := range built(t) {
		if !isPacked(name) {
			continue
		}
		t.Run(name, func(t *testing.T) {
			files, err := Unpack(name, data)
			if err != nil {
				t.Fatal(err)
			}
			for _, want := range []string{"azbackup.1", "azbackup-plan.1", "azbackup-exit-codes.7", "azbackup.schema.json", "LICENSE", "azbackup.fish", "_azbackup"} {
				if _, f := find(files, want); len(f.Data) == 0 {
					t.Errorf("it lacks %s", want)
				}
			}
			program := "azbackup"
			if strings.Contains(name, "windows") {
				program += ".exe"
			}
			bashCompletion := "completions/azbackup"
			if filepath.Ext(name) == ".gz" || filepath.Ext(name) == ".zip" {
				bashCompletion += ".bash"
			}
			if _, f := find(files, bashCompletion); !strings.Contains(string(f.Data), "__start_azbackup") {
				t.Error("it lacks the completions of bash")
			}
			_, binary := find(files, "bin/"+program)
			if binary.Data == nil {
				binary = files[program]
			}
			if binary.Mode&0o111 == 0 {
				t.Errorf("the program has the mode %s", binary.Mode)
			}
			if strings.Contains(name, runtime.GOOS+"_"+runtime.GOARCH) {
				run(t, binary)
			}
			if _, page := find(files, "azbackup-plan.1"); !strings.Contains(string(page.Data), ".SH OPTIONS\n") {
				t.Error("the manual page of plan has no options")
			}
		})
	}
}

// find returns the file whose path ends with name.
func find(files map[string]File, name string) (string, File) {
	for path, f := range files {
		if path == name || strings.HasSuffix(path, "/"+name) {
			return path, f
		}
	}
	return "", File{}
}

// run runs the program alone in a folder, with an empty environment.
func run(t *testing.T, program File) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "azbackup")
	if err := os.WriteFile(path, program.Data, 0o700); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), path, "version", "--json")
	cmd.Env = []string{"HOME=" + t.TempDir()}
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	var v struct {
		Version, Commit string
		CommitDate      string `json:"commit_date"`
		Modified        bool
	}
	if err := json.Unmarshal(out, &v); err != nil {
		t.Fatal(err)
	}
	if v.Version == "" || v.Version == "dev" || len(v.Commit) != 40 || v.CommitDate == "" || v.Modified {
		t.Errorf("azbackup version --json says %s", out)
	}
}

func TestEveryBinaryHasABillOfMaterials(t *testing.T) {
	files := built(t)
	for _, platform := range []string{"linux_amd64", "linux_arm64", "darwin_amd64", "darwin_arm64", "windows_amd64", "windows_arm64"} {
		i := slices.IndexFunc(keys(files), func(name string) bool { return strings.HasSuffix(name, platform+".cdx.json") })
		if i < 0 {
			t.Errorf("there is none for %s", platform)
			continue
		}
		if bill := files[keys(files)[i]]; !bytes.Contains(bill, []byte("github.com/spf13/cobra")) {
			t.Errorf("the one for %s does not name cobra", platform)
		}
	}
}

func keys(files map[string][]byte) []string {
	names := make([]string, 0, len(files))
	for name := range files {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

func TestTwoBuildsOfACommitAreByteEqual(t *testing.T) {
	files := built(t)
	if *again == "" {
		t.Skip("NOT TESTED: there is no second build")
	}
	second := readFolder(t, *again)
	// goreleaser's notes of the run itself: when it ran, and on what.
	notes := []string{"metadata.json", "artifacts.json", "config.yaml"}
	for _, name := range keys(files) {
		if !slices.Contains(notes, name) && !bytes.Equal(files[name], second[name]) {
			t.Errorf("%s differs", name)
		}
	}
	if len(files) != len(second) {
		t.Errorf("there are %d files and then %d", len(files), len(second))
	}
}

func TestBrokenPackagesAreRefused(t *testing.T) {
	for _, name := range []string{"a.tar.gz", "a.apk", "a.zip", "a.deb", "a.rpm", "a.txt"} {
		for _, data := range [][]byte{nil, []byte("!<arch>\n"), bytes.Repeat([]byte{0x8e}, 200)} {
			if _, err := Unpack(name, data); err == nil {
				t.Errorf("%s of %d bytes is taken for a package", name, len(data))
			}
		}
	}
	if _, err := uncpio([]byte(strings.Repeat("0", 110))); err == nil || errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a broken cpio: %v", err)
	}
}
