#!/usr/bin/env bash
# Runs azbackup $COMMAND over $FILE, writes the job's summary and the outputs, and never fails by itself: verdict.sh does.
set -euo pipefail
arguments=(-f "${FILE:?}")
while IFS= read -r argument; do
	if [ -n "$argument" ]; then arguments+=("$argument"); fi
done <<<"${ARGUMENTS:-}"
if [ "${FORK:-false}" = true ]; then
	if [ -z "${SNAPSHOT:-}" ]; then
		echo "::error::a pull request from a fork has no credentials: the input snapshot names an estate to plan on"
		echo "exit-code=1" >>"$GITHUB_OUTPUT"
		exit 0
	fi
	cp "$SNAPSHOT" "$RUNNER_TEMP/estate.json" # azbackup writes into it
	arguments+=(--simulate "$RUNNER_TEMP/estate.json")
fi
code=0
case ${COMMAND:?} in
plan)
	azbackup plan "${arguments[@]}" --detailed-exitcode --output "markdown=$RUNNER_TEMP/plan.md" --output "json=$RUNNER_TEMP/plan.json" || code=$?
	if [ -s "$RUNNER_TEMP/plan.json" ]; then
		cat "$RUNNER_TEMP/plan.md" >>"$GITHUB_STEP_SUMMARY"
		{
			echo "fingerprint=$(jq -r .fingerprint "$RUNNER_TEMP/plan.json")"
			echo "changes=$(jq '[.changes[] | select(.action != "blocked")] | length' "$RUNNER_TEMP/plan.json")"
		} >>"$GITHUB_OUTPUT"
	fi
	;;
audit)
	azbackup audit "${arguments[@]}" --output sarif=azbackup.sarif --output "markdown=$RUNNER_TEMP/audit.md" || code=$?
	if [ -s azbackup.sarif ]; then
		cat "$RUNNER_TEMP/audit.md" >>"$GITHUB_STEP_SUMMARY"
		echo "changes=$(jq '[.runs[].results[]] | length' azbackup.sarif)" >>"$GITHUB_OUTPUT"
	fi
	;;
*)
	echo "::error::the input command is plan or audit, not $COMMAND"
	code=1
	;;
esac
echo "exit-code=$code" >>"$GITHUB_OUTPUT"
