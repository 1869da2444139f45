/**
 * Reads HTTP/1 messages by the letter of RFC 9112, and nothing that it does not have: the judge of this suite. On
 * purpose it shares no code with the readers that it judges. Text is Latin-1.
 */
export interface Message {
  /** The three parts of the start line. */
  readonly start: readonly [string, string, string];
  readonly fields: readonly Field[];
  readonly body: string;
  readonly trailers: readonly Field[];
}

export type Field = readonly [name: string, value: string];

/** What stands at the start of a text. */
export type Reading =
  | { readonly kind: 'message'; readonly message: Message; readonly rest: string; readonly after: After }
  /** So far it is right, and more has to come. `begun`: there is something of a message. */
  | { readonly kind: 'partial'; readonly begun: boolean }
  | { readonly kind: 'fault'; readonly why: string };

/** Whether HTTP goes on behind a message: `close`, it ends there; `tunnel`, the rest is another protocol's. */
export type After = 'http' | 'close' | 'tunnel';

/** What stands in a text from its start to its end. */
export interface Transcript {
  readonly messages: readonly Message[];
  readonly end: 'clean' | 'partial' | 'fault' | 'close' | 'tunnel';
  /** Says what the fault is. */
  readonly why: string;
  readonly rest: string;
}

type Framing = { readonly kind: 'none' | 'chunked' | 'close' } | { readonly kind: 'length'; readonly length: number };

class Fault extends Error {}
class More extends Error {}

const fault = (why: string): never => {
  throw new Fault(why);
};

