import { readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import { Wheels } from '../agent/wheels';
import { python3, writeVenv } from '../capture/package-fixtures';
import { House } from './house';
import type { Ended, Running } from './house';

const PACKAGES = ['one', 'two'].map((name) => ({ name, version: '1.0' }));

/** A house whose project has a virtual environment with the packages `one` and `two`, and VMs whose installer has them. */
export class PythonProject {
  private constructor(
    readonly house: House,
    readonly wheels: Wheels,
    readonly pathBefore: string | undefined,
  ) {}

  static async open(): Promise<PythonProject> {
    const before = process.env['PATH'];
    const wheels = new Wheels(path.join(process.env['TMPDIR']!, 'wheels'));
    // The machines of the local cloud have the PATH of this process.
    process.env['PATH'] = [wheels.bin, before].join(':');
    const project = new PythonProject(await House.open(), wheels, before);
    for (const { name, version } of PACKAGES) wheels.add(name, version);
    writeVenv(project.#venv, PACKAGES, python3?.minor);
    return project;
  }

  get #venv(): string {
    return path.join(this.house.project, '.venv');
  }

  /** The CLI, with the virtual environment active. */
  start(words: readonly string[]): Running {
    return this.house.start([...words], { env: { VIRTUAL_ENV: this.#venv } });
  }

  rawcloud(words: readonly string[]): Promise<Ended> {
    return this.start(words).ended;
  }

  /** What VMs have installed, in order: `one==1.0`. */
  installed(): string[] {
    return readFileSync(this.wheels.log, 'utf8').split('\n').filter(Boolean);
  }

  async close(): Promise<void> {
    process.env['PATH'] = this.pathBefore;
    this.wheels.letGo();
    await this.house.close();
    rmSync(this.wheels.directory, { recursive: true });
  }
}
