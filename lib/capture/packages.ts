import { mapBounded } from '../contract';
import type { CaptureContext, Capturer, Found, Layer, SourceContent } from '../contract';
import { nodeCapturer } from './node';
import { pythonCapturer } from './python';

/** In the order in which the layers are built and come on PATH. */
const CAPTURERS: readonly Capturer[] = [pythonCapturer, nodeCapturer];

export interface CapturedPackages {
  readonly layers: Layer[];
  /** What the layers name in `sources`, each once. */
  readonly contents: SourceContent[];
  readonly found: Found[];
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
  const captured = { layers: [] as Layer[], contents: new Map<string, SourceContent>(), found: [] as Found[] };
  const { signal } = context;
  for (const capturer of CAPTURERS) {
    signal?.throwIfAborted();
    for (const found of await capturer.detect(context)) {
      signal?.throwIfAborted();
      const { layer, contents } = await capturer.capture(found, context);
      captured.found.push(found);
      captured.layers.push(layer);
      for (const content of contents) captured.contents.set(content.sha256, content);
    }
  }
  signal?.throwIfAborted();
  return { layers: captured.layers, contents: [...captured.contents.values()], found: captured.found };
}
