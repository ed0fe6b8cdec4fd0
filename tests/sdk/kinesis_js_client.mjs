// The AWS SDK for JavaScript, version 3, whose Kinesis client speaks HTTP/2 in cleartext unless it is told otherwise.
import assert from 'node:assert/strict';
import net from 'node:net';
import { setTimeout as after } from 'node:timers/promises';
import {
  AddTagsToStreamCommand, CreateStreamCommand, DecreaseStreamRetentionPeriodCommand, DeleteResourcePolicyCommand,
  DeleteStreamCommand, DeregisterStreamConsumerCommand, DescribeAccountSettingsCommand, DescribeLimitsCommand,
  DescribeStreamCommand, DescribeStreamConsumerCommand, DescribeStreamSummaryCommand,
  DisableEnhancedMonitoringCommand, EnableEnhancedMonitoringCommand, GetRecordsCommand, GetResourcePolicyCommand,
  GetShardIteratorCommand, IncreaseStreamRetentionPeriodCommand, InvalidArgumentException, KinesisClient,
  ListShardsCommand, ListStreamConsumersCommand, ListStreamsCommand, ListTagsForResourceCommand,
  ListTagsForStreamCommand, MergeShardsCommand, PutRecordCommand, PutRecordsCommand, PutResourcePolicyCommand,
  RegisterStreamConsumerCommand, RemoveTagsFromStreamCommand, ResourceInUseException, ResourceNotFoundException,
  SplitShardCommand, StartStreamEncryptionCommand, StopStreamEncryptionCommand, SubscribeToShardCommand,
  TagResourceCommand, UntagResourceCommand, UpdateAccountSettingsCommand, UpdateMaxRecordSizeCommand,
  UpdateShardCountCommand, UpdateStreamModeCommand, UpdateStreamWarmThroughputCommand, paginateListStreamConsumers,
  paginateListStreams, waitUntilStreamExists, waitUntilStreamNotExists,
} from '@aws-sdk/client-kinesis';
import { NodeHttp2Handler, NodeHttpHandler } from '@smithy/node-http-handler';
import { allBytes, endpoint, failure, nonAscii, run, test } from './cases.mjs';

const firstShard = 'shardId-000000000000';
const nonAsciiTag = 'Grüße 世界';
const middle = (2n ** 127n).toString();

function client(more = {}) {
  // A retry would hide an error that should not have been.
  return new KinesisClient({
    endpoint, region: 'us-east-1', maxAttempts: 1,
    credentials: { accessKeyId: 'anybody', secretAccessKey: 'anything' }, ...more,
  });
}

const kinesis = client();
// The default leaves a connection to each request; this one lets them share.
const shared = client({ requestHandler: new NodeHttp2Handler({ disableConcurrentStreams: false }) });

/// Answers as soon as the probe's answer is true.
async function until(probe, what, ms = 30_000) {
  const limit = performance.now() + ms;
  for (;;) {
    const seen = await probe();
    if (seen) return seen;
    assert.ok(performance.now() < limit, `after ${ms} ms there is still not: ${what}`);
    await after(10);
  }
}

async function summary(stream) {
  return (await kinesis.send(new DescribeStreamSummaryCommand(stream))).StreamDescriptionSummary;
}

async function settle(stream) {
  return until(async () => {
    const seen = await summary({ StreamName: stream });
    return seen.StreamStatus === 'ACTIVE' && seen;
  }, `${stream} is ACTIVE`);
}

async function newStream(name, shards = 1) {
  await kinesis.send(new CreateStreamCommand({ StreamName: name, ShardCount: shards }));
  return settle(name);
}

async function newConsumer(streamArn, name = 'reader') {
  const { Consumer: consumer } = await kinesis.send(new RegisterStreamConsumerCommand({
    StreamARN: streamArn, ConsumerName: name,
  }));
  await until(async () => (await kinesis.send(new DescribeStreamConsumerCommand({
    ConsumerARN: consumer.ConsumerARN,
  }))).ConsumerDescription.ConsumerStatus === 'ACTIVE', `${name} is ACTIVE`);
  return consumer.ConsumerARN;
}

function put(stream, data, key = 'k', through = kinesis) {
  return through.send(new PutRecordCommand({ StreamName: stream, Data: Buffer.from(data), PartitionKey: key }));
}

