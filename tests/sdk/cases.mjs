// What the JavaScript clients share: cases that run in the order they stand in, and a client for the server under test.
import { createHash } from 'node:crypto';
import { SQSClient } from '@aws-sdk/client-sqs';

export const endpoint = process.env.PENSTOCK_ENDPOINT;
export const nonAscii = 'Grüße, 世界 🌍 & <tag> "quoted" 100% +plus\ttab\nline';
export const allBytes = Uint8Array.from({ length: 256 }, (_, value) => value);

const cases = [];

export function test(name, body) {
  cases.push({ name, body });
}

export async function run() {
  let failures = 0;
  for (const { name, body } of cases) {
    try {
      await body();
      console.log(`  PASS ${name}`);
    } catch (error) {
      failures += 1;
      console.log(`  FAIL ${name}\n${error.stack}`);
    }
  }
  // Connections that are kept alive would keep the process alive, too.
  process.exit(failures === 0 ? 0 : 1);
}

export function client(region = 'us-east-1', account = 'anybody') {
  // A retry would hide an error that should not have been.
  return new SQSClient({
    endpoint, region, maxAttempts: 1, credentials: { accessKeyId: account, secretAccessKey: 'anything' },
  });
}

export function md5(text) {
  return createHash('md5').update(text).digest('hex');
}

/// The error that the promise must fail with.
export async function failure(promise) {
  try {
    await promise;
  } catch (error) {
    return error;
  }
  throw new Error('the call succeeded');
}
