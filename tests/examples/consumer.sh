#!/bin/sh
# A complete consumer of a stream, with curl and jq: consumer.sh STREAM CONSUMER [MEMBER]. What a poll brings counts as
# done with the next one, so whatever is killed, every record is printed at least once. A poll fails while the server is
# away, if there is no such consumer yet, and if another has joined with its name: then it joins anew.
url=${PENSTOCK_ENDPOINT:-http://127.0.0.1:4566}/_penstock/streams/$1/consumers/$2
while true; do
  polled=$(curl -sf --json "{\"Member\":\"${3:-shell}\",\"Token\":\"$token\",\"WaitMillis\":2000,\"MaxRecords\":100}" "$url/poll") ||
    { curl -sf -X PUT --json '{}' "$url" >/dev/null && test -z "$token" || sleep 1; token=; continue; }
  printf %s "$polled" | jq -r '.Batches[].Records[].Data | @base64d' || exit
  token=$(printf %s "$polled" | jq -r .Token)
done
