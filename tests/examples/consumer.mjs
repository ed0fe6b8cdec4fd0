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

let stopping = false;
let waiting; // aborts the request that need not be answered any more when it is to stop
for (const signal of ["SIGTERM", "SIGINT"]) {
  process.once(signal, () => {
    stopping = true;
    waiting?.abort();
  });
}

// Asks until there is an answer, or, if it is interruptible, until it is to stop. All of these requests may be repeated:
// a poll with the same token gets the same records again.
async function ask(method, target, body, interruptible = true) {
  for (let pause = 50; !(interruptible && stopping); pause = Math.min(2 * pause, 5_000)) {
    const abort = new AbortController();
    const limit = setTimeout(() => abort.abort(), 30_000);
    waiting = interruptible ? abort : undefined;
    try {
      const headers = { "Content-Type": "application/json" };
      const response = await fetch(target, { method, headers, body: JSON.stringify(body), signal: abort.signal });
      const answer = await response.json();
      if (response.ok) return answer;
      if (response.status < 500 && response.status !== 429 && answer.Error !== "ConsumerBusy") return answer;
    } catch {
      // The server is away, or went away within its answer.
    } finally {
      clearTimeout(limit);
    }
    if (!(interruptible && stopping)) await sleep(pause * (0.5 + Math.random() / 2));
  }
  return undefined;
}

function must(answer) {
  if (answer?.Error === undefined) return answer;
  console.error(`${answer.Error}: ${answer.Message}`);
  process.exit(1);
}

// If it exists, with whatever settings, it is where it was.
const settings = { Start: { Type: "TRIM_HORIZON" }, LeaseMillis: 10_000 };
const created = await ask("PUT", url, settings);
if (created?.Error !== "ConsumerExists") must(created);

let token = "";
while (!stopping) {
  // One request joins the consumer, says that it is alive and that all that the one before has brought is done, and
  // waits for more. The first does not wait: without its token there is no leaving.
  const poll = { Member: member, Token: token, WaitMillis: token === "" ? 0 : 5_000, MaxRecords: 100 };
  const polled = must(await ask("POST", `${url}/poll`, poll));
  if (polled === undefined) break;
  for (const batch of polled.Batches) {
    for (const record of batch.Records) await handle(Buffer.from(record.Data, "base64"));
  }
  token = polled.Token;
}

// Commits the last batch, and gives the shards to the others at once.
if (token !== "") must(await ask("POST", `${url}/leave`, { Member: member, Token: token }, false));
