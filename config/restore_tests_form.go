package config

import (
	"slices"
	"strings"
)

const osWord = "os"

// decodeSample reads a count or a percentage of at least one, or the word for all.
func (dec *decoder) decodeSample(n *node, p *path) Sample {
	if n.isText() && !strings.HasSuffix(n.text, "%") && (n.text == allWord || !n.hasVariable) {
		if n.text != allWord {
			dec.fail(n, "value", hintFor(n.text, []string{allWord}), "%s must be a number, a percentage such as 10%%, or %s, not %s", p, quote(allWord), quote(n.text))
		}
		return Sample{}
	}
	return Sample(dec.decodeShare(n, 1, p))
}

// decodeRestoreDisks reads a word, or LUNs, of which a single one may stand for a list of one.
func (dec *decoder) decodeRestoreDisks(n *node, v *RestoreDisks, p *path) {
	if n.isText() && (n.text == allWord || n.text == osWord || !n.hasVariable) {
		if text, ok := dec.decodeText(n, fieldLimits{enum: []string{allWord, osWord}}, p); ok && text == osWord {
			*v = RestoreDisks{}
		}
		return
	}
	first, last := 0, maxLUN
	var luns []int
	dec.decodeList(n, addressable(&luns), fieldLimits{min: &first, max: &last, minItems: 1, unique: true}, p)
	slices.Sort(luns)
	*v = luns
}

// maxLUN is the highest number of a data disk.
const maxLUN = 63
