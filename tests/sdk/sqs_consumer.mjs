// sqs-consumer, the library most services poll with: long polls, handlers, batches, failures and a graceful stop;
// groups, dead letters and their redrive, and tenants.
import assert from 'node:assert/strict';
import { EventEmitter, once } from 'node:events';
import { setTimeout as after } from 'node:timers/promises';
import {
  ChangeMessageVisibilityCommand, CreateQueueCommand, GetQueueAttributesCommand, ListMessageMoveTasksCommand,
  ReceiveMessageCommand, SendMessageBatchCommand, SendMessageCommand, StartMessageMoveTaskCommand,
} from '@aws-sdk/client-sqs';
import { Consumer } from 'sqs-consumer';
import { client, run, test } from './cases.mjs';

const sqs = client();

async function newQueue(name, attributes = {}) {
  return (await sqs.send(new CreateQueueCommand({ QueueName: name, Attributes: attributes }))).QueueUrl;
}

/// Sends these bodies in order, each with what `more` (body -> parameters) adds.
async function send(url, bodies, more = () => ({})) {
  for (let at = 0; at < bodies.length; at += 10) {
    const entries = bodies.slice(at, at + 10).map((body, n) => ({ Id: `${n}`, MessageBody: body, ...more(body) }));
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

/// What the promise gives. A case that waits in vain fails, and tells how far it came.
async function inTime(promise, soFar) {
  const over = new AbortController();
  const late = after(20_000, undefined, { signal: over.signal })
    .then(() => { throw new Error(`20 seconds were not enough; so far: ${JSON.stringify(soFar)}`); }, () => {});
  try {
    return await Promise.race([promise, late]);
  } finally {
    over.abort();
  }
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

/// Returns when these consumers together have handled and deleted so many messages.
function deletedByAll(consumers, count, soFar) {
  const done = signal();
  const look = () => {
    if (consumers.reduce((sum, consumer) => sum + consumer.deleted, 0) >= count) done.give();
  };
  for (const consumer of consumers) consumer.on('message_processed', look);
  look();
  return inTime(done.given, soFar);
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
const ofItsLetter = (body) => ({ MessageGroupId: body[0] });
const arn = (url) => `arn:aws:sqs:us-east-1:000000000000:${url.split('/').pop()}`;

function redriveTo(dead, maxReceiveCount) {
  return { RedrivePolicy: JSON.stringify({ deadLetterTargetArn: arn(dead), maxReceiveCount }) };
}

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
  const url = await fifoQueue('failing.fifo', ['a-poison', 'a-second', 'b-other', 'a-third'], redriveTo(dead, 2));
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

test('handles each FIFO message once, in order, with consumers of every kind side by side', async () => {
  // Each group has enough for the largest batch, so that no consumer gets hold of more than one of them.
  const wanted = Array.from({ length: 96 }, (_, n) => `${'abcd'[n % 4]}${n}`);
  const url = await fifoQueue('side-by-side.fifo', []);
  await send(url, wanted.slice(0, 48), ofItsLetter);
  const seen = [];
  const wrong = [];
  const underWay = new Map();
  const busy = new Set();
  const allBusy = signal();
  const work = async (who, messages) => {
    const groups = new Set(messages.map((message) => message.Attributes.MessageGroupId));
    for (const group of groups) {
      if (underWay.has(group)) wrong.push(`${who} has messages of ${group} that ${underWay.get(group)} works on`);
      underWay.set(group, who);
    }
    for (const { Body, Attributes } of messages) {
      seen.push(Body);
      if (Attributes.ApproximateReceiveCount !== '1') wrong.push(`${Body} came again`);
    }
    busy.add(who);
    if (busy.size === 3) allBusy.give();
    await allBusy.given;
    // Takes long enough, too, for another consumer to get hold of what is behind these, if it were let.
    const [, inFlight] = await counts(url);
    if (inFlight < messages.length) wrong.push(`${inFlight} in flight while ${who} has ${messages.length}`);
    for (const group of groups) underWay.delete(group);
    return messages;
  };
  const options = {
    suppressFifoWarning: true, messageSystemAttributeNames: ['MessageGroupId', 'ApproximateReceiveCount'],
  };
  const consumers = [
    consume(url, { ...options, handleMessage: async (message) => (await work('one', [message]))[0] }),
    consume(url, { ...options, batchSize: 4, handleMessageBatch: (messages) => work('four', messages) }),
    consume(url, { ...options, batchSize: 10, handleMessageBatch: (messages) => work('ten', messages) }),
  ];
  // More is sent to each group while there is work on it.
  await inTime(allBusy.given, seen);
  await send(url, wanted.slice(48), ofItsLetter);
  await deletedByAll(consumers, wanted.length, seen);
  for (const consumer of consumers) await stop(consumer);
  assert.deepEqual(wrong, []);
  for (const group of 'abcd') assert.deepEqual(ofGroup(seen, group), ofGroup(wanted, group));
  assert.equal(seen.length, wanted.length);
  assert.deepEqual(consumers.flatMap((consumer) => consumer.errors), []);
  assert.deepEqual(await counts(url), [0, 0]);
});

test('locks the group of a poison message until it is a dead letter, and no other group', async () => {
  const dead = await fifoQueue('poison-dead.fifo', []);
  const first = ['a-poison', 'a1', 'b1', 'a2', 'c1', 'b2', 'a3', 'c2'];
  const url = await fifoQueue('poison.fifo', first, redriveTo(dead, 3));
  const seen = [];
  const handled = new EventEmitter();
  const attempts = [];
  const hidden = signal();
  let wentOn;
  const handler = async (message) => {
    seen.push(message.Body);
    handled.emit(message.Body);
    if (message.Body === 'a1') wentOn = performance.now();
    if (message.Body !== 'a-poison') return message;
    const attempt = { count: message.Attributes.ApproximateReceiveCount, begun: performance.now() };
    attempts.push(attempt);
    // While it is in work, what is sent to the other groups is handled.
    const others = [`b-${attempt.count}`, `c-${attempt.count}`];
    const done = Promise.all(others.map((body) => once(handled, body)));
    await send(url, others, ofItsLetter);
    await done;
    attempt.failed = performance.now();
    throw new Error('always');
  };
  const failures = [];
  const consumers = [1, 2, 3].map(() => {
    const consumer = consume(url, {
      suppressFifoWarning: true,
      messageSystemAttributeNames: ['ApproximateReceiveCount'],
      handleMessage: handler,
      // When it has failed it stays hidden: at first until this case lets it go, then for a second.
      terminateVisibilityTimeout: ([message]) => (message.Attributes.ApproximateReceiveCount === '1' ? 600 : 1),
    });
    consumer.on('processing_error', (error, message) => {
      failures.push([message.Body, error.message]);
      consumer.once('response_processed', () => hidden.give(message));
    });
    return consumer;
  });
  const poison = await inTime(hidden.given, seen);
  // Nobody works on it any more, and still its group is locked while the others go on.
  await send(url, ['a-late', 'b-late', 'c-late'], ofItsLetter);
  await deletedByAll(consumers, 8, seen);
  assert.deepEqual(ofGroup(seen, 'a'), ['a-poison']);
  assert.deepEqual(await counts(url), [4, 1]);
  const next = await sqs.send(new ReceiveMessageCommand({ QueueUrl: url, MaxNumberOfMessages: 10 }));
  assert.equal(next.Messages, undefined);
  await sqs.send(new ChangeMessageVisibilityCommand({
    QueueUrl: url, ReceiptHandle: poison.ReceiptHandle, VisibilityTimeout: 0,
  }));
  await deletedByAll(consumers, 16, seen);
  for (const consumer of consumers) await stop(consumer);
  assert.deepEqual(ofGroup(seen, 'a'), ['a-poison', 'a-poison', 'a-poison', 'a1', 'a2', 'a3', 'a-late']);
  assert.deepEqual(ofGroup(seen, 'b'), ['b1', 'b2', 'b-1', 'b-late', 'b-2', 'b-3']);
  assert.deepEqual(ofGroup(seen, 'c'), ['c1', 'c2', 'c-1', 'c-late', 'c-2', 'c-3']);
  assert.deepEqual(attempts.map((attempt) => attempt.count), ['1', '2', '3']);
  assert.deepEqual(failures, Array(3).fill(['a-poison', 'Unexpected message handler failure: always']));
  // The server's clock is another than ours, and may be corrected.
  for (const took of [attempts[2].begun - attempts[1].failed, wentOn - attempts[2].failed]) {
    assert.ok(took >= 980, `its group went on after ${took} of 1000 ms`);
  }
  assert.deepEqual(consumers.flatMap((consumer) => consumer.errors), []);
  assert.deepEqual(await counts(url), [0, 0]);

  const buried = [];
  const undertaker = consume(dead, {
    suppressFifoWarning: true,
    messageSystemAttributeNames: ['All'],
    handleMessage: async (message) => {
      buried.push(message);
      return message;
    },
  });
  await deletedByAll([undertaker], 1, buried);
  await stop(undertaker);
  assert.deepEqual(buried.map(({ Body, MessageId, Attributes }) => [
    Body, MessageId, Attributes.MessageGroupId, Attributes.DeadLetterQueueSourceArn, Attributes.ApproximateReceiveCount,
  ]), [['a-poison', poison.MessageId, 'a', arn(url), '4']]);
  assert.deepEqual(undertaker.errors, []);
  assert.deepEqual(await counts(dead), [0, 0]);
});

test('gets the rest of a FIFO batch again in order when it acknowledges only part', async () => {
  const wanted = ['a0', 'a1', 'a2', 'a3', 'a4', 'a5', 'a6', 'b0', 'b1', 'b2'];
  const url = await fifoQueue('in-part.fifo', wanted, { VisibilityTimeout: '1' });
  // These are acknowledged at their second or third receive, all others at once.
  const receives = { a1: 2, a3: 3, a5: 2, a6: 3, b0: 2 };
  const batches = [];
  let polled;
  let sentLate;
  const consumer = consume(url, {
    suppressFifoWarning: true,
    batchSize: 10,
    messageSystemAttributeNames: ['ApproximateReceiveCount'],
    preReceiveMessageCallback: async () => { polled ??= performance.now(); },
    handleMessageBatch: async (messages) => {
      // What comes later to a group must not overtake what is hidden of it.
      sentLate ??= send(url, ['a-late'], ofItsLetter);
      const counted = messages.map(({ Body, Attributes }) => [Body, Number(Attributes.ApproximateReceiveCount)]);
      batches.push({ begun: performance.now(), counted });
      return messages.filter((_, n) => counted[n][1] >= (receives[counted[n][0]] ?? 1));
    },
  });
  await deletedByAll([consumer], wanted.length + 1, batches);
  await stop(consumer);
  await sentLate;
  const seen = batches.flatMap((batch) => batch.counted).map(([body, count]) => `${body} ${count}`);
  assert.deepEqual(batches[0].counted, wanted.map((body) => [body, 1]));
  assert.ok(batches[1].begun - polled >= 980, `the rest came after ${batches[1].begun - polled} of 1000 ms`);
  assert.deepEqual(ofGroup(seen, 'a').filter((body) => body !== 'a-late 1'), [
    'a0 1', 'a1 1', 'a2 1', 'a3 1', 'a4 1', 'a5 1', 'a6 1', 'a1 2', 'a3 2', 'a5 2', 'a6 2', 'a3 3', 'a6 3',
  ]);
  assert.ok(seen.indexOf('a-late 1') > seen.indexOf('a6 2'), `overtaken: ${seen}`);
  assert.equal(ofGroup(seen, 'a').length, 14);
  assert.deepEqual(ofGroup(seen, 'b'), ['b0 1', 'b1 1', 'b2 1', 'b0 2']);
  assert.deepEqual(consumer.errors, []);
  assert.deepEqual(await counts(url), [0, 0]);
});

test('handles what a quiet tenant sends before the backlog of a noisy one', async () => {
  const url = await newQueue('tenants');
  const wanted = Array.from({ length: 200 }, (_, n) => `noisy ${n}`);
  wanted.push('quiet 0');
  await send(url, wanted, ofItsLetter);
  const seen = [];
  const thirty = signal();
  const finish = signal();
  const holders = [1, 2, 3].map(() => consume(url, {
    batchSize: 10,
    handleMessageBatch: async (messages) => {
      seen.push(...messages.map((message) => message.Body));
      if (seen.length >= 30) thirty.give();
      await finish.given;
      return messages;
    },
  }));
  await inTime(thirty.given, seen);
  // Nobody was noisy with less than these thirty, and the oldest came first.
  assert.deepEqual(ofGroup(seen, 'q'), []);
  const next = [];
  let left;
  const worker = consume(url, {
    messageSystemAttributeNames: ['MessageGroupId'],
    handleMessage: async (message) => {
      seen.push(message.Body);
      if (next.length < 11) {
        next.push([message.Body, message.Attributes?.MessageGroupId]);
        // Behind all of the backlog, and yet the next.
        if (message.Body[0] === 'n') {
          const body = `quiet ${next.length / 2}`;
          wanted.push(body);
          await send(url, [body], ofItsLetter);
        }
        if (next.length === 11) {
          left = await counts(url);
          finish.give();
        }
      }
      return message;
    },
  });
  const consumers = [...holders, worker];
  await deletedByAll(consumers, 206, next);
  for (const consumer of consumers) await stop(consumer);
  assert.deepEqual(next.map(([, group]) => group).join(''), 'qnqnqnqnqnq');
  assert.deepEqual(next.filter(([, group]) => group === 'q').map(([body]) => body),
    ['quiet 0', 'quiet 1', 'quiet 2', 'quiet 3', 'quiet 4', 'quiet 5']);
  assert.deepEqual(left, [165, 31]);
  assert.deepEqual(seen.sort(), wanted.sort());
  assert.deepEqual(consumers.flatMap((consumer) => consumer.errors), []);
  assert.deepEqual(await counts(url), [0, 0]);
});

test('handles dead letters that were moved back once its handler works', async () => {
  const dead = await fifoQueue('mended-dead.fifo', []);
  const wanted = ['a1', 'b1', 'a2', 'b2', 'a3'];
  const url = await fifoQueue('mended.fifo', wanted, redriveTo(dead, 1));
  const failed = [];
  const broken = consume(url, {
    suppressFifoWarning: true,
    terminateVisibilityTimeout: true,
    handleMessage: async (message) => {
      failed.push(message);
      throw new Error('always');
    },
  });
  await eventually(async () => ((await counts(dead))[0] === wanted.length ? true : undefined));
  await stop(broken);
  assert.deepEqual(broken.errors, []);
  assert.deepEqual(await counts(url), [0, 0]);
  assert.deepEqual(failed.map((message) => message.Body).sort(), [...wanted].sort());

  const seen = [];
  const polling = signal();
  const mended = consume(url, {
    suppressFifoWarning: true,
    messageSystemAttributeNames: ['MessageGroupId', 'ApproximateReceiveCount'],
    preReceiveMessageCallback: async () => polling.give(),
    handleMessage: async (message) => {
      seen.push(message);
      return message;
    },
  });
  await polling.given;
  await sqs.send(new StartMessageMoveTaskCommand({ SourceArn: arn(dead) }));
  await deletedByAll([mended], wanted.length, seen);
  const task = await eventually(async () => {
    const [newest] = (await sqs.send(new ListMessageMoveTasksCommand({ SourceArn: arn(dead) }))).Results;
    return newest.Status === 'COMPLETED' ? newest : undefined;
  });
  await stop(mended);
  assert.equal(task.ApproximateNumberOfMessagesMoved, wanted.length);
  const bodies = seen.map((message) => message.Body);
  for (const group of 'ab') assert.deepEqual(ofGroup(bodies, group), ofGroup(wanted, group));
  assert.equal(seen.length, wanted.length);
  // They are new messages of their old groups, else a single receive more would make them dead letters again.
  const old = new Set(failed.map((message) => message.MessageId));
  for (const { Body, MessageId, Attributes } of seen) {
    assert.ok(!old.has(MessageId), `${Body} came back under the id it had`);
    assert.deepEqual([Attributes.MessageGroupId, Attributes.ApproximateReceiveCount], [Body[0], '1']);
  }
  assert.deepEqual(mended.errors, []);
  assert.deepEqual(await counts(url), [0, 0]);
  assert.deepEqual(await counts(dead), [0, 0]);
});

await run();
