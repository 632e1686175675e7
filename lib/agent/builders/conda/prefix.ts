import { RawcloudError } from '../../../contract';

/** Linux reads no more of a script's first line. */
const LONGEST_LINE = 127;

/** A text that named `from` names `to`. A first line that is too long for the kernel finds its interpreter on PATH, as conda does it. */
export function moveText(bytes: Buffer, from: string, to: string): Buffer {
  const text = bytes.toString('latin1').replaceAll(latin1(from), latin1(to));
  return Buffer.from(shortened(text), 'latin1');
}

function shortened(text: string): string {
  const [line, program, options = ''] = /^#!\s*(\/(?:\\ |[^ \n\r\t])*)(.*)/.exec(text) ?? [];
  if (line === undefined || (line.length <= LONGEST_LINE && !program!.includes('\\ '))) return text;
  return `#!/usr/bin/env ${program!.slice(program!.lastIndexOf('/') + 1)}${options}${text.slice(line.length)}`;
}

/**
 * Machine code that named `from` names `to`: each string up to its zero byte gets shorter or longer, and zero bytes after it make up for
 * it, so that nothing else moves.
 * @throws E_ENVIRONMENT when there is no room
 */
export function moveBinary(bytes: Buffer, from: string, to: string): Buffer {
  const moved = Buffer.from(bytes);
  for (let at = moved.indexOf(from); at !== -1; at = moved.indexOf(from, at)) {
    const end = moved.indexOf(0, at);
    const stop = end === -1 ? moved.length : end;
    const old = moved.toString('latin1', at, stop);
    const text = old.replaceAll(latin1(from), latin1(to));
    // One zero must be left to end it.
    const isRoom = moved.subarray(stop, at + text.length + 1).every((byte) => byte === 0);
    if (!isRoom || at + text.length > moved.length) throw tooLong(to);
    moved.write(text, at, 'latin1');
    moved.fill(0, at + text.length, Math.max(stop, at + text.length));
    at += text.length;
  }
  return moved;
}

function tooLong(to: string): RawcloudError {
  return new RawcloudError(
    'E_ENVIRONMENT',
    `the path of the environment on the VM is too long for what was compiled into its programs: ${to}`,
  );
}

/** Its UTF-8 bytes, a character for each. */
function latin1(text: string): string {
  return Buffer.from(text).toString('latin1');
}
