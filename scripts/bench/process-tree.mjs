import { existsSync, readdirSync, readFileSync } from 'node:fs';

/** Of /proc/PID/stat, in which Linux counts CPU time for everyone (USER_HZ). */
const TICKS_PER_SECOND = 100;
const KNOWN = existsSync('/proc/self/stat');

/**
 * What processes and all their descendants have used; NaN where the system is not Linux.
 *
 * @param {readonly number[]} roots
 */
export function treeOf(roots) {
  const pids = roots.flatMap((pid) => [pid, ...descendants(pid)]);
  return {
    /** Microseconds in user and system mode, those of children included that have ended. */
    cpu: () => (KNOWN ? (sum(pids.map(ticks)) * 1_000_000) / TICKS_PER_SECOND : Number.NaN),
    /** Bytes. What several processes share is counted once; where the system does not tell, several times. */
    memory: () => (KNOWN ? sum(pids.map(resident)) * 1024 : Number.NaN),
  };
}

const sum = (numbers) => numbers.reduce((total, number) => total + number, 0);

function read(path) {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    // The process has ended, or is somebody else's.
    return undefined;
  }
}

function descendants(pid) {
  let threads = [];
  try {
    threads = readdirSync(`/proc/${pid}/task`);
  } catch {
    // Ended.
  }
  const children = threads.flatMap((thread) => {
    const list = read(`/proc/${pid}/task/${thread}/children`) ?? '';
    return list.split(' ').filter((child) => child !== '');
  });
  return children.flatMap((child) => [Number(child), ...descendants(child)]);
}

/** proc_pid_stat(5): fields 14 to 17 are utime, stime, cutime, cstime; the second one may hold anything, in parentheses. */
function ticks(pid) {
  const stat = read(`/proc/${pid}/stat`);
  if (stat === undefined) return 0;
  return sum(
    stat
      .slice(stat.lastIndexOf(')') + 2)
      .split(' ')
      .slice(11, 15)
      .map(Number),
  );
}

/** Kilobytes. */
function resident(pid) {
  const shared = /^Pss:\s+(\d+)/m.exec(read(`/proc/${pid}/smaps_rollup`) ?? '');
  const own = shared ?? /^VmRSS:\s+(\d+)/m.exec(read(`/proc/${pid}/status`) ?? '');
  return Number(own?.[1] ?? 0);
}