async function iterator(stream, type, shard = firstShard, more = {}) {
  return (await kinesis.send(new GetShardIteratorCommand({
    StreamName: stream, ShardId: shard, ShardIteratorType: type, ...more,
  }))).ShardIterator;
}

/// All records of a shard, from there to the tail.
async function drain(stream, type = 'TRIM_HORIZON', shard = firstShard, more = {}, through = kinesis) {
  const records = [];
  let next = await iterator(stream, type, shard, more);
  for (;;) {
    const page = await through.send(new GetRecordsCommand({ ShardIterator: next }));
    records.push(...page.Records);
    next = page.NextShardIterator;
    if (!next || page.MillisBehindLatest === 0) return records;
  }
}

async function shards(stream, more = {}) {
  return (await kinesis.send(new ListShardsCommand({ StreamName: stream, ...more }))).Shards;
}

const text = (record) => Buffer.from(record.Data).toString();

async function subscribe(consumer, shard, position, through = kinesis) {
  const answer = await through.send(new SubscribeToShardCommand({
    ConsumerARN: consumer, ShardId: shard, StartingPosition: position,
  }));
  return answer.EventStream[Symbol.asyncIterator]();
}

/// The next event, or the next that the condition is true of.
async function nextEvent(events, condition = () => true) {
  for (;;) {
    const { value, done } = await events.next();
    assert.ok(!done, 'the subscription ended');
    assert.deepEqual(Object.keys(value), ['SubscribeToShardEvent']);
    if (condition(value.SubscribeToShardEvent)) return value.SubscribeToShardEvent;
  }
}

const hasRecords = (event) => event.Records.length > 0;

/// A relay to the server that keeps the first bytes of each connection.
async function relay(body) {
  const beginnings = [];
  const sockets = new Set();
  const server = net.createServer((near) => {
    const far = net.connect(Number(new URL(endpoint).port), '127.0.0.1');
    for (const socket of [near, far]) {
      sockets.add(socket);
      socket.on('error', () => { near.destroy(); far.destroy(); });
    }
    near.once('data', (data) => beginnings.push(data.subarray(0, 24).toString('latin1')));
    near.pipe(far).pipe(near);
  });
  await new Promise((listening) => server.listen(0, '127.0.0.1', listening));
  try {
    await body(`http://127.0.0.1:${server.address().port}`, beginnings);
  } finally {
    for (const socket of sockets) socket.destroy();
    server.close();
  }
}

const preface = 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n';

test('speaks HTTP/2 in cleartext by default', async () => {
  assert.equal(kinesis.config.requestHandler.metadata.handlerProtocol, 'h2');
  await relay(async (address, beginnings) => {
    const through = client({ endpoint: address });
    await through.send(new ListStreamsCommand({}));
    await through.send(new DescribeLimitsCommand({}));
    assert.ok(beginnings.length > 0 && beginnings.every((bytes) => bytes === preface), `${beginnings}`);
    through.destroy();
  });
});

test('creates, describes, lists and deletes streams', async () => {
  await kinesis.send(new CreateStreamCommand({ StreamName: 'made-1', ShardCount: 2, Tags: { Team: 'water' } }));
  const patience = { client: kinesis, maxWaitTime: 30, minDelay: 1, maxDelay: 1 };
  await waitUntilStreamExists(patience, { StreamName: 'made-1' });
  const { StreamDescription: seen } = await kinesis.send(new DescribeStreamCommand({ StreamName: 'made-1' }));
  assert.equal(seen.StreamARN, 'arn:aws:kinesis:us-east-1:000000000000:stream/made-1');
  assert.ok(Math.abs(seen.StreamCreationTimestamp - Date.now()) < 60_000, `${seen.StreamCreationTimestamp}`);
  assert.deepEqual(seen.Shards.map((shard) => shard.HashKeyRange), [
    { StartingHashKey: '0', EndingHashKey: (2n ** 127n - 1n).toString() },
    { StartingHashKey: middle, EndingHashKey: (2n ** 128n - 1n).toString() },
  ]);
  await newStream('made-2');
  await newStream('made-3');
  const names = [];
  for await (const page of paginateListStreams({ client: kinesis, pageSize: 2 }, {})) {
    assert.ok(page.StreamNames.length <= 2);
    assert.deepEqual(page.StreamSummaries.map((stream) => stream.StreamName), page.StreamNames);
    names.push(...page.StreamNames);
  }
  assert.deepEqual(names.filter((name) => name.startsWith('made-')), ['made-1', 'made-2', 'made-3']);
  await kinesis.send(new DeleteStreamCommand({ StreamName: 'made-2' }));
  await waitUntilStreamNotExists(patience, { StreamName: 'made-2' });
});

