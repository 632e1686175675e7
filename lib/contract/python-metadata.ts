/* What installed Python packages say of themselves, as capture reads it here and builders read it on the VM. */

/** As PEP 503 compares names. */
export function canonicalName(name: string): string {
  return name.toLowerCase().replace(/[-_.]+/g, '-');
}

/**
 * Paths of a RECORD, relative to site-packages: the first column of CSV as Python's csv module writes it.
 * Source: PyPA specification "Recording installed projects".
 */
export function recordedPaths(text: string): string[] {
  return text.split(/\r?\n/).flatMap((line) => {
    const quoted = /^"((?:[^"]|"")*)"/.exec(line)?.[1];
    // Some writers do not quote: hash and size, the last two columns, hold no comma.
    const plain = /^(.*),[^,]*,[^,]*$/.exec(line)?.[1] ?? line.split(',', 1)[0]!;
    const name = quoted === undefined ? plain : quoted.replaceAll('""', '"');
    return name === '' ? [] : [name];
  });
}

/** A program that an installer writes by itself. */
export interface EntryPoint {
  readonly name: string;
  readonly module: string;
  readonly attribute: string;
}

/** Programs that an entry_points.txt asks for. Source: PyPA specification "Entry points". */
export function entryPointsIn(text: string): EntryPoint[] {
  let wanted = false;
  return text.split(/\r?\n/).flatMap((line) => {
    const section = /^\s*\[(.*)\]/.exec(line)?.[1]?.trim();
    if (section !== undefined) wanted = section === 'console_scripts' || section === 'gui_scripts';
    const found = /^\s*([^#;=\s/][^=/]*?)\s*=\s*([\w.]+)\s*:\s*([\w.]+)/.exec(line);
    return wanted && section === undefined && found ? [{ name: found[1]!, module: found[2]!, attribute: found[3]! }] : [];
  });
}
