import { spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { text } from 'node:stream/consumers';

/** Calls the handler once, and says what came of it as its last line. What is still open then is frozen by Lambda, so it ends here. */
const HOST = `
  const [file, name, event] = process.argv.slice(1);
  const say = (answer) => process.stdout.write('\\n' + JSON.stringify(answer), () => process.exit());
  require(file)[name](JSON.parse(event)).then(
    (result) => say({ result }),
    (error) => say({ error: error.message }),
  );
`;

export interface Handler {
  /** Where the function's code lies. */
  readonly directory: string;
  /** As Lambda has it: `index.handler`. */
  readonly handler: string;
  readonly env: Readonly<Record<string, string>>;
}

/** Runs a function in a process of its own, as Lambda would. @returns what the handler returns @throws what it throws */
export async function callHandler({ directory, handler, env }: Handler, event: unknown): Promise<unknown> {
  const [file, name] = handler.split('.') as [string, string];
  const child = spawn(process.execPath, ['-e', HOST, path.join(directory, `${file}.js`), name, JSON.stringify(event)], {
    env,
    cwd: directory,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')]);
  const last = stdout.split('\n').at(-1);
  if (!last) throw new Error(`the handler in ${directory} said nothing: ${stderr}`);
  const { result, error } = JSON.parse(last) as { result?: unknown; error?: string };
  if (error !== undefined) throw new Error(error);
  return result;
}
