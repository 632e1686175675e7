import type { Context } from '../context';
import type { LocalCloudControl, LocalCloudStatus } from '../io';
import type { LocalAction, LocalOptions } from '../options';
import { count } from '../render/words';

/** `rawcloud local start|stop|status|reset`, and `serve` for the process that is the local cloud. */
export async function local(action: LocalAction, options: LocalOptions, context: Context): Promise<number> {
  const cloud = await context.io.localCloud();
  if (action === 'serve') return serve(cloud, context);
  const said = await perform(cloud, action, options);
  await context.out.write(options.json ? `${JSON.stringify({ v: 1, ...said.status })}\n` : `${said.text}\n`);
  return 0;
}

async function perform(
  cloud: LocalCloudControl,
  action: Exclude<LocalAction, 'serve'>,
  { driver }: LocalOptions,
): Promise<{ text: string; status: LocalCloudStatus }> {
  switch (action) {
    case 'start': {
      const status = await cloud.start(driver);
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

function statusText({ running, directory, endpoint, pid, vms, driver, driverWhy }: LocalCloudStatus): string {
  if (!running) return `the local cloud does not run; its state lies in ${directory}\n  → rawcloud local start`;
  const facts = [
    ...(endpoint ? [`at ${endpoint}`] : []),
    ...(pid === undefined ? [] : [`as process ${pid}`]),
    ...(vms === undefined ? [] : [count(vms, 'VM')]),
  ];
  const where = `the local cloud runs ${facts.join(', ')}; its state lies in ${directory}`;
  if (driver === undefined) return where;
  const what = driver === 'namespace' ? 'in namespaces of their own' : 'plain processes';
  return `${where}\nits VMs are ${what}${driverWhy === undefined ? '' : `, because ${driverWhy}`}`;
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
