import { spawn, spawnSync } from 'node:child_process';
import type { ExecRequest, ExecResult } from '../../contract';
import { describeExit } from '../exit';
import type { Entered } from './enter';

/** From SIGHUP to SIGKILL when the job has ended. */
const HANGUP_MS = 500;

/** @param settings as of stty(1) */
export function setTerminal(settings: readonly string[]): void {
  spawnSync('stty', settings, { stdio: ['inherit', 'ignore', 'ignore'] });
}

/**
 * In the terminal that the SSM agent made, in its foreground: Ctrl-C is a signal for it, and none for us. When the client is
 * gone the terminal is, and SIGHUP comes to all that is in it.
 */
export async function runInTerminal({ invocation, over }: Entered, terminal: ExecRequest['terminal']): Promise<ExecResult> {
  const size = terminal ? ['columns', String(terminal.columns), 'rows', String(terminal.rows)] : [];
  setTerminal(['sane', ...size]);
  for (const signal of ['SIGINT', 'SIGQUIT', 'SIGTSTP'] as const) process.on(signal, () => undefined);
  const { file, args, env, cwd } = invocation;
  const child = spawn(file, args, { cwd, env, stdio: 'inherit' });
  process.on('SIGHUP', () => child.kill('SIGHUP'));
  const hangUp = (): void => {
    child.kill('SIGHUP');
    setTimeout(() => child.kill('SIGKILL'), HANGUP_MS).unref();
  };
  over.addEventListener('abort', hangUp, { once: true });
  return new Promise((resolve) => {
    child.once('error', (error) => resolve({ code: 126, message: error.message }));
    child.once('exit', (code, signal) => resolve({ code: describeExit({ code, signal, ended: undefined, memoryRanOut: false }).code }));
  });
}
