import path from 'node:path';
import { isValiError } from 'valibot';
import * as v from 'valibot';
import { nearest, RawcloudError } from '../../contract';
import type { CaptureContext, CondaRecipe } from '../../contract';
import { findExecutable } from '../executables';
import { readText } from '../python/read-text';
import { parseToml } from '../toml';
import type { CondaEnvironment } from './environment';
import { subdirOf } from './platform';

/* Tasks of pixi's manifest. Source: pixi's documentation "Tasks" and "Manifest", `tasks`. */

const DependencySchema = v.union([
  v.string(),
  v.object({ task: v.string(), args: v.optional(v.array(v.unknown()), []), environment: v.optional(v.string()) }),
]);
type Dependency = v.InferOutput<typeof DependencySchema>;
const OneOrMore = v.union([
  v.array(DependencySchema),
  v.pipe(
    DependencySchema,
    v.transform((one) => [one]),
  ),
]);
const FullSchema = v.looseObject({
  cmd: v.optional(v.union([v.string(), v.array(v.string())])),
  cwd: v.optional(v.string(), ''),
  env: v.optional(v.record(v.string(), v.string()), {}),
  'depends-on': v.optional(OneOrMore),
  depends_on: v.optional(OneOrMore),
  args: v.optional(v.array(v.unknown()), []),
  'clean-env': v.optional(v.boolean(), false),
});
const TaskSchema = v.union([v.string(), v.array(DependencySchema), FullSchema]);
type Task = v.InferOutput<typeof TaskSchema>;

const TasksSchema = v.optional(v.record(v.string(), TaskSchema), {});
const FeatureSchema = v.looseObject({
  tasks: TasksSchema,
  target: v.optional(v.record(v.string(), v.looseObject({ tasks: TasksSchema })), {}),
});
const PixiSchema = v.looseObject({
  ...FeatureSchema.entries,
  feature: v.optional(v.record(v.string(), FeatureSchema), {}),
  environments: v.optional(
    v.record(
      v.string(),
      v.union([
        v.array(v.string()),
        v.looseObject({ features: v.optional(v.array(v.string()), []), 'no-default-feature': v.optional(v.boolean(), false) }),
      ]),
    ),
    {},
  ),
});
type Pixi = v.InferOutput<typeof PixiSchema>;
const PyprojectSchema = v.object({ tool: v.optional(v.object({ pixi: v.optional(PixiSchema) })) });

type Tasks = Readonly<Record<string, Task>>;

/**
 * The task that `pixi run` names: what it runs, with what it depends on before it.
 * @throws E_PACKAGE for tasks that a VM cannot run so, and for what is near to a task and neither that nor a program
 */
export async function tasksOf({ run, prefix }: CondaEnvironment, context: CaptureContext): Promise<CondaRecipe['tasks']> {
  const name = run?.words[0];
  if (run?.runner !== 'pixi' || name === undefined) return {};
  const project = path.resolve(prefix, '..', '..', '..');
  const pixi = await readManifest(project);
  if (!pixi) return {};
  const tasks = tasksFor(pixi, path.basename(prefix), context.platform);
  if (tasks[name] === undefined) {
    await checkIsNoTypo(name, Object.keys(tasks), prefix, context);
    return {};
  }
  const { command, directory } = new Compiler(tasks, name).task(name);
  const place = path.relative(context.root, path.join(project, directory));
  if (place.startsWith('..')) throw refused(name, `it runs in ${directory}, which lies outside of what travels`);
  return { [name]: { command, directory: place } };
}

async function readManifest(project: string): Promise<Pixi | undefined> {
  const files = [path.join(project, 'pixi.toml'), path.join(project, 'pyproject.toml')];
  for (const [at, file] of files.entries()) {
    const text = await readText(file);
    if (text === undefined) continue;
    try {
      const content = await parseToml(text);
      return at === 0 ? v.parse(PixiSchema, content) : v.parse(PyprojectSchema, content).tool?.pixi;
    } catch (cause) {
      if (!(cause instanceof SyntaxError || isValiError(cause))) throw cause;
      const where = isValiError(cause) ? `${v.getDotPath(cause.issues[0]) ?? ''}: ` : '';
      throw new RawcloudError('E_PACKAGE', `${file} cannot be read: ${where}${cause.message}`, {
        remedy: "'pixi info' says what is wrong with it; or name the program itself in place of 'pixi run'.",
        cause,
      });
    }
  }
  return undefined;
}

