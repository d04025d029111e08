package apply

// WithYield has every lock of a run call yield right before it is taken and right after it is given back.
func WithYield(o Options, yield func()) Options {
	o.yield = yield
	return o
}
