// A complete consumer of a stream: it prints every record, at least once, and goes on where it stopped, whatever ended,
// the server or itself. It needs Node 18 or later and nothing else.
//
//   node consumer.mjs STREAM CONSUMER [MEMBER]
//
// Any number of members share the stream's shards. One that is killed and comes back with its name goes on at once; the
// shards of one that does not come back go to the others when its lease time is over.

import { writeSync } from "node:fs";

const [stream, consumer, member = `node-${process.pid}`] = process.argv.slice(2);
const endpoint = process.env.PENSTOCK_ENDPOINT ?? "http://127.0.0.1:4566";
const url = `${endpoint}/_penstock/streams/${stream}/consumers/${consumer}`;

// Replace this by your own. It should take less than the lease time for a whole batch (or send a heartbeat).
async function handle(data) {
  writeSync(1, `${data.toString()}\n`);
}

const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

// Asks until there is an answer. All of these requests may be repeated: a poll with the same token gets the same records
// again.
async function ask(method, target, body) {
  for (let pause = 50; ; pause = Math.min(2 * pause, 5_000)) {
    try {
      const headers = { "Content-Type": "application/json" };
      const signal = AbortSignal.timeout(30_000);
      const response = await fetch(target, { method, headers, body: JSON.stringify(body), signal });
      const answer = await response.json();
      if (response.ok) return answer;
      if (response.status < 500 && response.status !== 429 && answer.Error !== "ConsumerBusy") return answer;
    } catch {
      // The server is away, or went away within its answer.
    }
    await sleep(pause * (0.5 + Math.random() / 2));
  }
}

function must(answer) {
  if (answer.Error === undefined) return answer;
  console.error(`${answer.Error}: ${answer.Message}`);
  process.exit(1);
}

let stopping = false;
for (const signal of ["SIGTERM", "SIGINT"]) process.once(signal, () => (stopping = true));

// If it exists, with whatever settings, it is where it was.
const settings = { Start: { Type: "TRIM_HORIZON" }, LeaseMillis: 10_000 };
const created = await ask("PUT", url, settings);
if (created.Error !== "ConsumerExists") must(created);

let token = "";
while (!stopping) {
  // One request joins the consumer, says that it is alive and that all that the one before has brought is done, and
  // waits for more.
  const poll = { Member: member, Token: token, WaitMillis: 2_000, MaxRecords: 100 };
  const polled = must(await ask("POST", `${url}/poll`, poll));
  for (const batch of polled.Batches) {
    for (const record of batch.Records) await handle(Buffer.from(record.Data, "base64"));
  }
  token = polled.Token;
}

// Commits the last batch, and gives the shards to the others at once.
if (token !== "") await ask("POST", `${url}/leave`, { Member: member, Token: token });
