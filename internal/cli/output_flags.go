package cli

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"
)

// outputFlags select where a command's result is written: in one format to stdout, and to any number of files.
type outputFlags struct {
	formats []string
	format  string
	specs   []string
	files   []outputFile
	failed  error // why a destination was not written, so far
}

// stdoutName is the FILE that stands for stdout, where a command writes one thing.
const stdoutName = "-"

type outputFile struct{ format, path string }

// addFlags adds --format and --output to a command whose result can be written in formats.
func (o *outputFlags) addFlags(cmd *cobra.Command, formats []string) {
	o.formats = formats
	all := strings.Join(formats, ", ")
	cmd.Flags().StringVar(&o.format, "format", formats[0], "`FORMAT` of the result on stdout: "+all)
	cmd.Flags().StringArrayVar(&o.specs, "output", nil, "also write the result as `FORMAT=FILE`, from the same read; may be repeated")
}

// validate checks the flags.
func (o *outputFlags) validate() error {
	if !slices.Contains(o.formats, o.format) {
		return usageError("--format %q is not one of %s", o.format, strings.Join(o.formats, ", "))
	}
	o.files = nil
	for _, spec := range o.specs {
		format, path, ok := strings.Cut(spec, "=")
		if !ok || path == "" {
			return withHint(fmt.Errorf("--output %q is not of the form FORMAT=FILE", spec), o.stdoutHint(format))
		}
		if !slices.Contains(o.formats, format) {
			return usageError("--output %q: the format is not one of %s", spec, strings.Join(o.formats, ", "))
		}
		if path == stdoutName {
			return withHint(fmt.Errorf("--output %q: - is no file, and stdout takes one format", spec), o.stdoutHint(format))
		}
		if err := o.checkApart(path); err != nil {
			return err
		}
		o.files = append(o.files, outputFile{format, path})
	}
	return nil
}

// checkApart is the function of that name for the files of --output.
func (o *outputFlags) checkApart(others ...string) error {
	for _, f := range o.files {
		if err := checkApart("--output", f.path, others...); err != nil {
			return err
		}
	}
	return nil
}

// checkApart returns an error where a flag names a file to write that is one of others, which the command reads or writes as well:
// one of them would be lost. A folder of others stands for the configs in it; empty names do not count.
func checkApart(flag, path string, others ...string) error {
	for _, other := range others {
		if path != "" && other != "" && isSameFile(path, other) {
			return usageError("%s %q: the command also reads or writes %q, and one of them would be lost", flag, path, other)
		}
	}
	return nil
}

// isSameFile reports whether two names are those of one file, of which there may be none yet, or whether a is a config in the
// folder b. What is no file, such as a pipe, and what is stdout or stderr takes all that is written to it.
func isSameFile(a, b string) bool {
	infoA, errA := os.Stat(a)
	infoB, errB := os.Stat(b)
	switch {
	case errA != nil && errB != nil:
		return filepath.Clean(a) == filepath.Clean(b)
	case errA != nil || errB != nil || !infoA.Mode().IsRegular() || standardStream(infoA) != nil:
		return false
	case infoB.IsDir() && filepath.Ext(a) == ".yaml":
		folder, err := os.Stat(filepath.Dir(a))
		return err == nil && os.SameFile(folder, infoB)
	}
	return os.SameFile(infoA, infoB)
}

// stdoutHint returns advice on how to write a format to stdout.
func (o *outputFlags) stdoutHint(format string) string {
	if !slices.Contains(o.formats, format) {
		format = strings.Join(o.formats, "|")
	}
	return "--format " + format + " chooses what goes to stdout; --output adds files"
}

// write writes a result to every destination. Where one cannot be written, the others are written all the same, and may say
// so: failed has what is known by then. The error has all failures.
func (o *outputFlags) write(stdout io.Writer, write func(w io.Writer, format string) error) error {
	o.failed = write(stdout, o.format)
	for _, f := range o.files {
		if err := writeFile(f.path, func(w io.Writer) error { return write(w, f.format) }); err != nil {
			o.failed = errors.Join(o.failed, err)
		}
	}
	return o.failed
}

// writeOnly is [outputFlags.write] for the destinations of some formats alone.
func (o *outputFlags) writeOnly(formats []string, stdout io.Writer, write func(w io.Writer, format string) error) error {
	all := o.files
	defer func() { o.files = all }()
	o.files = slices.DeleteFunc(slices.Clone(all), func(f outputFile) bool { return !slices.Contains(formats, f.format) })
	if !slices.Contains(formats, o.format) {
		stdout = io.Discard
	}
	return o.write(stdout, write)
}

// path returns the file that --output names for format, or "".
func (o *outputFlags) path(format string) string {
	for _, f := range o.files {
		if f.format == format {
			return f.path
		}
	}
	return ""
}

// writeFile replaces a file in one step: readers see the old content or the new one, never a part of it. A device, a
// pipe, or a file that is stdout or stderr it writes to directly, and so it does where a file cannot be replaced.
func writeFile(path string, write func(io.Writer) error) error {
	if err := replaceFile(path, write); err != nil {
		return fmt.Errorf("writing %q: %w", path, err)
	}
	return nil
}

func replaceFile(path string, write func(io.Writer) error) error {
	if target, err := filepath.EvalSymlinks(path); err == nil {
		path = target // the link remains
	}
	info, err := os.Stat(path)
	if stream := standardStream(info); stream != nil {
		return writeBuffered(stream, write)
	}
	if err == nil && !info.Mode().IsRegular() {
		return writeThrough(path, write)
	}
	mode := os.FileMode(0o644) // a metrics collector runs as another user
	if err == nil {
		mode = info.Mode().Perm()
	}
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*")
	if err != nil {
		return overwriteFile(path, write, err)
	}
	defer os.Remove(f.Name()) //nolint:errcheck // gone already when all went well
	err = errors.Join(writeBuffered(f, write), f.Chmod(mode), f.Sync(), f.Close())
	if err != nil {
		return err
	}
	if err := os.Rename(f.Name(), path); err != nil {
		return overwriteFile(path, write, err)
	}
	return nil
}

// overwriteFile writes a file that exists in place, where for some reason no other can be put there: its folder may take none, and
// a file that is mounted by itself, as containers have it, cannot be replaced. A result that is written so is better than none.
func overwriteFile(path string, write func(io.Writer) error, reason error) error {
	var all bytes.Buffer
	if err := write(&all); err != nil { // before the old content is gone
		return err
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_TRUNC, 0)
	if err != nil {
		return reason
	}
	_, err = f.Write(all.Bytes())
	return errors.Join(err, f.Sync(), f.Close())
}

// standardStream returns stdout or stderr where the regular file at info is one of them, else nil. What a shell sends there
// besides (azbackup … --output json=/dev/stdout >log 2>&1) would be lost if a new file took its place.
func standardStream(info os.FileInfo) *os.File {
	if info == nil || !info.Mode().IsRegular() { // what is no file may be opened again
		return nil
	}
	for _, stream := range []*os.File{os.Stdout, os.Stderr} {
		if own, err := stream.Stat(); err == nil && os.SameFile(info, own) {
			return stream
		}
	}
	return nil
}

func writeBuffered(f *os.File, write func(io.Writer) error) error {
	b := bufio.NewWriter(f)
	return errors.Join(write(b), b.Flush())
}

// writeThrough writes to a device or a pipe.
func writeThrough(path string, write func(io.Writer) error) error {
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	return errors.Join(write(f), f.Close())
}
