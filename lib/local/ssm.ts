import * as v from 'valibot';
import { readBody } from './body';
import type { Policies } from './policy';
import { SessionInput, StartInput } from './sessions/hub';
import type { Sessions } from './sessions/hub';
import { type Service, ServiceError, type ServiceRequest, type ServiceResponse } from './service';
import { ParameterFile, type StoredParameter } from './ssm-parameters';

export interface SsmOptions {
  /** JSON file that holds the parameters over a restart. */
  readonly file: string;
  readonly account: string;
  /** Whose parameters stand under their bare names in the file; those of others under `<region>:<name>`. */
  readonly region: string;
  readonly policies: Policies;
  /** Public parameters by full name, `/aws/service/…` → AMI id: readable by everybody, written by nobody. */
  readonly publicParameters?: Readonly<Record<string, string>>;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** Session Manager. Known once there are machines. */
  readonly sessions?: () => Sessions | undefined;
}

const Name = v.object({ Name: v.string() });
const Names = v.object({ Names: v.pipe(v.array(v.string()), v.minLength(1), v.maxLength(10)) });
const ByPath = v.object({
  Path: v.pipe(v.string(), v.regex(/^\/[\w./-]*$/)),
  Recursive: v.optional(v.boolean(), false),
  // Source: Systems Manager API reference, GetParametersByPath.
  MaxResults: v.optional(v.pipe(v.number(), v.minValue(1), v.maxValue(10)), 10),
  NextToken: v.optional(v.string()),
});
const Put = v.object({
  Name: v.pipe(v.string(), v.regex(/^[\w./-]{1,1011}$/)),
  // Standard tier. Source: Systems Manager user guide, "Managing parameter tiers".
  Value: v.pipe(v.string(), v.minLength(1), v.maxLength(4096)),
  Type: v.optional(v.picklist(['String', 'StringList', 'SecureString']), 'String'),
  Overwrite: v.optional(v.boolean(), false),
  Description: v.optional(v.string()),
});

const OPERATIONS = [
  'GetParameter',
  'GetParameters',
  'GetParametersByPath',
  'PutParameter',
  'DeleteParameter',
  'StartSession',
  'ResumeSession',
  'TerminateSession',
] as const;
const MAX_BODY_BYTES = 1024 * 1024;

/** Parameter Store: GetParameter, GetParameters, GetParametersByPath, PutParameter, DeleteParameter. Nothing is encrypted; there are no old versions. And Session Manager. */
export function createSsm(options: SsmOptions): Service {
  const ssm = new ParameterStore(options);
  return {
    name: 'ssm',
    operation: (request) => operationOf(request.headers),
    async handle(request) {
      const input = readInput(await readBody(request.body, MAX_BODY_BYTES));
      const operation = OPERATIONS.find((o) => o === operationOf(request.headers));
      switch (operation) {
        case 'GetParameter':
          return answer(ssm.get(request, check(Name, input).Name));
        case 'GetParameters':
          return answer(ssm.getMany(request, check(Names, input).Names));
        case 'GetParametersByPath':
          return answer(ssm.getByPath(request, check(ByPath, input)));
        case 'PutParameter':
          return answer(ssm.put(request, check(Put, input)));
        case 'DeleteParameter':
          return answer(ssm.delete(request, check(Name, input).Name));
        case 'StartSession':
          return answer(await sessionsOf(options).start(request, check(StartInput, input)));
        case 'ResumeSession':
          return answer(sessionsOf(options).resume(request, check(SessionInput, input)));
        case 'TerminateSession':
          return answer(sessionsOf(options).terminate(request, check(SessionInput, input)));
        case undefined:
          throw new ServiceError(400, 'UnknownOperationException', `the local cloud knows ${OPERATIONS.join(', ')}`);
      }
    },
    renderError,
  };
}

function sessionsOf({ sessions }: SsmOptions): Sessions {
  const found = sessions?.();
  if (found) return found;
  throw new ServiceError(400, 'UnknownOperationException', 'there are no machines here, and no sessions');
}

class ParameterStore {
  readonly #options: SsmOptions;
  readonly #file: ParameterFile;

  constructor(options: SsmOptions) {
    this.#options = options;
    this.#file = new ParameterFile(options.file);
  }

  get(request: ServiceRequest, name: string): object {
    this.#authorize(request, 'GetParameter', name);
    const found = this.#find(request, name);
    if (!found) throw new ServiceError(400, 'ParameterNotFound', '');
    return { Parameter: found };
  }

