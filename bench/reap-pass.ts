/*
 * Two passes of the reaper over an account of `vms` VMs, in memory, where each request takes as long as one within a region:
 * `reap-pass.js <vms>`. Nine in ten run well, of the others the jobs are over. Prints one line of JSON for the second pass, in
 * which leftovers are ended. The account's own memory is counted in.
 */
import { performance } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { bucketKeys, encodeJson, jobKeys, jobPrefix, TAGS, TEMPLATE_TAG, vmUserId } from '../lib/contract';
import type { Compute, Instance, Store } from '../lib/contract';
import type { ReapDeps } from '../lib/runtime/reap/deps';
import { reap } from '../lib/runtime/reap/pass';
import { createMemoryStore } from '../lib/store/memory';
import { beat, launch, ROLE_ID, spec, START } from '../test/fakes/records';

/** Milliseconds of a small request to S3 from a function of its region, and of a page of a thousand VMs. */
const REQUEST_MS = 20;
const PAGE_MS = 500;
const PAGE = 1000;

const vms = Number(process.argv[2]);
let time = START + 600_000;

function vm(n: number): Instance {
  return {
    id: `i-${String(n).padStart(17, '0')}`,
    state: 'running',
    vmType: 'm7i.large',
    zone: 'us-east-1a',
    launchedAt: START,
    clientToken: `token-${n}`,
    tags: { [TAGS.scaffold]: 'default', [TAGS.job]: `j${n}`, [TAGS.launch]: '0', [TEMPLATE_TAG]: 'lt-1', Name: 'rawcloud' },
  };
}

async function record(store: Store, n: number): Promise<void> {
  const [job, prefix, user] = [`j${n}`, jobPrefix(`j${n}`, '0'.repeat(32)), vmUserId(ROLE_ID, vm(n).id)];
  const createdAt = new Date(START).toISOString();
  const instances = [{ id: vm(n).id, vm: user, granted: true }];
  await store.put(jobKeys.spec(prefix), encodeJson(spec({ job, createdAt })));
  await store.put(jobKeys.launch(prefix, 0), encodeJson(launch({ job, state: 'launched', instances, token: `token-${n}` })));
  await store.put(jobKeys.beat(prefix, user), encodeJson(beat({ phase: 'busy' })));
  await store.put(bucketKeys.active(job), encodeJson({ v: 1, job, prefix, owner: 'me', createdAt }));
}

async function main(): Promise<void> {
  const store = createMemoryStore({ now: () => time });
  const open = Math.floor(vms * 0.9);
  for (let n = 0; n < open; n++) await record(store, n);
  const instances = Array.from({ length: vms }, (_, n) => vm(n));
  const terminated = new Set<string>();
  const slow: Store = {
    ...store,
    get: async (...args) => (await sleep(REQUEST_MS), store.get(...args)),
    put: async (...args) => (await sleep(REQUEST_MS), store.put(...args)),
    async *list(...args) {
      let n = 0;
      for await (const entry of store.list(...args)) {
        if (n++ % PAGE === 0) await sleep(REQUEST_MS);
        yield entry;
      }
    },
  };
  const compute = {
    describe: async ({ job }) => {
      const found = instances.filter((i) => !terminated.has(i.id) && (job === undefined || i.tags[TAGS.job] === job));
      await sleep(PAGE_MS * Math.ceil(found.length / PAGE));
      return found;
    },
    terminate: async (ids) => {
      await sleep(PAGE_MS);
      for (const id of ids) terminated.add(id);
    },
  } as Partial<Compute> as Compute;
  const deps: ReapDeps = {
    store: slow,
    compute,
    clock: { now: () => time, sleep: async () => undefined },
    by: 'bench',
    scaffold: { name: 'default', launchTemplateId: 'lt-1', securityGroupId: 'sg-1', roleId: ROLE_ID } as ReapDeps['scaffold'],
    bus: { put: async () => undefined },
    otherRegions: { list: async () => [], tagged: async () => [] },
    remains: { list: async () => [], remove: async () => undefined },
    deployed: { templates: async () => [] },
    start: async () => ({ state: 'skipped', job: '' }),
  };
  await reap(deps);
  time += 120_000;
  const [begun, requests] = [performance.now(), store.requests.get + store.requests.put];
  const report = await reap(deps);
  const seconds = (performance.now() - begun) / 1000;
  const peakMiB = process.resourceUsage().maxRSS / 1024;
  const made = store.requests.get + store.requests.put - requests;
  console.log(
    JSON.stringify({
      seconds,
      peakMiB,
      requests: made,
      jobs: report.jobs,
      removed: report.removed.length,
      unproved: report.unproved.length,
    }),
  );
}

void main();
