import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

/** Loading moto takes a second; a machine under load a few. */
const READY_WITHIN_MS = 60_000;

/** moto's server, and what of AWS it lacks. */
const PROGRAM = fileURLToPath(new URL('server.py', import.meta.url));

/**
 * moto's server on a free port of loopback, as a child process.
 * @param {string} python of an environment that has moto
 * @param {string} log file that gets what the server says
 * @returns {Promise<{ url: string, stop(): Promise<void> }>}
 */
export async function startMoto(python, log) {
  const child = spawn(python, [PROGRAM], {
    env: { ...process.env, PYTHONUNBUFFERED: '1' },
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
