import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { App } from 'aws-cdk-lib';
import type { Stack } from 'aws-cdk-lib';
import { ACCOUNT, KEYS, REGION, ROOT, URL } from './moto';

const CLI = path.join(ROOT, 'node_modules/aws-cdk/bin/cdk');
const APP = path.join(ROOT, 'dist/bin/app.js');

/** A resource of a template, as far as we look into it. */
export interface Resource {
  readonly Type: string;
  readonly Properties: Record<string, unknown>;
}

/** Our CDK app at work: the bundled app and the real CLI, in a directory of its own. */
export class CdkApp {
  /** Logical ids of the app's own resources. */
  #own: readonly string[] | undefined;

  private constructor(
    readonly directory: string,
    readonly stackName: string,
    private readonly region: string = REGION,
  ) {}

  /** Synthesizes the scaffolding of that name. */
  static async synthesize(name: string): Promise<CdkApp> {
    const directory = await mkdtemp(path.join(os.tmpdir(), 'rawcloud-cdk-'));
    const app = new CdkApp(directory, name === 'default' ? 'RawCloud' : `RawCloud-${name}`);
    const context = name === 'default' ? [] : ['--context', `name=${name}`];
    await app.#cdk('synth', ['--app', `${process.execPath} ${APP}`, '--output', app.#assembly, '--quiet', ...context]);
    return app;
  }

  /** As somebody's own app with our constructs in it, synthesized in this process. */
  static async of(stackName: string, make: (app: App, stackName: string) => Stack, region?: string): Promise<CdkApp> {
    const directory = await mkdtemp(path.join(os.tmpdir(), 'rawcloud-cdk-'));
    const cdkApp = new CdkApp(directory, stackName, region);
    const app = new App({ outdir: cdkApp.#assembly });
    make(app, stackName);
    app.synth();
    return cdkApp;
  }

  /** What an administrator does once in an account's region: the functions' code lies in its bucket. moto cannot do it twice. */
  static async bootstrap(region?: string): Promise<void> {
    const app = new CdkApp(await mkdtemp(path.join(os.tmpdir(), 'rawcloud-cdk-')), 'CDKToolkit', region);
    try {
      await app.#cdk('bootstrap', [`aws://${ACCOUNT}/${app.region}`, '--method=direct', '--no-previous-parameters']);
    } finally {
      await app.close();
    }
  }

  async resources(): Promise<Record<string, Resource>> {
    return (await this.#template()).Resources;
  }

  /**
   * Deploys without a change set, for moto's lose their outputs.
   * @param more resources of somebody else, in the same stack
   * @returns what the CLI said
   */
  async deploy(more: Readonly<Record<string, Resource>> = {}): Promise<string> {
    await this.#prepare(more);
    return this.#cdk('deploy', ['--app', this.#assembly, '--method=direct', '--no-previous-parameters', '--require-approval=never']);
  }

  /** Resources that differ from what is deployed, in the CLI's words. */
  async diff(): Promise<string> {
    return this.#cdk('diff', ['--app', this.#assembly, '--no-change-set']);
  }

  async destroy(): Promise<void> {
    await this.#cdk('destroy', ['--app', this.#assembly, '--force']);
  }

  async close(): Promise<void> {
    await rm(this.directory, { recursive: true, force: true });
  }

  get #assembly(): string {
    return path.join(this.directory, 'cdk.out');
  }

  get #templateFile(): string {
    return path.join(this.#assembly, `${this.stackName}.template.json`);
  }

  async #template(): Promise<{ Resources: Record<string, Resource> }> {
    return JSON.parse(await readFile(this.#templateFile, 'utf8')) as { Resources: Record<string, Resource> };
  }

  /**
   * moto 5.2 takes a rule with a schedule for one that fits every event, whose function it then cannot call: so PutEvents
   * would fail.
   */
  async #prepare(more: Readonly<Record<string, Resource>>): Promise<void> {
    const template = await this.#template();
    this.#own ??= Object.keys(template.Resources);
    const own = Object.entries(template.Resources).filter(([id]) => this.#own!.includes(id));
    template.Resources = { ...Object.fromEntries(own), ...more };
    for (const { Type, Properties } of Object.values(template.Resources)) {
      if (Type === 'AWS::Events::Rule' && 'ScheduleExpression' in Properties) delete Properties['Targets'];
    }
    await writeFile(this.#templateFile, JSON.stringify(template));
  }

  async #cdk(verb: string, args: readonly string[]): Promise<string> {
    const quiet = ['--no-notices', '--no-version-reporting', '--no-color', '--ci'];
    const { stdout } = await promisify(execFile)(process.execPath, [CLI, verb, ...args, ...quiet], {
      cwd: this.directory,
      env: { ...awsEnv(this.region), HOME: this.directory, TMPDIR: this.directory, CDK_DISABLE_CLI_TELEMETRY: 'true' },
    });
    return stdout;
  }
}

/** What somebody's shell would hold who works against moto. */
export function awsEnv(region: string = REGION): Record<string, string> {
  return {
    PATH: process.env['PATH'] ?? '',
    AWS_ENDPOINT_URL: URL,
    AWS_REGION: region,
    AWS_ACCESS_KEY_ID: KEYS.accessKeyId,
    AWS_SECRET_ACCESS_KEY: KEYS.secretAccessKey,
    AWS_EC2_METADATA_DISABLED: 'true',
    AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: 'true',
  };
}
