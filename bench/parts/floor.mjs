import process from 'node:process';
import { setTimeout as sleep } from 'node:timers/promises';
import { GetParameterCommand, SSMClient } from '@aws-sdk/client-ssm';
import { median, mustRun, sideBySide } from '../measure.mjs';

/** A run in which there is nothing to do, against programs that do only what cannot be left out. */
export async function measure({ pairs, rawcloud, calls, cloud, awsEnv, bundle, report }) {
  const running = await cloud();
  const env = awsEnv(running);
  const floor = await bundle('floor.mjs');
  const oneCall = await bundle('one-call.mjs');
  const { scaffold, imageId } = await facts(running);
  const launchedSince = async (from) => {
    for (;;) {
      const call = (await calls()).findLast((c) => c.operation === 'RunInstances' && c.at >= from);
      if (call) return call.at;
      await sleep(50);
    }
  };

  const onTheWire = [];
  const ours = async () => {
    const done = await rawcloud(['run', '--quiet', '--', 'true']);
    onTheWire.push((await launchedSince(done.startedAt)) - done.startedAt);
    return done.ms;
  };
  const bare = async () => (await mustRun(process.execPath, [floor, scaffold.bucket, scaffold.launchTemplateId, imageId], { env })).ms;
  const whole = await sideBySide(pairs, ours, bare);
  const how = 'the floor: one PUT, one RunInstances that powers off, wait for terminated';
  report('run --local -- true', { ratio: whole.ratio, ms: whole.one, baselineMs: whole.baseline }, how, 2);

  const wire = await sideBySide(
    pairs,
    async () => (await ours(), onTheWire.at(-1)),
    async () => (await mustRun(process.execPath, [oneCall], { env })).ms,
  );
  const call = 'a bundled program that makes one signed EC2 call';
  report('enter to RunInstances on the wire', { ratio: wire.ratio, ms: median(onTheWire), baselineMs: wire.baseline }, call, 2.5);
}

/** What the floor needs to know of the local cloud. */
async function facts({ url, region, credentials }) {
  const ssm = new SSMClient({ endpoint: url, region, credentials });
  const read = async (Name) => (await ssm.send(new GetParameterCommand({ Name }))).Parameter.Value;
  const scaffold = JSON.parse(await read('/rawcloud/default/scaffold'));
  const arch = process.arch === 'arm64' ? 'arm64' : 'x86_64';
  const imageId = await read(`/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-${arch}`);
  ssm.destroy();
  return { scaffold, imageId };
}