/** Of an environment, on a platform: what is said of the platform comes before what is said of all. */
function tasksFor(pixi: Pixi, environment: string, platform: string): Tasks {
  const chosen = pixi.environments[environment] ?? [];
  const { features, bare } = Array.isArray(chosen)
    ? { features: chosen, bare: false }
    : { features: chosen.features, bare: chosen['no-default-feature'] };
  const own = [...(bare ? [] : [pixi]), ...features.flatMap((name) => pixi.feature[name] ?? [])];
  const targets = ['unix', platform.split('-', 1)[0]!, subdirOf(platform)];
  const all = [...own.map(({ tasks }) => tasks), ...targets.flatMap((target) => own.map((one) => one.target[target]?.tasks ?? {}))];
  return Object.assign({}, ...all) as Tasks;
}

/** Makes one command of a task and of what it depends on, each once and in order. */
class Compiler {
  readonly #done = new Set<string>();

  constructor(
    private readonly tasks: Tasks,
    private readonly asked: string,
  ) {}

  /** `directory`: relative to the project. */
  task(name: string, above: readonly string[] = []): { command: string; directory: string } {
    const task = this.tasks[name];
    if (task === undefined) throw refused(this.asked, `it depends on ${name}, which is no task`);
    if (above.includes(name)) throw refused(this.asked, `${[...above, name].join(' needs ')}`);
    const { cmd, cwd, env, args, dependencies, isClean } = parsed(task);
    if (args.length > 0) throw refused(this.asked, `${name} takes arguments by name`);
    if (isClean) throw refused(this.asked, `${name} wants an empty environment`);
    const before = dependencies.flatMap((one) => this.#before(one, { cwd, above: [...above, name] }));
    const exports = Object.entries(env).map(([key, value]) => `export ${key}="${value.replaceAll(/["\\`]/g, '\\$&')}";`);
    const own = typeof cmd === 'string' ? cmd.trim() : (cmd?.map(quoted).join(' ') ?? ':');
    return { command: [...before.map((one) => `${one} &&`), ...exports, own].join(' '), directory: cwd };
  }

  #before(dependency: Dependency, { cwd, above }: { cwd: string; above: readonly string[] }): string[] {
    const { task: name, args = [], environment } = typeof dependency === 'string' ? { task: dependency } : dependency;
    if (args.length > 0 || environment !== undefined)
      throw refused(this.asked, `${name} before it has arguments or an environment of its own`);
    if (this.#done.has(name)) return [];
    const { command, directory } = this.task(name, above);
    this.#done.add(name);
    return [`(cd ${quoted(path.relative(cwd || '.', directory || '.') || '.')} && { ${command}\n})`];
  }
}

function parsed(task: Task): {
  readonly cmd?: string | readonly string[] | undefined;
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
  readonly args: readonly unknown[];
  readonly dependencies: readonly Dependency[];
  readonly isClean: boolean;
} {
  const plain = { cwd: '', env: {}, args: [], dependencies: [], isClean: false };
  if (typeof task === 'string') return { ...plain, cmd: task };
  if (Array.isArray(task)) return { ...plain, dependencies: task };
  const { cmd, cwd, env, args, 'depends-on': dependsOn, depends_on: old } = task;
  return { cmd, cwd, env, args, dependencies: dependsOn ?? old ?? [], isClean: task['clean-env'] };
}

function quoted(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}

/** What the VM may have and this machine has not is let through. */
async function checkIsNoTypo(name: string, tasks: readonly string[], prefix: string, { env, cwd }: CaptureContext): Promise<void> {
  const near = nearest(name, tasks);
  if (near.length === 0) return;
  const PATH = [path.join(prefix, 'bin'), env['PATH'] ?? ''].join(path.delimiter);
  if ((await findExecutable(name, { env: { PATH }, cwd })) !== undefined) return;
  throw new RawcloudError(
    'E_PACKAGE',
    `'pixi run ${name}': ${name} is neither a task of this environment nor a program here; near are ${near.join(', ')}`,
    {
      remedy: "'pixi task list' names the tasks; those of another environment take its name: pixi run -e NAME TASK.",
    },
  );
}

function refused(name: string, why: string): RawcloudError {
  return new RawcloudError('E_PACKAGE', `the task '${name}' of pixi cannot be run on a VM: ${why}`, {
    remedy: "Name the command itself: 'rawcloud run pixi run python …'.",
  });
}
