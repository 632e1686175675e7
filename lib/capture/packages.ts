import { mapBounded, RawcloudError } from '../contract';
import type { CaptureContext, Capturer, Found, Layer, MeasuredPackages, SourceContent } from '../contract';
import { condaCapturer } from './conda';
import { nodeCapturer } from './node';
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
  for (const capturer of CAPTURERS) {
    signal?.throwIfAborted();
    for (const found of await capturer.detect(context)) {
      signal?.throwIfAborted();
      const { layer, contents, include = [], secrets = {}, measure } = await capturer.capture(found, context);
      captured.found.push(found);
      captured.layers.push(layer);
      captured.include.push(...include);
      if (measure) captured.measures.push({ kind: capturer.kind, measure });
      for (const content of contents) known.set(content.sha256, content);
      for (const [name, value] of Object.entries(secrets)) captured.secrets[`${capturer.kind}:${name}`] = value;
    }
  }
  signal?.throwIfAborted();
  if (!captured.found.some(({ kind }) => kind === PYTHON_KIND)) refuseIdleChoices(context);
  return { ...captured, contents: [...known.values()] };
}

/** @throws E_PACKAGE for choices among packages that do not travel: whoever made them expects them to */
function refuseIdleChoices({ packageChoices = {}, argv, locked }: CaptureContext): void {
  const { strictness: _ofAll, ...ofSome } = packageChoices;
  if (Object.keys(ofSome).length === 0) return;
  throw new RawcloudError('E_PACKAGE', `'${argv.join(' ')}' brings no Python packages that could be chosen from`, {
    remedy: `Leave out --package-ignore, --package-only, --package-add and --package-strictness NAME=…, or ${
      locked ? 'lay a lockfile of Python beside the job' : 'activate the environment that the command needs'
    }.`,
  });
}
