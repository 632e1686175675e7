import type { Construct } from 'constructs';

/** What has a name in a scaffolding, and why no two may have the same. */
const WHY = {
  job: 'nobody could tell their runs apart',
  role: 'nobody could say which is meant',
} as const;

/** Names within one scaffolding, as far as one app knows them. */
export class TakenNames {
  readonly #taken = new Map<string, Construct>();

  constructor(private readonly scaffold: string) {}

  /** @throws when another of its kind has it */
  take(kind: keyof typeof WHY, name: string, by: Construct): void {
    const key = `${kind} ${name}`;
    const other = this.#taken.get(key);
    if (other) {
      throw new Error(
        `rawcloud: '${other.node.path}' and '${by.node.path}' are both ${kind}s of the name '${name}' in the scaffolding '${this.scaffold}', and ${WHY[kind]}; give one of them another 'name'`,
      );
    }
    this.#taken.set(key, by);
  }
}
