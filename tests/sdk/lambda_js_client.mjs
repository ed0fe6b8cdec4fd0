// The AWS SDK for JavaScript, version 3, on Lambda: a function for Node, invoked and fed from a queue.
import assert from 'node:assert/strict';
import { setTimeout as after } from 'node:timers/promises';
import {
  CreateEventSourceMappingCommand, CreateFunctionCommand, DeleteEventSourceMappingCommand, DeleteFunctionCommand,
  GetEventSourceMappingCommand, GetFunctionCommand, InvokeCommand, LambdaClient, ListEventSourceMappingsCommand,
  ListFunctionsCommand, ResourceConflictException, ResourceNotFoundException, UpdateEventSourceMappingCommand,
  UpdateFunctionConfigurationCommand, waitUntilFunctionActiveV2,
} from '@aws-sdk/client-lambda';
import {
  CreateQueueCommand, GetQueueAttributesCommand, ReceiveMessageCommand, SendMessageCommand,
} from '@aws-sdk/client-sqs';
import { client, endpoint, failure, nonAscii, run, test } from './cases.mjs';

const lambda = new LambdaClient({
  endpoint, region: 'us-east-1', maxAttempts: 1, credentials: { accessKeyId: 'anybody', secretAccessKey: 'anything' },
});
const sqs = client();

function crc32(bytes) {
  let crc = ~0;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit += 1) crc = (crc >>> 1) ^ (0xedb88320 & -(crc & 1));
  }
  return ~crc >>> 0;
}

/// A zip of one file, which is stored as it is.
function zipped(name, source) {
  const data = Buffer.from(source);
  const common = Buffer.alloc(26);
  common.writeUInt16LE(20, 0);
  common.writeUInt32LE(crc32(data), 10);
  common.writeUInt32LE(data.length, 14);
  common.writeUInt32LE(data.length, 18);
  common.writeUInt16LE(name.length, 22);
  const local = Buffer.concat([Buffer.from('PK\x03\x04'), common, Buffer.from(name), data]);
  const attributes = Buffer.alloc(14);
  const central = Buffer.concat([Buffer.from('PK\x01\x02\x14\x00'), common, attributes, Buffer.from(name)]);
  const end = Buffer.alloc(22);
  end.write('PK\x05\x06');
  end.writeUInt16LE(1, 8);
  end.writeUInt16LE(1, 10);
  end.writeUInt32LE(central.length, 12);
  end.writeUInt32LE(local.length, 16);
  return Buffer.concat([local, central, end]);
}

async function create(name, source, more = {}) {
  return lambda.send(new CreateFunctionCommand({
    FunctionName: name, Runtime: 'nodejs20.x', Handler: 'index.handler', Role: 'arn:aws:iam::000000000000:role/any',
    Code: { ZipFile: zipped('index.mjs', source) }, ...more,
  }));
}

async function invoke(name, payload) {
  const answer = await lambda.send(new InvokeCommand({ FunctionName: name, Payload: JSON.stringify(payload) }));
  return { ...answer, Payload: JSON.parse(Buffer.from(answer.Payload).toString()) };
}

async function until(probe, what, ms = 30_000) {
  const limit = performance.now() + ms;
  for (;;) {
    const seen = await probe();
    if (seen) return seen;
    assert.ok(performance.now() < limit, `after ${ms} ms there is still not: ${what}`);
    await after(10);
  }
}

async function newQueue(name, attributes = {}) {
  const { QueueUrl } = await sqs.send(new CreateQueueCommand({ QueueName: name, Attributes: attributes }));
  const described = await sqs.send(new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ['QueueArn'] }));
  return { url: QueueUrl, arn: described.Attributes.QueueArn };
}

