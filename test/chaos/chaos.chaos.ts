import { ListObjectsV2Command, S3Client } from '@aws-sdk/client-s3';
import { machineProcesses } from '../fakes/local-cloud';
import { House } from '../e2e/house';
import { Chance } from './chance';
import { findings } from './oracle';
import { playRound } from './round';
import type { Round } from './round';

/** Started by `npm run chaos`, which says what these are. */
const SEED = Number(process.env['RAWCLOUD_CHAOS_SEED']);
const SECONDS = Number(process.env['RAWCLOUD_CHAOS_SECONDS']);
const ROUNDS = Number(process.env['RAWCLOUD_CHAOS_ROUNDS'] ?? Infinity);

/** Objects that only an open job has. */
const LEFTOVERS = ['v1/active/', 'v1/sealed/', 'v1/private/'];

async function leftovers({ cloud }: House): Promise<string[]> {
  const { url: endpoint, region, credentials } = cloud;
  const s3 = new S3Client({ endpoint, region, credentials: { ...credentials }, forcePathStyle: true });
  try {
    const { Contents = [] } = await s3.send(new ListObjectsV2Command({ Bucket: cloud.scaffold.bucket, Prefix: 'v1/' }));
    return Contents.map(({ Key }) => Key!).filter((key) => LEFTOVERS.some((prefix) => key.startsWith(prefix)));
  } finally {
    s3.destroy();
  }
}

function describeRound(seed: number, { disturbances, ended, status, launched, bootLog }: Round, found: readonly string[]): string {
  const plan = disturbances.map(({ atCall, what }) => `${what} at call ${atCall}`).join(', ') || 'nothing';
  const seen = `outcome ${status?.outcome} ${status?.exitCode} (${status?.outcomeRecord?.message}), client ${ended.code ?? ended.signal}, VMs ${launched}`;
  return `seed ${seed}: ${plan}; ${seen}\n  ${found.join('\n  ')}\n${ended.stderr}\n${bootLog}`;
}

test(
  `whatever goes wrong (seed ${SEED}, ${SECONDS} s)`,
  async () => {
    const until = Date.now() + SECONDS * 1000;
    const told: string[] = [];
    const counts = new Map<string, number>();
    let seed = SEED;
    while (Date.now() < until && seed - SEED < ROUNDS) {
      // A house of its own: what one round leaves behind must not excuse the next.
      const house = await House.open();
      const client = await house.client();
      const chance = new Chance(seed);
      try {
        const round = await playRound(house, client, chance, `chaos-${seed}`);
        const found = findings(round);
        found.push(...(await leftovers(house)).map((key) => `${key} is left`));
        if (house.alive().length > 0) found.push(`VMs are on: ${house.alive().join(', ')}`);
        const processes = machineProcesses(house.directory);
        if (processes.length > 0) found.push(`processes are left: ${processes.map(({ command }) => command).join('; ')}`);
        if (found.length > 0) told.push(describeRound(seed, round, found));
        const how = round.status ? `${round.status.outcome}` : 'never recorded';
        for (const what of [`→ ${how}`, ...round.disturbances.map((d) => d.what)]) counts.set(what, (counts.get(what) ?? 0) + 1);
      } catch (error) {
        told.push(`seed ${seed}: ${error instanceof Error ? error.message : String(error)}`);
      } finally {
        await client.close();
        await house.close().catch((error: unknown) => told.push(`seed ${seed}: ${String(error)}`));
      }
      seed += 1;
    }
    const summary = [...counts].sort(([a], [b]) => (a < b ? -1 : 1)).map(([what, count]) => `${what} ×${count}`);
    process.stdout.write(`chaos: ${seed - SEED} rounds from seed ${SEED}: ${summary.join(', ')}\n`);
    expect(told.join('\n\n')).toBe('');
  },
  (SECONDS + 300) * 1000,
);
