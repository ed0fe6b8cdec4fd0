// The AWS SDK for JavaScript, version 3, which speaks the JSON protocol. It compares the MD5 of every body by itself.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { setTimeout as after } from 'node:timers/promises';
import {
  AddPermissionCommand, CancelMessageMoveTaskCommand, ChangeMessageVisibilityBatchCommand,
  ChangeMessageVisibilityCommand, CreateQueueCommand, DeleteMessageBatchCommand, DeleteMessageCommand,
  DeleteQueueCommand, GetQueueAttributesCommand, GetQueueUrlCommand, ListDeadLetterSourceQueuesCommand,
  ListMessageMoveTasksCommand, ListQueueTagsCommand, ListQueuesCommand, PurgeQueueCommand, QueueDoesNotExist,
  ReceiveMessageCommand, RemovePermissionCommand, SendMessageBatchCommand, SendMessageCommand,
  SetQueueAttributesCommand, StartMessageMoveTaskCommand, TagQueueCommand, UntagQueueCommand,
  paginateListDeadLetterSourceQueues, paginateListQueues,
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

function newFifo(name, attributes = {}) {
  return newQueue(name, { FifoQueue: 'true', ...attributes });
}

async function attributesOf(url, names = ['All']) {
  const answer = await sqs.send(new GetQueueAttributesCommand({ QueueUrl: url, AttributeNames: names }));
  return answer.Attributes ?? {};
}

async function setAttributes(url, attributes) {
  await sqs.send(new SetQueueAttributesCommand({ QueueUrl: url, Attributes: attributes }));
}

async function arnOf(url) {
  return (await attributesOf(url, ['QueueArn'])).QueueArn;
}

async function redriveTo(dead, maxReceiveCount) {
  return JSON.stringify({ deadLetterTargetArn: await arnOf(dead), maxReceiveCount });
}

async function remove(url, message) {
  await sqs.send(new DeleteMessageCommand({ QueueUrl: url, ReceiptHandle: message.ReceiptHandle }));
}

/// Messages waiting.
async function waiting(url) {
  return Number((await attributesOf(url, ['ApproximateNumberOfMessages'])).ApproximateNumberOfMessages);
}

/// In the order in which they came.
const inOrder = (messages) => messages.map((message) => message.Body);

/// What comes of a queue until so many have come. They stay in flight.
async function receiveAll(url, count, more = {}) {
  const got = [];
  while (got.length < count) {
    const messages = await receive(url, { MaxNumberOfMessages: 10, WaitTimeSeconds: 10, ...more });
    assert.ok(messages.length > 0, `only ${got.length} of ${count} came`);
    got.push(...messages);
  }
  assert.equal(got.length, count);
  return got;
}

/// The first of `look`'s answers that is not undefined.
async function eventually(look) {
  const limit = performance.now() + 20_000;
  while (performance.now() < limit) {
    const found = await look();
    if (found !== undefined) return found;
    await after(20);
  }
  throw new Error('it did not come to that within 20 seconds');
}

test('makes FIFO queues', async () => {
  const url = await newFifo('made.fifo');
  assert.equal(url, `${endpoint}/000000000000/made.fifo`);
  const seen = await attributesOf(url);
  assert.deepEqual(
    [seen.FifoQueue, seen.ContentBasedDeduplication, seen.DeduplicationScope, seen.FifoThroughputLimit],
    ['true', 'false', 'queue', 'perQueue']);
  const high = await newFifo('high.fifo', {
    DeduplicationScope: 'messageGroup', FifoThroughputLimit: 'perMessageGroupId',
  });
  assert.deepEqual(await attributesOf(high, ['DeduplicationScope', 'FifoThroughputLimit']),
    { DeduplicationScope: 'messageGroup', FifoThroughputLimit: 'perMessageGroupId' });
  const named = await failure(newFifo('not-fifo'));
  assert.equal(named.name, 'InvalidAttributeName');
  assert.equal(named.message, 'Unknown Attribute FifoQueue.');
  assert.equal((await failure(newQueue('lacks.fifo'))).name, 'InvalidParameterValue');
});

test('keeps the order of a group, and locks it while it is in flight', async () => {
  const url = await newFifo('order.fifo', { ContentBasedDeduplication: 'true' });
  const numbers = [];
  for (const body of ['a0', 'b1', 'a2', 'c3', 'a4']) {
    numbers.push(BigInt((await send(url, body, { MessageGroupId: body[0] })).SequenceNumber));
  }
  for (let n = 1; n < numbers.length; ++n) assert.ok(numbers[n] > numbers[n - 1], `${numbers}`);
  // A receive takes what it can from one group before it looks at others.
  const first = await receive(url, { MaxNumberOfMessages: 2, MessageSystemAttributeNames: ['All'] });
  assert.deepEqual(inOrder(first), ['a0', 'a2']);
  assert.deepEqual(first.map((message) => message.Attributes.MessageGroupId), ['a', 'a']);
  assert.deepEqual(first.map((message) => BigInt(message.Attributes.SequenceNumber)), [numbers[0], numbers[2]]);
  await send(url, 'a5', { MessageGroupId: 'a' });
  assert.deepEqual(inOrder(await receive(url, { MaxNumberOfMessages: 10 })), ['b1', 'c3']);
  await remove(url, first[0]);
  assert.deepEqual(await receive(url, { MaxNumberOfMessages: 10 }), []);
  await remove(url, first[1]);
  assert.deepEqual(inOrder(await receive(url, { MaxNumberOfMessages: 10 })), ['a4', 'a5']);
});

test('wakes a long poll when a group is free again', async () => {
  const url = await newFifo('woken.fifo', { ContentBasedDeduplication: 'true' });
  await send(url, 'first', { MessageGroupId: 'g' });
  await send(url, 'second', { MessageGroupId: 'g' });
  const [first] = await receive(url);
  const poll = receive(url, { WaitTimeSeconds: 20 });
  assert.equal(await Promise.race([poll, after(500, 'still waiting')]), 'still waiting');
  const freed = performance.now();
  await remove(url, first);
  assert.deepEqual(inOrder(await poll), ['second']);
  assert.ok(performance.now() - freed < 10_000, 'the poll was answered late');
});

test('sends a FIFO message once', async () => {
  const same = ({ MessageId, SequenceNumber }) => ({ MessageId, SequenceNumber });
  const url = await newFifo('once.fifo', { ContentBasedDeduplication: 'true' });
  const byId = { MessageGroupId: 'g', MessageDeduplicationId: 'same' };
  const first = await send(url, 'one', byId);
  assert.deepEqual(same(await send(url, 'another body', byId)), same(first));
  const byContent = await send(url, nonAscii, { MessageGroupId: 'g' });
  assert.deepEqual(same(await send(url, nonAscii, { MessageGroupId: 'other' })), same(byContent));
  const batch = await sqs.send(new SendMessageBatchCommand({
    QueueUrl: url, Entries: [{ Id: 'again', MessageBody: nonAscii, MessageGroupId: 'g' }],
  }));
  assert.deepEqual(same(batch.Successful[0]), same(byContent));
  const got = await receive(url, { MaxNumberOfMessages: 10, MessageSystemAttributeNames: ['MessageDeduplicationId'] });
  assert.deepEqual(got.map((message) => [message.Body, message.Attributes.MessageDeduplicationId]),
    [['one', 'same'], [nonAscii, createHash('sha256').update(nonAscii).digest('hex')]]);
  for (const message of got) await remove(url, message);
  // That the first is gone does not make the second one new.
  assert.deepEqual(same(await send(url, 'one', byId)), same(first));
  assert.deepEqual(await receive(url), []);
});

test('tells FIFO messages apart within a group when created so, not when changed so', async () => {
  const both = async (url) => {
    const sent = [];
    for (const group of ['a', 'b']) {
      sent.push(await send(url, group, { MessageGroupId: group, MessageDeduplicationId: 'same' }));
    }
    return new Set(sent.map((answer) => answer.MessageId)).size;
  };
  assert.equal(await both(await newFifo('scope.fifo', { DeduplicationScope: 'messageGroup' })), 2);
  const changed = await newFifo('scope-changed.fifo');
  await setAttributes(changed, { DeduplicationScope: 'messageGroup' });
  assert.equal((await attributesOf(changed)).DeduplicationScope, 'messageGroup');
  assert.equal(await both(changed), 1);
});

test('repeats a receive by its attempt id', async () => {
  const url = await newFifo('attempt.fifo', { ContentBasedDeduplication: 'true' });
  for (const body of ['0', '1', '2']) await send(url, body, { MessageGroupId: 'g' });
  const attempt = (id) => receive(url, { MaxNumberOfMessages: 2, ReceiveRequestAttemptId: id });
  const handles = (messages) => messages.map((message) => [message.Body, message.MessageId, message.ReceiptHandle]);
  const first = await attempt('first');
  assert.deepEqual(inOrder(first), ['0', '1']);
  assert.deepEqual(handles(await attempt('first')), handles(first));
  assert.deepEqual(await attempt('second'), []);
  await remove(url, first[0]);
  // One of them has changed, and the other is still in flight.
  assert.deepEqual(await attempt('first'), []);
});

test('refuses what FIFO queues refuse', async () => {
  const url = await newFifo('refuses.fifo');
  const missing = 'The request must contain the parameter MessageGroupId.';
  const single = await failure(send(url, 'x', { MessageDeduplicationId: 'd' }));
  assert.deepEqual([single.name, single.message, single.$metadata.httpStatusCode], ['MissingParameter', missing, 400]);
  const batch = await failure(sqs.send(new SendMessageBatchCommand({
    QueueUrl: url,
    Entries: [
      { Id: 'with', MessageBody: 'x', MessageGroupId: 'g', MessageDeduplicationId: 'with' },
      { Id: 'without', MessageBody: 'x', MessageDeduplicationId: 'without' },
    ],
  })));
  assert.deepEqual([batch.name, batch.message], ['InvalidParameterValue', missing]);
  assert.deepEqual(await receive(url), []);
  const inGroup = { MessageGroupId: 'g', MessageDeduplicationId: 'd' };
  const delayed = await failure(send(url, 'x', { ...inGroup, DelaySeconds: 2 }));
  assert.deepEqual([delayed.name, delayed.message], ['InvalidParameterValue',
    'Value 2 for parameter DelaySeconds is invalid. Reason: The request include parameter that is not valid for this '
    + 'queue type.']);
  await send(url, 'x', inGroup);
  const [late] = await receive(url, { VisibilityTimeout: 0 });
  const expired = await failure(remove(url, late));
  assert.deepEqual([expired.name, expired.message], ['InvalidParameterValue',
    `Value ${late.ReceiptHandle} for parameter ReceiptHandle is invalid. Reason: The receipt handle has expired.`]);
});

test('moves what fails to the dead-letter queue', async () => {
  const dead = await newQueue('dead');
  const url = await newQueue('failing', { VisibilityTimeout: '0', RedrivePolicy: await redriveTo(dead, 1) });
  const sent = await send(url, 'poison', { MessageAttributes: { Kept: { DataType: 'String', StringValue: 'yes' } } });
  const [first] = await receive(url, { MessageSystemAttributeNames: ['All'] });
  assert.equal(first.Attributes.ApproximateReceiveCount, '1');
  assert.equal(first.Attributes.DeadLetterQueueSourceArn, undefined);
  assert.deepEqual(await receive(url), []);
  const [got] = await receiveAll(dead, 1, { MessageSystemAttributeNames: ['All'], MessageAttributeNames: ['All'] });
  assert.deepEqual([got.MessageId, got.Body, got.MessageAttributes.Kept.StringValue],
    [sent.MessageId, 'poison', 'yes']);
  assert.equal(got.Attributes.DeadLetterQueueSourceArn, await arnOf(url));
  assert.equal(got.Attributes.SentTimestamp, first.Attributes.SentTimestamp);
  assert.ok(Number(got.Attributes.ApproximateReceiveCount) >= 2, 'the receive count began anew');
});

test('keeps what fails when the dead-letter queue is gone', async () => {
  const dead = await newQueue('dead-gone');
  const url = await newQueue('failing-on', { VisibilityTimeout: '0', RedrivePolicy: await redriveTo(dead, 1) });
  await send(url, 'poison');
  await sqs.send(new DeleteQueueCommand({ QueueUrl: dead }));
  for (let n = 0; n < 3; ++n) assert.deepEqual(inOrder(await receive(url, { WaitTimeSeconds: 5 })), ['poison']);
});

test('lists the sources of a dead-letter queue', async () => {
  const dead = await newQueue('listed-dead');
  const none = await sqs.send(new ListDeadLetterSourceQueuesCommand({ QueueUrl: dead }));
  assert.deepEqual(none.queueUrls ?? [], []);
  const urls = [];
  for (let n = 0; n < 3; ++n) urls.push(await newQueue(`listed-${n}`, { RedrivePolicy: await redriveTo(dead, 3) }));
  const pages = [];
  for await (const page of paginateListDeadLetterSourceQueues({ client: sqs, pageSize: 2 }, { QueueUrl: dead })) {
    pages.push(page.queueUrls ?? []);
  }
  assert.deepEqual(pages, [urls.slice(0, 2), urls.slice(2)]);
  await setAttributes(urls[0], { RedrivePolicy: '' });
  const rest = await sqs.send(new ListDeadLetterSourceQueuesCommand({ QueueUrl: dead }));
  assert.deepEqual(rest.queueUrls, urls.slice(1));
});

test('heeds who may use a dead-letter queue', async () => {
  const closed = await newQueue('closed', { RedriveAllowPolicy: JSON.stringify({ redrivePermission: 'denyAll' }) });
  const friend = await newQueue('friend');
  const choosy = await newQueue('choosy', {
    RedriveAllowPolicy: JSON.stringify({ redrivePermission: 'byQueue', sourceQueueArns: [await arnOf(friend)] }),
  });
  const refused = await failure(newQueue('stranger', { RedrivePolicy: await redriveTo(closed, 3) }));
  assert.deepEqual([refused.name, refused.$metadata.httpStatusCode], ['InvalidParameterValue', 400]);
  assert.ok(await failure(sqs.send(new GetQueueUrlCommand({ QueueName: 'stranger' }))) instanceof QueueDoesNotExist);
  const stranger = await newQueue('stranger');
  assert.equal((await failure(setAttributes(stranger, { RedrivePolicy: await redriveTo(choosy, 3) }))).name,
    'InvalidParameterValue');
  await setAttributes(friend, { RedrivePolicy: await redriveTo(choosy, 3) });
});

test('refuses bad redrive policies', async () => {
  const dead = await newQueue('policy-dead');
  const url = await newQueue('policy');
  const refusal = async (policy) => {
    const error = await failure(setAttributes(url, { RedrivePolicy: policy }));
    assert.equal(error.name, 'InvalidParameterValue');
    const opening = `Value ${policy} for parameter RedrivePolicy is invalid. Reason: `;
    assert.ok(error.message.startsWith(opening), error.message);
    return error.message.slice(opening.length);
  };
  assert.equal(await refusal(await redriveTo(await newFifo('policy.fifo'), 3)),
    'Dead-letter queue must be same type of queue as the source.');
  assert.equal(await refusal(JSON.stringify({ deadLetterTargetArn: await arnOf(dead) })),
    'Redrive policy does not contain mandatory attribute: maxReceiveCount.');
  assert.equal(await refusal(await redriveTo(dead, 1001)),
    'Invalid value for maxReceiveCount: 1001, valid values are from 1 to 1000 both inclusive.');
});

/// A queue and its dead-letter queue, in which the given messages are.
async function deadLetters(name, entries, attributes = {}) {
  const suffix = attributes.FifoQueue ? '.fifo' : '';
  const dead = await newQueue(`${name}-dead${suffix}`, attributes);
  const url = await newQueue(`${name}${suffix}`, { ...attributes, RedrivePolicy: await redriveTo(dead, 1) });
  const ids = new Map();
  for (let at = 0; at < entries.length; at += 10) {
    const part = entries.slice(at, at + 10);
    const done = await sqs.send(new SendMessageBatchCommand({ QueueUrl: url, Entries: part }));
    for (const entry of done.Successful) {
      ids.set(part.find(({ Id }) => Id === entry.Id).MessageBody, entry.MessageId);
    }
  }
  // Each fails once, and is moved by the receive after it.
  await eventually(async () => {
    await receive(url, { VisibilityTimeout: 0, MaxNumberOfMessages: 10 });
    return await waiting(dead) === entries.length ? true : undefined;
  });
  assert.equal(await waiting(url), 0);
  return { dead, url, deadArn: await arnOf(dead), ids };
}

async function startTask(deadArn, more = {}) {
  return (await sqs.send(new StartMessageMoveTaskCommand({ SourceArn: deadArn, ...more }))).TaskHandle;
}

async function tasksOf(deadArn, most) {
  const answer = await sqs.send(new ListMessageMoveTasksCommand({ SourceArn: deadArn, MaxResults: most }));
  return answer.Results ?? [];
}

/// The newest task, once it is in that state.
function taskIn(status, deadArn) {
  return eventually(async () => {
    const [newest] = await tasksOf(deadArn);
    return newest.Status === status ? newest : undefined;
  });
}

test('moves dead letters back to where they came from', async () => {
  const { dead, url, deadArn, ids: before } = await deadLetters('redrive', numbered(12));
  const started = Date.now();
  assert.ok(await startTask(deadArn), 'there is no handle');
  const task = await taskIn('COMPLETED', deadArn);
  assert.equal(task.TaskHandle, undefined);
  assert.deepEqual([task.SourceArn, task.DestinationArn, task.MaxNumberOfMessagesPerSecond],
    [deadArn, undefined, undefined]);
  assert.deepEqual([task.ApproximateNumberOfMessagesMoved, task.ApproximateNumberOfMessagesToMove], [12, 12]);
  assert.ok(Math.abs(task.StartedTimestamp - started) < 60_000, `started at ${task.StartedTimestamp}`);
  assert.deepEqual([await waiting(dead), await waiting(url)], [0, 12]);
  const got = await receiveAll(url, 12, { VisibilityTimeout: 60, MessageSystemAttributeNames: ['All'] });
  assert.deepEqual(bodies(got), [...before.keys()].sort());
  const old = new Set(before.values());
  for (const message of got) {
    assert.ok(!old.has(message.MessageId), 'a message came back under the id it had');
    assert.ok(Number(message.Attributes.SentTimestamp) >= started - 1_000, 'it was enqueued before it was moved');
  }
});

test('moves dead letters of a FIFO queue back in order', async () => {
  const entries = ['a0', 'b1', 'a2', 'b3', 'a4']
    .map((body) => ({ Id: body, MessageBody: body, MessageGroupId: body[0], MessageDeduplicationId: body }));
  const { url, deadArn } = await deadLetters('redrive', entries, { FifoQueue: 'true' });
  await startTask(deadArn);
  await taskIn('COMPLETED', deadArn);
  const got = await receiveAll(url, 5, { VisibilityTimeout: 60 });
  for (const group of ['a', 'b']) {
    assert.deepEqual(inOrder(got).filter((body) => body[0] === group),
      entries.map((entry) => entry.Id).filter((id) => id[0] === group));
  }
});

test('moves dead letters elsewhere, slowly, until it is told to stop', async () => {
  const { dead, deadArn } = await deadLetters('cancelled', numbered(10));
  const elsewhere = await newQueue('elsewhere');
  const elsewhereArn = await arnOf(elsewhere);
  const handle = await startTask(deadArn, { DestinationArn: elsewhereArn, MaxNumberOfMessagesPerSecond: 1 });
  const second = await failure(startTask(deadArn));
  assert.deepEqual([second.name, second.message], ['InvalidParameterValue',
    'There is already a task running. Only one active task is allowed for a source queue arn at a given time.']);
  const running = await eventually(async () => {
    const [newest] = await tasksOf(deadArn);
    assert.equal(newest.Status, 'RUNNING');
    return newest.ApproximateNumberOfMessagesMoved > 0 ? newest : undefined;
  });
  assert.equal(running.TaskHandle, handle);
  assert.deepEqual([running.DestinationArn, running.MaxNumberOfMessagesPerSecond], [elsewhereArn, 1]);
  assert.equal(running.ApproximateNumberOfMessagesToMove, 10);
  const cancelled = await sqs.send(new CancelMessageMoveTaskCommand({ TaskHandle: handle }));
  assert.ok(cancelled.ApproximateNumberOfMessagesMoved >= running.ApproximateNumberOfMessagesMoved);
  const task = await taskIn('CANCELLED', deadArn);
  const moved = task.ApproximateNumberOfMessagesMoved;
  assert.ok(moved >= 1 && moved < 10, `${moved} of 10 were moved`);
  assert.equal(task.TaskHandle, undefined);
  // None is moved any more, and none is lost.
  await after(1_500);
  assert.deepEqual([await waiting(elsewhere), await waiting(dead)], [moved, 10 - moved]);
  await startTask(deadArn, { DestinationArn: elsewhereArn });
  await taskIn('COMPLETED', deadArn);
  assert.deepEqual([await waiting(elsewhere), await waiting(dead)], [10, 0]);
  // The newest is listed first, and alone unless more are asked for.
  assert.deepEqual((await tasksOf(deadArn)).map((one) => one.Status), ['COMPLETED']);
  assert.deepEqual((await tasksOf(deadArn, 10)).map((one) => one.Status), ['COMPLETED', 'CANCELLED']);
});

test('refuses move tasks that have nothing to do', async () => {
  const refusal = async (promise) => {
    const error = await failure(promise);
    return [error.name, error.$metadata.httpStatusCode, error.message];
  };
  const plain = await arnOf(await newQueue('no-dead-letters'));
  assert.deepEqual(await refusal(startTask(plain)),
    ['InvalidParameterValue', 400, 'Source queue must be configured as a Dead Letter Queue.']);
  const missing = `${plain}-missing`;
  const text = (name) => `The resource that you specified for the ${name} parameter doesn't exist.`;
  assert.deepEqual(await refusal(startTask(missing)), ['ResourceNotFoundException', 404, text('SourceArn')]);
  assert.deepEqual(await refusal(tasksOf(missing)), ['ResourceNotFoundException', 404, text('SourceArn')]);
  const { deadArn } = await deadLetters('nowhere-to-go', numbered(1));
  assert.deepEqual(await refusal(startTask(deadArn, { DestinationArn: missing })),
    ['ResourceNotFoundException', 404, text('DestinationArn')]);
  for (const rate of [0, 501]) {
    assert.equal((await refusal(startTask(deadArn, { MaxNumberOfMessagesPerSecond: rate })))[1], 400);
  }
  const handle = await startTask(deadArn);
  await taskIn('COMPLETED', deadArn);
  const over = await failure(sqs.send(new CancelMessageMoveTaskCommand({ TaskHandle: handle })));
  assert.equal(over.$fault, 'client');
});

/// Sends so many messages of one tenant.
async function flood(url, count) {
  const entries = numbered(10, { MessageGroupId: 'noisy' });
  for (let n = 0; n < count; n += 10) {
    await sqs.send(new SendMessageBatchCommand({ QueueUrl: url, Entries: entries }));
  }
}

async function nextOf(url) {
  const got = await receive(url, { MessageSystemAttributeNames: ['MessageGroupId'] });
  return got.map((message) => [message.Body, message.Attributes?.MessageGroupId]);
}

test('lets a quiet tenant go before a flood', async () => {
  const url = await newQueue('fair', { VisibilityTimeout: '600' });
  await flood(url, 60);
  // More than 30 in flight, all that are, and more of the same waiting.
  for (let n = 0; n < 4; ++n) assert.equal((await receive(url, { MaxNumberOfMessages: 10 })).length, 10);
  await flood(url, 20);
  await send(url, 'quiet', { MessageGroupId: 'quiet' });
  await flood(url, 20);
  assert.deepEqual(await nextOf(url), [['quiet', 'quiet']]);
  assert.equal((await nextOf(url))[0][1], 'noisy');
  // A message without a group is its own tenant.
  await send(url, 'lone');
  assert.deepEqual(await nextOf(url), [['lone', undefined]]);
});

test('lets a quiet tenant go before a flood that begins anew', async () => {
  const url = await newQueue('fair-anew', { VisibilityTimeout: '600' });
  await flood(url, 40);
  await receiveAll(url, 40);
  // None of its messages waited any more, but its 40 in flight make it noisy as soon as some do.
  await flood(url, 20);
  await send(url, 'quiet', { MessageGroupId: 'quiet' });
  assert.deepEqual(await nextOf(url), [['quiet', 'quiet']]);
});

test('tags queues', async () => {
  const made = await sqs.send(new CreateQueueCommand({ QueueName: 'tagged', tags: { Team: 'water' } }));
  const url = made.QueueUrl;
  const tags = async () => (await sqs.send(new ListQueueTagsCommand({ QueueUrl: url }))).Tags ?? {};
  await sqs.send(new TagQueueCommand({ QueueUrl: url, Tags: { Stage: 'test', stage: 'lower', Empty: '' } }));
  assert.deepEqual(await tags(), { Team: 'water', Stage: 'test', stage: 'lower', Empty: '' });
  await sqs.send(new TagQueueCommand({ QueueUrl: url, Tags: { Team: 'fire' } }));
  await sqs.send(new UntagQueueCommand({ QueueUrl: url, TagKeys: ['stage', 'Empty', 'never there'] }));
  assert.deepEqual(await tags(), { Team: 'fire', Stage: 'test' });
  await sqs.send(new UntagQueueCommand({ QueueUrl: url, TagKeys: ['Team', 'Stage'] }));
  assert.deepEqual(await tags(), {});
});

test('grants and revokes permissions', async () => {
  const url = await newQueue('shared-queue');
  const arn = await arnOf(url);
  const grant = (label, accounts, actions) => sqs.send(new AddPermissionCommand({
    QueueUrl: url, Label: label, AWSAccountIds: accounts, Actions: actions,
  }));
  const revoke = (label) => sqs.send(new RemovePermissionCommand({ QueueUrl: url, Label: label }));
  const policy = async () => JSON.parse((await attributesOf(url, ['Policy'])).Policy);
  const root = (account) => `arn:aws:iam::${account}:root`;
  await grant('one', ['111122223333'], ['SendMessage']);
  const one = {
    Sid: 'one', Effect: 'Allow', Principal: { AWS: root('111122223333') }, Action: 'SQS:SendMessage', Resource: arn,
  };
  assert.deepEqual(await policy(), { Version: '2008-10-17', Id: `${arn}/SQSDefaultPolicy`, Statement: [one] });
  await grant('two', ['111122223333', '444455556666'], ['ReceiveMessage', 'DeleteMessage']);
  assert.deepEqual((await policy()).Statement, [one, {
    Sid: 'two', Effect: 'Allow', Principal: { AWS: [root('111122223333'), root('444455556666')] },
    Action: ['SQS:ReceiveMessage', 'SQS:DeleteMessage'], Resource: arn,
  }]);
  const many = await failure(grant('many', ['111122223333'], [
    'SendMessage', 'ReceiveMessage', 'DeleteMessage', 'ChangeMessageVisibility', 'GetQueueAttributes', 'GetQueueUrl',
    'ListDeadLetterSourceQueues', 'PurgeQueue',
  ]));
  assert.deepEqual([many.name, many.$metadata.httpStatusCode, many.message],
    ['OverLimit', 403, '8 Actions were found, maximum allowed is 7.']);
  await revoke('one');
  assert.deepEqual((await policy()).Statement.map((statement) => statement.Sid), ['two']);
  assert.equal((await failure(revoke('one'))).name, 'InvalidParameterValue');
});

await run();