test('puts and gets records from every kind of position', async () => {
  await newStream('round');
  const first = await kinesis.send(new PutRecordCommand({
    StreamName: 'round', Data: allBytes, PartitionKey: nonAscii,
  }));
  const latest = await iterator('round', 'LATEST');
  const many = await kinesis.send(new PutRecordsCommand({
    StreamName: 'round', Records: [1, 2, 3].map((n) => ({ Data: Buffer.from(`${n}`), PartitionKey: `k${n}` })),
  }));
  assert.equal(many.FailedRecordCount, 0);
  const all = await drain('round');
  assert.deepEqual([...all[0].Data], [...allBytes]);
  assert.equal(all[0].PartitionKey, nonAscii);
  assert.deepEqual(all.map((record) => record.SequenceNumber),
    [first.SequenceNumber, ...many.Records.map((record) => record.SequenceNumber)]);
  const from = async (type, more) => (await drain('round', type, firstShard, more)).length;
  const second = { StartingSequenceNumber: all[1].SequenceNumber };
  assert.equal(await from('AT_SEQUENCE_NUMBER', second), 3);
  assert.equal(await from('AFTER_SEQUENCE_NUMBER', second), 2);
  assert.equal(await from('AT_TIMESTAMP', { Timestamp: all[0].ApproximateArrivalTimestamp }), 4);
  assert.equal(await from('LATEST'), 0);
  const page = await kinesis.send(new GetRecordsCommand({ ShardIterator: latest, Limit: 2 }));
  assert.deepEqual(page.Records.map(text), ['1', '2']);
  const rest = await kinesis.send(new GetRecordsCommand({ ShardIterator: page.NextShardIterator }));
  assert.deepEqual(rest.Records.map(text), ['3']);
  assert.equal(rest.MillisBehindLatest, 0);
});

test('names errors', async () => {
  await newStream('faulty');
  const missing = await failure(put('nowhere', 'x'));
  assert.ok(missing instanceof ResourceNotFoundException, `${missing}`);
  assert.equal(missing.message, 'Stream nowhere under account 000000000000 not found.');
  assert.equal(missing.$metadata.httpStatusCode, 400);
  assert.match(missing.$metadata.requestId, /^[0-9a-f-]{36}$/);
  assert.ok(await failure(kinesis.send(new CreateStreamCommand({ StreamName: 'faulty', ShardCount: 1 })))
    instanceof ResourceInUseException);
  assert.ok(await failure(kinesis.send(new GetRecordsCommand({ ShardIterator: 'rubbish' })))
    instanceof InvalidArgumentException);
  const invalid = await failure(put('faulty', 'x', 'k'.repeat(257)));
  assert.equal(invalid.name, 'ValidationException');
  assert.match(invalid.message, /^1 validation error detected: Value 'k+' at 'partitionKey' failed/);
});

