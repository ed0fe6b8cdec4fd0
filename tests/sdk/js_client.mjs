// The AWS SDK for JavaScript, version 3, which speaks the JSON protocol. It compares the MD5 of every body by itself.
import assert from 'node:assert/strict';
import { setTimeout as after } from 'node:timers/promises';
import {
  ChangeMessageVisibilityBatchCommand, ChangeMessageVisibilityCommand, CreateQueueCommand, DeleteMessageBatchCommand,
  DeleteMessageCommand, DeleteQueueCommand, GetQueueAttributesCommand, GetQueueUrlCommand, ListQueuesCommand,
  PurgeQueueCommand, QueueDoesNotExist, ReceiveMessageCommand, SendMessageBatchCommand, SendMessageCommand,
  SetQueueAttributesCommand, paginateListQueues,
} from '@aws-sdk/client-sqs';
import { allBytes, client, endpoint, failure, md5, nonAscii, run, test } from './cases.mjs';

const sqs = client();

async function newQueue(name, attributes = {}) {
  return (await sqs.send(new CreateQueueCommand({ QueueName: name, Attributes: attributes }))).QueueUrl;
}

async function receive(url, more = {}) {
  return (await sqs.send(new ReceiveMessageCommand({ QueueUrl: url, ...more }))).Messages ?? [];
}

function send(url, body, more = {}) {
  return sqs.send(new SendMessageCommand({ QueueUrl: url, MessageBody: body, ...more }));
}

function numbered(count, more = {}) {
  return Array.from({ length: count }, (_, n) => ({ Id: `${n}`, MessageBody: `${n}`, ...more }));
}

/// `get` (wait in seconds -> messages) gets one message, and not before so many milliseconds after `started`. A machine
/// that was busy meanwhile may get it at the first call.
async function comesAfter(ms, started, get) {
  const now = await get(0);
  const got = now.length > 0 ? now : await get(20);
  const took = performance.now() - started;
  assert.equal(got.length, 1);
  // What the server counts begins after `started`; its clock is another than ours, and may be corrected.
  assert.ok(took >= ms - 20 && took < ms + 15_000, `it came after ${took} of ${ms} ms`);
  return got[0];
}

const bodies = (messages) => messages.map((message) => message.Body).sort();
const ids = (entries) => entries.map((entry) => entry.Id).sort();

test('creates and finds a queue', async () => {
  const url = await newQueue('made', { VisibilityTimeout: '45' });
  assert.equal(url, `${endpoint}/000000000000/made`);
  assert.equal(await newQueue('made', { VisibilityTimeout: '45' }), url);
  assert.equal((await sqs.send(new GetQueueUrlCommand({ QueueName: 'made' }))).QueueUrl, url);
  const error = await failure(newQueue('made', { VisibilityTimeout: '46' }));
  assert.equal(error.name, 'QueueNameExists');
  assert.equal(error.$metadata.httpStatusCode, 400);
});

test('names the error of a missing queue', async () => {
  for (const command of [
    new GetQueueUrlCommand({ QueueName: 'nowhere' }),
    new SendMessageCommand({ QueueUrl: `${endpoint}/000000000000/nowhere`, MessageBody: 'x' }),
    new ReceiveMessageCommand({ QueueUrl: `${endpoint}/000000000000/nowhere` }),
  ]) {
    const error = await failure(sqs.send(command));
    assert.ok(error instanceof QueueDoesNotExist, `${error}`);
    assert.equal(error.name, 'QueueDoesNotExist');
    assert.equal(error.message, 'The specified queue does not exist.');
    assert.equal(error.$metadata.httpStatusCode, 400);
    assert.match(error.$metadata.requestId, /^[0-9a-f-]{36}$/);
  }
});

