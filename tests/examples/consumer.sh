#!/bin/sh
# A complete consumer of a stream, with curl and jq: consumer.sh STREAM CONSUMER [MEMBER]. What a poll brings counts as
# done with the next one, so whatever is killed, every record is printed at least once. While the server is away the poll
# is repeated. What it refuses (curl ends with 22) is for want of the consumer, which is made, or because another has
# joined with the name: then a poll without a token joins anew.
url=${PENSTOCK_ENDPOINT:-http://127.0.0.1:4566}/_penstock/streams/$1/consumers/$2
while true; do
  polled=$(curl -sf --json "{\"Member\":\"${3:-shell}\",\"Token\":\"$token\",\"WaitMillis\":2000,\"MaxRecords\":100}" "$url/poll") || {
    [ $? -eq 22 ] && token= && curl -sf -X PUT --json '{}' "$url" >/dev/null || sleep 0.5
    sleep 0.5
    continue
  }
  printf %s "$polled" | jq -r '.Batches[].Records[].Data | @base64d' || exit
  token=$(printf %s "$polled" | jq -r .Token)
done
