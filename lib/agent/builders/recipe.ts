import * as v from 'valibot';
import { RawcloudError } from '../../contract';
import type { Layer } from '../../contract';

/** @throws E_RECORD when the layer was captured by a version that says it otherwise */
export function readRecipe<const S extends v.GenericSchema>(schema: S, layer: Layer): v.InferOutput<S> {
  const result = v.safeParse(schema, layer.recipe);
  if (result.success) return result.output;
  const issues = result.issues.map((issue) => `${v.getDotPath(issue) ?? '(root)'}: ${issue.message}`).join('; ');
  throw new RawcloudError('E_RECORD', `the recipe of the ${layer.kind} layer does not have the expected shape: ${issues}`, {
    remedy: 'Run the job again, so that agent and client are of one version.',
  });
}
