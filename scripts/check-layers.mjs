#!/usr/bin/env node
// The import rules of the workspace: node scripts/check-layers.mjs [ROOT]. Prints FILE:LINE: rule for each breach and exits with 1.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { isBuiltin } from 'node:module';
import { dirname, join, relative, resolve, sep } from 'node:path';
import { parseSync } from '@swc/core';

/** What each package may import of the workspace. */
const MAY_IMPORT = {
  auth: [],
  core: ['auth'],
  downstream: ['auth', 'core'],
  upstream: ['auth', 'core'],
  testkit: ['auth', 'core', 'downstream', 'upstream'],
  cli: ['auth', 'core', 'downstream', 'upstream', 'testkit'],
};

/** Libraries that only these files may load, because each of them needs care that lives there. */
const LIBRARIES = [
  [
    /^http-proxy$/,
    /^packages\/upstream\/src\/(.*\/)?(forward|http-proxy)[^/]*\.ts$/,
    'http-proxy stays behind the guards of the forward',
  ],
  [
    /^proxy-agent$/,
    /^packages\/(upstream\/src\/(.*\/)?egress[^/]*\.ts|testkit\/)/,
    'proxy-agent is for egress and for tests',
  ],
  [/^undici$/, /^$/, 'undici hides the socket; use UpstreamConnection or node:http'],
];

/** All of Node that the sans-IO library may use. */
const AUTH_MAY_USE = {
  'node:crypto': ['createHash', 'createHmac', 'timingSafeEqual', 'getHashes'],
  'node:buffer': ['Buffer'],
};
const AMBIENT = new Set([
  ...['process', 'performance', 'fetch', 'crypto', 'globalThis', 'console', 'queueMicrotask'],
  ...['setTimeout', 'setInterval', 'setImmediate', 'WebSocket', 'XMLHttpRequest'],
]);
/** These send requests over sockets of their own. */
const HTTP_CLIENT = ['request', 'get', 'Agent', 'globalAgent', 'ClientRequest', 'default', '*'];

/** Reads a file into imports and references, each with its line. */
function read(file) {
  const bytes = readFileSync(file);
  // swc counts in bytes, from 1.
  const lineOf = ({ span }) =>
    bytes
      .subarray(0, span.start - 1)
      .toString()
      .split('\n').length;
  const found = { imports: [], members: [], names: [], constructed: [] };
  visit(parseSync(bytes.toString(), { syntax: 'typescript', target: 'es2023' }), found, lineOf);
  return found;
}

/** Where an identifier is a label of something, not a use of what is in scope. */
const LABELS = {
  MemberExpression: 'property',
  KeyValueProperty: 'key',
  MethodProperty: 'key',
  ClassMethod: 'key',
  ClassProperty: 'key',
};

function visit(node, found, lineOf) {
  if (Array.isArray(node)) {
    for (const one of node) visit(one, found, lineOf);
    return;
  }
  if (node === null || typeof node !== 'object') return;
  note(node, found, lineOf);
  if (node.type === 'ImportDeclaration' || (node.type?.startsWith('Ts') && !CARRIES_VALUES.has(node.type))) return;
  for (const [key, child] of Object.entries(node)) {
    if (key === 'span' || (LABELS[node.type] === key && child?.type === 'Identifier')) continue;
    visit(child, found, lineOf);
  }
}

/** TypeScript's own nodes are types, but for those that wrap an expression. */
const CARRIES_VALUES = new Set([
  'TsAsExpression',
  'TsSatisfiesExpression',
  'TsNonNullExpression',
  'TsTypeAssertion',
  'TsConstAssertion',
  'TsInstantiation',
]);

function note(node, { imports, members, names, constructed }, lineOf) {
  switch (node.type) {
    case 'ImportDeclaration':
      imports.push({
        from: node.source.value,
        line: lineOf(node),
        static: true,
        ...valuesOf(node.typeOnly, node.specifiers),
      });
      break;
    case 'ExportNamedDeclaration':
    case 'ExportAllDeclaration':
      if (node.source)
        imports.push({
          from: node.source.value,
          line: lineOf(node),
          static: true,
          ...valuesOf(node.typeOnly, node.specifiers),
        });
      break;
    case 'CallExpression': {
      const [first] = node.arguments;
      const required = node.callee.type === 'Identifier' && node.callee.value === 'require';
      if (node.callee.type !== 'Import' && !required) break;
      const from = first?.expression.type === 'StringLiteral' ? first.expression.value : undefined;
      if (from !== undefined) imports.push({ from, line: lineOf(node), static: required, types: false, values: ['*'] });
      break;
    }
    case 'MemberExpression':
      if (node.object.type === 'Identifier')
        members.push({ name: `${node.object.value}.${memberName(node.property)}`, line: lineOf(node) });
      break;
    case 'NewExpression':
      if (node.callee.type === 'Identifier')
        constructed.push({ name: node.callee.value, line: lineOf(node), bare: !node.arguments?.length });
      break;
    case 'Identifier':
      names.push({ name: node.value, line: lineOf(node) });
      break;
  }
}

const memberName = (property) => (property.type === 'Identifier' ? property.value : property.expression?.value) ?? '?';

