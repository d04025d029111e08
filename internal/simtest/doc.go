// Package simtest runs the program end to end, from the file to the report, against the simulator in virtual time
// (testing/synctest): thousands of seeds of random estates, files, faults, quotas, crashes and other clients (`make
// simtest`), named breaks of the program that these must catch (`make simtest-mutants`), and how long a run takes
// compared with what the quotas allow (`make bench`). It contains only tests.
//
// # Reading order
//
//	the simulation: a seed, what it decides, its parts   simulation_test.go, scenario_test.go, estate_test.go, wire_test.go,
//	                                                     processes_test.go, summary_test.go
//	the other clients                                    concurrent_client_test.go, concurrent_play_test.go
//	what must be true after each step                    invariants_test.go, approvals_test.go, approvals_kept_test.go,
//	                                                     fields_test.go, agreement_test.go
//	breaks of the program that must be noticed           mutation_test.go
//	the table of docs/design.md §5, from file to report  end_to_end_test.go, decision_table_test.go,
//	                                                     decision_table_full_test.go, decision_table_names_test.go
//	changes right before a write                         concurrent_change_test.go
//	files that azbackup writes                           export_test.go, first_file_test.go
//	restores                                             restores_test.go, mass_restore_test.go, adopted_restores_test.go
//	restore tests                                        rehearsal_test.go, restore_tests_test.go,
//	                                                     restore_tests_simulation_test.go, restore_tests_kill_test.go, restore_tests_rerun_test.go,
//	                                                     nightly_tests_test.go, clean_up_conditions_test.go,
//	                                                     clean_up_simulation_test.go
//	how long a run takes                                 makespan_test.go, foresee_test.go, record_test.go
package simtest
