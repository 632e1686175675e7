import { findRawcloudError, RawcloudError } from '../../../lib/contract';

/** Collects what is wrong with a command line, so that all of it is said at once. */
export class Problems {
  readonly #texts: string[] = [];

  add(text: string): void {
    this.#texts.push(text);
  }

  /** The value of `read`, or undefined with its usage error noted; other errors pass. */
  try<T>(read: () => T): T | undefined {
    try {
      return read();
    } catch (error) {
      const known = findRawcloudError(error);
      if (known?.code !== 'E_USAGE') throw error;
      this.#note(known);
      return undefined;
    }
  }

  /** @throws E_USAGE naming every problem */
  throwIfAny(verb: string): void {
    const [first] = this.#texts;
    if (first === undefined) return;
    const list = this.#texts.map((text) => `\n  - ${text}`).join('');
    throw new RawcloudError('E_USAGE', this.#texts.length === 1 ? first : `${this.#texts.length} problems in the command line:${list}`, {
      remedy: `rawcloud ${verb} --help shows what is allowed.`,
      data: { problems: [...this.#texts] },
    });
  }

  /** An error that collected several problems itself carries them as `data.problems`. */
  #note(error: RawcloudError): void {
    const { problems } = error.data;
    if (Array.isArray(problems)) for (const problem of problems) this.add(String(problem));
    else this.add(error.message);
  }
}