test('changes what a stream is like', async () => {
  const { StreamARN: arn } = await newStream('settings');
  const stream = { StreamName: 'settings' };
  await kinesis.send(new IncreaseStreamRetentionPeriodCommand({ ...stream, RetentionPeriodHours: 48 }));
  await settle('settings');
  await kinesis.send(new DecreaseStreamRetentionPeriodCommand({ StreamARN: arn, RetentionPeriodHours: 36 }));
  await settle('settings');
  await kinesis.send(new EnableEnhancedMonitoringCommand({
    ...stream, ShardLevelMetrics: ['IncomingBytes', 'OutgoingBytes'],
  }));
  await settle('settings');
  const monitored = await kinesis.send(new DisableEnhancedMonitoringCommand({
    ...stream, ShardLevelMetrics: ['OutgoingBytes'],
  }));
  assert.deepEqual(monitored.DesiredShardLevelMetrics, ['IncomingBytes']);
  await settle('settings');
  const encryption = { ...stream, EncryptionType: 'KMS', KeyId: 'alias/aws/kinesis' };
  await kinesis.send(new StartStreamEncryptionCommand(encryption));
  await settle('settings');
  assert.equal((await put('settings', 'secret')).EncryptionType, 'KMS');
  await kinesis.send(new UpdateMaxRecordSizeCommand({ StreamARN: arn, MaxRecordSizeInKiB: 2048 }));
  const seen = await settle('settings');
  assert.deepEqual([seen.RetentionPeriodHours, seen.EncryptionType, seen.KeyId, seen.MaxRecordSizeInKiB],
    [36, 'KMS', 'alias/aws/kinesis', 2048]);
  assert.deepEqual(seen.EnhancedMonitoring, [{ ShardLevelMetrics: ['IncomingBytes'] }]);
  await kinesis.send(new StopStreamEncryptionCommand(encryption));
  assert.equal((await settle('settings')).EncryptionType, 'NONE');
  await put('settings', 'open');
  assert.deepEqual((await drain('settings')).map((record) => record.EncryptionType), ['KMS', undefined]);
  await kinesis.send(new UpdateStreamModeCommand({ StreamARN: arn, StreamModeDetails: { StreamMode: 'ON_DEMAND' } }));
  assert.equal((await settle('settings')).StreamModeDetails.StreamMode, 'ON_DEMAND');
  const warm = await kinesis.send(new UpdateStreamWarmThroughputCommand({ ...stream, WarmThroughputMiBps: 10 }));
  assert.equal(warm.WarmThroughput.TargetMiBps, 10);
  assert.equal((await settle('settings')).WarmThroughput.TargetMiBps, 10);
  assert.equal((await summary({ StreamARN: arn })).StreamName, 'settings');
});

test('keeps tags, policies, limits and settings of the account', async () => {
  const { StreamARN: arn } = await newStream('labelled');
  const stream = { StreamName: 'labelled' };
  await kinesis.send(new AddTagsToStreamCommand({ ...stream, Tags: { a: '1', b: '2', c: nonAsciiTag } }));
  await kinesis.send(new TagResourceCommand({ ResourceARN: arn, Tags: { d: '4' } }));
  await kinesis.send(new RemoveTagsFromStreamCommand({ ...stream, TagKeys: ['a'] }));
  await kinesis.send(new UntagResourceCommand({ ResourceARN: arn, TagKeys: ['b'] }));
  const { Tags: tags, HasMoreTags: more } = await kinesis.send(new ListTagsForStreamCommand(stream));
  assert.deepEqual(tags, [{ Key: 'c', Value: nonAsciiTag }, { Key: 'd', Value: '4' }]);
  assert.equal(more, false);
  assert.deepEqual((await kinesis.send(new ListTagsForResourceCommand({ ResourceARN: arn }))).Tags, tags);
  const policy = JSON.stringify({ Version: '2012-10-17', Statement: [] });
  await kinesis.send(new PutResourcePolicyCommand({ ResourceARN: arn, Policy: policy }));
  assert.equal((await kinesis.send(new GetResourcePolicyCommand({ ResourceARN: arn }))).Policy, policy);
  await kinesis.send(new DeleteResourcePolicyCommand({ ResourceARN: arn }));
  assert.ok(await failure(kinesis.send(new DeleteResourcePolicyCommand({ ResourceARN: arn })))
    instanceof ResourceNotFoundException);
  const limits = await kinesis.send(new DescribeLimitsCommand({}));
  assert.ok(limits.OpenShardCount > 0 && limits.ShardLimit > limits.OpenShardCount, JSON.stringify(limits));
  await kinesis.send(new UpdateAccountSettingsCommand({ MinimumThroughputBillingCommitment: { Status: 'ENABLED' } }));
  const account = await kinesis.send(new DescribeAccountSettingsCommand({}));
  assert.equal(account.MinimumThroughputBillingCommitment.Status, 'ENABLED');
  assert.ok(account.MinimumThroughputBillingCommitment.StartedAt instanceof Date);
});

