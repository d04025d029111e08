//go:build !unix

package main

import "os"

// maxResident returns 0: the figure is unavailable on this system.
func maxResident(*os.ProcessState) int64 { return 0 }
