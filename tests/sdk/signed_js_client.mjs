// The AWS SDK for JavaScript, version 3, at a server that has every request signed.
import assert from 'node:assert/strict';
import { setTimeout as after } from 'node:timers/promises';
import {
  CreateStreamCommand, DescribeStreamSummaryCommand, GetShardIteratorCommand, KinesisClient, ListStreamsCommand,
  PutRecordCommand,
} from '@aws-sdk/client-kinesis';
import { LambdaClient, ListFunctionsCommand } from '@aws-sdk/client-lambda';
import {
  CreateQueueCommand, ListQueuesCommand, ReceiveMessageCommand, SQSClient, SendMessageCommand,
} from '@aws-sdk/client-sqs';
import { allBytes, endpoint, failure, nonAscii, run, test } from './cases.mjs';

const keys = { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY' };

function client(Kind, more = {}) {
  // A retry would hide an error that should not have been.
  return new Kind({ endpoint, region: 'us-east-1', maxAttempts: 1, credentials: keys, ...more });
}

test('signs what it asks of a queue', async () => {
  const sqs = client(SQSClient, { credentials: { ...keys, sessionToken: 'a-session' } });
  const { QueueUrl } = await sqs.send(new CreateQueueCommand({ QueueName: 'signed' }));
  await sqs.send(new SendMessageCommand({ QueueUrl, MessageBody: nonAscii }));
  const { Messages } = await sqs.send(new ReceiveMessageCommand({ QueueUrl, WaitTimeSeconds: 5 }));
  assert.deepEqual(Messages.map((message) => message.Body), [nonAscii]);
});

test('signs what it asks of a stream over HTTP/2, and at an endpoint with a path', async () => {
  const kinesis = client(KinesisClient);
  await kinesis.send(new CreateStreamCommand({ StreamName: 'signed', ShardCount: 1 }));
  const isActive = async () => (await kinesis.send(new DescribeStreamSummaryCommand({ StreamName: 'signed' })))
    .StreamDescriptionSummary.StreamStatus === 'ACTIVE';
  while (!(await isActive())) await after(10);
  await kinesis.send(new PutRecordCommand({ StreamName: 'signed', PartitionKey: nonAscii.slice(0, 9), Data: allBytes }));
  const consumer = client(KinesisClient, { endpoint: `${endpoint}/@consumer/billing` });
  const { ShardIterator } = await consumer.send(new GetShardIteratorCommand({
    StreamName: 'signed', ShardId: 'shardId-000000000000', ShardIteratorType: 'TRIM_HORIZON',
  }));
  assert.ok(ShardIterator);
});

test('signs what it asks of functions', async () => {
  const { Functions } = await client(LambdaClient).send(new ListFunctionsCommand({ MaxItems: 10, FunctionVersion: 'ALL' }));
  assert.deepEqual(Functions, []);
});

test('is told of a wrong secret, and of a key that nobody has', async () => {
  const wrong = { credentials: { ...keys, secretAccessKey: 'wrong' } };
  const nobody = { credentials: { ...keys, accessKeyId: 'AKIDNOBODY' } };
  const cases = [
    [SQSClient, ListQueuesCommand, wrong, ['SignatureDoesNotMatch', 'InvalidSignatureException'], 403],
    [SQSClient, ListQueuesCommand, nobody, ['InvalidClientTokenId', 'UnrecognizedClientException'], 403],
    [KinesisClient, ListStreamsCommand, wrong, ['InvalidSignatureException'], 400],
    [KinesisClient, ListStreamsCommand, nobody, ['UnrecognizedClientException'], 400],
    [LambdaClient, ListFunctionsCommand, wrong, ['InvalidSignatureException'], 403],
    [LambdaClient, ListFunctionsCommand, nobody, ['UnrecognizedClientException'], 403],
  ];
  for (const [Kind, Command, more, names, status] of cases) {
    const error = await failure(client(Kind, more).send(new Command({})));
    assert.ok(names.includes(error.name), error.name);
    assert.equal(error.$metadata.httpStatusCode, status);
  }
});

test('corrects its clock by what it is told', async () => {
  const tenMinutes = 600_000;
  for (const [Kind, Command] of [[SQSClient, ListQueuesCommand], [KinesisClient, ListStreamsCommand]]) {
    for (const offset of [-tenMinutes, tenMinutes]) {
      const error = await failure(client(Kind, { systemClockOffset: offset }).send(new Command({})));
      assert.match(error.message, offset < 0 ? /^Signature expired: / : /^Signature not yet current: /);
      await client(Kind, { systemClockOffset: offset, maxAttempts: 2 }).send(new Command({}));
    }
  }
});

await run();
