/**
 * Reads pip's configuration files: `[section]`, `name = value` or `name: value`, indented lines go on with the value
 * before them, `#` and `;` begin comments. Later sections win over earlier ones: pip reads [global] before [install].
 */
export function readIni(text: string, sections: readonly string[]): Map<string, string> {
  const bySection = parseSections(text);
  return new Map(sections.flatMap((section) => [...(bySection.get(section) ?? [])]));
}

function parseSections(text: string): Map<string, Map<string, string>> {
  const sections = new Map<string, Map<string, string>>();
  let section = new Map<string, string>();
  let name: string | undefined;
  for (const line of text.split(/\r?\n/)) {
    if (/^\s*([#;]|$)/.test(line)) continue;
    const header = /^\[([^\]]+)\]/.exec(line)?.[1];
    if (header !== undefined) {
      section = sections.get(header) ?? new Map<string, string>();
      sections.set(header, section);
      name = undefined;
    } else if (/^\s/.test(line) && name !== undefined) {
      section.set(name, `${section.get(name) ?? ''} ${line.trim()}`.trim());
    } else {
      const match = /^([^=:]+?)\s*[=:]\s*(.*)$/.exec(line);
      name = match?.[1]?.trim().toLowerCase().replaceAll('_', '-');
      if (name !== undefined) section.set(name, match?.[2]?.trim() ?? '');
    }
  }
  return sections;
}
