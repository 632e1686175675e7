import * as v from 'valibot';
import { readBody } from './body';
import { type Service, ServiceError, type ServiceRequest, type ServiceResponse } from './service';

/** One operation of a service of AWS's JSON protocol. */
export type JsonOperation = (input: unknown, request: ServiceRequest) => object;

export interface JsonServiceOptions {
  /** Service of the credential scope. */
  readonly name: string;
  /** What stands before the operation in the header `X-Amz-Target`. */
  readonly target: string;
  readonly operations: Readonly<Record<string, JsonOperation>>;
  /** Code of the error for input that is not as it must be. */
  readonly invalidInput: string;
  /** Why a caller may not; undefined when it may. */
  readonly refusal: (request: ServiceRequest, action: string) => string | undefined;
}

const TYPE = 'application/x-amz-json-1.1';
const MAX_BODY_BYTES = 1024 * 1024;

/** A service whose calls are JSON in and out, told apart by `X-Amz-Target`. */
export function createJsonService(options: JsonServiceOptions): Service {
  const { name, target, operations } = options;
  const operationOf = (headers: ServiceRequest['headers']): string => String(headers['x-amz-target'] ?? '').replace(`${target}.`, '');
  return {
    name,
    operation: (request) => operationOf(request.headers),
    async handle(request) {
      const called = operationOf(request.headers);
      const operation = Object.hasOwn(operations, called) ? operations[called] : undefined;
      if (!operation) {
        throw new ServiceError(400, 'UnknownOperationException', `the local cloud knows ${Object.keys(operations).join(', ')} of ${name}`);
      }
      const refusal = options.refusal(request, `${name}:${called}`);
      if (refusal !== undefined) throw new ServiceError(400, 'AccessDeniedException', refusal.replaceAll('"', ''));
      const input = readInput(await readBody(request.body, MAX_BODY_BYTES));
      return answer(200, operationResult(operation, input, request, options.invalidInput));
    },
    renderError: ({ status, code, message }) => answer(status, { __type: code, message, Message: message }),
  };
}

function operationResult(operation: JsonOperation, input: unknown, request: ServiceRequest, invalidInput: string): object {
  try {
    return operation(input, request);
  } catch (error) {
    if (!v.isValiError(error)) throw error;
    throw new ServiceError(400, invalidInput, `${v.getDotPath(error.issues[0]) ?? 'input'}: ${error.message}`);
  }
}

/** One page of a list in its own order. @param invalidToken code of the error for a token that is none of ours */
export function pageOf<T>(
  items: readonly T[],
  { NextToken, MaxResults = 100 }: { readonly NextToken?: string | undefined; readonly MaxResults?: number | undefined },
  invalidToken: string,
): { readonly items: readonly T[]; readonly next: { readonly NextToken?: string } } {
  const from = NextToken === undefined ? 0 : Number(/^from (\d+)$/.exec(Buffer.from(NextToken, 'base64').toString())?.[1] ?? NaN);
  if (Number.isNaN(from)) throw new ServiceError(400, invalidToken, 'The pagination token is invalid.');
  const end = from + MaxResults;
  const next = end < items.length ? { NextToken: Buffer.from(`from ${end}`).toString('base64') } : {};
  return { items: items.slice(from, end), next };
}

function answer(status: number, output: object): ServiceResponse {
  return { status, headers: { 'content-type': TYPE }, body: JSON.stringify(output) };
}

function readInput(body: Buffer): unknown {
  try {
    return body.byteLength === 0 ? {} : JSON.parse(body.toString('utf8'));
  } catch {
    throw new ServiceError(400, 'SerializationException', 'the body is not JSON');
  }
}