test('lists queues by prefix and page', async () => {
  const urls = [];
  for (let n = 0; n < 5; ++n) urls.push(await newQueue(`list-${n}`));
  assert.deepEqual((await sqs.send(new ListQueuesCommand({ QueueNamePrefix: 'list-' }))).QueueUrls, urls);
  const none = await sqs.send(new ListQueuesCommand({ QueueNamePrefix: 'no-such' }));
  assert.deepEqual(none.QueueUrls ?? [], []);
  const pages = [];
  for await (const page of paginateListQueues({ client: sqs, pageSize: 2 }, { QueueNamePrefix: 'list-' })) {
    pages.push(page.QueueUrls ?? []);
  }
  assert.deepEqual(pages.flat(), urls);
  assert.deepEqual(pages.map((page) => page.length), [2, 2, 1]);
});

test('keeps attributes of a queue', async () => {
  const url = await newQueue('attributes', { DelaySeconds: '7' });
  const read = async (names) =>
    (await sqs.send(new GetQueueAttributesCommand({ QueueUrl: url, AttributeNames: names }))).Attributes;
  const all = await read(['All']);
  assert.equal(all.DelaySeconds, '7');
  assert.equal(all.VisibilityTimeout, '30');
  assert.equal(all.QueueArn, 'arn:aws:sqs:us-east-1:000000000000:attributes');
  assert.ok(Math.abs(Number(all.CreatedTimestamp) - Date.now() / 1000) < 60, all.CreatedTimestamp);
  await sqs.send(new SetQueueAttributesCommand({ QueueUrl: url, Attributes: { VisibilityTimeout: '99' } }));
  assert.deepEqual(await read(['VisibilityTimeout', 'DelaySeconds']), { VisibilityTimeout: '99', DelaySeconds: '7' });
  assert.equal((await failure(read(['Nonsense']))).name, 'InvalidAttributeName');
});

test('sends, receives and deletes', async () => {
  const url = await newQueue('round');
  const attributes = {
    Text: { DataType: 'String', StringValue: nonAscii },
    Count: { DataType: 'Number.int', StringValue: '-17' },
    Blob: { DataType: 'Binary.bytes', BinaryValue: allBytes },
  };
  const sent = await send(url, nonAscii, { MessageAttributes: attributes });
  assert.equal(sent.MD5OfMessageBody, md5(nonAscii));
  const got = await receive(url, { MessageSystemAttributeNames: ['All'], MessageAttributeNames: ['All'] });
  assert.equal(got.length, 1);
  assert.equal(got[0].Body, nonAscii);
  assert.equal(got[0].MessageId, sent.MessageId);
  assert.equal(got[0].MD5OfMessageAttributes, sent.MD5OfMessageAttributes);
  assert.equal(got[0].MessageAttributes.Text.StringValue, nonAscii);
  assert.equal(got[0].MessageAttributes.Count.DataType, 'Number.int');
  assert.deepEqual([...got[0].MessageAttributes.Blob.BinaryValue], [...allBytes]);
  assert.equal(got[0].Attributes.ApproximateReceiveCount, '1');
  assert.ok(Math.abs(Number(got[0].Attributes.SentTimestamp) - Date.now()) < 60_000);
  await sqs.send(new DeleteMessageCommand({ QueueUrl: url, ReceiptHandle: got[0].ReceiptHandle }));
  const counts = (await sqs.send(new GetQueueAttributesCommand({
    QueueUrl: url, AttributeNames: ['ApproximateNumberOfMessages', 'ApproximateNumberOfMessagesNotVisible'],
  }))).Attributes;
  assert.deepEqual(counts, { ApproximateNumberOfMessages: '0', ApproximateNumberOfMessagesNotVisible: '0' });
});

test('delays a message', async () => {
  const url = await newQueue('delayed');
  const sent = performance.now();
  await send(url, 'later', { DelaySeconds: 1 });
  const got = await comesAfter(1_000, sent, (wait) => receive(url, { WaitTimeSeconds: wait }));
  assert.equal(got.Body, 'later');
});

test('answers a long poll when a message is sent', async () => {
  const url = await newQueue('polled');
  const started = performance.now();
  assert.deepEqual(await receive(url, { WaitTimeSeconds: 1 }), []);
  assert.ok(performance.now() - started >= 950, 'an empty long poll did not last its second');
  const poll = receive(url, { WaitTimeSeconds: 20 });
  const first = await Promise.race([poll, after(500, 'still waiting')]);
  assert.equal(first, 'still waiting');
  const sent = performance.now();
  await send(url, 'wake');
  assert.deepEqual(bodies(await poll), ['wake']);
  assert.ok(performance.now() - sent < 10_000, 'the poll was answered late');
});

