import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

/** What a command writes to stdout; an error with all it wrote when it fails. */
export async function output(program, args, options = {}) {
  try {
    const { stdout } = await promisify(execFile)(program, args, { maxBuffer: 64 * 2 ** 20, ...options });
    return stdout;
  } catch (error) {
    throw new Error(`${program} ${args.join(' ').slice(0, 200)}: ${error.stderr || error.stdout || error.message}`, { cause: error });
  }
}
