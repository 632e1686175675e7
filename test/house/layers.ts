/** A part of the code and what it may know of the others. */
export interface Layer {
  readonly name: string;
  readonly files: RegExp;
  /** Other layers whose files it may import, for types too. Its own it always may. */
  readonly knows: readonly string[];
  /** Families of packages that are shut up in some layers: see {@link CONFINED}. */
  readonly packages?: readonly (keyof typeof CONFINED)[];
  /** Imports no package and nothing of Node: what comes out depends on what goes in. */
  readonly pure?: boolean;
}

/** Packages that may be imported only by the layers that name the family. */
export const CONFINED = {
  sdk: /^@(aws-sdk|smithy)\//,
  cdk: /^(aws-cdk-lib|constructs)(\/|$)/,
} as const;

/** The first layer that fits a file is its own. Files that no layer fits are an error. */
export const LAYERS: readonly Layer[] = [
  { name: 'contract', files: /^lib\/contract\//, knows: [] },
  { name: 'capture', files: /^lib\/capture\//, knows: ['contract'] },
  { name: 'store', files: /^lib\/store\//, knows: ['contract'] },
  { name: 'aws', files: /^lib\/aws\//, knows: ['contract', 'store'], packages: ['sdk'] },
  { name: 'constructs', files: /^lib\/(constructs\/|index\.ts$)/, knows: ['contract', 'capture'], packages: ['cdk'] },
  { name: 'agent', files: /^lib\/agent\//, knows: ['contract', 'store', 'aws'] },
  { name: 'local', files: /^lib\/local\//, knows: ['contract', 'store'] },
  { name: 'plan', files: /^lib\/runtime\/plan\//, knows: ['contract'], pure: true },
  { name: 'cost', files: /^lib\/runtime\/cost\//, knows: ['contract'], pure: true },
  { name: 'advance', files: /^lib\/runtime\/advance\//, knows: ['contract'], pure: true },
  {
    name: 'runtime',
    files: /^lib\/runtime\//,
    knows: ['contract', 'capture', 'store', 'aws', 'local', 'plan', 'cost', 'advance'],
  },
  { name: 'app', files: /^bin\/app\.ts$/, knows: ['constructs', 'contract'], packages: ['cdk'] },
  { name: 'cli', files: /^bin\//, knows: ['contract', 'runtime', 'local'] },
  { name: 'lambda', files: /^lambda\//, knows: ['contract', 'runtime'] },
];