/** The names that an import brings in as values; `types`: it brings in types alone. */
function valuesOf(typeOnly, specifiers) {
  if (specifiers === undefined) return { types: typeOnly === true, values: ['*'] };
  const values = specifiers.filter((one) => one.isTypeOnly !== true).map(importedName);
  return { types: typeOnly === true || (specifiers.length > 0 && values.length === 0), values: typeOnly ? [] : values };
}

function importedName(specifier) {
  if (specifier.type === 'ImportDefaultSpecifier') return 'default';
  if (specifier.type === 'ImportNamespaceSpecifier' || specifier.type === 'ExportNamespaceSpecifier') return '*';
  return (specifier.imported ?? specifier.orig ?? specifier.local).value;
}

/** Every rule: given a file of a package, yields [line, complaint]. */
const RULES = [directions, libraries, sansIo, argumentsAndExit, ownConnections];

function* directions({ package: name, path, imports, root }) {
  for (const { from, line } of imports) {
    const other = /^@chain407\/([^/]+)/.exec(from)?.[1];
    if (other !== undefined && other !== name && !MAY_IMPORT[name].includes(other)) {
      yield [
        line,
        `${name} may not import ${other}; imports point one way: cli, testkit, {downstream, upstream}, core, auth`,
      ];
    }
    if (!from.startsWith('.')) continue;
    const target = relative(root, resolve(root, dirname(path), from)).split(sep);
    if (target[1] !== name)
      yield [line, `"${from}" leaves the package; import @chain407/${target[1] ?? '…'} by its name`];
  }
}

function* libraries({ path, imports }) {
  for (const { from, line, types } of imports) {
    for (const [library, home, reason] of LIBRARIES) {
      if (library.test(from) && !types && !home.test(path)) yield [line, reason];
    }
  }
}

function* sansIo({ package: name, imports, members, names, constructed }) {
  if (name !== 'auth') return;
  for (const { from, line, values, types } of imports) {
    if (!isBuiltin(from) || types) continue;
    const allowed = AUTH_MAY_USE[from] ?? [];
    for (const value of values.filter((one) => !allowed.includes(one)))
      yield [line, `auth is sans-IO: it may not use ${value} of ${from}`];
  }
  for (const { name: used, line } of members) {
    if (used === 'Date.now' || used === 'Math.random') yield [line, `auth is sans-IO: ${used} comes in as a parameter`];
  }
  for (const { name: used, line, bare } of constructed) {
    if (used === 'Date' && bare) yield [line, 'auth is sans-IO: the time comes in as a parameter'];
  }
  for (const { name: used, line } of names) {
    if (AMBIENT.has(used)) yield [line, `auth is sans-IO: it may not use ${used}`];
  }
}

function* argumentsAndExit({ package: name, members, imports }) {
  if (name === 'cli') return;
  for (const { name: used, line } of members) {
    if (/^process\.(argv|argv0|execArgv|exit|exitCode|abort|reallyExit)$/.test(used))
      yield [line, `only cli may use ${used}`];
  }
  for (const { from, line } of imports) {
    if (/^(node:)?process$/.test(from)) yield [line, 'use the global process, so that what is used of it is seen'];
  }
}

function* ownConnections({ package: name, imports, names }) {
  if (name !== 'downstream') return;
  for (const { from, line, values } of imports) {
    if (!/^(node:)?https?$/.test(from)) continue;
    for (const value of values.filter((one) => HTTP_CLIENT.includes(one))) {
      yield [line, `downstream reaches its next hop by UpstreamConnection alone, not by ${value} of ${from}`];
    }
  }
  for (const { name: used, line } of names) {
    if (used === 'fetch') yield [line, 'downstream reaches its next hop by UpstreamConnection alone, not by fetch'];
  }
}

/** What is loaded when a tier is deployed: all that the command imports statically. The testkit is no part of it. */
function* deployed(files) {
  const waiting = ['packages/cli/src/main.ts'];
  const seen = new Set(waiting);
  for (const path of waiting) {
    for (const { from, line, types, static: atOnce } of files.get(path)?.imports ?? []) {
      if (types || !atOnce) continue;
      if (/^@chain407\/testkit(\/|$)/.test(from))
        yield [path, line, 'the command loads the testkit by import() only, where it is needed'];
      const next = join(dirname(path), from);
      if (!from.startsWith('.') || seen.has(next)) continue;
      seen.add(next);
      waiting.push(next);
    }
  }
}

function sources(root, name) {
  const folder = join(root, 'packages', name, 'src');
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { recursive: true })
    .filter((file) => /\.[cm]?ts$/.test(file))
    .map((file) => join(folder, file));
}

const root = resolve(process.argv[2] ?? join(import.meta.dirname, '..'));
const files = new Map();
for (const name of Object.keys(MAY_IMPORT)) {
  for (const file of sources(root, name)) {
    const path = relative(root, file).split(sep).join('/');
    files.set(path, { root, path, package: name, ...read(file) });
  }
}

const complaints = [...deployed(files)];
for (const file of files.values()) {
  for (const rule of RULES) for (const [line, complaint] of rule(file)) complaints.push([file.path, line, complaint]);
}
const lines = new Set(complaints.map(([path, line, complaint]) => `${path}:${line}: ${complaint}`));
for (const line of [...lines].sort()) process.stdout.write(`${line}\n`);
process.exitCode = lines.size > 0 || files.size === 0 ? 1 : 0;
if (files.size === 0) process.stderr.write(`check-layers: no packages in ${root}\n`);
