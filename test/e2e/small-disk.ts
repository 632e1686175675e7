import { execFileSync } from 'node:child_process';
import { mkdirSync, statfsSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { hasCode } from '../../lib/contract';

/** A small disk of its own, which others can fill. */
export class SmallDisk {
  private constructor(readonly directory: string) {}

  /** @throws where that is not allowed */
  static mount(directory: string, mebibytes: number): SmallDisk {
    mkdirSync(directory, { recursive: true });
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${mebibytes}m,mode=755`, 'rawcloud-test', directory], { stdio: 'pipe' });
    return new SmallDisk(directory);
  }

  get freeBytes(): number {
    const { bavail, bsize } = statfsSync(this.directory);
    return bavail * bsize;
  }

  /** Takes all but so much of what is free; less is left when others write meanwhile. */
  fill(leaving: number): void {
    try {
      writeFileSync(path.join(this.directory, 'of-somebody-else'), Buffer.alloc(Math.max(0, this.freeBytes - leaving)));
    } catch (error) {
      if (!hasCode(error, 'ENOSPC')) throw error;
    }
  }

  unmount(): void {
    execFileSync('umount', ['--lazy', this.directory], { stdio: 'pipe' });
  }
}
