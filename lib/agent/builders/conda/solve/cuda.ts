import type { BuildIo } from '../../../../contract';
import { answerOf, findProgram } from '../../programs';

/** The CUDA that the driver of this machine supports, '' without one: what conda calls `__cuda`. Source: `nvidia-smi`, its first lines. */
export async function cudaOf(io: BuildIo): Promise<string> {
  const program = findProgram('nvidia-smi', io);
  const said = program === undefined ? undefined : await answerOf(program, [], io);
  return /CUDA Version:\s*(\d+\.\d+)/.exec(said ?? '')?.[1] ?? '';
}
