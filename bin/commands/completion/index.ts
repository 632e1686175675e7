import { RawcloudError } from '../../../lib/contract';
import type { Command } from 'commander';
import type { Context } from '../../context';
import { candidates } from './candidates';
import { recentJobs } from './recent-jobs';
import { SCRIPTS } from './scripts';

/** `rawcloud completion`: the script of a shell on stdout. */
export async function completion(shell: string, { json }: { readonly json?: boolean }, { out }: Context): Promise<number> {
  const script = SCRIPTS[shell];
  if (script === undefined)
    throw new RawcloudError('E_USAGE', `shell '${shell}' is not known; allowed are ${Object.keys(SCRIPTS).join(', ')}`);
  await out.write(json ? `${JSON.stringify({ v: 1, shell, script })}\n` : script);
  return 0;
}

/** What may stand in place of the last word: a line each, with a tab and what it is. Asks no network. */
export async function complete(program: Command, words: readonly string[], { io, out }: Context): Promise<number> {
  const jobs = await recentJobs(io.env);
  const found = candidates(program, words, { jobs, variables: Object.keys(io.env) });
  const lines = found.map(({ value, description }) => (description ? `${value}\t${description}` : value));
  await out.write(lines.map((line) => `${line}\n`).join(''));
  return 0;
}