const TOKEN = "[!#$%&'*+\\-.^_`|~0-9A-Za-z]+";
const FIELD = new RegExp(`^(${TOKEN}):[ \\t]*([\\t\\x20-\\x7e\\x80-\\xff]*?)[ \\t]*$`);
const REQUEST_LINE = new RegExp(`^(${TOKEN}) ([\\x21-\\x7e]+) (HTTP/1\\.[01])$`);
const STATUS_LINE = /^(HTTP\/1\.[01]) ([1-5][0-9][0-9]) ([\t\x20-\x7e\x80-\xff]*)$/;
const CHUNK_SIZE = new RegExp(
  `^([0-9A-Fa-f]{1,13})(?:;${TOKEN}(?:=(?:${TOKEN}|"(?:[\\t\\x20\\x21\\x23-\\x5b\\x5d-\\x7e\\x80-\\xff]|\\\\[\\t\\x20-\\x7e\\x80-\\xff])*"))?)*$`,
);
const HOST = /^(?:\[[0-9A-Fa-f:.]+\]|[\w.~!$&'()*+,;=%-]+)(?::[0-9]*)?$/;
/** RFC 9110 §6.5.1: what frames, routes or authenticates comes too late in a trailer section. */
const NO_TRAILER =
  /^(?:content-length|transfer-encoding|host|connection|trailer|te|upgrade|proxy-.*|authorization|set-cookie|content-type|content-encoding|content-range)$/i;

export const valuesOf = (fields: readonly Field[], name: string): string[] =>
  fields.flatMap(([key, value]) => (key.toLowerCase() === name ? [value] : []));

const membersOf = (fields: readonly Field[], name: string): string[] =>
  valuesOf(fields, name).flatMap((value) => value.split(',').map((member) => member.trim().toLowerCase()));

/** A place in a text. */
class Cursor {
  readonly text: string;
  at = 0;

  constructor(text: string) {
    this.text = text;
  }

  get rest(): string {
    return this.text.slice(this.at);
  }

  /** A line without its CRLF (RFC 9112 §2.2: a bare CR or LF is none). */
  line(): string {
    const end = this.text.slice(this.at).search(/[\r\n]/) + this.at;
    if (end < this.at) {
      if (/[\0\x7f]/.test(this.rest)) fault('a control character');
      throw new More();
    }
    if (this.text[end] === '\n') fault('a bare LF');
    if (end + 1 === this.text.length) throw new More();
    if (this.text[end + 1] !== '\n') fault('a bare CR');
    const line = this.text.slice(this.at, end);
    this.at = end + 2;
    return line;
  }

  take(length: number): string {
    if (this.text.length - this.at < length) throw new More();
    this.at += length;
    return this.text.slice(this.at - length, this.at);
  }

  fields(): Field[] {
    const fields: Field[] = [];
    for (let line = this.line(); line !== ''; line = this.line()) {
      const [, name = '', value = ''] = FIELD.exec(line) ?? fault(`a field line ${JSON.stringify(line)}`);
      fields.push([name, value]);
    }
    return fields;
  }

  chunks(): { readonly body: string; readonly trailers: readonly Field[] } {
    let body = '';
    for (;;) {
      const line = this.line();
      const [, digits = ''] = CHUNK_SIZE.exec(line) ?? fault(`a chunk size ${JSON.stringify(line)}`);
      const size = Number.parseInt(digits, 16);
      if (size === 0) break;
      body += this.take(size);
      // Seen as soon as it is there, or a wrong one would look like one to come.
      const end = this.text.slice(this.at, this.at + 2);
      if (!'\r\n'.startsWith(end)) fault('a chunk that is longer than its size');
      this.take(2);
    }
    const trailers = this.fields();
    const wrong = trailers.find(([name]) => NO_TRAILER.test(name));
    if (wrong !== undefined) fault(`${wrong[0]} in the trailers`);
    return { body, trailers };
  }

  content(framing: Framing): { readonly body: string; readonly trailers: readonly Field[] } {
    if (framing.kind === 'chunked') return this.chunks();
    if (framing.kind === 'length') return { body: this.take(framing.length), trailers: [] };
    return { body: framing.kind === 'close' ? this.take(this.rest.length) : '', trailers: [] };
  }
}

/** RFC 9112 §6: one length, written once, and nothing beside it. */
function framingOf(version: string, fields: readonly Field[], otherwise: Framing): Framing {
  const lengths = valuesOf(fields, 'content-length');
  const codings = valuesOf(fields, 'transfer-encoding');
  if (lengths.length + codings.length > 1) fault('more than one framing');
  const [coding] = codings;
  if (coding !== undefined) {
    if (version === 'HTTP/1.0') fault('a transfer coding in HTTP/1.0');
    return coding.toLowerCase() === 'chunked' ? { kind: 'chunked' } : fault(`the transfer coding ${coding}`);
  }
  const [length] = lengths;
  if (length === undefined) return otherwise;
  return /^[0-9]{1,15}$/.test(length) ? { kind: 'length', length: Number(length) } : fault(`the length ${length}`);
}

/** Content-Length of 0 is none. */
const hasContent = (framing: Framing): boolean =>
  framing.kind === 'chunked' || ('length' in framing && framing.length > 0);

function persists(version: string, fields: readonly Field[]): boolean {
  const options = membersOf(fields, 'connection');
  return !options.includes('close') && (version === 'HTTP/1.1' || options.includes('keep-alive'));
}

function reading(text: string, read: (cursor: Cursor) => { message: Message; after: After }): Reading {
  const cursor = new Cursor(text);
  try {
    const { message, after } = read(cursor);
    return { kind: 'message', message, after, rest: cursor.rest };
  } catch (error) {
    if (error instanceof More) return { kind: 'partial', begun: text !== '' };
    if (error instanceof Fault) return { kind: 'fault', why: error.message };
    throw error;
  }
}

/** Userinfo, a fragment and a second authority are in no target (RFC 9112 §3.2, RFC 9110 §4.2.4). */
function checkTarget(method: string, target: string, version: string, fields: readonly Field[]): void {
  const hosts = valuesOf(fields, 'host');
  if (hosts.length > 1 || (hosts.length === 0 && version === 'HTTP/1.1')) fault(`${hosts.length} Host to ${method}`);
  if (hosts[0] !== undefined && hosts[0] !== '' && !HOST.test(hosts[0])) fault(`the Host ${hosts[0]}`);
  if (method === 'CONNECT') {
    if (!HOST.test(target) || !/:[0-9]+$/.test(target)) fault('the target of CONNECT');
    return;
  }
  if (target.includes('#')) fault('a fragment');
  if (target === '*') {
    if (method !== 'OPTIONS') fault('* as a target');
    return;
  }
  if (target.startsWith('/')) return;
  const [, authority = ''] = /^https?:\/\/([^/?]*)/i.exec(target) ?? fault(`the target ${target}`);
  if (!HOST.test(authority)) fault(`the authority ${authority}`);
  if (hosts[0] !== undefined && place(hosts[0]) !== place(authority)) fault('Host and target disagree');
}

const place = (authority: string): string => authority.toLowerCase().replace(/:(?:80)?$/, '');

/** The request at the start. Empty lines before it are passed over (RFC 9112 §2.2). */
export function readRequest(text: string): Reading {
  const begin = /^(?:\r\n)*/.exec(text)?.[0].length ?? 0;
  return reading(text.slice(begin), (cursor) => {
    const line = cursor.line();
    const [, method = '', target = '', version = ''] =
      REQUEST_LINE.exec(line) ?? fault(`the line ${JSON.stringify(line)}`);
    const fields = cursor.fields();
    checkTarget(method, target, version, fields);
    const framing = framingOf(version, fields, { kind: 'none' });
    if (method === 'CONNECT' && hasContent(framing)) fault('CONNECT with content');
    const { body, trailers } = cursor.content(method === 'CONNECT' ? { kind: 'none' } : framing);
    const message: Message = { start: [method, target, version], fields, body, trailers };
    if (method === 'CONNECT') return { message, after: 'tunnel' };
    return { message, after: persists(version, fields) ? 'http' : 'close' };
  });
}

/** The response at the start; `closed`: nothing more will come. */
export function readResponse(text: string, method: string, closed: boolean): Reading {
  return reading(text, (cursor) => {
    const line = cursor.line();
    const [, version = '', status = '', reason = ''] =
      STATUS_LINE.exec(line) ?? fault(`the line ${JSON.stringify(line)}`);
    const fields = cursor.fields();
    const start = [version, status, reason] as const;
    const framing = framingOf(version, fields, { kind: 'close' });
    const silent = status.startsWith('1') || status === '204';
    // RFC 9110 §8.6 and RFC 9112 §6.1: not there, whatever it says.
    if (silent && framing.kind !== 'close') fault(`a framing with ${status}`);
    if (status === '101' || (method === 'CONNECT' && status.startsWith('2'))) {
      if (framing.kind !== 'close') fault('a framing with a tunnel');
      return { message: { start, fields, body: '', trailers: [] }, after: 'tunnel' };
    }
    const bodiless = silent || status === '304' || method === 'HEAD';
    if (!bodiless && framing.kind === 'close' && !closed) throw new More();
    const { body, trailers } = cursor.content(bodiless ? { kind: 'none' } : framing);
    const ends = !persists(version, fields) || (!bodiless && framing.kind === 'close');
    return { message: { start, fields, body, trailers }, after: ends && status >= '200' ? 'close' : 'http' };
  });
}

/** All requests of a text. Behind one that is the last, nothing is read (RFC 9112 §9.6). */
export function readRequests(text: string): Transcript {
  return transcript(text, readRequest);
}

/** All responses of a text; `methodOf` says what the nth final one answers. */
export function readResponses(text: string, methodOf: (n: number) => string, closed: boolean): Transcript {
  let finals = 0;
  return transcript(text, (rest) => {
    const read = readResponse(rest, methodOf(finals), closed);
    if (read.kind === 'message' && isFinal(read.message)) finals += 1;
    return read;
  });
}

export const isFinal = ({ start: [, status] }: Message): boolean => !status.startsWith('1') || status === '101';

function transcript(text: string, read: (rest: string) => Reading): Transcript {
  const messages: Message[] = [];
  for (let rest = text; ; ) {
    const next = read(rest);
    if (next.kind === 'fault') return { messages, end: 'fault', why: next.why, rest };
    if (next.kind === 'partial') return { messages, end: next.begun ? 'partial' : 'clean', why: '', rest };
    messages.push(next.message);
    rest = next.rest;
    if (next.after !== 'http') return { messages, end: next.after, why: '', rest };
  }
}
