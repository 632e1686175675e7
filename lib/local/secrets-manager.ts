import { randomUUID } from 'node:crypto';
import * as v from 'valibot';
import { createJsonService } from './json-service';
import type { Policies } from './policy';
import { SecretsFile } from './secrets-file';
import type { StoredSecret } from './secrets-file';
import { ServiceError } from './service';
import type { Service, ServiceRequest } from './service';

export interface SecretsManagerOptions {
  /** JSON file that holds the secrets over a restart. */
  readonly file: string;
  readonly account: string;
  readonly policies: Pick<Policies, 'refusal'>;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

// Source: Secrets Manager API reference, CreateSecret, GetSecretValue, DeleteSecret.
const MOST_BYTES = 65_536;
const Value = { SecretString: v.optional(v.string()), SecretBinary: v.optional(v.pipe(v.string(), v.base64())) };
const Create = v.object({
  Name: v.pipe(v.string(), v.regex(/^[\w/+=.@-]{1,512}$/)),
  ClientRequestToken: v.optional(v.string()),
  ...Value,
});
const Put = v.object({ SecretId: v.string(), ClientRequestToken: v.optional(v.string()), ...Value });
const Get = v.object({ SecretId: v.string(), VersionId: v.optional(v.string()), VersionStage: v.optional(v.string()) });
const Delete = v.object({
  SecretId: v.string(),
  RecoveryWindowInDays: v.optional(v.pipe(v.number(), v.integer(), v.minValue(7), v.maxValue(30)), 30),
  ForceDeleteWithoutRecovery: v.optional(v.boolean(), false),
});

const DAY_MS = 86_400_000;

/** Secrets Manager: CreateSecret, PutSecretValue, GetSecretValue, DeleteSecret. Nothing is encrypted, and only the current version kept. */
export function createSecretsManager(options: SecretsManagerOptions): Service {
  const secrets = new Secrets(options);
  return createJsonService({
    name: 'secretsmanager',
    target: 'secretsmanager',
    invalidInput: 'InvalidParameterException',
    // Asked of each secret, whose ARN only the operation knows.
    refusal: () => undefined,
    operations: {
      CreateSecret: (input, request) => secrets.create(v.parse(Create, input), request),
      PutSecretValue: (input, request) => secrets.put(v.parse(Put, input), request),
      GetSecretValue: (input, request) => secrets.get(v.parse(Get, input), request),
      DeleteSecret: (input, request) => secrets.delete(v.parse(Delete, input), request),
    },
  });
}

class Secrets {
  readonly #file: SecretsFile;

  constructor(private readonly options: SecretsManagerOptions) {
    this.#file = new SecretsFile(options.file);
  }

  create(input: v.InferOutput<typeof Create>, request: ServiceRequest): object {
    const { Name: name } = input;
    const before = this.#allowed('CreateSecret', name, request);
    if (before) throw nameTaken(before);
    // Six random characters follow every name: a secret of the same name is another one.
    const secret = { arn: `${this.#arnOf(name, request)}-${randomUUID().slice(0, 6)}`, name, created: this.options.now() };
    const current = this.#version(input);
    this.#file.put(current ? { ...secret, current } : secret);
    return { ARN: secret.arn, Name: name, ...(current ? { VersionId: current.id } : {}) };
  }

  put(input: v.InferOutput<typeof Put>, request: ServiceRequest): object {
    const secret = this.#alive('PutSecretValue', input.SecretId, request);
    const current = this.#version(input);
    if (!current) throw new ServiceError(400, 'InvalidRequestException', 'You must provide either SecretString or SecretBinary.');
    this.#file.put({ ...secret, current });
    return { ARN: secret.arn, Name: secret.name, VersionId: current.id, VersionStages: ['AWSCURRENT'] };
  }

