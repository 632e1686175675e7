import { spawn } from 'node:child_process';
import { openSync, closeSync, writeFileSync, rmSync, mkdtempSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import type { StdioOptions } from 'node:child_process';
import { version } from '../../package.json';

const CLI = path.resolve(__dirname, '../../dist/bin/rawcloud.js');

/** The built program, as a user runs it. */
async function rawcloud(
  argv: readonly string[],
  stdio: StdioOptions = ['ignore', 'pipe', 'pipe'],
): Promise<{ code: number | null; out: string; err: string }> {
  const child = spawn(process.execPath, [CLI, ...argv], { stdio });
  let out = '';
  let err = '';
  child.stdout?.on('data', (data: Buffer) => (out += data.toString()));
  child.stderr?.on('data', (data: Buffer) => (err += data.toString()));
  const code = await new Promise<number | null>((resolve) => child.on('close', resolve));
  return { code, out, err };
}

describe('the built program', () => {
  test('--version prints the version of the package', async () => {
    expect(await rawcloud(['--version'])).toEqual({ code: 0, out: `${version}\n`, err: '' });
  });

  test('--help is printed whole, also into a pipe', async () => {
    const { code, out } = await rawcloud(['run', '--help']);
    expect(code).toBe(0);
    expect(out.trimEnd()).toMatch(/a second one leaves at once\.$/);
  });

  test('fails with exit code 2 on an unknown option', async () => {
    const { code, err } = await rawcloud(['run', '--gpu', 'T4', 'true']);
    expect(code).toBe(2);
    expect(err).toContain("unknown option '--gpu'");
  });

  test('fails with exit code 2 on values that cannot be read', async () => {
    const { code, err } = await rawcloud(['run', '--cpu', '8-2', 'true']);
    expect(code).toBe(2);
    expect(err).toContain("--cpu '8-2'");
  });
});

describe('standard input', () => {
  let directory = '';
  let probe = '';

  beforeAll(async () => {
    directory = mkdtempSync(path.join(os.tmpdir(), 'stdin-'));
    probe = path.join(directory, 'probe.js');
    const { build, stop } = await import('esbuild');
    const entry = `import { processIo } from '${path.resolve(__dirname, '../../bin/process-io')}'; process.stdout.write(processIo(process).stdin.kind);`;
    const external = ['./backend.js'];
    await build({
      stdin: { contents: entry, resolveDir: __dirname },
      bundle: true,
      platform: 'node',
      outfile: probe,
      external,
      logLevel: 'silent',
    });
    await stop();
  });
  afterAll(() => rmSync(directory, { recursive: true }));

  async function kindOf(stdin: 'ignore' | 'pipe' | number): Promise<string> {
    const child = spawn(process.execPath, [probe], { stdio: [stdin, 'pipe', 'inherit'] });
    let kind = '';
    child.stdout?.on('data', (data: Buffer) => (kind += data.toString()));
    await new Promise((resolve) => child.on('close', resolve));
    return kind;
  }

  test('of the null device is none', async () => {
    expect(await kindOf('ignore')).toBe('none');
  });

  test('of a pipe is something to read', async () => {
    expect(['pipe', 'socket']).toContain(await kindOf('pipe'));
  });

  test('of a file is something to read', async () => {
    const file = path.join(directory, 'input');
    writeFileSync(file, 'x');
    const descriptor = openSync(file, 'r');
    try {
      expect(await kindOf(descriptor)).toBe('file');
    } finally {
      closeSync(descriptor);
    }
  });
});
