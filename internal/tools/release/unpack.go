// Package release checks what a release is made of: its test unpacks archives and packages, without the tools of any
// distribution, and runs what is in them. pages.sh makes what they bring besides the program.
package release

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"strconv"
	"strings"
)

// File is one file of an archive or a package.
type File struct {
	Mode fs.FileMode
	Data []byte
}

// Unpack returns the files of an archive (.tar.gz, .zip) or a package (.deb, .rpm, .apk), by their path without a leading
// slash. name decides what it is taken for.
func Unpack(name string, data []byte) (map[string]File, error) {
	switch path.Ext(name) {
	case ".gz", ".apk":
		return untar(data)
	case ".zip":
		return unzip(data)
	case ".deb":
		inner, err := arMember(data, "data.tar.gz")
		if err != nil {
			return nil, err
		}
		return untar(inner)
	case ".rpm":
		return unrpm(data)
	}
	return nil, fmt.Errorf("%s is nothing that can be unpacked", name)
}

// untar reads a compressed tar, or several one after the other, as an apk has them.
func untar(data []byte) (map[string]File, error) {
	z, err := gzip.NewReader(bytes.NewReader(data))
	if err != nil {
		return nil, err
	}
	files := map[string]File{}
	for r := tar.NewReader(z); ; {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			return files, nil
		}
		if err != nil {
			return nil, err
		}
		body, err := io.ReadAll(r)
		if err != nil {
			return nil, err
		}
		if h.Typeflag == tar.TypeReg {
			files[strings.TrimPrefix(path.Clean("/"+h.Name), "/")] = File{h.FileInfo().Mode(), body}
		}
	}
}

func unzip(data []byte) (map[string]File, error) {
	z, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		return nil, err
	}
	files := map[string]File{}
	for _, f := range z.File {
		r, err := f.Open()
		if err != nil {
			return nil, err
		}
		body, err := io.ReadAll(r)
		if err := errors.Join(err, r.Close()); err != nil {
			return nil, err
		}
		files[f.Name] = File{f.Mode(), body}
	}
	return files, nil
}

// arMember returns a member of an ar archive, which a deb is.
func arMember(data []byte, want string) ([]byte, error) {
	const magic, header = "!<arch>\n", 60
	if !bytes.HasPrefix(data, []byte(magic)) {
		return nil, errors.New("no ar archive")
	}
	for at := len(magic); at+header <= len(data); {
		h := string(data[at : at+header])
		size, err := strconv.Atoi(strings.TrimSpace(h[48:58]))
		if err != nil || at+header+size > len(data) {
			return nil, fmt.Errorf("a member of the size %q", h[48:58])
		}
		body := data[at+header : at+header+size]
		if strings.TrimRight(strings.TrimSpace(h[:16]), "/") == want {
			return body, nil
		}
		at += header + size + size%2
	}
	return nil, fmt.Errorf("no member %s", want)
}

// unrpm reads an rpm: a lead, two headers, and a compressed cpio.
func unrpm(data []byte) (map[string]File, error) {
	const lead = 96
	at := lead
	for i := range 2 {
		if at+16 > len(data) || !bytes.HasPrefix(data[at:], []byte{0x8e, 0xad, 0xe8}) {
			return nil, errors.New("no header where one begins")
		}
		entries, store := binary.BigEndian.Uint32(data[at+8:]), binary.BigEndian.Uint32(data[at+12:])
		at += 16 + 16*int(entries) + int(store)
		if i == 0 {
			at = (at + 7) / 8 * 8 // the signature is padded
		}
	}
	if at > len(data) {
		return nil, io.ErrUnexpectedEOF
	}
	z, err := gzip.NewReader(bytes.NewReader(data[at:]))
	if err != nil {
		return nil, err
	}
	cpio, err := io.ReadAll(z)
	if err != nil {
		return nil, err
	}
	return uncpio(cpio)
}

// uncpio reads the "newc" form of cpio: headers of hexadecimal numbers, everything padded to four bytes.
func uncpio(data []byte) (map[string]File, error) {
	const header = 110
	pad := func(n int) int { return (n + 3) / 4 * 4 }
	files := map[string]File{}
	for at := 0; at+header <= len(data); {
		field := func(i int) int {
			n, err := strconv.ParseInt(string(data[at+6+8*i:at+14+8*i]), 16, 64)
			if err != nil {
				return -1
			}
			return int(n)
		}
		mode, size, nameSize := field(1), field(6), field(11)
		body := pad(at + header + nameSize)
		if !bytes.HasPrefix(data[at:], []byte("0707")) || size < 0 || nameSize < 1 || body+size > len(data) {
			return nil, fmt.Errorf("a broken entry at %d", at)
		}
		name := string(data[at+header : at+header+nameSize-1])
		if name == "TRAILER!!!" {
			return files, nil
		}
		if mode&0o170000 == 0o100000 { // a regular file
			files[strings.TrimPrefix(path.Clean("/"+name), "/")] = File{fs.FileMode(mode & 0o777), data[body : body+size]}
		}
		at = pad(body + size)
	}
	return nil, io.ErrUnexpectedEOF
}
