// Runs a handler of Node by the Lambda Runtime API. Needs nothing but Node itself, of version 16 or later.
import { statSync } from 'node:fs';
import http from 'node:http';
import { createRequire } from 'node:module';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { format } from 'node:util';

const env = process.env;
const [host, port] = env.AWS_LAMBDA_RUNTIME_API.split(':');
const api = '/2018-06-01/runtime/';
const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });

function exchange(method, call, body, headers = {}) {
  return new Promise((resolve, reject) => {
    const all = { ...headers };
    if (body !== undefined) {
      all['Content-Type'] = 'application/json';
      all['Content-Length'] = Buffer.byteLength(body);
    }
    const request = http.request({ agent, host, port, method, path: api + call, headers: all }, (response) => {
      const pieces = [];
      response.on('data', (piece) => pieces.push(piece));
      response.on('error', reject);
      response.on('end', () => {
        resolve({ status: response.statusCode, headers: response.headers, body: Buffer.concat(pieces).toString('utf8') });
      });
    });
    request.setNoDelay(true);
    request.on('error', reject);
    request.end(body);
  });
}

// A line in the log where this is not the version that the function asks for.
function tellVersion() {
  const wanted = /nodejs(\d+)/.exec(env.AWS_EXECUTION_ENV ?? '')?.[1];
  const found = process.versions.node.split('.')[0];
  if (wanted !== undefined && wanted !== found) {
    process.stderr.write(`[WARNING] The function's runtime is nodejs${wanted}.x, and what runs it is Node ${process.versions.node}.\n`);
  }
}

// ---- What the handler finds.

let requestId;

function setUpConsole() {
  const levels = { trace: 'TRACE', debug: 'DEBUG', log: 'INFO', info: 'INFO', warn: 'WARN', error: 'ERROR' };
  for (const [name, level] of Object.entries(levels)) {
    console[name] = (...values) => {
      const text = format(...values).replaceAll('\n', '\r');
      process.stdout.write(`${new Date().toISOString()}\t${requestId}\t${level}\t${text}\n`);
    };
  }
}

class Unusable extends Error {
  constructor(name, message) {
    super(message);
    this.name = name;
    this.stack = `${name}: ${message}`;
  }
}

/** `folder/module.some.property`: everything up to the first point of the last part is the module. */
function partsOf(handler) {
  const found = /^([^.]+)\.(.+)$/.exec(path.basename(handler));
  if (handler.includes('..') || !found) throw new Unusable('Runtime.MalformedHandlerName', 'Bad handler');
  const folder = handler.slice(0, handler.length - path.basename(handler).length);
  return { module: path.resolve(env.LAMBDA_TASK_ROOT, folder, found[1]), name: path.join(folder, found[1]), property: found[2] };
}

async function loadModule(file) {
  const load = (ending) => import(pathToFileURL(file + ending).href);
  for (const ending of ['', '.js', '.mjs', '.cjs']) {
    if (statSync(file + ending, { throwIfNoEntry: false })?.isFile()) return load(ending);
  }
  // A folder with an index, or whatever else there is a rule for.
  return createRequire(env.LAMBDA_TASK_ROOT + '/')(file);
}

async function loadHandler() {
  const { module: file, name, property } = partsOf(env._HANDLER ?? '');
  let module;
  try {
    module = await loadModule(file);
  } catch (error) {
    const missing = error?.code === 'MODULE_NOT_FOUND' || error?.code === 'ERR_MODULE_NOT_FOUND';
    if (missing) throw new Unusable('Runtime.ImportModuleError', `Error: ${error.message}`);
    if (error instanceof SyntaxError) throw new Unusable('Runtime.UserCodeSyntaxError', `SyntaxError: ${error.message}`);
    throw error;
  }
  const within = (where) => property.split('.').reduce((value, key) => value?.[key], where);
  const handler = within(module) ?? within(module.default);
  if (handler === undefined) {
    throw new Unusable('Runtime.HandlerNotFound', `${name}.${property} is undefined or not exported`);
  }
  if (typeof handler !== 'function') {
    throw new Unusable('Runtime.HandlerNotFound', `${name}.${property} is not a function`);
  }
  return handler;
}

function contextOf(headers) {
  const json = (name) => (headers[name] ? JSON.parse(headers[name]) : undefined);
  const deadline = Number(headers['lambda-runtime-deadline-ms']);
  return {
    callbackWaitsForEmptyEventLoop: true,
    functionVersion: env.AWS_LAMBDA_FUNCTION_VERSION,
    functionName: env.AWS_LAMBDA_FUNCTION_NAME,
    memoryLimitInMB: env.AWS_LAMBDA_FUNCTION_MEMORY_SIZE,
    logGroupName: env.AWS_LAMBDA_LOG_GROUP_NAME,
    logStreamName: env.AWS_LAMBDA_LOG_STREAM_NAME,
    clientContext: json('lambda-runtime-client-context'),
    identity: json('lambda-runtime-cognito-identity'),
    invokedFunctionArn: headers['lambda-runtime-invoked-function-arn'],
    awsRequestId: headers['lambda-runtime-aws-request-id'],
    getRemainingTimeInMillis: () => Math.max(deadline - Date.now(), 0),
  };
}

