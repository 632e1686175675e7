import {
  clientUpdateCommand,
  DEFAULT_SCAFFOLD_NAME,
  findRawcloudError,
  formatDuration,
  relationOf,
  scaffoldUpdateCommand,
} from '../../contract';
import { utc } from './finding';
import type { Finding, Look } from './finding';

/** Credentials that end sooner deserve a word: a job would lose its identity on the way. */
const SOON_MS = 30 * 60_000;

/** Who AWS takes us for, where the keys were found, and until when they hold. */
export const identity: Look = async (facts) => {
  const { arn, account, found, expiresAt } = await facts.identity();
  const data = { arn, account, found, ...(expiresAt ? { expiresAt } : {}) };
  if (!expiresAt) return { state: 'ok', text: `${arn}, by ${found}, without an end`, data };
  const end = Date.parse(expiresAt);
  const left = end - facts.deps.now();
  const text = `${arn}, by ${found}, until ${utc(end)} (${left > 0 ? `in ${formatDuration(left / 1000)}` : 'over'})`;
  if (left > SOON_MS) return { state: 'ok', text, data };
  return { state: 'warning', text, remedy: 'Sign in again before a long job: it has your identity only so long.', data };
};

/** AWS refuses what is signed more than five minutes off (S3: fifteen). Source: General Reference, Signature Version 4. */
const REFUSED_MS = 5 * 60_000;
/** The header's resolution, and the way of the answer. */
const TOLERATED_MS = 5_000;

/** This machine's clock against the server's. */
export const clock: Look = async (facts) => {
  const ms = await facts.deps.look.clockDifference(facts.signal);
  const data = { differenceSeconds: Math.round(ms / 100) / 10 };
  const off = Math.abs(ms);
  if (off < TOLERATED_MS) return { state: 'ok', text: "this machine's clock is right", data };
  const text = `this machine's clock is ${formatDuration(off / 1000)} ${ms > 0 ? 'behind' : 'ahead'}`;
  const remedy = 'Set it by the network: timedatectl set-ntp true (Linux), System Settings, Date & Time (macOS).';
  return { state: off < REFUSED_MS ? 'warning' : 'failed', text, remedy, data };
};

/** Whether it is there, and how its version goes with ours. */
export const scaffolding: Look = async (facts) => {
  const { scaffold: name, look, version: client, local } = facts.deps;
  try {
    const found = await facts.scaffold();
    const relation = relationOf(found.version, client);
    const data = { name, version: found.version, client, relation, region: found.region, bucket: found.bucket };
    const text = `'${name}' in ${found.region}, version ${found.version}`;
    if (relation === 'same') return { state: 'ok', text, data };
    if (relation === 'older') {
      const remedy = local
        ? 'Start the local cloud anew: rawcloud local stop'
        : `It works with this client (${client}). To bring it up to date, jobs may run meanwhile: ${scaffoldUpdateCommand(name, look.region)}`;
      return { state: 'warning', text: `${text}: older than this client`, remedy, data };
    }
    const remedy = `It works with this client (${client}). To update the client: ${clientUpdateCommand(found.version)}`;
    return { state: 'warning', text: `${text}: newer than this client`, remedy, data };
  } catch (error) {
    const none = findRawcloudError(error);
    if (none?.code !== 'E_NO_SCAFFOLDING') throw error;
    const again = name === DEFAULT_SCAFFOLD_NAME ? 'Start the local cloud anew: rawcloud local stop' : 'Leave out --scaffold.';
    const remedy = local ? again : `An administrator lays it down once: ${scaffoldUpdateCommand(name, look.region)}`;
    return { state: 'failed', text: none.message, remedy, data: { name } } satisfies Finding;
  }
};
