//go:build !unix

package crash

func forbidCores() {}
