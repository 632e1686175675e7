import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { createInterface } from 'node:readline';

/** Loading moto takes a second; a machine under load a few. */
const READY_WITHIN_MS = 60_000;

/** Images, types and managed policies as AWS has them, where moto would take anything. */
const SETTINGS = {
  MOTO_ENABLE_AMI_VALIDATION: '1',
  MOTO_EC2_ENABLE_INSTANCE_TYPE_VALIDATION: '1',
  MOTO_IAM_LOAD_MANAGED_POLICIES: 'true',
  PYTHONUNBUFFERED: '1',
};

/**
 * moto looks whether an object is there and then writes it, without a lock: of 20 that write first, two win in one of 150
 * races. With this its threads change only when one of them waits, which none does in between.
 *
 * It takes the tags of a parameter for a list, which are a map in CloudFormation (user guide, AWS::SSM::Parameter). And a stack's
 * managed policies stay when it is deleted, attached to its roles, which then cannot be deleted.
 */
const PROGRAM = `
import sys
from moto.iam.models import ManagedPolicy, iam_backends
from moto.server import main
from moto.ssm.models import Parameter
from moto.utilities.utils import get_partition
create = Parameter.create_from_cloudformation_json.__func__
def create_with_map(cls, name, resource, *rest, **named):
    properties = resource["Properties"]
    tags = properties.get("Tags")
    if isinstance(tags, dict):
        properties = {**properties, "Tags": [{"Key": key, "Value": value} for key, value in tags.items()]}
    return create(cls, name, {**resource, "Properties": properties}, *rest, **named)
Parameter.create_from_cloudformation_json = classmethod(create_with_map)
def detach_and_delete(cls, arn, resource, account, region):
    backend = iam_backends[account][get_partition(region)]
    for holders in (backend.roles, backend.users, backend.groups):
        for holder in holders.values():
            holder.managed_policies.pop(arn, None)
    backend.managed_policies.pop(arn, None)
ManagedPolicy.delete_from_cloudformation_json = classmethod(detach_and_delete)
sys.setswitchinterval(60)
main(["--host", "127.0.0.1", "--port", "0"])
`;

/**
 * moto's server on a free port of loopback, as a child process.
 * @param {string} python of an environment that has moto
 * @param {string} log file that gets what the server says
 * @returns {Promise<{ url: string, stop(): Promise<void> }>}
 */
export async function startMoto(python, log) {
  const child = spawn(python, ['-c', PROGRAM], {
    env: { ...process.env, ...SETTINGS },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const closed = once(child, 'close');
  const file = createWriteStream(log);
  for (const stream of [child.stdout, child.stderr]) stream.pipe(file, { end: false });
  try {
    const port = await Promise.race([portOf(child), closed.then(([code]) => fail(`moto's server ended with ${code}, see ${log}`))]);
    // By name: the CDK takes an IP address for a bucket's host.
    return { url: `http://localhost:${port}`, stop: () => stop(child, closed, file) };
  } catch (error) {
    await stop(child, closed, file);
    throw error;
  }
}

/** Port 0 is any that is free; the server says which. */
async function portOf(child) {
  const patience = AbortSignal.timeout(READY_WITHIN_MS);
  const lines = createInterface({ input: child.stderr, signal: patience });
  try {
    for await (const line of lines) {
      const port = /Running on http:\/\/127\.0\.0\.1:(\d+)/.exec(line)?.[1];
      if (port) return port;
    }
  } finally {
    lines.close();
    child.stderr.resume();
  }
  return fail(`moto's server was not ready within ${READY_WITHIN_MS / 1000} s`);
}

async function stop(child, closed, file) {
  child.kill('SIGKILL');
  await closed;
  file.end();
}

function fail(message) {
  throw new Error(message);
}
