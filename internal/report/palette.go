package report

import "github.com/fatih/color"

// Style is how a text is laid out.
type Style struct {
	// Color allows escape sequences.
	Color bool
	// Width is the number of columns of the terminal; 0 = no terminal: full width, nothing wrapped.
	Width int
	// Verbose shows every field before → after, and where in the config a change comes from.
	Verbose bool
	// All also lists what is unchanged, excluded or noted.
	All bool
}

// palette paints words. It is a value, made per writing, so that no global of the colour library counts.
type palette struct {
	create, change, stop, blocked, other, dim, bold func(string) string
}

func newPalette(on bool) palette {
	paint := func(attributes ...color.Attribute) func(string) string {
		c := color.New(attributes...)
		if on {
			c.EnableColor()
		} else {
			c.DisableColor()
		}
		return func(s string) string { return c.Sprint(s) }
	}
	return palette{
		create:  paint(color.FgGreen),
		change:  paint(color.FgYellow),
		stop:    paint(color.FgRed),
		blocked: paint(color.FgMagenta),
		other:   paint(color.FgCyan),
		dim:     paint(color.Faint),
		bold:    paint(color.Bold),
	}
}
