#!/bin/sh
# A complete consumer of a stream, with curl and jq: consumer.sh STREAM CONSUMER. What a poll brings counts as done with
# the next one, so whatever is killed, every record is printed at least once. A poll fails while the server is away, and
# if there is no such consumer yet.
url=${PENSTOCK_ENDPOINT:-http://127.0.0.1:4566}/_penstock/streams/$1/consumers/$2
while true; do
  polled=$(curl -sf --json "{\"Member\":\"shell\",\"Token\":\"$token\",\"WaitMillis\":2000,\"MaxRecords\":100}" "$url/poll") ||
    { curl -s -X PUT --json '{}' "$url" >/dev/null || sleep 1; continue; }
  printf %s "$polled" | jq -r '.Batches[].Records[].Data | @base64d' || exit
  token=$(printf %s "$polled" | jq -r .Token)
done
