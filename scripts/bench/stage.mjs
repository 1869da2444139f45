import { spawn } from 'node:child_process';
import { accessSync, closeSync, constants, mkdirSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

/** Milliseconds that a process may take until it accepts connections, and until it has ended after SIGTERM. */
const START_LIMIT = 15_000;
const END_LIMIT = 8_000;

/**
 * The processes that one row needs, and a folder for their files. Whoever makes a stage closes it: every process that it
 * started has then ended, and the folder is gone.
 */
export class Stage {
  /** @type {Set<Stage>} */
  static #open = new Set();
  /** @type {import('node:child_process').ChildProcess[]} */
  #children = [];
  #names = new Map();

  constructor() {
    this.folder = mkdtempSync(join(tmpdir(), 'chain407-bench-'));
    Stage.#open.add(this);
  }

  /** For the way out in a hurry. */
  static killAll() {
    for (const stage of Stage.#open) {
      for (const child of stage.#children) child.kill('SIGKILL');
      rmSync(stage.folder, { recursive: true, force: true });
    }
  }

  /**
   * A folder of its own for a process.
   *
   * @param {string} name
   */
  subfolder(name) {
    const count = (this.#names.get(name) ?? 0) + 1;
    this.#names.set(name, count);
    const folder = join(this.folder, `${name}-${count}`);
    mkdirSync(folder);
    return folder;
  }

  /**
   * Starts a program. What it says goes to a file, which a failure quotes.
   *
   * @param {string} command
   * @param {readonly string[]} args
   * @param {{ folder: string, env?: Record<string, string> }} options
   */
  start(command, args, { folder, env = {} }) {
    const log = join(folder, 'output.log');
    const output = openSync(log, 'w');
    const child = spawn(command, args, {
      cwd: folder,
      stdio: ['ignore', output, output],
      env: { ...environment(), ...env },
    });
    closeSync(output);
    this.#children.push(child);
    child.on('error', () => undefined);
    return { pid: child.pid ?? 0, child, said: () => readFileSync(log, 'utf8').slice(-2000) };
  }

  /**
   * Starts a program that listens on a port it was told, and waits until it accepts.
   *
   * @param {string} command
   * @param {readonly string[]} args
   * @param {{ folder: string, port: number }} options
   */
  async startListener(command, args, { folder, port }) {
    const { pid, child, said } = this.start(command, args, { folder });
    await until(() => accepts(port), child, command, said);
    return pid;
  }

  /**
   * Starts a program of ours that writes a line of JSON to a file or to stdout once it listens.
   *
   * @param {readonly string[]} args of node
   * @param {{ folder: string, ready?: string, env?: Record<string, string> }} options `ready`: the file; default: what it says
   */
  async startNode(args, { folder, ready = join(folder, 'output.log'), env }) {
    const { pid, child, said } = this.start(process.execPath, args, { folder, env });
    let line = '';
    await until(
      () => {
        try {
          line = readFileSync(ready, 'utf8');
        } catch {
          // Not there yet.
        }
        return line.endsWith('\n');
      },
      child,
      args.find((arg) => !arg.startsWith('-')) ?? 'node',
      said,
    );
    return { pid, told: JSON.parse(line) };
  }

  async close() {
    await Promise.all(this.#children.map(end));
    rmSync(this.folder, { recursive: true, force: true });
    Stage.#open.delete(this);
  }
}

/** @param {string} name of a file beside this one */
export const beside = (name) => fileURLToPath(new URL(name, import.meta.url));

/** Without the proxies of whoever runs this. Daemons lie where the PATH of an ordinary user does not look. */
export function environment() {
  const kept = Object.entries(process.env).filter(([name]) => !/_proxy$|^NODE_OPTIONS$/i.test(name));
  return { ...Object.fromEntries(kept), PATH: searchPath().join(delimiter) };
}

const searchPath = () => [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin', '/sbin'];

/** @param {string} program */
export function installed(program) {
  return searchPath().some((folder) => {
    try {
      accessSync(join(folder, program), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

/** A port that nobody listens on. */
export function freePort() {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}

/** @param {number} port */
function accepts(port) {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}

async function until(condition, child, name, said) {
  for (const limit = Date.now() + START_LIMIT; Date.now() < limit; await pause(20)) {
    if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) break;
    if (await condition()) return;
  }
  throw new Error(`${name} did not start; it said:\n${said()}`);
}

/** @param {import('node:child_process').ChildProcess} child */
async function end(child) {
  const gone = () => child.exitCode !== null || child.signalCode !== null || child.pid === undefined;
  if (gone()) return;
  const ended = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGTERM');
  const timer = setTimeout(() => child.kill('SIGKILL'), END_LIMIT);
  await ended;
  clearTimeout(timer);
}
