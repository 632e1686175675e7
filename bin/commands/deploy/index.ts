import { DEFAULT_SCAFFOLD_NAME, EXIT_CODES, RawcloudError } from '../../../lib/contract';
import type { DeployEvent, Question } from '../../../lib/runtime/deploy/deps';
import type { Context } from '../../context';
import type { DeployOptions } from '../../options';
import { deployText, questionText } from '../../render/deploy';
import { styleFor } from '../../render/style';
import { connectOptions } from '../connection';
import { readChoices } from './choices';

/** `rawcloud deploy`: looks, shows, asks, deploys, and says whether jobs will run. */
export async function deploy(options: DeployOptions, context: Context): Promise<number> {
  const { io } = context;
  const choices = readChoices(options);
  const { name, ...connection } = connectionOf(options);
  const stop = new AbortController();
  const unlisten = io.signals.listen(() => stop.abort(new RawcloudError('E_ABORTED', 'it was interrupted')));
  try {
    const opened = await io.openDeployment(connectOptions(context, { ...connection, scaffold: name }));
    try {
      const request = {
        name,
        choices,
        ...(options.executionPolicy ? { executionPolicies: options.executionPolicy } : {}),
        ...(options.dryRun ? { dryRun: true } : {}),
        confirm: (question: Question) => confirm(question, options, context, stop.signal),
        onEvent: (event: DeployEvent) => show(event, options, context),
      };
      await opened.deploy(request, { signal: stop.signal });
    } finally {
      await opened.close();
    }
  } finally {
    unlisten();
  }
  return EXIT_CODES.ok;
}

function connectionOf({ name, scaffold, ...options }: DeployOptions): DeployOptions & { readonly name: string } {
  if (name !== undefined && scaffold !== undefined && name !== scaffold) {
    throw new RawcloudError('E_USAGE', `--name ${name} and --scaffold ${scaffold} are the same option; give one`);
  }
  return { ...options, name: name ?? scaffold ?? DEFAULT_SCAFFOLD_NAME };
}

/** The answer of a terminal, or of `--yes`. A bootstrap lets CloudFormation do much: it is asked for by an option of its own. */
async function confirm(question: Question, options: DeployOptions, { io, err }: Context, signal: AbortSignal): Promise<boolean> {
  if (question.about === 'bootstrap' ? options.bootstrap : options.yes) return true;
  if (options.yes) return false;
  if (!io.stdin.isTTY) {
    if (question.about === 'bootstrap') return false;
    throw new RawcloudError('E_USAGE', `there is no terminal to ask at: ${questionText(question)}`, { remedy: 'Give --yes.' });
  }
  await err.write(`${questionText(question)}\n`);
  return /^y(es)?$/i.test((await io.stdin.ask('Go on? [y/N] ', signal)).trim());
}

async function show(event: DeployEvent, { json, dryRun }: DeployOptions, { io, out }: Context): Promise<void> {
  if (json) {
    const at = new Date(io.clock.now()).toISOString();
    const { type, ...data } = event;
    const plain = 'survey' in data ? data.survey : 'step' in data ? data.step : data;
    return out.write(`${JSON.stringify({ v: 1, at, type: `deploy.${type}`, data: plain })}\n`);
  }
  const text = deployText(event, styleFor(io.stdout, io.env));
  return out.write(`${text}\n${event.type === 'survey' && dryRun ? 'Nothing was done.\n' : ''}`);
}
