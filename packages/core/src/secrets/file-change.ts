import type { FSWatcher } from 'node:fs';
import { statSync, unwatchFile, watch, watchFile } from 'node:fs';
import { dirname } from 'node:path';

/** Milliseconds between looks at a file whose changes the system does not tell. */
const POLL_INTERVAL = 5_000;

/** Milliseconds for whoever writes to finish: a file that is rewritten in place is empty for a moment. */
const SETTLE = 100;

/** What a file with the same name but other content or other permissions does not share; equal where it is the same. */
export type FileIdentity = string;

/** `undefined` for what has no content of its own that could change: a pipe, a device. */
export function identityOf(path: string): FileIdentity | undefined {
  try {
    const stats = statSync(path, { bigint: true });
    const { dev, ino, size, mtimeNs, ctimeNs } = stats;
    return stats.isFile() || stats.isDirectory() ? [dev, ino, size, mtimeNs, ctimeNs].join(' ') : undefined;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code ?? 'unknown';
  }
}

/**
 * Calls `onChange` after the file at `path` has become another one than `since`: rewritten, replaced by a rename, or
 * reached through a symbolic link that was swapped, as Kubernetes does with the `..data` beside the files of a volume. A
 * file that comes and goes counts, too. Keeps no process alive. Returns how to stop.
 *
 * Two ways at a time: the folder tells of all but what happens behind a link to elsewhere, at once; looking at the file
 * now and then finds the rest, on network drives and where the system has no more watches to give.
 */
export function onFileChange(
  path: string,
  since: FileIdentity,
  onChange: () => void,
  pollInterval: number = POLL_INTERVAL,
): () => void {
  let seen = since;
  let settling: NodeJS.Timeout | undefined;
  // The first event sets the time, not the last: in a folder that never rests, a look would never come.
  const look = (): void => {
    settling ??= setTimeout(() => {
      settling = undefined;
      const found = identityOf(path);
      if (found === undefined || found === seen) return;
      seen = found;
      onChange();
    }, SETTLE).unref();
  };
  const folder = watchFolder(dirname(path), look);
  watchFile(path, { persistent: false, interval: pollInterval }, look);
  // What has happened since `since`, and before this.
  look();
  return () => {
    clearTimeout(settling);
    folder?.close();
    unwatchFile(path, look);
  };
}

function watchFolder(folder: string, onEvent: () => void): FSWatcher | undefined {
  try {
    const watcher = watch(folder, { persistent: false }, onEvent);
    watcher.on('error', () => watcher.close());
    return watcher;
  } catch {
    // No such folder, or no watches left: looking now and then remains.
    return undefined;
  }
}