  getMany(request: ServiceRequest, names: readonly string[]): object {
    for (const name of names) this.#authorize(request, 'GetParameters', name);
    const found = names.map((name) => ({ name, parameter: this.#find(request, name) }));
    return {
      Parameters: found.flatMap((f) => f.parameter ?? []),
      InvalidParameters: found.flatMap((f) => (f.parameter ? [] : f.name)),
    };
  }

  getByPath(request: ServiceRequest, { Path, Recursive, MaxResults, NextToken }: v.InferOutput<typeof ByPath>): object {
    const parent = Path.endsWith('/') ? Path : `${Path}/`;
    this.#authorize(request, 'GetParametersByPath', parent.slice(0, -1));
    const isBelow = (name: string): boolean => name.startsWith(parent) && (Recursive || !name.slice(parent.length).includes('/'));
    const names = this.#names(request).filter(isBelow).sort();
    const after = NextToken === undefined ? '' : Buffer.from(NextToken, 'base64').toString();
    const left = names.filter((name) => name > after);
    const shown = left.slice(0, MaxResults);
    const next = left.length > shown.length ? { NextToken: Buffer.from(shown.at(-1)!).toString('base64') } : {};
    return { Parameters: shown.map((name) => this.#find(request, name)), ...next };
  }

  put(request: ServiceRequest, input: v.InferOutput<typeof Put>): object {
    const { Name: name, Value: value, Type: type } = input;
    this.#authorize(request, 'PutParameter', name);
    if (/^\/?(aws|ssm)/i.test(name)) {
      throw new ServiceError(400, 'ValidationException', `No access to reserved parameter name: ${name}.`);
    }
    const before = this.#file.get(this.#key(request, name));
    if (before && !input.Overwrite) {
      throw new ServiceError(
        400,
        'ParameterAlreadyExists',
        'The parameter already exists. To overwrite this value, set the overwrite option in the request to true.',
      );
    }
    const version = (before?.version ?? 0) + 1;
    this.#file.set(this.#key(request, name), { value, type, version, modified: this.#options.now() });
    return { Tier: 'Standard', Version: version };
  }

  delete(request: ServiceRequest, name: string): object {
    this.#authorize(request, 'DeleteParameter', name);
    if (!this.#file.delete(this.#key(request, name))) throw new ServiceError(400, 'ParameterNotFound', '');
    return {};
  }

  #find(request: ServiceRequest, name: string): object | undefined {
    const value = this.#options.publicParameters?.[name];
    const stored: StoredParameter | undefined =
      value === undefined ? this.#file.get(this.#key(request, name)) : { value, type: 'String', version: 1, modified: 0 };
    if (!stored) return undefined;
    return {
      Name: name,
      Type: stored.type,
      Value: stored.value,
      Version: stored.version,
      // Seconds, as the JSON protocol writes times.
      LastModifiedDate: stored.modified / 1000,
      ARN: this.#arn(request.region, name, value !== undefined),
      DataType: value === undefined ? 'text' : 'aws:ec2:image',
    };
  }

  /** Names have no colon. */
  #key({ region }: ServiceRequest, name: string): string {
    return region === this.#options.region ? name : `${region}:${name}`;
  }

  /** Of the region that was asked. */
  #names(request: ServiceRequest): string[] {
    const prefix = this.#key(request, '');
    return this.#file
      .names()
      .flatMap((key) => (key.startsWith(prefix) && !key.slice(prefix.length).includes(':') ? key.slice(prefix.length) : []));
  }

  #authorize(request: ServiceRequest, operation: string, name: string): void {
    const isPublic = this.#options.publicParameters?.[name] !== undefined;
    const arn = this.#arn(request.region, name, isPublic);
    const refusal = this.#options.policies.refusal(request.principal, `ssm:${operation}`, arn);
    if (refusal !== undefined) throw new ServiceError(400, 'AccessDeniedException', refusal.replaceAll('"', ''));
  }

  #arn(region: string, name: string, isPublic: boolean): string {
    return `arn:aws:ssm:${region}:${isPublic ? '' : this.#options.account}:parameter${name.startsWith('/') ? '' : '/'}${name}`;
  }
}

const TYPE = 'application/x-amz-json-1.1';

function answer(output: object): ServiceResponse {
  return { status: 200, headers: { 'content-type': TYPE }, body: JSON.stringify(output) };
}

function renderError(error: ServiceError): ServiceResponse {
  const message = error.message === '' ? {} : { message: error.message };
  return { status: error.status, headers: { 'content-type': TYPE }, body: JSON.stringify({ __type: error.code, ...message }) };
}

function operationOf(headers: ServiceRequest['headers']): string {
  return String(headers['x-amz-target'] ?? '').replace(/^AmazonSSM\./, '');
}

function readInput(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString('utf8'));
  } catch {
    throw new ServiceError(400, 'SerializationException', 'the body is not JSON');
  }
}

function check<const S extends v.GenericSchema>(schema: S, input: unknown): v.InferOutput<S> {
  const result = v.safeParse(schema, input);
  if (result.success) return result.output;
  const [issue] = result.issues;
  throw new ServiceError(400, 'ValidationException', `${v.getDotPath(issue) ?? 'input'}: ${issue.message}`);
}
