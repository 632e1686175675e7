import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { formatSize, RawcloudError, SETUP_KIND } from '../contract';
import type { CapturedLayer, Found, SetupRecipe, SetupStep, SourceContent } from '../contract';
import { contentOf, makeLayer } from './layer';

/** What is run as root on the VM before anything else. */
export interface SetupContext {
  /** Commands, in order. */
  readonly commands: readonly string[];
  /** A file, run before them. @default - none */
  readonly script?: string;
  /** Limit of each step, seconds. @default SETUP_LIMIT_S */
  readonly timeoutS?: number | undefined;
  /** Absolute; `script` is relative to it. */
  readonly cwd: string;
  /** Root of the synchronized tree, absolute. */
  readonly root: string;
  readonly platform: string;
}

/** More than that is data. */
const MOST_SCRIPT_BYTES = 2 ** 20;
/** Digits of a hash that people see. */
const SHOWN = 10;

/** @returns undefined when nothing is asked for. @throws E_USAGE for a script that cannot be read */
export async function captureSetup(context: SetupContext): Promise<(CapturedLayer & { readonly found: Found }) | undefined> {
  const { commands, script, timeoutS, cwd, root, platform } = context;
  if (commands.length === 0 && script === undefined) return undefined;
  const contents: SourceContent[] = [];
  const steps: SetupStep[] = commands.map((command) => ({ kind: 'command', command }));
  if (script !== undefined) {
    const content = contentOf(await readScript(script, cwd));
    contents.push(content);
    steps.unshift({ kind: 'script', name: path.basename(script), content: content.sha256 });
  }
  const recipe: SetupRecipe = { steps, directory: path.relative(root, cwd).split(path.sep).join('/') };
  const title = `as root: ${steps.map(titleOf).join('; ')}`;
  const layer = makeLayer(SETUP_KIND, platform, recipe, contents, []);
  // How long it may take is no part of what it makes: packages that were installed after it are the same.
  const limited = timeoutS === undefined ? layer : { ...layer, recipe: { ...recipe, timeoutS } };
  return { layer: limited, contents, found: { kind: SETUP_KIND, title, detail: {} } };
}

/** A change of it is a change of the title. */
function titleOf(step: SetupStep): string {
  return step.kind === 'command' ? step.command.replace(/\s+/g, ' ').trim() : `${step.name} (${step.content.slice(0, SHOWN)})`;
}

async function readScript(script: string, cwd: string): Promise<Buffer> {
  const bytes = await readFile(path.resolve(cwd, script)).catch((cause: unknown) => {
    throw new RawcloudError(
      'E_USAGE',
      `the setup script '${script}' cannot be read: ${cause instanceof Error ? cause.message : String(cause)}`,
      {
        remedy: 'Name a file that is there, relative to the working directory.',
        cause,
      },
    );
  });
  if (bytes.byteLength > 0 && bytes.byteLength <= MOST_SCRIPT_BYTES) return bytes;
  const got = bytes.byteLength === 0 ? 'is empty' : `has ${formatSize(bytes.byteLength)}; allowed are ${formatSize(MOST_SCRIPT_BYTES)}`;
  throw new RawcloudError('E_USAGE', `the setup script '${script}' ${got}`, {
    remedy: 'What it needs besides travels with the files of the job: it runs in the working directory.',
  });
}
