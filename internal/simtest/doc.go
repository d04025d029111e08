// Package simtest runs the program end to end, from the file to the report, against the simulator in virtual time
// (testing/synctest): thousands of seeds of random estates, files, faults, quotas, crashes and other clients (`make
// simtest`), named breaks of the program that these must catch (`make simtest-mutants`), and how long a run takes
// compared with what the quotas allow (`make bench`). It contains only tests.
package simtest