  get(input: v.InferOutput<typeof Get>, request: ServiceRequest): object {
    const { arn, name, current } = this.#alive('GetSecretValue', input.SecretId, request);
    const stage = input.VersionStage ?? 'AWSCURRENT';
    if (!current || stage !== 'AWSCURRENT' || (input.VersionId ?? current.id) !== current.id) {
      const wanted = input.VersionId === undefined ? `staging label: ${stage}` : `VersionId: ${input.VersionId}`;
      throw notFound(`Secrets Manager can't find the specified secret value for ${wanted}`);
    }
    return {
      ARN: arn,
      Name: name,
      VersionId: current.id,
      VersionStages: ['AWSCURRENT'],
      // Seconds, as the JSON protocol writes times.
      CreatedDate: current.created / 1000,
      ...(current.string === undefined ? { SecretBinary: current.binary } : { SecretString: current.string }),
    };
  }

  delete(input: v.InferOutput<typeof Delete>, request: ServiceRequest): object {
    const secret = this.#known('DeleteSecret', input.SecretId, request);
    const at = this.options.now() + (input.ForceDeleteWithoutRecovery ? 0 : input.RecoveryWindowInDays * DAY_MS);
    if (input.ForceDeleteWithoutRecovery) this.#file.delete(secret.arn);
    else this.#file.put({ ...secret, deleted: at });
    return { ARN: secret.arn, Name: secret.name, DeletionDate: at / 1000 };
  }

  /** @throws ResourceNotFoundException, and InvalidRequestException for one that waits for its deletion */
  #alive(operation: string, id: string, request: ServiceRequest): StoredSecret {
    const secret = this.#known(operation, id, request);
    if (secret.deleted === undefined) return secret;
    const message = "You can't perform this operation on the secret because it was marked for deletion.";
    throw new ServiceError(400, 'InvalidRequestException', message);
  }

  #known(operation: string, id: string, request: ServiceRequest): StoredSecret {
    const secret = this.#allowed(operation, id, request);
    if (secret) return secret;
    throw notFound("Secrets Manager can't find the specified secret.");
  }

  /** Whether the caller may is decided first: who may not, does not learn what there is. @throws AccessDeniedException */
  #allowed(operation: string, id: string, request: ServiceRequest): StoredSecret | undefined {
    const found = this.#file.find(id);
    const resource = found?.arn ?? (id.startsWith('arn:') ? id : this.#arnOf(id, request));
    const refusal = this.options.policies.refusal(request.principal, `secretsmanager:${operation}`, resource);
    if (refusal !== undefined) throw new ServiceError(400, 'AccessDeniedException', refusal.replaceAll('"', ''));
    return found;
  }

  #arnOf(name: string, { region }: ServiceRequest): string {
    return `arn:aws:secretsmanager:${region}:${this.options.account}:secret:${name}`;
  }

  #version(input: Pick<v.InferOutput<typeof Put>, 'SecretString' | 'SecretBinary' | 'ClientRequestToken'>): StoredSecret['current'] {
    const { SecretString: string, SecretBinary: binary, ClientRequestToken: id = randomUUID() } = input;
    if (string === undefined && binary === undefined) return undefined;
    if (string !== undefined && binary !== undefined) {
      throw new ServiceError(400, 'InvalidParameterException', "You can't specify both SecretString and SecretBinary.");
    }
    if (Buffer.byteLength(string ?? binary ?? '', string === undefined ? 'base64' : 'utf8') > MOST_BYTES) {
      throw new ServiceError(400, 'InvalidParameterException', `The secret value is longer than ${MOST_BYTES} bytes.`);
    }
    return { id, created: this.options.now(), ...(string === undefined ? { binary } : { string }) };
  }
}

function notFound(message: string): ServiceError {
  return new ServiceError(400, 'ResourceNotFoundException', message);
}

function nameTaken({ name, deleted }: StoredSecret): ServiceError {
  if (deleted === undefined) {
    return new ServiceError(400, 'ResourceExistsException', `The operation failed because the secret ${name} already exists.`);
  }
  const message = "You can't create this secret because a secret with this name is already scheduled for deletion.";
  return new ServiceError(400, 'InvalidRequestException', message);
}
