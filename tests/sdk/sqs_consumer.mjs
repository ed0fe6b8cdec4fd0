// sqs-consumer, the library most services poll with: long polls, handlers, batches, failures and a graceful stop.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { setTimeout as after } from 'node:timers/promises';
import {
  CreateQueueCommand, GetQueueAttributesCommand, ReceiveMessageCommand, SendMessageBatchCommand, SendMessageCommand,
} from '@aws-sdk/client-sqs';
import { Consumer } from 'sqs-consumer';
import { client, run, test } from './cases.mjs';

const sqs = client();

async function newQueue(name, attributes = {}) {
  return (await sqs.send(new CreateQueueCommand({ QueueName: name, Attributes: attributes }))).QueueUrl;
}

async function send(url, bodies) {
  for (let at = 0; at < bodies.length; at += 10) {
    const entries = bodies.slice(at, at + 10).map((body, n) => ({ Id: `${n}`, MessageBody: body }));
    const done = await sqs.send(new SendMessageBatchCommand({ QueueUrl: url, Entries: entries }));
    assert.equal(done.Successful.length, entries.length);
  }
}

/// Messages waiting and messages in flight.
async function counts(url) {
  const answer = await sqs.send(new GetQueueAttributesCommand({ QueueUrl: url, AttributeNames: ['All'] }));
  const seen = answer.Attributes;
  return [Number(seen.ApproximateNumberOfMessages), Number(seen.ApproximateNumberOfMessagesNotVisible)];
}

/// A promise and the function that fulfils it.
function signal() {
  let give;
  const given = new Promise((resolve) => { give = resolve; });
  return { given, give };
}

/// Starts a consumer. What it reports as errors until it is stopped, handlers' failures aside, is in `errors`.
function consume(url, options) {
  const consumer = Consumer.create({ queueUrl: url, sqs, waitTimeSeconds: 20, ...options });
  consumer.errors = [];
  consumer.stopping = false;
  consumer.on('error', (error) => { if (!consumer.stopping) consumer.errors.push(error); });
  consumer.deleted = 0;
  consumer.on('message_processed', () => { consumer.deleted += 1; });
  consumer.start();
  return consumer;
}

/// Returns when so many messages were handled and deleted.
async function deleted(consumer, count) {
  while (consumer.deleted < count) await once(consumer, 'message_processed');
}

async function stop(consumer) {
  const stopped = once(consumer, 'stopped');
  consumer.stopping = true;
  // A long poll is on its way; it is broken off, which the server must bear.
  consumer.stop({ abort: true });
  await stopped;
}

test('handles every message once', async () => {
  const url = await newQueue('each');
  const wanted = Array.from({ length: 25 }, (_, n) => `message ${n}`);
  await send(url, wanted);
  const seen = [];
  const consumer = consume(url, {
    batchSize: 10,
    handleMessage: async (message) => {
      seen.push(message.Body);
      return message;
    },
  });
  await deleted(consumer, wanted.length);
  await stop(consumer);
  assert.deepEqual(seen.sort(), wanted.sort());
  assert.deepEqual(consumer.errors, []);
  assert.deepEqual(await counts(url), [0, 0]);
});

test('is woken by a message while it waits', async () => {
  const url = await newQueue('woken');
  const seen = signal();
  const polling = signal();
  const consumer = consume(url, {
    preReceiveMessageCallback: async () => polling.give(),
    handleMessage: async (message) => {
      seen.give(message.Body);
      return message;
    },
  });
  await polling.given;
  const sent = performance.now();
  await send(url, ['hello']);
  assert.equal(await seen.given, 'hello');
  assert.ok(performance.now() - sent < 10_000, 'the long poll was answered late');
  await deleted(consumer, 1);
  await stop(consumer);
  assert.deepEqual(await counts(url), [0, 0]);
});