test('registers and lists consumers', async () => {
  const { StreamARN: arn } = await newStream('consumed');
  const arns = [];
  for (const name of ['one', 'two', 'three']) arns.push(await newConsumer(arn, name));
  for (const consumer of arns) assert.match(consumer, /:stream\/consumed\/consumer\/(one|two|three):\d+$/);
  const names = [];
  for await (const page of paginateListStreamConsumers({ client: kinesis, pageSize: 2 }, { StreamARN: arn })) {
    names.push(...page.Consumers.map((consumer) => consumer.ConsumerName));
  }
  assert.deepEqual(names.sort(), ['one', 'three', 'two']);
  await kinesis.send(new DeregisterStreamConsumerCommand({ ConsumerARN: arns[0] }));
  await kinesis.send(new DeregisterStreamConsumerCommand({ StreamARN: arn, ConsumerName: 'two' }));
  const left = async () => (await kinesis.send(new ListStreamConsumersCommand({ StreamARN: arn }))).Consumers.length;
  await until(async () => await left() === 1, 'one consumer is left');
});

test('reshards and filters shards', async () => {
  await newStream('reshaped');
  await kinesis.send(new SplitShardCommand({
    StreamName: 'reshaped', ShardToSplit: firstShard, NewStartingHashKey: middle,
  }));
  await settle('reshaped');
  await kinesis.send(new MergeShardsCommand({
    StreamName: 'reshaped', ShardToMerge: 'shardId-000000000001', AdjacentShardToMerge: 'shardId-000000000002',
  }));
  await settle('reshaped');
  const all = await shards('reshaped');
  assert.deepEqual(all.map((shard) => [shard.ParentShardId, shard.AdjacentParentShardId]), [
    [undefined, undefined], [firstShard, undefined], [firstShard, undefined],
    ['shardId-000000000001', 'shardId-000000000002'],
  ]);
  assert.deepEqual(all.map((shard) => shard.SequenceNumberRange.EndingSequenceNumber !== undefined),
    [true, true, true, false]);
  const latest = await shards('reshaped', { ShardFilter: { Type: 'AT_LATEST' } });
  assert.deepEqual(latest.map((shard) => shard.ShardId), ['shardId-000000000003']);
  const scaled = await kinesis.send(new UpdateShardCountCommand({
    StreamName: 'reshaped', TargetShardCount: 2, ScalingType: 'UNIFORM_SCALING',
  }));
  assert.deepEqual([scaled.CurrentShardCount, scaled.TargetShardCount], [1, 2]);
  assert.equal((await settle('reshaped')).OpenShardCount, 2);
  const listed = [];
  let page = await kinesis.send(new ListShardsCommand({ StreamName: 'reshaped', MaxResults: 4 }));
  for (;;) {
    listed.push(...page.Shards.map((shard) => shard.ShardId));
    if (!page.NextToken) break;
    page = await kinesis.send(new ListShardsCommand({ NextToken: page.NextToken, MaxResults: 4 }));
  }
  assert.deepEqual(listed, (await shards('reshaped')).map((shard) => shard.ShardId));
});

test('answers many requests at once over one connection', async () => {
  await newStream('crowded', 4);
  await relay(async (address, beginnings) => {
    const through = client({
      endpoint: address, requestHandler: new NodeHttp2Handler({ disableConcurrentStreams: false }),
    });
    // The first one makes the connection that the others find.
    await through.send(new DescribeLimitsCommand({}));
    const sent = Array.from({ length: 600 }, (_, n) => `${n}`);
    const done = await Promise.all(sent.map((n) => put('crowded', n, n, through)));
    assert.equal(new Set(done.map((answer) => answer.SequenceNumber)).size, 600);
    const got = [];
    for (const shard of await shards('crowded')) {
      got.push(...await drain('crowded', 'TRIM_HORIZON', shard.ShardId, {}, through));
    }
    assert.deepEqual(got.map(text).sort(), sent.sort());
    assert.deepEqual(beginnings, [preface]);
    through.destroy();
  });
});