// ---- Invocations.

function accountOf(error) {
  if (!(error instanceof Error)) {
    return { errorType: typeof error === 'object' && error !== null ? 'object' : typeof error, errorMessage: String(error), trace: [] };
  }
  return { errorType: error.name ?? 'Error', errorMessage: error.message, trace: (error.stack ?? '').split('\n') };
}

function toHeader(text) {
  return String(text).replace(/[^\x20-\x7e]/g, '?');
}

async function report(call, account) {
  await exchange('POST', call, JSON.stringify(account), {
    'Lambda-Runtime-Function-Error-Type': toHeader(account.errorType),
  });
}

/** What is done when nothing keeps the process any more, which callback style waits for. */
let whenEmpty;
process.on('beforeExit', () => {
  const act = whenEmpty;
  whenEmpty = undefined;
  act?.();
});

/** The handler's answer, by whichever of its ways to give one comes first. */
function answerOf(handler, event, context) {
  return new Promise((resolve, reject) => {
    let settle;
    const callback = (error, value) => {
      settle ??= error !== undefined && error !== null ? () => reject(error) : () => resolve(value);
      if (!context.callbackWaitsForEmptyEventLoop) settle();
    };
    context.done = callback;
    context.succeed = (value) => callback(null, value);
    context.fail = (error) => callback(error ?? new Error('handled'));
    // One that never calls back has answered null once there is nothing left to do.
    whenEmpty = () => (settle ? settle() : resolve(null));
    const returned = handler(event, context, callback);
    if (typeof returned?.then === 'function') returned.then(resolve, reject);
  });
}

function marshal(value) {
  try {
    return JSON.stringify(value === undefined ? null : value) ?? 'null';
  } catch (error) {
    throw new Unusable('Runtime.MarshalError', `Unable to stringify response body: ${error.message}`);
  }
}

async function serve(handler) {
  for (;;) {
    const next = await exchange('GET', 'invocation/next');
    if (next.status !== 200) throw new Error(`the Runtime API has answered with status ${next.status}`);
    requestId = next.headers['lambda-runtime-aws-request-id'];
    env._X_AMZN_TRACE_ID = next.headers['lambda-runtime-trace-id'];
    let answer;
    whenEmpty = undefined;
    try {
      answer = marshal(await answerOf(handler, JSON.parse(next.body), contextOf(next.headers)));
    } catch (error) {
      const account = accountOf(error);
      console.error('Invoke Error \t%s', JSON.stringify({ ...account, stack: account.trace, trace: undefined }));
      await report(`invocation/${requestId}/error`, account);
      continue;
    }
    await exchange('POST', `invocation/${requestId}/response`, answer);
  }
}

// What nobody catches ends the process; who waits for it is told why before.
let serving = false;
function endBy(kind, error) {
  const account = accountOf(error);
  if (kind === 'unhandledRejection') {
    account.errorMessage = `${account.errorType}: ${account.errorMessage}`;
    account.errorType = 'Runtime.UnhandledPromiseRejection';
  }
  console.error(kind === 'unhandledRejection' ? 'Unhandled Promise Rejection \t%s' : 'Uncaught Exception \t%s', JSON.stringify(account));
  // The agent's one connection may be in use.
  const body = JSON.stringify(account);
  const call = serving && requestId ? `invocation/${requestId}/error` : 'init/error';
  const request = http.request({
    agent: false, host, port, method: 'POST', path: api + call,
    headers: { 'Content-Length': Buffer.byteLength(body), 'Lambda-Runtime-Function-Error-Type': toHeader(account.errorType) },
  });
  request.on('response', (response) => response.resume().on('end', () => process.exit(129)));
  request.on('error', () => process.exit(129));
  request.end(body);
}
process.on('uncaughtException', (error) => endBy('uncaughtException', error));
process.on('unhandledRejection', (error) => endBy('unhandledRejection', error));

tellVersion();
setUpConsole();
try {
  const handler = await loadHandler();
  serving = true;
  await serve(handler);
} catch (error) {
  if (serving) throw error;
  const account = accountOf(error);
  console.error('Uncaught Exception \t%s', JSON.stringify(account));
  await report('init/error', account);
  process.exit(1);
}