test('handles batches', async () => {
  const url = await newQueue('batches');
  const wanted = Array.from({ length: 10 }, (_, n) => `message ${n}`);
  await send(url, wanted);
  const seen = [];
  const sizes = [];
  const consumer = consume(url, {
    batchSize: 10,
    handleMessageBatch: async (messages) => {
      sizes.push(messages.length);
      seen.push(...messages.map((message) => message.Body));
      return messages;
    },
  });
  await deleted(consumer, wanted.length);
  await stop(consumer);
  assert.deepEqual(seen.sort(), wanted.sort());
  assert.ok(Math.max(...sizes) > 1, `batches of ${sizes}`);
  assert.deepEqual(consumer.errors, []);
  assert.deepEqual(await counts(url), [0, 0]);
});

test('gets a message again whose handler failed', async () => {
  const url = await newQueue('again', { VisibilityTimeout: '1' });
  await send(url, ['fragile']);
  const attempts = [];
  const errors = [];
  const consumer = consume(url, {
    messageSystemAttributeNames: ['ApproximateReceiveCount'],
    handleMessage: async (message) => {
      attempts.push(message.Attributes.ApproximateReceiveCount);
      if (attempts.length < 3) throw new Error('not yet');
      return message;
    },
  });
  consumer.on('processing_error', (error) => errors.push(error.message));
  await deleted(consumer, 1);
  await stop(consumer);
  assert.deepEqual(attempts, ['1', '2', '3']);
  assert.equal(errors.length, 2);
  assert.deepEqual(await counts(url), [0, 0]);
});

test('lets a failed message go at once when told to', async () => {
  const url = await newQueue('at-once', { VisibilityTimeout: '600' });
  await send(url, ['fragile']);
  let attempts = 0;
  const consumer = consume(url, {
    terminateVisibilityTimeout: true,
    handleMessage: async (message) => {
      attempts += 1;
      if (attempts === 1) throw new Error('not yet');
      return message;
    },
  });
  await deleted(consumer, 1);
  await stop(consumer);
  assert.equal(attempts, 2);
  assert.deepEqual(await counts(url), [0, 0]);
});

test('keeps a slow message to itself with a heartbeat', async () => {
  const url = await newQueue('slow', { VisibilityTimeout: '3' });
  await send(url, ['slow']);
  let attempts = 0;
  const slow = consume(url, {
    visibilityTimeout: 3,
    heartbeatInterval: 1,
    handleMessage: async (message) => {
      attempts += 1;
      // Longer than the visibility timeout: a second poll waits meanwhile, and must come back with nothing.
      const second = consume(url, {
        waitTimeSeconds: 5, handleMessage: async (stolen) => { attempts += 1; return stolen; },
      });
      await once(second, 'empty');
      slow.errors.push(...second.errors);
      await stop(second);
      return message;
    },
  });
  await deleted(slow, 1);
  await stop(slow);
  assert.equal(attempts, 1);
  assert.deepEqual(slow.errors, []);
  assert.deepEqual(await counts(url), [0, 0]);
});

test('stops gracefully while a message is handled', async () => {
  const url = await newQueue('graceful');
  await send(url, ['last one']);
  const begun = signal();
  const finish = signal();
  let handled = false;
  const consumer = consume(url, {
    pollingCompleteWaitTimeMs: 10_000,
    handleMessage: async (message) => {
      begun.give();
      await finish.given;
      handled = true;
      return message;
    },
  });
  await begun.given;
  const stopped = once(consumer, 'stopped');
  consumer.stop();
  assert.deepEqual(await counts(url), [0, 1]);
  finish.give();
  await stopped;
  assert.ok(handled, 'it stopped before its handler was done');
  assert.deepEqual(await counts(url), [0, 0]);
});

/// A FIFO queue with messages, each in the group that its first letter names.
async function fifoQueue(name, bodies, attributes = {}) {
  const url = await newQueue(name, { FifoQueue: 'true', ContentBasedDeduplication: 'true', ...attributes });
  for (const body of bodies) {
    await sqs.send(new SendMessageCommand({ QueueUrl: url, MessageBody: body, MessageGroupId: body[0] }));
  }
  return url;
}