test('moves large records and pages', async () => {
  const { StreamARN: arn } = await newStream('large');
  const mebibyte = Buffer.alloc(1_048_576 - 1, 'm');
  await put('large', mebibyte);
  assert.equal((await failure(put('large', Buffer.alloc(1_048_577)))).name, 'ValidationException');
  const tenth = Buffer.alloc(20_000, 't');
  const many = await kinesis.send(new PutRecordsCommand({
    StreamName: 'large', Records: Array.from({ length: 500 }, () => ({ Data: tenth, PartitionKey: 'k' })),
  }));
  assert.equal(many.FailedRecordCount, 0);
  const page = await kinesis.send(new GetRecordsCommand({ ShardIterator: await iterator('large', 'TRIM_HORIZON') }));
  const bytes = page.Records.reduce((sum, record) => sum + record.Data.length, 0);
  assert.ok(bytes > 9 * 1_048_576 && bytes <= 10 * 1_048_576, `a page has ${bytes} bytes`);
  const events = await subscribe(await newConsumer(arn), firstShard, { Type: 'TRIM_HORIZON' });
  const pushed = [];
  while (pushed.length < 501) pushed.push(...(await nextEvent(events, hasRecords)).Records);
  assert.ok(mebibyte.equals(pushed[0].Data));
  assert.ok(pushed.slice(1).every((record) => tenth.equals(record.Data)));
  await events.return();
});

test('pushes records, follows a split, and beats its heart', async () => {
  const { StreamARN: arn } = await newStream('pushed');
  const consumer = await newConsumer(arn);
  await put('pushed', 'before');
  const events = await subscribe(consumer, firstShard, { Type: 'TRIM_HORIZON' });
  assert.deepEqual((await nextEvent(events, hasRecords)).Records.map(text), ['before']);
  for (let n = 0; n < 20; ++n) {
    const sent = performance.now();
    const [{ SequenceNumber: number }, event] =
      await Promise.all([put('pushed', `${n}`), nextEvent(events, hasRecords)]);
    assert.deepEqual(event.Records.map(text), [`${n}`]);
    assert.equal(event.Records[0].SequenceNumber, number);
    assert.equal(event.MillisBehindLatest, 0);
    assert.ok(performance.now() - sent < 2_000, 'a record came late');
  }
  const quiet = performance.now();
  const beats = [await nextEvent(events), await nextEvent(events)];
  assert.ok(performance.now() - quiet < 12_000, 'two heartbeats took more than 12 s');
  assert.ok(beats.every((event) => event.Records.length === 0 && event.MillisBehindLatest === 0));
  assert.ok(BigInt(beats[1].ContinuationSequenceNumber) > BigInt(beats[0].ContinuationSequenceNumber),
    'the continuation does not advance');

  await kinesis.send(new SplitShardCommand({
    StreamName: 'pushed', ShardToSplit: firstShard, NewStartingHashKey: middle,
  }));
  const last = await nextEvent(events, (event) => event.ChildShards?.length > 0);
  assert.deepEqual(last.ChildShards.map((child) => [child.ShardId, child.ParentShards]),
    [['shardId-000000000001', [firstShard]], ['shardId-000000000002', [firstShard]]]);
  assert.equal(last.ContinuationSequenceNumber || undefined, undefined);
  assert.equal((await events.next()).done, true);
  await settle('pushed');
  const children = await Promise.all(last.ChildShards.map((child) =>
    subscribe(consumer, child.ShardId, { Type: 'TRIM_HORIZON' })));
  const put2 = (key, data) => kinesis.send(new PutRecordCommand({
    StreamName: 'pushed', Data: Buffer.from(data), PartitionKey: 'k', ExplicitHashKey: key,
  }));
  await Promise.all([put2('0', 'low'), put2(middle, 'high')]);
  assert.deepEqual((await nextEvent(children[0], hasRecords)).Records.map(text), ['low']);
  assert.deepEqual((await nextEvent(children[1], hasRecords)).Records.map(text), ['high']);
  await kinesis.send(new MergeShardsCommand({
    StreamName: 'pushed', ShardToMerge: 'shardId-000000000001', AdjacentShardToMerge: 'shardId-000000000002',
  }));
  for (const child of children) {
    const merged = await nextEvent(child, (event) => event.ChildShards?.length > 0);
    assert.deepEqual(merged.ChildShards.map((grandchild) => [grandchild.ShardId, grandchild.ParentShards.sort()]),
      [['shardId-000000000003', ['shardId-000000000001', 'shardId-000000000002']]]);
    assert.equal((await child.next()).done, true);
  }
});

