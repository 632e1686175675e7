import type { Context } from '../context';
import type { LocalCloudControl, LocalCloudStatus } from '../io';
import type { LocalAction } from '../options';
import { count } from '../render/words';

/** `rawcloud local start|stop|status|reset`, and `serve` for the process that is the local cloud. */
export async function local(action: LocalAction, options: { readonly json?: boolean }, context: Context): Promise<number> {
  const cloud = await context.io.localCloud();
  if (action === 'serve') return serve(cloud, context);
  const said = await perform(cloud, action);
  await context.out.write(options.json ? `${JSON.stringify({ v: 1, ...said.status })}\n` : `${said.text}\n`);
  return 0;
}

async function perform(
  cloud: LocalCloudControl,
  action: Exclude<LocalAction, 'serve'>,
): Promise<{ text: string; status: LocalCloudStatus }> {
  switch (action) {
    case 'start': {
      const status = await cloud.start();
      return { text: statusText(status), status };
    }
    case 'stop': {
      const ran = await cloud.stop();
      return {
        text: ran ? 'the local cloud and its VMs have ended; its state stays' : 'the local cloud does not run',
        status: await cloud.status(),
      };
    }
    case 'reset': {
      await cloud.reset();
      const status = await cloud.status();
      return { text: `the local cloud has ended; its state in ${status.directory} is deleted`, status };
    }
    case 'status': {
      const status = await cloud.status();
      return { text: statusText(status), status };
    }
  }
}

function statusText({ running, directory, endpoint, pid, vms }: LocalCloudStatus): string {
  if (!running) return `the local cloud does not run; its state lies in ${directory}\n  → rawcloud local start`;
  const facts = [
    ...(endpoint ? [`at ${endpoint}`] : []),
    ...(pid === undefined ? [] : [`as process ${pid}`]),
    ...(vms === undefined ? [] : [count(vms, 'VM')]),
  ];
  return `the local cloud runs ${facts.join(', ')}; its state lies in ${directory}`;
}

async function serve(cloud: LocalCloudControl, { io }: Context): Promise<number> {
  const stopping = new AbortController();
  const undo = io.signals.listen(() => stopping.abort());
  try {
    await cloud.serve(stopping.signal);
    return 0;
  } finally {
    undo();
  }
}
