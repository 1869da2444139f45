// Adds to package-lock.json the optional packages that npm left out, or with --check says which those are.
//
// Native packages list one optional dependency per platform. Where a registry mirror lacks one of them, `npm install`
// drops it from the lock without a word, and `npm ci` then refuses the lock on every platform. The version is exact in
// the package that lists it; integrity is unknown here, and npm adds it when it meets the package.
import { readFileSync, writeFileSync } from 'node:fs';

const FILE = new URL('../package-lock.json', import.meta.url);
const OS = ['aix', 'android', 'darwin', 'freebsd', 'linux', 'netbsd', 'openbsd', 'openharmony', 'sunos', 'win32'];
const CPU = ['arm64', 'arm', 'x64', 'ia32', 'loong64', 'mips64el', 'ppc64', 'riscv64', 's390x', 'wasm32'];

/** `os`, `cpu` and `libc` as the name of a platform package tells them. */
function platformOf(name) {
  const parts = name.split('/').at(-1).split('-');
  const has = (word) => parts.includes(word);
  const cpu = CPU.find(has);
  const libc = has('musl') ? 'musl' : has('gnu') || has('gnueabihf') ? 'glibc' : undefined;
  return {
    ...(cpu === undefined ? {} : { cpu: [cpu] }),
    ...(libc === undefined ? {} : { libc: [libc] }),
    ...(OS.some(has) ? { os: [OS.find(has)] } : {}),
  };
}

const lock = JSON.parse(readFileSync(FILE, 'utf8'));
const missing = new Map();
for (const entry of Object.values(lock.packages)) {
  for (const [name, version] of Object.entries(entry.optionalDependencies ?? {})) {
    const path = `node_modules/${name}`;
    // Ranges are npm's to resolve; platform packages are pinned to the version of their parent.
    if (lock.packages[path] !== undefined || !/^\d+\.\d+\.\d+/.test(version)) continue;
    missing.set(path, {
      version,
      ...platformOf(name),
      ...(entry.dev ? { dev: true } : {}),
      license: entry.license,
      optional: true,
    });
  }
}

if (missing.size > 0 && process.argv.includes('--check')) {
  process.stderr.write(
    `package-lock.json lacks ${[...missing.keys()].join(', ')}\nrun: node scripts/complete-lock.mjs\n`,
  );
  process.exitCode = 1;
} else if (missing.size > 0) {
  for (const [path, entry] of missing) lock.packages[path] = entry;
  const paths = Object.keys(lock.packages).sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));
  lock.packages = Object.fromEntries(paths.map((path) => [path, lock.packages[path]]));
  writeFileSync(FILE, `${JSON.stringify(lock, undefined, 2)}\n`);
}