test('a function is made, described, changed and forgotten', async () => {
  const made = await create('described', 'export const handler = async () => 1;');
  assert.equal(made.State, 'Active');
  await waitUntilFunctionActiveV2({ client: lambda, maxWaitTime: 5 }, { FunctionName: 'described' });
  const whole = await lambda.send(new GetFunctionCommand({ FunctionName: 'described' }));
  assert.equal(whole.Configuration.CodeSha256, made.CodeSha256);
  assert.ok((await fetch(whole.Code.Location)).ok);
  assert.ok(await failure(create('described', '')) instanceof ResourceConflictException);
  const changed = await lambda.send(new UpdateFunctionConfigurationCommand({ FunctionName: 'described', Timeout: 9 }));
  assert.equal(changed.Timeout, 9);
  const { Functions } = await lambda.send(new ListFunctionsCommand({}));
  assert.deepEqual(Functions.map((one) => one.FunctionName), ['described']);
  await lambda.send(new DeleteFunctionCommand({ FunctionName: 'described' }));
  const error = await failure(lambda.send(new GetFunctionCommand({ FunctionName: 'described' })));
  assert.ok(error instanceof ResourceNotFoundException);
});

test('it is invoked and answers', async () => {
  await create('echo', 'export const handler = async (event, context) => ({ event, name: context.functionName });');
  const answer = await invoke('echo', { text: nonAscii });
  assert.equal(answer.StatusCode, 200);
  assert.equal(answer.FunctionError, undefined);
  assert.deepEqual(answer.Payload, { event: { text: nonAscii }, name: 'echo' });
});

test('what it throws is its answer', async () => {
  await create('throws', "export const handler = async () => { throw new TypeError('no'); };");
  const answer = await invoke('throws', {});
  assert.equal(answer.FunctionError, 'Unhandled');
  assert.equal(answer.Payload.errorType, 'TypeError');
  assert.equal(answer.Payload.errorMessage, 'no');
});

test('a queue feeds it until its mapping is gone', async () => {
  const queue = await newQueue('orders');
  const told = await newQueue('told');
  await create('orders', `
    export const handler = async (event) => {
      const bodies = event.Records.map((record) => record.body);
      const answer = await fetch(process.env.AWS_ENDPOINT_URL, {
        method: 'POST',
        headers: { 'Content-Type': 'application/x-amz-json-1.0', 'X-Amz-Target': 'AmazonSQS.SendMessage' },
        body: JSON.stringify({ QueueUrl: process.env.TOLD, MessageBody: JSON.stringify(bodies) }),
      });
      if (!answer.ok) throw new Error(await answer.text());
    };`, { Timeout: 10, Environment: { Variables: { TOLD: told.url } } });
  const made = await lambda.send(new CreateEventSourceMappingCommand({
    EventSourceArn: queue.arn, FunctionName: 'orders', BatchSize: 2, FunctionResponseTypes: ['ReportBatchItemFailures'],
  }));
  const state = async () => (await lambda.send(new GetEventSourceMappingCommand({ UUID: made.UUID }))).State;
  await until(async () => await state() === 'Enabled', 'it is Enabled');
  const sent = Array.from({ length: 7 }, (_, number) => `${number} ${nonAscii}`);
  for (const body of sent) await sqs.send(new SendMessageCommand({ QueueUrl: queue.url, MessageBody: body }));
  const seen = [];
  await until(async () => {
    const { Messages = [] } = await sqs.send(new ReceiveMessageCommand({
      QueueUrl: told.url, MaxNumberOfMessages: 10, WaitTimeSeconds: 1,
    }));
    for (const message of Messages) {
      const bodies = JSON.parse(message.Body);
      assert.ok(bodies.length <= 2);
      seen.push(...bodies);
    }
    return seen.length >= sent.length;
  }, 'all are handled');
  assert.deepEqual(seen.sort(), sent);
  await lambda.send(new UpdateEventSourceMappingCommand({ UUID: made.UUID, Enabled: false }));
  await until(async () => await state() === 'Disabled', 'it is Disabled');
  await lambda.send(new DeleteEventSourceMappingCommand({ UUID: made.UUID }));
  await until(async () => {
    const { EventSourceMappings } = await lambda.send(new ListEventSourceMappingsCommand({ FunctionName: 'orders' }));
    return EventSourceMappings.length === 0;
  }, 'it is gone');
});

await run();
