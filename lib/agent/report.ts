import type { Beat, Notice } from '../contract';
import type { Shipper } from './shipper';

type Described = Omit<Beat, 'v' | 'rev' | 'lastLog' | 'requests'>;

/** What the beat shows, but for what only the shipper knows. */
export type Shown = Pick<Described, 'phase' | 'detail' | 'exit' | 'outputs' | 'credentialsUntil' | 'final'>;

/** What the VM tells of itself: the beat's content, and lines in the log's streams `system` and `environment`. */
export class Report {
  #shown: Shown = { phase: 'preparing', final: false };
  readonly #notices: Notice[] = [];
  #shipper: Shipper | undefined;

  constructor(private readonly facts: { readonly bootId: string; readonly timings: () => Beat['timings'] }) {}

  /** From here on what is told is shipped. */
  through(shipper: Shipper): void {
    this.#shipper = shipper;
  }

  /** Changes what the beat shows, which is shipped at once if it may. */
  show(change: Partial<Shown>): void {
    this.#shown = { ...this.#shown, ...change };
    this.#shipper?.beat();
  }

  /** Changes what the next beat shows, which goes when it would have gone anyway. */
  keep(change: Partial<Shown>): void {
    this.#shown = { ...this.#shown, ...change };
  }

  /** What it is doing, for the next beat. */
  progress(detail: string | undefined): void {
    this.keep({ detail });
  }

  /** A line of rawcloud's own. Resolves when there is room for more. */
  async say(line: string): Promise<void> {
    await this.#shipper?.push('system', Buffer.from(`${line}\n`));
  }

  /** A line about the environment: what builds it said, where it came from. Resolves when there is room for more. */
  async log(line: string): Promise<void> {
    await this.#shipper?.push('environment', Buffer.from(`${line}\n`));
  }

  /** Something the user should know: in the log, and in every beat. */
  notice(notice: Notice): void {
    this.#notices.push(notice);
    void this.say(`${notice.level}: ${notice.text}`);
    this.#shipper?.beat();
  }

  /** Something that did not work, said with its cause. */
  trouble(what: string, error: unknown): void {
    void this.say(`rawcloud: ${what}: ${textOf(error)}`);
  }

  readonly describe = (): Described => {
    const { phase, final, ...optional } = this.#shown;
    const set = Object.fromEntries(Object.entries(optional).filter(([, value]) => value !== undefined)) as typeof optional;
    return {
      bootId: this.facts.bootId,
      phase,
      final,
      ...set,
      blocks: phase === 'busy' ? [0] : [],
      timings: this.facts.timings(),
      notices: this.#notices,
    };
  };
}

export function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
