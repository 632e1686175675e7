import type { Strictness } from '../../../contract';
import { canonicalName } from '../../../contract';
import type { Chosen } from './choose';

/** How near each package has to be to the one that is installed here. */
export class Levels {
  /** Of packages that were not named. */
  readonly ofRest: Strictness;
  readonly #named: ReadonlyMap<string, Strictness>;

  /** @param isSame - whether the VM is of the platform that the environment was made for */
  constructor({ strictness, strictnessOf }: Chosen, isSame: boolean) {
    this.ofRest = strictness ?? (isSame ? 'exact' : 'compatible');
    this.#named = strictnessOf;
  }

  of(name: string): Strictness {
    return this.#named.get(canonicalName(name)) ?? this.ofRest;
  }

  isNamed(name: string): boolean {
    return this.#named.has(canonicalName(name));
  }

  get anyLoose(): boolean {
    return this.ofRest === 'loose' || [...this.#named.values()].includes('loose');
  }
}
