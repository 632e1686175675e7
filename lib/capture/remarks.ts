import { showPaths } from '../contract';
import type { BytePath, Notice } from '../contract';

/** What a walk has to tell: one notice of a kind, however many paths it is about. */
export class Remarks {
  /** Ignored, but named in the command or by a package. */
  readonly named: BytePath[] = [];
  /** Named directories that are not ignored, unlike all that is in them. */
  readonly hollow: BytePath[] = [];
  /** Links that lead out of the tree. */
  readonly outside: BytePath[] = [];
  /** Sockets, pipes and devices. */
  readonly special: BytePath[] = [];
  /** Environments of packages in what is taken along whole. */
  readonly environments: BytePath[] = [];
  readonly #others: Notice[] = [];

  add(...notices: readonly Notice[]): void {
    this.#others.push(...notices);
  }

  notices(): Notice[] {
    const remark = (paths: readonly BytePath[], level: Notice['level'], say: (shown: string) => string): Notice[] =>
      paths.length === 0 ? [] : [{ level, text: say(showPaths([...paths].sort())) }];
    return [
      ...this.#others,
      ...remark(this.named, 'info', (shown) => `ignored, but travels because the command or a package names it: ${shown}`),
      ...remark(
        this.hollow,
        'warning',
        (shown) =>
          `everything in it is ignored and does not travel: ${shown}; name the files, or re-include them in .rawcloudignore (as !data/*)`,
      ),
      ...remark(this.outside, 'warning', (shown) => `link leads out of the tree, probably to nothing on the VM: ${shown}`),
      ...remark(this.environments, 'info', (shown) => `left out, as environments of packages travel by another way: ${shown}`),
      ...remark(this.special, 'info', (shown) => `left out, as it is a socket, pipe or device: ${shown}`),
    ];
  }
}
