package config

import (
	"strings"
	"unicode/utf8"
)

// glob is a compiled pattern, anchored at both ends: * stands for any characters, ? for one. There are no
// classes and no escapes: Azure allows neither * nor ? in names, and tag values with them are rare.
type glob struct {
	kind globKind
	text string // without the stars, but for globAny kinds of mixture
}

type globKind uint8

const (
	globExact globKind = iota
	globPrefix
	globSuffix
	globInfix
	globEvery
	globMixed
)

// newGlob compiles a pattern. It classifies the common forms, so that a match of one of them costs one comparison.
func newGlob(pattern string) glob {
	inner := strings.Trim(pattern, "*")
	plain := !strings.ContainsAny(inner, "*?")
	first, last := strings.HasPrefix(pattern, "*"), strings.HasSuffix(pattern, "*")
	switch {
	case inner == "" && pattern != "":
		return glob{globEvery, ""}
	case !plain:
		return glob{globMixed, pattern}
	case first && last:
		return glob{globInfix, inner}
	case first:
		return glob{globSuffix, inner}
	case last:
		return glob{globPrefix, inner}
	default:
		return glob{globExact, inner}
	}
}

func (g glob) match(s string) bool {
	switch g.kind {
	case globExact:
		return s == g.text
	case globPrefix:
		return strings.HasPrefix(s, g.text)
	case globSuffix:
		return strings.HasSuffix(s, g.text)
	case globInfix:
		return strings.Contains(s, g.text)
	case globEvery:
		return true
	default:
		return matchWildcard(g.text, s)
	}
}

// matchWildcard matches s against a pattern with stars and question marks, going back to the last star only, so that
// it takes len(p)·len(s) steps at worst.
func matchWildcard(p, s string) bool {
	star, retry := -1, 0
	i, j := 0, 0
	for j < len(s) {
		switch {
		case i < len(p) && p[i] == '*':
			star, retry = i, j
			i++
		case i < len(p) && p[i] == '?':
			_, size := utf8.DecodeRuneInString(s[j:])
			i, j = i+1, j+size
		case i < len(p) && p[i] == s[j]:
			i, j = i+1, j+1
		case star >= 0:
			_, size := utf8.DecodeRuneInString(s[retry:])
			retry += size
			i, j = star+1, retry
		default:
			return false
		}
	}
	return strings.Trim(p[i:], "*") == ""
}

// globCovers reports whether everything that q matches is matched by p. It may return false where the truth is
// hard to see, never true where it is not. It takes len(p)·len(q) steps, unless globCoversQuickly knows.
func globCovers(p, q string) bool {
	if quick, known := globCoversQuickly(p, q); known {
		return quick
	}
	return runesCovered([]rune(p), []rune(q))
}

// globCoversQuickly answers the frequent cases: equal patterns, no pattern at all, different beginnings.
func globCoversQuickly(p, q string) (covers, known bool) {
	if p == q || p == "*" {
		return true, true
	}
	first := strings.IndexAny(p, "*?")
	return false, first < 0 || !strings.HasPrefix(q, p[:first])
}

// runesCovered is globCovers character by character: a star covers any characters, a question mark any one that is no
// star.
func runesCovered(p, q []rune) bool {
	// row[j]: the part of p read so far covers the first j characters of q.
	row, next := make([]bool, len(q)+1), make([]bool, len(q)+1)
	row[0] = true
	for _, sign := range p {
		for j := range next {
			switch {
			case sign == '*':
				next[j] = row[j] || j > 0 && next[j-1]
			case j > 0 && q[j-1] != '*' && (sign == '?' || sign == q[j-1]):
				next[j] = row[j-1]
			default:
				next[j] = false
			}
		}
		row, next = next, row
	}
	return row[len(q)]
}
