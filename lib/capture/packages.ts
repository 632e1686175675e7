import { canonicalName, condaSpecIn, mapBounded, RawcloudError } from '../contract';
import type { CaptureContext, Capturer, Found, Layer, MeasuredPackages, PackageChoices, SourceContent } from '../contract';
import { CONDA_KIND, condaCapturer, namesInConda } from './conda';
import { NODE_KIND, nodeCapturer } from './node';
import { PYTHON_KIND, pythonCapturer } from './python';

/** In the order in which the layers are built and come on PATH. */
const CAPTURERS: readonly Capturer[] = [pythonCapturer, condaCapturer, nodeCapturer];

export interface CapturedPackages {
  readonly layers: Layer[];
  /** What the layers name in `sources`, each once. */
  readonly contents: SourceContent[];
  readonly found: Found[];
  /** Paths relative to the root which travel though git may ignore them: what the builders read in the tree. */
  readonly include: string[];
  /** What the builders need and nobody may see, by `<kind of layer>:<name>`. Travels sealed. */
  readonly secrets: Record<string, string>;
  /** Of layers whose packages are installed here. */
  readonly measures: Measure[];
}

export interface Measure {
  readonly kind: string;
  readonly measure: () => Promise<MeasuredPackages>;
}

/** The package environments that a command needs; nothing when it needs none. */
export async function detectPackages(context: CaptureContext): Promise<Found[]> {
  const found = await mapBounded(CAPTURERS, CAPTURERS.length, (capturer) => capturer.detect(context));
  return found.flat();
}

/**
 * Reads them, so that they can be made again on a VM.
 * @throws E_PACKAGE naming the package that cannot be carried, why, and what to do
 */
export async function capturePackages(context: CaptureContext): Promise<CapturedPackages> {
  const captured: CapturedPackages = { layers: [], contents: [], found: [], include: [], secrets: {}, measures: [] };
  const known = new Map<string, SourceContent>();
  const { signal } = context;
  const choosing = await chooserFor(context);
  for (const capturer of CAPTURERS) {
    signal?.throwIfAborted();
    const own = choosing(capturer.kind);
    for (const found of await capturer.detect(own)) {
      signal?.throwIfAborted();
      const { layer, contents, include = [], secrets = {}, measure } = await capturer.capture(found, own);
      captured.found.push(found);
      captured.layers.push(layer);
      captured.include.push(...include);
      if (measure) captured.measures.push({ kind: capturer.kind, measure });
      for (const content of contents) known.set(content.sha256, content);
      for (const [name, value] of Object.entries(secrets)) captured.secrets[`${capturer.kind}:${name}`] = value;
    }
  }
  signal?.throwIfAborted();
  refuseIdleChoices(captured.found, context);
  return { ...captured, contents: [...known.values()] };
}

/**
 * Where a command brings a virtual environment and one of conda, names are of whichever has them: Python's, which comes first, lets
 * pass what conda has, and conda then all that is left.
 */
async function chooserFor(context: CaptureContext): Promise<(kind: string) => CaptureContext> {
  const { packageChoices = {} } = context;
  const names = namesOf(packageChoices);
  if (names.length === 0 || (await pythonCapturer.detect(context)).length === 0) return () => context;
  const ofConda = await namesInConda(context);
  if (!ofConda) return () => context;
  return (kind) => ({ ...context, otherNames: kind === PYTHON_KIND ? ofConda : new Set(names.map(canonicalName)) });
}

/** All that choices name, or would add. */
function namesOf({ ignore = [], only = [], strictnessOf = {}, add = [] }: PackageChoices): string[] {
  return [...ignore, ...only, ...Object.keys(strictnessOf), ...add];
}

/** @throws E_PACKAGE for choices among packages that do not travel: whoever made them expects them to */
function refuseIdleChoices(found: readonly Found[], { packageChoices = {}, argv, locked }: CaptureContext): void {
  const has = (kind: string): boolean => found.some((one) => one.kind === kind);
  const ofConda = packageChoices.add?.find((text) => condaSpecIn(text));
  if (ofConda !== undefined && !has(CONDA_KIND)) {
    throw new RawcloudError(
      'E_PACKAGE',
      `${ofConda} (--package-add) is a package of conda, and '${argv.join(' ')}' brings no environment of it`,
      {
        remedy: locked
          ? 'Deployed jobs carry none: name a package of Python, or install it by setup.'
          : 'Activate the environment that the command needs; or name a package of Python.',
      },
    );
  }
  if (namesOf(packageChoices).length === 0 || has(PYTHON_KIND) || has(CONDA_KIND)) return;
  const what = has(NODE_KIND)
    ? 'packages of Node alone, which are taken as their lockfile has them'
    : 'no packages that could be chosen from';
  throw new RawcloudError('E_PACKAGE', `'${argv.join(' ')}' brings ${what}`, {
    remedy: `Leave out --package-ignore, --package-only, --package-add and --package-strictness NAME=…, or ${
      locked ? 'lay a lockfile of Python beside the job' : 'activate the environment that the command needs'
    }.`,
  });
}
