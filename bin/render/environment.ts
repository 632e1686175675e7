import { formatSize, SETUP_KIND } from '../../lib/contract';
import type { ChangedPackage, EnvironmentDiff, ShownEnvironment } from '../../lib/runtime/environment/here';
import { labelled } from './label';
import type { Style } from './style';
import { clean, columnsOf, folded, padTo } from './text';
import { count, relativeTime } from './words';

type CarriedPackage = ShownEnvironment['packages'][number];

/** Paths named of one kind before it says how many more there are. */
const PATHS_SHOWN = 5;
/** Where the text behind a label begins. */
const INDENT = 10;

/** What `env show` prints. */
export function shownLines(shown: ShownEnvironment, { style, width }: { readonly style: Style; readonly width: number }): string[] {
  const { root, command, found, packages, packageBytes, files, access, notices } = shown;
  const rows = files.largest.map(({ path, bytes }) => `${formatSize(bytes).padStart(9)}  ${clean(path)}`);
  const besides = packageBytes === 0 ? [] : [`sources of packages, ${formatSize(packageBytes)}, besides the tree`];
  return [
    ...column('command', [command.length === 0 ? 'none named: a shell, with what is active here' : clean(command.join(' '))], style),
    ...found.flatMap((one) => packageLines(one, packages, style)),
    ...(found.every(({ kind }) => kind === SETUP_KIND)
      ? column('packages', ['none: the command needs neither Python nor Node'], style)
      : []),
    ...column(
      'files',
      [
        `${clean(root)}: ${count(files.files, 'file')}, ${formatSize(files.bytes)}${rows.length > 0 ? '; the largest:' : ''}`,
        ...rows,
        ...besides,
      ],
      style,
    ),
    ...column('access', access.length === 0 ? ['none: no AWS identity, no login'] : access, style),
    ...column(
      'notices',
      notices.flatMap(({ level, text }) => folded(`${level === 'warning' ? 'warning: ' : ''}${clean(text)}`, width - INDENT)),
      style,
    ),
    style.dim('Nothing was sent.'),
  ];
}

function packageLines(
  { kind, title, installedBytes }: ShownEnvironment['found'][number],
  packages: readonly CarriedPackage[],
  style: Style,
): string[] {
  if (kind === SETUP_KIND) return column(kind, [clean(title)], style);
  const own = packages.filter((one) => one.kind === kind);
  const widths = [
    Math.max(0, ...own.map(({ name }) => columnsOf(name))),
    Math.max(0, ...own.map(({ version }) => columnsOf(version))),
    Math.max(0, ...own.map((one) => columnsOf(sizeText(one)))),
  ] as const;
  const rows = own.map(
    (one) =>
      `  ${padTo(clean(one.name), widths[0])}  ${padTo(clean(one.version), widths[1])}  ${widths[2] === 0 ? '' : `${sizeText(one).padStart(widths[2])}  `}${clean(one.from)}${one.bytes === undefined ? '' : ` (${formatSize(one.bytes)})`}`,
  );
  const counted = own.length === 0 ? 'no packages' : count(own.length, 'package');
  const size = installedBytes === undefined ? '' : `, ${formatSize(installedBytes)} on a disk`;
  return column(kind, [`${clean(title)}: ${counted}${size}`, ...rows], style);
}

function sizeText({ installedBytes }: CarriedPackage): string {
  return installedBytes === undefined ? '' : formatSize(installedBytes);
}

/** What `env diff` prints. */
export function diffLines(diff: EnvironmentDiff, { style, now }: { readonly style: Style; readonly now: number }): string[] {
  const { since, found, packages, files, root } = diff;
  if (!since) return [`No run of ${clean(root)} was started on this machine: all of it would be new. rawcloud env show shows it.`];
  const lines = [
    ...[...found, ...packages.changed].map((change) => style.yellow(`~ ${changeText(change)}`)),
    ...packages.added.map((one) => style.green(`+ ${packageText(one)}`)),
    ...packages.removed.map((one) => style.red(`- ${packageText(one)}`)),
    ...(files ? fileLines(files, style) : [style.dim('what its files were like is not known here any more')]),
  ];
  const what = `since job ${since.job}, ${relativeTime(since.at, now)}: ${clean(since.command.join(' '))}`;
  return lines.length === 0 ? [`Nothing has changed ${what}`] : [style.dim(what), ...lines];
}

function changeText({ kind, name, from, to }: ChangedPackage): string {
  return `${kind === name ? name : `${kind}: ${clean(name)}`}  ${clean(from)} → ${clean(to)}`;
}

function packageText({ kind, name, version, from }: CarriedPackage): string {
  return [`${kind}: ${clean(name)}`, clean(version), clean(from)].filter((part) => part !== '').join('  ');
}

function fileLines({ added, changed, removed }: NonNullable<EnvironmentDiff['files']>, style: Style): string[] {
  const of = (mark: string, what: string, paths: readonly string[]): string[] => {
    if (paths.length === 0) return [];
    const more = paths.length > PATHS_SHOWN ? ` and ${paths.length - PATHS_SHOWN} more` : '';
    return [`${mark} ${count(paths.length, 'file')} ${what}: ${paths.slice(0, PATHS_SHOWN).map(clean).join(', ')}${more}`];
  };
  return [
    ...of('~', 'changed', changed).map(style.yellow),
    ...of('+', 'new', added).map(style.green),
    ...of('-', 'gone', removed).map(style.red),
  ];
}

function column(label: string, lines: readonly string[], style: Style): string[] {
  return lines.map((line, i) => labelled(i === 0 ? label : '', line, style));
}