test('lets a newcomer take over, who goes on where the other was', async () => {
  const { StreamARN: arn } = await newStream('contended');
  const consumer = await newConsumer(arn);
  const started = performance.now();
  const old = await subscribe(consumer, firstShard, { Type: 'LATEST' });
  await put('contended', 'one');
  const { Records: first, ContinuationSequenceNumber: number } = await nextEvent(old, hasRecords);
  assert.deepEqual(first.map(text), ['one']);
  const position = { Type: 'AFTER_SEQUENCE_NUMBER', SequenceNumber: number };
  let refused = 0;
  const newcomer = await until(async () => {
    try {
      return await subscribe(consumer, firstShard, position);
    } catch (error) {
      assert.ok(error instanceof ResourceInUseException, `${error}`);
      refused += 1;
      return null;
    }
  }, 'the newcomer is let in');
  assert.ok(refused > 0 && performance.now() - started > 4_500, 'the newcomer was let in at once');
  const over = await failure(nextEvent(old, () => false));
  assert.ok(over instanceof ResourceInUseException, `${over}`);
  await put('contended', 'two');
  assert.deepEqual((await nextEvent(newcomer, hasRecords)).Records.map(text), ['two']);
  await kinesis.send(new DeregisterStreamConsumerCommand({ ConsumerARN: consumer }));
  assert.ok(await failure(nextEvent(newcomer, () => false)) instanceof ResourceNotFoundException);
});

test('refuses subscriptions before they begin', async () => {
  const { StreamARN: arn } = await newStream('refused');
  const consumer = await newConsumer(arn);
  const latest = { Type: 'LATEST' };
  assert.ok(await failure(subscribe(consumer, 'shardId-000000000007', latest)) instanceof ResourceNotFoundException);
  assert.ok(await failure(subscribe(`${arn}/consumer/nobody:1`, firstShard, latest))
    instanceof ResourceNotFoundException);
  assert.ok(await failure(subscribe(consumer, firstShard, { Type: 'AT_SEQUENCE_NUMBER' }))
    instanceof InvalidArgumentException);
});

test('subscribes over HTTP/1.1', async () => {
  const { StreamARN: arn } = await newStream('older');
  const consumer = await newConsumer(arn);
  await relay(async (address, beginnings) => {
    const through = client({ endpoint: address, requestHandler: new NodeHttpHandler() });
    const events = await subscribe(consumer, firstShard, { Type: 'TRIM_HORIZON' }, through);
    for (let n = 0; n < 5; ++n) {
      await put('older', `${n}`, 'k', through);
      assert.deepEqual((await nextEvent(events, hasRecords)).Records.map(text), [`${n}`]);
    }
    await kinesis.send(new DeleteStreamCommand({ StreamName: 'older', EnforceConsumerDeletion: true }));
    assert.ok(await failure(nextEvent(events, () => false)) instanceof ResourceNotFoundException);
    assert.ok(beginnings.every((bytes) => bytes.startsWith('POST / HTTP/1.1\r\n')), `${beginnings}`);
    through.destroy();
  });
});

test('speaks HTTP/2 and HTTP/1.1 over TLS', async () => {
  const { StreamARN: arn } = await newStream('private');
  const consumer = await newConsumer(arn);
  const secure = endpoint.replace('http:', 'https:');
  // Node's HTTP/2 refuses a server that does not choose it by ALPN.
  for (const requestHandler of [undefined, new NodeHttpHandler()]) {
    const through = client({ endpoint: secure, requestHandler });
    const { SequenceNumber: number } = await put('private', nonAscii, 'k', through);
    const position = { StartingSequenceNumber: number };
    const got = await drain('private', 'AT_SEQUENCE_NUMBER', firstShard, position, through);
    assert.deepEqual(got.map(text), [nonAscii]);
    through.destroy();
  }
  const through = client({ endpoint: secure });
  const events = await subscribe(consumer, firstShard, { Type: 'LATEST' }, through);
  await put('private', 'pushed');
  assert.deepEqual((await nextEvent(events, hasRecords)).Records.map(text), ['pushed']);
  await events.return();
});

