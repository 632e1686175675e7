import { mkdtempSync, readdirSync, realpathSync, rmSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { listProcesses } from './processes';

/** What keeps a Node process alive and is opened by somebody; file requests end by themselves. */
const WATCHED_RESOURCES = [
  'TCPServerWrap',
  'TCPSocketWrap',
  'PipeServerWrap',
  'PipeWrap',
  'ProcessWrap',
  'FSEventWrap',
  'StatWatcher',
  'UDPWrap',
];

const LOOK_EVERY_MS = 50;

/**
 * What one test file leaves behind. The file gets a temporary directory of its own (TMPDIR, for it and all its
 * children); at the end it must be empty, and nothing may live that was started by this process or that has the
 * directory in its environment, arguments or working directory. That finds machines of the local cloud too: their
 * environment is fresh and their parents may be gone, but they live in a directory under TMPDIR.
 */
export class LeakCheck {
  readonly directory: string;
  private readonly processesBefore: ReadonlySet<number>;
  private readonly resourcesBefore: ReadonlyMap<string, number>;

  /**
   * @param parent where the directory of this file is made
   * @param settleMs what ends may take a moment to be gone: a killed process to be reaped, a closed socket to close
   */
  constructor(
    parent: string,
    private readonly settleMs: number,
  ) {
    this.directory = mkdtempSync(path.join(realpathSync(parent), 'rawcloud-test-'));
    this.processesBefore = new Set(listProcesses().map(({ pid }) => pid));
    // Opened when first used, by whoever writes a warning: nobody's leak.
    for (const stream of [process.stdout, process.stderr]) stream.setDefaultEncoding('utf8');
    this.resourcesBefore = countResources();
  }

  /**
   * Waits a little for what is ending, then removes the directory.
   * @param others finds what only the environment knows of
   * @returns one line for each leak
   */
  async finish(others: () => string[]): Promise<string[]> {
    const patience = AbortSignal.timeout(this.settleMs);
    const look = () => [...this.look(), ...others()];
    let found = look();
    while (found.length > 0 && !patience.aborted) {
      await sleep(LOOK_EVERY_MS);
      found = look();
    }
    this.endProcesses();
    rmSync(this.directory, { recursive: true, force: true, maxRetries: 3 });
    return found;
  }

  private look(): string[] {
    return [
      ...this.processes().map(({ pid, command }) => `process ${pid} still runs: ${command.slice(0, 200)}`),
      ...this.resources(),
      ...readdirSync(this.directory).map(
        (name) => `not removed from the temporary directory: ${name}${contentOf(path.join(this.directory, name))}`,
      ),
    ];
  }

  private processes() {
    return listProcesses().filter(
      ({ pid, parent, traces }) =>
        pid !== process.pid && !this.processesBefore.has(pid) && (parent === process.pid || traces.includes(this.directory)),
    );
  }

  private resources(): string[] {
    return [...countResources()].flatMap(([kind, count]) => {
      const before = this.resourcesBefore.get(kind) ?? 0;
      return count > before ? `still open: ${count - before} × ${kind}` : [];
    });
  }

  /** A leak of one file must not become the flaw of the next. */
  private endProcesses(): void {
    for (const { pid } of this.processes()) {
      try {
        process.kill(pid, 'SIGKILL');
      } catch (error) {
        // ESRCH: it has just ended by itself.
        if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error;
      }
    }
  }
}

function countResources(): Map<string, number> {
  const counts = new Map<string, number>();
  for (const kind of process.getActiveResourcesInfo()) {
    if (WATCHED_RESOURCES.includes(kind)) counts.set(kind, (counts.get(kind) ?? 0) + 1);
  }
  return counts;
}

/** The first few things in a directory, which tell who made it. */
function contentOf(directory: string): string {
  try {
    const names = readdirSync(directory, { recursive: true }).map(String);
    return ` (${names.slice(0, 8).join(', ')}${names.length > 8 ? ` and ${names.length - 8} more` : ''})`;
  } catch {
    return '';
  }
}
