import { Screen } from '../../bin/render/screen';
import { isLive, styleFor } from '../../bin/render/style';
import { Sink } from '../../bin/sink';
import { Cli, Collector } from './cli';
import { event, LAUNCHING } from './fake-client';

const ESC = '\u001b';

/** A screen on a terminal of its own. */
function open(columns: number, env: Record<string, string> = {}) {
  const err = new Collector();
  Object.assign(err, { isTTY: true, columns });
  const cli = new Cli();
  const io = { ...cli.io, stderr: err, stdout: err, env: { NO_COLOR: '1', ...env } };
  const sink = new Sink(err);
  return { err, sink, screen: new Screen({ io, out: sink, err: sink }) };
}

/** The columns of each drawing of the moving line. */
function drawings(text: string): string[] {
  return text.split(/\r|\n/).map((part) => part.replaceAll(/\u001b\[\d*[A-Za-z]/g, ''));
}

test.each([20, 10, 2, 1])('the moving line never reaches the last of %d columns', async (columns) => {
  const { err, screen } = open(columns);
  await screen.show('preparing: unpacking 3 of 12 packs 日本語日本語');
  await screen.close();
  for (const drawn of drawings(err.text)) expect([...drawn].length).toBeLessThanOrEqual(Math.max(1, columns - 1));
});

test('a narrowed window is cleared of all rows of the line', async () => {
  const { err, screen } = open(60);
  await screen.show('x'.repeat(50));
  err.columns = 20;
  await screen.hide();
  await screen.close();
  expect(err.text.endsWith(`${ESC}[2A\r${ESC}[J`)).toBe(true);
});

test('a text console, which does not wrap anew, keeps the rows above', async () => {
  const { err, screen } = open(60, { TERM: 'linux' });
  await screen.show('x'.repeat(50));
  err.columns = 20;
  await screen.close();
  expect(err.text.endsWith(`\r${ESC}[K`)).toBe(true);
});

test('output is never on the moving line, and the line never behind half a line of output', async () => {
  const { err, sink, screen } = open(40);
  await screen.show('booting');
  await screen.output(sink, Buffer.from('half'));
  await screen.show('powering off');
  await screen.line('done');
  await screen.close();
  expect(err.text.slice(err.text.indexOf('half') - 4)).toBe(`\r${ESC}[Khalf\ndone\n`);
});

test('colours that the job left on end before our next line', async () => {
  const { err, sink, screen } = open(40);
  await screen.output(sink, Buffer.from(`${ESC}[31mred\n`));
  await screen.line('done');
  await screen.close();
  expect(err.text).toBe(`${ESC}[31mred\n${ESC}[0m${ESC}[?25hdone\n`);
});

test('what the VM says cannot move the cursor', async () => {
  const { err, screen } = open(40);
  await screen.line(`packages ${ESC}[2J${ESC}[1;1Hgone`);
  await screen.close();
  expect(err.text).toBe('packages gone\n');
});

describe('where lines move and colours are', () => {
  const terminal = Object.assign(new Collector(), { isTTY: true });
  const file = new Collector();
  test.each([
    [terminal, {}, true, true],
    [terminal, { NO_COLOR: '1' }, true, false],
    [terminal, { NO_COLOR: '' }, true, true],
    [terminal, { TERM: 'dumb' }, false, false],
    [terminal, { CI: 'true' }, false, true],
    [terminal, { CI: 'false' }, true, true],
    [terminal, { CLICOLOR: '0' }, true, false],
    [file, {}, false, false],
    [file, { FORCE_COLOR: '1' }, false, true],
    [file, { FORCE_COLOR: '0' }, false, false],
    [file, { CLICOLOR_FORCE: '1' }, false, true],
    [file, { CLICOLOR_FORCE: '1', NO_COLOR: 'yes' }, false, false],
  ])('case %#: %#', (stream, env: Record<string, string>, live, coloured) => {
    expect({ live: isLive(stream, env), coloured: styleFor(stream, env).red('x') !== 'x' }).toEqual({ live, coloured });
  });
});

test('in CI phases are lines of their own', async () => {
  const cli = new Cli({
    terminal: true,
    env: { CI: '1', NO_COLOR: '1' },
    script: { launching: LAUNCHING, watching: [event('vm.booting', {})] },
  });
  await cli.run('run', 'true');
  expect(cli.stderr).not.toContain(ESC);
  expect(cli.stderr).not.toContain('\r');
});
