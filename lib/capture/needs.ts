import path from 'node:path';
import type { CaptureContext } from '../contract';
import { runsRecipes, simpleCommands } from './command-words';
import type { SimpleCommand } from './command-words';
import { findExecutable, interpreterOfScript, isFile, upwards } from './executables';

/** What a command needs of one language. */
export interface Need {
  /**
   * `named`: a word of the command says so. `possible`: the command runs something that nobody can see into
   * (a shell, make, a script of the tree), so it counts when an environment is there to be used.
   */
  readonly kind: 'named' | 'possible';
  /** Interpreter that the command names: a path, or a bare name like `python3.10`. */
  readonly executable?: string;
  /** Programs and words that the command was seen to hold. */
  readonly commands: readonly SimpleCommand[];
}

export interface Needs {
  readonly python?: Need;
  readonly node?: Need;
}

const PYTHON_NAME = /^(python|pypy)(\d+(\.\d+)?)?$/;
const PYTHON_TOOL = /^(pip(\d+(\.\d+)?)?|uv|uvx|poetry|pdm|pipenv|hatch|conda|mamba|micromamba|pixi|pytest|ipython|jupyter|torchrun)$/;
const PYTHON_FILE = /\.(py|pyw|pyz)$/;
const NODE_NAME = /^(node|nodejs)$/;
const NODE_TOOL = /^(npm|npx|tsx|ts-node|pnpm|pnpx|yarn|yarnpkg|bun|bunx)$/;
const NODE_FILE = /\.[cm]?[jt]sx?$/;

/**
 * Decides from the command line which languages a job needs: `true`, `ffmpeg` and other binaries need none.
 * Looks at PATH, the first bytes of the programs named, and `node_modules/.bin`; runs nothing.
 */
export async function findNeeds(context: CaptureContext): Promise<Needs> {
  const commands = simpleCommands(context.argv);
  const signs: Sign[] = [];
  for (const command of commands) signs.push(...signsOfWords(command), ...(await signsOfProgram(command, context)));
  const python = needOf('python', signs, commands);
  const node = needOf('node', signs, commands);
  return { ...(python ? { python } : {}), ...(node ? { node } : {}) };
}

/** One reason to believe that a language is needed. */
interface Sign {
  readonly language: 'python' | 'node';
  readonly kind: Need['kind'];
  readonly executable?: string;
}

function needOf(language: Sign['language'], signs: readonly Sign[], commands: readonly SimpleCommand[]): Need | undefined {
  const own = signs.filter((sign) => sign.language === language);
  if (own.length === 0) return undefined;
  const executable = own.find((sign) => sign.executable !== undefined)?.executable;
  const kind = own.some((sign) => sign.kind === 'named') ? 'named' : 'possible';
  return { kind, ...(executable === undefined ? {} : { executable }), commands };
}

function signsOfWords({ words }: SimpleCommand): Sign[] {
  return words.flatMap((word): Sign[] => {
    const name = path.basename(word);
    if (PYTHON_NAME.test(name)) return [{ language: 'python', kind: 'named', executable: word }];
    if (PYTHON_TOOL.test(name)) return [{ language: 'python', kind: 'named' }];
    if (PYTHON_FILE.test(name) && !word.startsWith('-')) return [{ language: 'python', kind: 'named' }];
    return NODE_NAME.test(name) || NODE_TOOL.test(name) ? [{ language: 'node', kind: 'named' }] : [];
  });
}

const ANYTHING: readonly Sign[] = [
  { language: 'python', kind: 'possible' },
  { language: 'node', kind: 'possible' },
];

async function signsOfProgram({ program }: SimpleCommand, context: CaptureContext): Promise<readonly Sign[]> {
  if (runsRecipes(program)) return ANYTHING;
  // Only as the program itself: `ffmpeg -i video.ts` has nothing to do with Node.
  if (NODE_FILE.test(program)) return [{ language: 'node', kind: 'named' }];
  if (!program.includes('/') && (await isNodeTool(program, context))) return [{ language: 'node', kind: 'named' }];
  const file = await findExecutable(program, context);
  return file === undefined ? [] : signsOfFile(file, context);
}

async function isNodeTool(name: string, { cwd, root }: CaptureContext): Promise<boolean> {
  for (const directory of upwards(cwd, root)) if (await isFile(path.join(directory, 'node_modules', '.bin', name))) return true;
  return false;
}

async function signsOfFile(file: string, context: CaptureContext): Promise<readonly Sign[]> {
  if (file.includes('/.pyenv/shims/')) return [{ language: 'python', kind: 'named' }];
  const interpreter = await interpreterOfScript(file);
  if (interpreter === undefined) return [];
  const name = path.basename(interpreter);
  if (NODE_NAME.test(name)) return [{ language: 'node', kind: 'named' }];
  if (PYTHON_NAME.test(name)) return [await pythonScript(file, interpreter)];
  return file.startsWith(`${context.root}${path.sep}`) ? ANYTHING : [];
}

/** A console script of a virtual environment runs in that one, active or not. */
async function pythonScript(file: string, interpreter: string): Promise<Sign> {
  const beside = path.join(path.dirname(file), path.basename(interpreter));
  const owner = path.isAbsolute(interpreter) ? interpreter : beside;
  const inVenv = await isFile(path.join(path.dirname(owner), '..', 'pyvenv.cfg'));
  return { language: 'python', kind: 'named', ...(inVenv ? { executable: owner } : {}) };
}
