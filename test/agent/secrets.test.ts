import fc from 'fast-check';
import { RawcloudError } from '../../lib/contract';
import type { SecretSource } from '../../lib/contract';
import { fetchSecrets } from '../../lib/agent/secrets';
import type { ReadSecret, SecretPlace, SecretValue } from '../../lib/aws/secret-values';
import { jobKeys } from '../../lib/contract';
import { PREFIX, spec } from '../fakes/records';
import { TestVm } from './vm';

const ARN = 'arn:aws:secretsmanager:us-east-1:123456789012:secret:db-a1b2c3';
const VALUE = 'hunter2-is-the-password';
const DB: SecretSource = { kind: 'secretsmanager', arn: ARN };
const signal = new AbortController().signal;

function nameOf(place: SecretPlace): string {
  return place.kind === 'ssm' ? place.name : place.arn;
}

/** What lies where; an error is thrown. */
function reader(values: Readonly<Record<string, SecretValue | Error>>): ReadSecret & { readonly asked: string[] } {
  const asked: string[] = [];
  const read = (place: SecretPlace): Promise<SecretValue> => {
    asked.push(nameOf(place));
    const found = values[nameOf(place)] ?? failed('E_AWS_REQUEST', 'ResourceNotFoundException');
    return found instanceof Error ? Promise.reject(found) : Promise.resolve(found);
  };
  return Object.assign(read, { asked });
}

function failed(code: 'E_PERMISSION' | 'E_AWS_REQUEST' | 'E_THROTTLED', awsCode: string, data: object = {}): RawcloudError {
  return new RawcloudError(code, `the call failed with ${awsCode}`, { data: { awsCode, ...data } });
}

async function failure(sources: Readonly<Record<string, SecretSource>>, read: ReadSecret): Promise<RawcloudError> {
  const error: unknown = await fetchSecrets(sources, read, signal).then(
    () => undefined,
    (e: unknown) => e,
  );
  if (!(error instanceof RawcloudError)) throw new Error(`unexpected: ${String(error)}`);
  return error;
}

describe('values', () => {
  test('come as they are, by name of the variable', async () => {
    const read = reader({ [ARN]: { text: VALUE }, '/app/key': { text: 'k' } });
    expect(await fetchSecrets({ DB, KEY: { kind: 'ssm', name: '/app/key' } }, read, signal)).toEqual({ DB: VALUE, KEY: 'k' });
  });

  test('several fields of one secret are of one reading', async () => {
    const read = reader({ [ARN]: { text: '{"user":"me","port":5432,"tls":{"on":true}}' } });
    const sources = { USER_: { ...DB, field: 'user' }, PORT: { ...DB, field: 'port' }, TLS: { ...DB, field: 'tls' } };
    expect(await fetchSecrets(sources, read, signal)).toEqual({ USER_: 'me', PORT: '5432', TLS: '{"on":true}' });
    expect(read.asked).toEqual([ARN]);
  });

  test('a text field is what it was before it became JSON, whatever it holds', async () => {
    await fc.assert(
      fc.asyncProperty(fc.string(), fc.string({ unit: 'binary' }), async (field, value) => {
        fc.pre(!value.includes('\0') && field !== '__proto__');
        const read = reader({ [ARN]: { text: JSON.stringify({ [field]: value }) } });
        expect(await fetchSecrets({ V: { ...DB, field } }, read, signal)).toEqual({ V: value });
      }),
    );
  });
});

