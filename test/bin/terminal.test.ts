import { spawnSync } from 'node:child_process';
import path from 'node:path';

const CLI = path.resolve(__dirname, '../../dist/bin/rawcloud.js');

/** Runs a program on a pseudo-terminal of 20 columns; prints what the terminal got. */
const PTY = `
import os, pty, sys, fcntl, termios, struct
pid, fd = pty.fork()
if pid == 0:
    fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack('HHHH', 24, 20, 0, 0))
    os.execv(sys.argv[1], sys.argv[1:])
out = b''
while True:
    try: data = os.read(fd, 65536)
    except OSError: break
    if not data: break
    out += data
os.waitpid(pid, 0)
sys.stdout.buffer.write(out)
`;

const python = spawnSync('python3', ['-c', 'import pty']).status === 0;
const onTerminal = python ? test : test.skip;
const why = python ? '' : ' (skipped: there is no python3 with pty here)';

function onPty(env: Record<string, string>, ...words: string[]): string {
  const all = { PATH: process.env['PATH'] ?? '', TERM: 'xterm-256color', ...env };
  return spawnSync('python3', ['-c', PTY, process.execPath, CLI, ...words], { env: all, encoding: 'utf8' }).stdout;
}

onTerminal(`text is folded to a window of 20 columns, with colours${why}`, () => {
  const text = onPty({}, 'explain', 'quota');
  expect(text).toContain('\u001b[1m');
  const lines = text.replaceAll(/\u001b\[\d*m/g, '').split('\r\n');
  expect(lines.length).toBeGreaterThan(10);
  for (const line of lines) expect(line.length).toBeLessThanOrEqual(20);
});

onTerminal.each(['NO_COLOR', 'TERM'])(`%s ends colours on a terminal${why}`, (name) => {
  const text = onPty({ [name]: name === 'TERM' ? 'dumb' : 'any' }, 'explain', 'quota');
  expect(text).toContain('E_QUOTA');
  expect(text).not.toContain('\u001b');
});
