import type { Construct } from 'constructs';

/** Names of the jobs of one scaffolding, as far as one app knows them. */
export class JobNames {
  readonly #taken = new Map<string, Construct>();

  constructor(private readonly scaffold: string) {}

  /** @throws when another job has it */
  take(name: string, job: Construct): void {
    const other = this.#taken.get(name);
    if (other) {
      throw new Error(
        `rawcloud: '${other.node.path}' and '${job.node.path}' are both jobs of the name '${name}' in the scaffolding '${this.scaffold}', and nobody could tell their runs apart; give one of them another 'name'`,
      );
    }
    this.#taken.set(name, job);
  }
}
