#!/usr/bin/env bash
# Puts the plan into the pull request's comment: the one that is there is written over, so that there is one.
set -euo pipefail
if ! [ -s "$RUNNER_TEMP/plan.md" ]; then exit 0; fi
if [ "${FORK:-false}" = true ]; then
	echo "::notice::a run for a fork may not comment: the plan stands in the summary of the job"
	exit 0
fi
comments=repos/$GITHUB_REPOSITORY/issues
mine=$(gh api --paginate "$comments/${PULL_REQUEST:?}/comments" \
	--jq '.[] | select(.user.type == "Bot" and (.body | startswith("<!-- azbackup:fingerprint "))) | .id' | head -n 1)
if [ -n "$mine" ]; then
	gh api -X PATCH "$comments/comments/$mine" -F "body=@$RUNNER_TEMP/plan.md" >/dev/null
else
	gh api "$comments/$PULL_REQUEST/comments" -F "body=@$RUNNER_TEMP/plan.md" >/dev/null
fi