describe('what is missing is named, and no value', () => {
  test.each<[what: string, value: SecretValue | Error, field: string | undefined, text: string]>([
    ['no secret', failed('E_AWS_REQUEST', 'ResourceNotFoundException'), undefined, 'there is no value in secret'],
    ['no permission', failed('E_PERMISSION', 'AccessDeniedException'), undefined, 'not allowed secretsmanager:GetSecretValue of secret'],
    ['no key', failed('E_PERMISSION', 'AccessDeniedException', { action: 'kms:Decrypt' }), undefined, 'not allowed kms:Decrypt of secret'],
    ['throttled for too long', failed('E_THROTTLED', 'ThrottlingException'), undefined, 'could not be read: the call failed with'],
    ['a binary secret', { binary: true }, undefined, 'is binary'],
    ['no JSON', { text: VALUE }, 'password', "is no JSON object, and its field 'password'"],
    ['JSON that is no object', { text: `["${VALUE}"]` }, 'password', 'is no JSON object'],
    ['no such field', { text: `{"other":"${VALUE}"}` }, 'password', "has no field 'password'"],
    ['a field of all objects', { text: `{"other":"${VALUE}"}` }, 'toString', "has no field 'toString'"],
    ['a null character', { text: `${VALUE}\0` }, undefined, 'holds a null character'],
  ])('fails for %s', async (_what, value, field, text) => {
    const error = await failure({ PASSWORD: field === undefined ? DB : { ...DB, field } }, reader({ [ARN]: value }));
    expect(error.code).toBe('E_ENVIRONMENT');
    expect(error.message).toContain('variable PASSWORD: ');
    expect(error.message).toContain(text);
    expect(error.message).toContain(ARN);
    expect(error.remedy).toBeTruthy();
    expect(JSON.stringify([error.message, error.remedy, error.stack, error.data, error.cause])).not.toContain(VALUE);
  });

  test('fails once, for all that is wrong', async () => {
    const denied = failed('E_PERMISSION', 'AccessDeniedException');
    const error = await failure(
      { A: DB, B: { kind: 'ssm', name: '/app/key' }, C: { ...DB, arn: `${ARN}x` } },
      reader({ [ARN]: denied, [`${ARN}x`]: { text: VALUE } }),
    );
    expect(error.message).toBe(
      `variable A: the job's role is not allowed secretsmanager:GetSecretValue of secret ${ARN}; ` +
        'variable B: there is no value in parameter /app/key (ssm:GetParameter)',
    );
  });
});

describe('a job with secrets', () => {
  const environment = { ...spec().environment, variables: { TOKEN: 'in the clear', PLAIN: 'p' }, secrets: { TOKEN: DB } };
  const SHOW = 'console.log(process.env.TOKEN.length, process.env.PLAIN)';

  test('finds them in its environment, where they win over variables in the clear and an event’s input', async () => {
    const vm = await TestVm.run({
      argv: [process.execPath, '-e', SHOW],
      spec: { environment },
      grant: { variables: { TOKEN: 'of the event' } },
      readSecret: reader({ [ARN]: { text: VALUE } }),
    });
    expect(await vm.text()).toBe(`${VALUE.length} p\n`);
    await vm.remove();
  });

  test('leaves no trace of their values', async () => {
    const vm = await TestVm.run({
      argv: [process.execPath, '-e', SHOW],
      spec: { environment },
      readSecret: reader({ [ARN]: { text: VALUE } }),
    });
    for await (const { key } of vm.store.list('v1/')) {
      const found = await vm.store.get(key);
      if (typeof found !== 'string') expect(Buffer.from(found.body).includes(VALUE)).toBe(false);
    }
    await vm.remove();
  });

  test('fails as an environment that could not be made when one is missing, and never starts', async () => {
    const vm = await TestVm.run({ argv: ['touch', 'started'], spec: { environment }, readSecret: reader({}) });
    expect(await vm.outcome()).toMatchObject({
      outcome: 'environment',
      reason: 'E_ENVIRONMENT',
      exitCode: 119,
      message: `variable TOKEN: there is no value in secret ${ARN} (secretsmanager:GetSecretValue)`,
    });
    expect(await vm.has(jobKeys.done(PREFIX, 0))).toBe(false);
    await vm.remove();
  });

  test('a stop while they are being read ends the job as stopped', async () => {
    const asked = new AbortController();
    const vm = await TestVm.start({
      argv: ['true'],
      spec: { environment },
      readSecret: (_place, stop) =>
        new Promise((_resolve, reject) => {
          asked.abort();
          stop!.addEventListener('abort', () => reject(new Error('aborted')), { once: true });
        }),
    });
    if (!asked.signal.aborted) await new Promise((resolve) => asked.signal.addEventListener('abort', resolve, { once: true }));
    await vm.control({ stop: { at: 0, by: 'me' } });
    await vm.decided;
    expect(await vm.outcome()).toMatchObject({ outcome: 'stopped', exitCode: 130 });
    await vm.remove();
  });
});
