#!/usr/bin/env bash
# Puts the plan in FILE into the pull request's thread of comments: the one that is there is written over, so that there is
# one; a new one is closed (4), so that no policy waits for it. SYSTEM_ACCESSTOKEN is the token of the job; the other variables are those of Azure Pipelines.
#   usage: thread.sh FILE
set -euo pipefail
plan=${1:?}
threads=${SYSTEM_COLLECTIONURI:?}${SYSTEM_TEAMPROJECTID:?}/_apis/git/repositories/${BUILD_REPOSITORY_ID:?}/pullRequests/${SYSTEM_PULLREQUEST_PULLREQUESTID:?}/threads
call() { curl -fsS --header "Authorization: Bearer ${SYSTEM_ACCESSTOKEN:?}" --header "Content-Type: application/json" "$@"; }
mine=$(call "$threads?api-version=7.1" |
	jq -r '[.value[] | select(.comments[0].content // "" | startswith("<!-- azbackup:fingerprint ")) | "\(.id)/comments/\(.comments[0].id)"][0] // empty')
if [ -n "$mine" ]; then
	jq -n --rawfile content "$plan" '{$content}' | call --request PATCH --data @- "$threads/$mine?api-version=7.1" >/dev/null
else
	jq -n --rawfile content "$plan" '{status: 4, comments: [{parentCommentId: 0, commentType: 1, $content}]}' |
		call --request POST --data @- "$threads?api-version=7.1" >/dev/null
fi