test('sends batches, of which an entry may fail', async () => {
  const url = await newQueue('batch', { MaximumMessageSize: '1024' });
  const entries = numbered(9, { MessageAttributes: { Of: { DataType: 'String', StringValue: 'nine' } } });
  const done = await sqs.send(new SendMessageBatchCommand({
    QueueUrl: url, Entries: [...entries, { Id: 'large', MessageBody: 'x'.repeat(1025) }],
  }));
  assert.deepEqual(ids(done.Successful), ids(entries));
  for (const entry of done.Successful) assert.equal(entry.MD5OfMessageBody, md5(entry.Id));
  assert.equal(done.Failed.length, 1);
  assert.equal(done.Failed[0].Id, 'large');
  assert.equal(done.Failed[0].Code, 'InvalidParameterValue');
  assert.equal(done.Failed[0].SenderFault, true);
  const got = new Set();
  while (got.size < 9) {
    const messages = await receive(url, { MaxNumberOfMessages: 10, WaitTimeSeconds: 2 });
    assert.ok(messages.length > 0, `only ${got.size} of 9 came`);
    for (const message of messages) got.add(message.Body);
  }
  assert.deepEqual([...got].sort(), ids(entries));
});

test('refuses bad batches', async () => {
  const url = await newQueue('bad-batch');
  const name = async (entries) =>
    (await failure(sqs.send(new SendMessageBatchCommand({ QueueUrl: url, Entries: entries })))).name;
  assert.equal(await name([...numbered(1), ...numbered(1)]), 'BatchEntryIdsNotDistinct');
  assert.equal(await name(numbered(11)), 'TooManyEntriesInBatchRequest');
  assert.equal(await name([]), 'EmptyBatchRequest');
  assert.equal(await name([{ Id: 'not good!', MessageBody: 'x' }]), 'InvalidBatchEntryId');
  assert.equal(await name(numbered(2, { MessageBody: 'x'.repeat(600_000) })), 'BatchRequestTooLong');
  assert.deepEqual(await receive(url), []);
});

test('changes visibility', async () => {
  const url = await newQueue('visibility');
  await send(url, 'v');
  const [first] = await receive(url);
  assert.deepEqual(await receive(url), []);
  await sqs.send(new ChangeMessageVisibilityCommand({
    QueueUrl: url, ReceiptHandle: first.ReceiptHandle, VisibilityTimeout: 0,
  }));
  const received = performance.now();
  const [second] = await receive(url, {
    VisibilityTimeout: 1, MessageSystemAttributeNames: ['ApproximateReceiveCount'],
  });
  assert.equal(second.Attributes.ApproximateReceiveCount, '2');
  assert.notEqual(second.ReceiptHandle, first.ReceiptHandle);
  const third = await comesAfter(1_000, received,
    (wait) => receive(url, { WaitTimeSeconds: wait, MessageSystemAttributeNames: ['All'] }));
  assert.equal(third.Attributes.ApproximateReceiveCount, '3');
  const error = await failure(sqs.send(new ChangeMessageVisibilityCommand({
    QueueUrl: url, ReceiptHandle: 'rubbish', VisibilityTimeout: 0,
  })));
  assert.equal(error.name, 'ReceiptHandleIsInvalid');
});

