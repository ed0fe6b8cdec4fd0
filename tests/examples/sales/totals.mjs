// A function for a stream's mapping with tumbling windows: adds up what was sold of each item within a window, and sends
// the totals to the queue `totals` when the window is over. The state between the invokes is kept by the server.

async function send(body) {
  const answer = await fetch(process.env.AWS_ENDPOINT_URL, {
    method: "POST",
    headers: { "Content-Type": "application/x-amz-json-1.0", "X-Amz-Target": "AmazonSQS.SendMessage" },
    body: JSON.stringify({ QueueUrl: process.env.TOTALS_URL, MessageBody: JSON.stringify(body) }),
  });
  if (!answer.ok) throw new Error(`${answer.status}: ${await answer.text()}`);
}

export async function handler(event) {
  const totals = event.state ?? {};
  for (const record of event.Records) {
    const sale = JSON.parse(Buffer.from(record.kinesis.data, "base64").toString());
    totals[sale.item] = (totals[sale.item] ?? 0) + sale.amount;
  }
  if (event.isFinalInvokeForWindow) {
    await send({ window: event.window, shard: event.shardId, totals });
    return { state: {} };
  }
  return { state: totals };
}