/// Reads a stream by subscriptions as the KCL does: children after their last parent has ended.
class Fleet {
  constructor(consumer) {
    this.consumer = consumer;
    this.seen = new Map();
    this.ended = new Set();
    this.begun = new Set();
    this.readers = [];
  }

  begin(shard) {
    if (this.begun.has(shard)) return;
    this.begun.add(shard);
    this.readers.push(this.read(shard));
  }

  async read(shard) {
    const events = await subscribe(this.consumer, shard, { Type: 'TRIM_HORIZON' });
    for (;;) {
      const event = await nextEvent(events);
      for (const record of event.Records) {
        if (!this.seen.has(record.PartitionKey)) this.seen.set(record.PartitionKey, []);
        this.seen.get(record.PartitionKey).push(Number(text(record)));
      }
      if (!event.ChildShards?.length) continue;
      this.ended.add(shard);
      for (const child of event.ChildShards) {
        if (child.ParentShards.every((parent) => this.ended.has(parent))) this.begin(child.ShardId);
      }
      return;
    }
  }

  count() {
    return [...this.seen.values()].reduce((sum, numbers) => sum + numbers.length, 0);
  }
}

test('pushes each record once and in order while shards are split and merged', async () => {
  const { StreamARN: arn } = await newStream('busy', 2);
  const fleet = new Fleet(await newConsumer(arn));
  for (const shard of await shards('busy')) fleet.begin(shard.ShardId);
  const keys = Array.from({ length: 12 }, (_, n) => `key-${n}`);
  const acknowledged = new Map();
  let producing = true;
  const producers = keys.map(async (key) => {
    for (let n = 0; producing; ++n) {
      await put('busy', `${n}`, key, shared);
      acknowledged.set(key, n + 1);
    }
  });
  for (let round = 0; round < 3; ++round) {
    for (const target of [4, 2]) {
      await kinesis.send(new UpdateShardCountCommand({
        StreamName: 'busy', TargetShardCount: target, ScalingType: 'UNIFORM_SCALING',
      }));
      await settle('busy');
      const reached = fleet.count();
      await until(() => fleet.count() > reached + keys.length, 'records come from the new shards');
    }
  }
  producing = false;
  await Promise.all(producers);
  const total = [...acknowledged.values()].reduce((sum, count) => sum + count, 0);
  await Promise.race([until(() => fleet.count() >= total, `all ${total} records came`), ...fleet.readers.map(
    (reader) => reader.then(() => new Promise(() => {})))]);
  for (const key of keys) {
    assert.deepEqual(fleet.seen.get(key), Array.from({ length: acknowledged.get(key) }, (_, n) => n));
  }
  assert.equal(fleet.ended.size, (await shards('busy')).length - 2);
});

test('an endpoint with a consumer resumes, over HTTP/2 and HTTP/1.1', async () => {
  await newStream('resumed');
  for (const data of ['0', '1', '2', '3', '4']) await put('resumed', data);
  const place = { endpoint: `${endpoint}/@consumer/reports` };
  const named = { StreamName: 'resumed', ShardId: firstShard, ShardIteratorType: 'TRIM_HORIZON' };
  const text = ({ Records: records }) => records.map(({ Data: data }) => Buffer.from(data).toString());
  const first = client(place);
  const { ShardIterator: start } = await first.send(new GetShardIteratorCommand(named));
  let page = await first.send(new GetRecordsCommand({ ShardIterator: start, Limit: 2 }));
  assert.deepEqual(text(page), ['0', '1']);
  page = await first.send(new GetRecordsCommand({ ShardIterator: page.NextShardIterator, Limit: 2 }));
  assert.deepEqual(text(page), ['2', '3']);
  const second = client({ ...place, requestHandler: new NodeHttpHandler() });
  const { ShardIterator: resumed } = await second.send(new GetShardIteratorCommand(named));
  page = await second.send(new GetRecordsCommand({ ShardIterator: resumed }));
  assert.deepEqual(text(page), ['2', '3', '4']);
  await assert.rejects(first.send(new GetRecordsCommand({ ShardIterator: start })), { name: 'ExpiredIteratorException' });
});

await run();
