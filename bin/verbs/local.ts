import { Option } from 'commander';
import type { LocalAction, LocalOptions } from '../options';
import type { Declaring } from '../program';
import { withExamples } from './examples';
import { withJson } from './shared';

const ACTIONS: readonly { name: LocalAction; description: string; hidden?: boolean }[] = [
  { name: 'start', description: 'start it, unless it runs (any verb with --local does so too)' },
  { name: 'stop', description: 'end it and its VMs; its state stays' },
  { name: 'status', description: 'say whether it runs, and where its state lies' },
  { name: 'reset', description: 'end it and delete its state' },
  { name: 'serve', description: 'be the local cloud, in the foreground', hidden: true },
];

const DRIVERS = ['auto', 'namespace', 'process'] as const;

/** `rawcloud local start|stop|status|reset` */
export function declareLocal({ program, context, perform }: Declaring): void {
  const local = program
    .command('local')
    .summary('the local cloud: the same jobs on this machine, free of charge')
    .description('The local cloud: an AWS-shaped endpoint on loopback whose VMs are processes of this machine.');
  local.helpCommand(false);
  withExamples(local, ['rawcloud local start', 'rawcloud run --local -- echo hello', 'rawcloud local reset']);
  for (const { name, description, hidden } of ACTIONS) {
    const command = local.command(name, { hidden: hidden ?? false }).description(description);
    if (name === 'start')
      command.addOption(
        new Option('--driver <kind>', 'what VMs are (default: auto, namespaces where this machine allows it)').choices(DRIVERS),
      );
    withExamples(withJson(command), hidden ? [] : [`rawcloud local ${name}`]).action(async (options: LocalOptions) =>
      perform((c) => c.local(name, options, context)),
    );
  }
}
