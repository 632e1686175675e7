/**
 * Directories that every VM has of its own, so that a path in them means the VM's: programs, libraries, devices and settings.
 * Neither /home, /mnt, /srv, /tmp nor /var is among them: data lies there, and a VM does not have it.
 */
const SYSTEM = /^\/(bin|boot|sbin|usr|lib(32|64|x32)?|opt|etc|dev|proc|sys|run|System|Library|Applications|private\/etc)(\/|$)/;

/** Means the VM's own file. So do the bare names of places that exist everywhere (`ls /`, `--scratch=/tmp`). */
export function isSystemPath(absolute: string): boolean {
  return SYSTEM.test(absolute) || /^\/(tmp|var|var\/tmp|var\/log|home|mnt|srv|root)?\/?$/.test(absolute);
}
