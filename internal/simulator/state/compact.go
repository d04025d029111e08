package state

import (
	"bufio"
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/azbackup/azbackup/internal/simulator/rawjson"
)

// Compact writes a new estate file and renames it over the old one. Without changes the file stays untouched.
func (j *WriteAheadLog) Compact(st *State) error {
	source, isFile := st.src.(*os.File)
	if j.file != nil {
		changed, err := j.hasChanges()
		if err == nil && changed {
			err = j.replaceFile(st)
		}
		if err != nil {
			return errors.Join(err, source.Close()) // the journal stays and is applied next time
		}
		if err := os.Remove(j.path); err != nil {
			return errors.Join(err, source.Close())
		}
	}
	if isFile {
		return source.Close()
	}
	return nil
}

func (j *WriteAheadLog) hasChanges() (bool, error) {
	raw, err := os.ReadFile(j.path)
	return bytes.Count(raw, []byte("\n")) > 1, err
}

func (j *WriteAheadLog) replaceFile(st *State) error {
	path := strings.TrimSuffix(j.path, ".journal")
	if err := st.checkSameFile(path); err != nil {
		return err
	}
	tmp, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".*")
	if err != nil {
		return err
	}
	defer func() { _ = os.Remove(tmp.Name()) }() // already gone after the rename
	if info, statErr := os.Stat(path); statErr == nil {
		err = tmp.Chmod(info.Mode())
	}
	if err == nil {
		err = st.Write(tmp)
	}
	if err == nil {
		err = tmp.Sync()
	}
	print := ""
	if err == nil {
		print, err = fingerprint(tmp)
	}
	if err = errors.Join(err, tmp.Close()); err != nil {
		return err
	}
	n, err := j.appendLine(walLine{walHeader: walHeader{Compacted: print}})
	if err == nil {
		err = j.Sync(n)
	}
	if err != nil {
		return err
	}
	return os.Rename(tmp.Name(), path)
}

// checkSameFile returns an error unless path is still the opened file: another process's file is not overwritten.
func (st *State) checkSameFile(path string) error {
	opened, isFile := st.src.(*os.File)
	if !isFile {
		return nil
	}
	was, err := opened.Stat()
	if err != nil {
		return err
	}
	if now, err := os.Stat(path); err == nil && !os.SameFile(was, now) {
		return fmt.Errorf("writing estate %q: the file was replaced meanwhile; the changes are in the journal", path)
	}
	return nil
}

// Write writes the estate file: keys in their fixed order, one body a line.
func (st *State) Write(w io.Writer) error {
	b := bufio.NewWriterSize(w, 1<<20)
	p := &estateWriter{w: b, st: st}
	p.raw("{")
	p.key("format_version", FormatVersion)
	if !st.Taken.IsZero() {
		p.key("taken", st.Taken)
	}
	p.key("cloud", cmp.Or(st.Cloud, "AzurePublic"))
	p.key("tenant", st.Tenant)
	bodiesOf(p, "subscriptions", st.Subscriptions, func(l *OpaqueResource) bodyRef { return l.Body })
	bodiesOf(p, "managementGroups", st.Management, func(l *OpaqueResource) bodyRef { return l.Body })
	bodiesOf(p, "resourceGroups", st.Groups, func(l *OpaqueResource) bodyRef { return l.Body })
	bodiesOf(p, "virtualMachines", st.VMs, func(v *VM) bodyRef { return v.Body })
	bodiesOf(p, "disks", st.Disks, func(r *Resource) bodyRef { return r.Body })
	bodiesOf(p, "storageAccounts", st.Accounts, func(r *Resource) bodyRef { return r.Body })
	bodiesOf(p, "vaults", st.Vaults, func(v *Vault) bodyRef { return v.Body })
	bodiesOf(p, "policies", st.Policies, func(q *Policy) bodyRef { return q.Body })
	bodiesOf(p, "protectedItems", st.Items, func(it *Item) bodyRef { return it.Body })
	bodiesOf(p, "protectableItems", st.Protectables, func(l *OpaqueResource) bodyRef { return l.Body })
	bodiesOf(p, "jobs", st.Jobs, func(q *Job) bodyRef { return q.Body })
	bodiesOf(p, "recoveryPoints", st.Points, func(q *Point) bodyRef { return q.Body })
	bodiesOf(p, "resourceGuardProxies", st.Proxies, func(l *OpaqueResource) bodyRef { return l.Body })
	p.key("refused", append([]failedRead{}, st.FailedReads...))
	p.key("settings", st.Settings)
	p.operations()
	p.key("simulation", st.Service)
	p.raw("\n}\n")
	if p.err != nil {
		return p.err
	}
	return b.Flush()
}

type estateWriter struct {
	w           *bufio.Writer
	st          *State
	hasSections bool
	err         error
}

func (p *estateWriter) raw(s string) {
	if p.err == nil {
		_, p.err = p.w.WriteString(s)
	}
}

func (p *estateWriter) name(name string) {
	if p.hasSections {
		p.raw(",")
	}
	p.hasSections = true
	p.raw("\n" + string(rawjson.Encode(name)) + ": ")
}

func (p *estateWriter) key(name string, v any) {
	p.name(name)
	p.raw(string(rawjson.Encode(v)))
}

func bodiesOf[R any](p *estateWriter, name string, t *Table[R], body func(*R) bodyRef) {
	p.name(name)
	p.raw("[")
	sep := "\n"
	var line bytes.Buffer
	t.All(0, func(_ int, r *R) bool {
		line.Reset()
		if err := json.Compact(&line, p.st.Read(body(r))); err != nil && p.err == nil {
			p.err = err
		}
		p.raw(sep)
		p.raw(line.String())
		sep = ",\n"
		return p.err == nil
	})
	p.raw("]")
}

// operations writes the operations in the order of their ids: the same state gives the same file.
func (p *estateWriter) operations() {
	var ops []*Operation
	for _, op := range p.st.Ops {
		ops = append(ops, op)
	}
	slices.SortFunc(ops, func(a, b *Operation) int { return strings.Compare(a.ID, b.ID) })
	p.name("operations")
	p.raw("[")
	sep := "\n"
	for _, op := range ops {
		p.raw(sep + string(rawjson.Encode(op)))
		sep = ",\n"
	}
	p.raw("]")
}