const ofGroup = (bodies, group) => bodies.filter((body) => body[0] === group);

test('handles the messages of each FIFO group in order', async () => {
  const wanted = Array.from({ length: 24 }, (_, n) => `${'abc'[n % 3]}${n}`);
  const url = await fifoQueue('ordered.fifo', wanted);
  const seen = [];
  const underWay = new Set();
  const handler = async (message) => {
    const group = message.Attributes.MessageGroupId;
    assert.ok(!underWay.has(group), `two messages of group ${group} at once`);
    underWay.add(group);
    // Long enough for the other consumer to get hold of a second one, if it were let.
    await after(5);
    seen.push(message.Body);
    underWay.delete(group);
    return message;
  };
  const failures = [];
  const consumers = [1, 2].map(() => {
    const consumer = consume(url, {
      suppressFifoWarning: true, messageSystemAttributeNames: ['MessageGroupId'], handleMessage: handler,
    });
    consumer.on('processing_error', (error) => failures.push(error.message));
    return consumer;
  });
  while (consumers[0].deleted + consumers[1].deleted < wanted.length && failures.length === 0) await after(20);
  for (const consumer of consumers) await stop(consumer);
  assert.deepEqual(failures, []);
  for (const group of 'abc') assert.deepEqual(ofGroup(seen, group), ofGroup(wanted, group));
  assert.equal(seen.length, wanted.length);
  assert.deepEqual(consumers.flatMap((consumer) => consumer.errors), []);
  assert.deepEqual(await counts(url), [0, 0]);
});

test('handles batches of a FIFO queue in order', async () => {
  const wanted = Array.from({ length: 30 }, (_, n) => `${'ab'[n % 2]}${n}`);
  const url = await fifoQueue('batches.fifo', wanted);
  const seen = [];
  const consumer = consume(url, {
    suppressFifoWarning: true,
    batchSize: 10,
    handleMessageBatch: async (messages) => {
      seen.push(...messages.map((message) => message.Body));
      return messages;
    },
  });
  await deleted(consumer, wanted.length);
  await stop(consumer);
  for (const group of 'ab') assert.deepEqual(ofGroup(seen, group), ofGroup(wanted, group));
  assert.equal(seen.length, wanted.length);
  assert.deepEqual(consumer.errors, []);
  assert.deepEqual(await counts(url), [0, 0]);
});

test('leaves a FIFO message whose handler keeps failing in the dead-letter queue', async () => {
  const dead = await fifoQueue('dead.fifo', []);
  const arn = (url) => `arn:aws:sqs:us-east-1:000000000000:${url.split('/').pop()}`;
  const url = await fifoQueue('failing.fifo', ['a-poison', 'a-second', 'b-other', 'a-third'], {
    RedrivePolicy: JSON.stringify({ deadLetterTargetArn: arn(dead), maxReceiveCount: 2 }),
  });
  const seen = [];
  const consumer = consume(url, {
    suppressFifoWarning: true,
    // What failed is there again at once.
    terminateVisibilityTimeout: true,
    handleMessage: async (message) => {
      seen.push(message.Body);
      if (message.Body === 'a-poison') throw new Error('always');
      return message;
    },
  });
  await deleted(consumer, 3);
  await stop(consumer);
  // Those behind it wait while it is tried again, and go on when it is gone.
  assert.deepEqual(ofGroup(seen, 'a'), ['a-poison', 'a-poison', 'a-second', 'a-third']);
  assert.deepEqual(ofGroup(seen, 'b'), ['b-other']);
  assert.deepEqual(await counts(url), [0, 0]);
  const answer = await sqs.send(new ReceiveMessageCommand({
    QueueUrl: dead, MaxNumberOfMessages: 10, WaitTimeSeconds: 10, MessageSystemAttributeNames: ['All'],
  }));
  assert.deepEqual(answer.Messages.map((message) => [
    message.Body, message.Attributes.MessageGroupId, message.Attributes.DeadLetterQueueSourceArn,
  ]), [['a-poison', 'a', arn(url)]]);
});

await run();
