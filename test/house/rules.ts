import { builtinModules } from 'node:module';
import { importsOf } from './imports';
import type { Import, Sources } from './imports';
import { CONFINED, LAYERS } from './layers';
import type { Layer } from './layers';

/** What a Lambda's file may have: parse → one call → result. More is logic, and belongs to the runtime. */
const HANDLER_LINES = 60;

/** Every breach of the import rules, one line each. */
export function breaches(sources: Sources): string[] {
  const imports = importsOf(sources);
  return [
    ...imports.flatMap(breachesOf),
    ...homeless(sources),
    ...thickHandlers(sources),
    ...heavyHandlers(imports),
    ...cycles(imports),
  ].sort();
}

function layerOf(file: string): Layer | undefined {
  return LAYERS.find(({ files }) => files.test(file));
}

function homeless(sources: Sources): string[] {
  return [...sources.keys()].filter((file) => !layerOf(file)).map((file) => `${file}: belongs to no layer of test/house/layers.ts`);
}

function thickHandlers(sources: Sources): string[] {
  return [...sources].flatMap(([file, text]) => {
    const lines = text.split('\n').length;
    return file.startsWith('lambda/') && lines > HANDLER_LINES ? [`${file}: ${lines} lines; a handler parses, calls once and returns`] : [];
  });
}

/** What reads packages of a developer's machine is never needed there, and every start of a function pays for it. */
const NOT_IN_FUNCTIONS = /^lib\/capture\/(python|node|conda|packages)\b/;

function heavyHandlers(imports: readonly Import[]): string[] {
  const loads = (file: string): string[] => imports.flatMap((one) => (one.file === file && one.kind !== 'type' ? (one.target ?? []) : []));
  const reached = new Set(imports.map(({ file }) => file).filter((file) => file.startsWith('lambda/')));
  for (const file of reached) loads(file).forEach((target) => reached.add(target));
  return [...reached].filter((file) => NOT_IN_FUNCTIONS.test(file)).map((file) => `${file}: is loaded by a function of lambda`);
}

function breachesOf(one: Import): string[] {
  const layer = layerOf(one.file);
  if (!layer) return [];
  const at = `${one.file}:${one.line}: ${layer.name}`;
  if (one.specifier.startsWith('.')) return breachOfLayers(one, layer).map((text) => `${at} ${text}`);
  return breachOfPackages(one.specifier, layer).map((text) => `${at} ${text}`);
}

function breachOfLayers({ specifier, target }: Import, layer: Layer): string[] {
  if (specifier.endsWith('.json')) return [];
  if (target === undefined) return [`imports ${specifier}, which is no file of lib, bin or lambda`];
  const other = layerOf(target);
  if (!other || other === layer || layer.knows.includes(other.name)) return [];
  return [`must not know ${other.name} (${target})`];
}

function breachOfPackages(specifier: string, layer: Layer): string[] {
  const confined = (Object.keys(CONFINED) as (keyof typeof CONFINED)[])
    .filter((family) => CONFINED[family].test(specifier) && !layer.packages?.includes(family))
    .map((family) => `must not import ${specifier}: ${family} is confined`);
  if (!layer.pure) return confined;
  const kind = builtinModules.includes(specifier.replace(/^node:/, '')) ? 'Node' : 'a package';
  return [...confined, `must not import ${specifier}: it is pure, and that is ${kind}`];
}

/**
 * Cycles of files by what is loaded with them; a type, or what is loaded when it is needed, closes none.
 * Each cycle is told once, from its first file in the order of names.
 */
function cycles(imports: readonly Import[]): string[] {
  const edges = new Map<string, string[]>();
  for (const { file, target, kind } of imports) {
    if (target !== undefined && kind === 'value') edges.set(file, [...(edges.get(file) ?? []), target]);
  }
  const found = new Set<string>();
  const done = new Set<string>();
  const visit = (file: string, trail: readonly string[]): void => {
    const start = trail.indexOf(file);
    if (start >= 0) found.add(describeCycle(trail.slice(start)));
    if (start >= 0 || done.has(file)) return;
    for (const next of edges.get(file) ?? []) visit(next, [...trail, file]);
    done.add(file);
  };
  for (const file of edges.keys()) visit(file, []);
  return [...found];
}

function describeCycle(files: readonly string[]): string {
  const first = files.indexOf([...files].sort()[0]!);
  const ordered = [...files.slice(first), ...files.slice(0, first)];
  return `cycle: ${[...ordered, ordered[0]!].join(' → ')}`;
}