test('changes visibility and deletes in batches', async () => {
  const url = await newQueue('batches');
  await sqs.send(new SendMessageBatchCommand({ QueueUrl: url, Entries: numbered(5) }));
  const got = await receive(url, { MaxNumberOfMessages: 10 });
  assert.equal(got.length, 5);
  const bad = { Id: 'bad', ReceiptHandle: 'rubbish' };
  const changed = await sqs.send(new ChangeMessageVisibilityBatchCommand({
    QueueUrl: url,
    Entries: [...got.map((message) => ({ Id: message.Body, ReceiptHandle: message.ReceiptHandle })), bad]
      .map((entry) => ({ ...entry, VisibilityTimeout: 0 })),
  }));
  assert.deepEqual(ids(changed.Successful), ['0', '1', '2', '3', '4']);
  assert.deepEqual(changed.Failed.map((entry) => [entry.Id, entry.Code]), [['bad', 'ReceiptHandleIsInvalid']]);
  const again = await receive(url, { MaxNumberOfMessages: 10, VisibilityTimeout: 1 });
  assert.equal(again.length, 5);
  const deleted = await sqs.send(new DeleteMessageBatchCommand({
    QueueUrl: url,
    Entries: [...again.map((message) => ({ Id: message.Body, ReceiptHandle: message.ReceiptHandle })), bad],
  }));
  assert.deepEqual(ids(deleted.Successful), ['0', '1', '2', '3', '4']);
  assert.deepEqual(deleted.Failed.map((entry) => [entry.Id, entry.Code]), [['bad', 'ReceiptHandleIsInvalid']]);
  assert.deepEqual(await receive(url, { WaitTimeSeconds: 2 }), []);
});

test('purges and deletes a queue', async () => {
  const url = await newQueue('purged', { VisibilityTimeout: '0' });
  await sqs.send(new SendMessageBatchCommand({ QueueUrl: url, Entries: numbered(5) }));
  await sqs.send(new PurgeQueueCommand({ QueueUrl: url }));
  assert.deepEqual(await receive(url), []);
  await send(url, 'after');
  assert.deepEqual(bodies(await receive(url)), ['after']);
  await sqs.send(new DeleteQueueCommand({ QueueUrl: url }));
  assert.ok(await failure(send(url, 'x')) instanceof QueueDoesNotExist);
});

test('refuses what the service refuses', async () => {
  const url = await newQueue('refused');
  const many = await failure(receive(url, { MaxNumberOfMessages: 11 }));
  assert.equal(many.name, 'InvalidParameterValue');
  assert.equal(many.message,
    'Value 11 for parameter MaxNumberOfMessages is invalid. Reason: Must be between 1 and 10, if provided.');
  assert.equal((await failure(send(url, ''))).name, 'MissingParameter');
  assert.equal((await failure(send(url, 'bad \u0001 character'))).name, 'InvalidMessageContents');
  const rubbish = new DeleteMessageCommand({ QueueUrl: url, ReceiptHandle: 'rubbish' });
  assert.equal((await failure(sqs.send(rubbish))).name, 'ReceiptHandleIsInvalid');
});

test('takes a mebibyte and no more', async () => {
  const url = await newQueue('large');
  const body = 'ü'.repeat(1_048_576 / 2);
  await send(url, body);
  assert.ok((await receive(url))[0].Body === body, 'the large body came back changed');
  assert.equal((await failure(send(url, `${body}x`))).name, 'InvalidParameterValue');
});

test('keeps regions and accounts apart', async () => {
  const places = [['us-east-1', '111111111111'], ['eu-central-1', '111111111111'], ['us-east-1', '222222222222']]
    .map(([region, account]) => ({ region, account, sqs: client(region, account) }));
  for (const place of places) {
    place.url = (await place.sqs.send(new CreateQueueCommand({ QueueName: 'shared' }))).QueueUrl;
    assert.equal(place.url, `${endpoint}/${place.account}/shared`);
    const attributes = await place.sqs.send(new GetQueueAttributesCommand({
      QueueUrl: place.url, AttributeNames: ['QueueArn'],
    }));
    assert.equal(attributes.Attributes.QueueArn, `arn:aws:sqs:${place.region}:${place.account}:shared`);
    const body = `${place.region} ${place.account}`;
    await place.sqs.send(new SendMessageCommand({ QueueUrl: place.url, MessageBody: body }));
  }
  for (const place of places) {
    assert.deepEqual((await place.sqs.send(new ListQueuesCommand({}))).QueueUrls, [place.url]);
    const got = await place.sqs.send(new ReceiveMessageCommand({ QueueUrl: place.url, MaxNumberOfMessages: 10 }));
    assert.deepEqual(bodies(got.Messages), [`${place.region} ${place.account}`]);
  }
});

await run();
