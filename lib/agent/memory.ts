import { readFile } from 'node:fs/promises';

/** Processes that the kernel has killed for want of memory since boot; 0 where it does not say. Source: proc(5), /proc/vmstat. */
export async function readOomKills(read: (file: string) => Promise<string> = (file) => readFile(file, 'utf8')): Promise<number> {
  const text = await read('/proc/vmstat').catch(() => '');
  return Number(/^oom_kill (\d+)$/m.exec(text)?.[1] ?? 0);
}
