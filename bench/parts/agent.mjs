import { bareNodeMs, sideBySide } from '../measure.mjs';

/** What the agent does before the command begins. */
export async function measure({ pairs, rawcloud, report }) {
  /** The last job's phases, from the product's own timings. */
  const timings = async () => JSON.parse((await rawcloud(['status', '--timings', '--json'])).stdout).timings;
  const toExec = async () => {
    await rawcloud(['run', '--quiet', '--', 'true']);
    const { agent, command } = await timings();
    return Date.parse(command.start) - Date.parse(agent.start);
  };
  const { one, baseline, ratio } = await sideBySide(pairs, toExec, bareNodeMs);
  report("agent's first line to the command's exec", { ratio, ms: one, baselineMs: baseline }, 'node -e 0', 3);
  const { node } = await timings();
  report('fetching, unpacking and starting Node (a phase of its own)', { ms: node.seconds * 1000 }, 'none: the local image ships Node');
}
