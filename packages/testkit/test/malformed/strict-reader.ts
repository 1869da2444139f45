/**
 * A reader of HTTP/1 that knows one way only to write a message, and shares no code with the proxies: what it can read,
 * nobody reads in another way. For tests: it is given all the bytes again each time.
 */
export interface StrictMessage {
  /** Request line or status line. */
  readonly first: string;
  /** Names in lower case. */
  readonly fields: readonly (readonly [name: string, value: string])[];
  readonly body: string;
}

export interface StrictReading {
  readonly messages: readonly StrictMessage[];
  /** What the rest of the bytes is: nothing, a message that is not whole yet, a tunnel's, or not HTTP as this reader knows it. */
  readonly rest: 'nothing' | 'partial' | 'tunnel' | `bad: ${string}`;
}

interface Rules {
  readonly first: RegExp;
  /** How the message that begins so is framed where no field says so. */
  readonly unframed: (first: string, index: number) => 'none' | 'close' | 'tunnel';
  /** It has no body, whatever its fields say. */
  readonly bodiless: (first: string, index: number) => boolean;
}

const REQUESTS: Rules = {
  first: /^[!#$%&'*+.^_`|~0-9A-Za-z-]+ [\x21-\x7e]+ HTTP\/1\.1$/,
  unframed: (first) => (first.startsWith('CONNECT ') ? 'tunnel' : 'none'),
  bodiless: () => false,
};

/** `methods`: of the requests, in order. */
const responses = (methods: readonly string[]): Rules => ({
  first: /^HTTP\/1\.[01] [1-9][0-9]{2} [\t\x20-\x7e\x80-\xff]*$/,
  unframed: (first, i) => (methods[i] === 'CONNECT' && /^HTTP\/1\.[01] 2/.test(first) ? 'tunnel' : 'close'),
  bodiless: (first, i) => methods[i] === 'HEAD' || /^HTTP\/1\.[01] (1..|204|304) /.test(first),
});

const FIELD =
  /^([!#$%&'*+.^_`|~0-9A-Za-z-]+): ?([\x21-\x7e\x80-\xff](?:[\t\x20-\x7e\x80-\xff]*[\x21-\x7e\x80-\xff])?)?$/;
const CRLF = '\r\n';

export const readRequests = (bytes: string): StrictReading => read(bytes, REQUESTS, false);

/** `closed`: the peer has ended its side, which ends a body that has no length. */
export const readResponses = (bytes: string, methods: readonly string[], closed: boolean): StrictReading =>
  read(bytes, responses(methods), closed);

function read(bytes: string, rules: Rules, closed: boolean): StrictReading {
  const messages: StrictMessage[] = [];
  let at = 0;
  const end = (rest: StrictReading['rest']): StrictReading => ({ messages, rest });
  while (at < bytes.length) {
    const headEnd = bytes.indexOf(CRLF + CRLF, at);
    if (headEnd < 0) return end('partial');
    const [first = '', ...lines] = bytes.slice(at, headEnd).split(CRLF);
    if (!rules.first.test(first)) return end(`bad: first line ${JSON.stringify(first)}`);
    const fields: [string, string][] = [];
    for (const line of lines) {
      const match = FIELD.exec(line);
      if (match === null) return end(`bad: field ${JSON.stringify(line)}`);
      fields.push([(match[1] as string).toLowerCase(), match[2] ?? '']);
    }
    const all = (name: string): string[] => fields.flatMap(([each, value]) => (each === name ? [value] : []));
    const [lengths, codings] = [all('content-length'), all('transfer-encoding')];
    if (lengths.length + codings.length > 1) return end('bad: more than one length');
    if (rules === REQUESTS && all('host').length !== 1) return end('bad: not one Host');
    if (codings[0] !== undefined && codings[0] !== 'chunked') return end('bad: a coding that is not chunked');
    if (lengths[0] !== undefined && !/^[0-9]{1,15}$/.test(lengths[0])) return end('bad: a length');
    at = headEnd + 4;
    const index = messages.length;
    const informational = /^HTTP\/1\.[01] 1(?!01)/.test(first);
    if (informational) continue;
    if (rules.bodiless(first, index)) messages.push({ first, fields, body: '' });
    else if (codings.length > 0) {
      const chunked = readChunked(bytes, at);
      if (typeof chunked === 'string') return end(chunked);
      messages.push({ first, fields, body: chunked.body });
      at = chunked.end;
    } else if (lengths[0] !== undefined) {
      const length = Number(lengths[0]);
      if (bytes.length - at < length) return end('partial');
      messages.push({ first, fields, body: bytes.slice(at, at + length) });
      at += length;
    } else {
      const kind = rules.unframed(first, index);
      if (kind === 'close' && !closed) return end('partial');
      messages.push({ first, fields, body: kind === 'close' ? bytes.slice(at) : '' });
      if (kind === 'tunnel') return end('tunnel');
      if (kind === 'close') return end('nothing');
    }
  }
  return end('nothing');
}

function readChunked(
  bytes: string,
  start: number,
): { readonly body: string; readonly end: number } | StrictReading['rest'] {
  let at = start;
  let body = '';
  for (;;) {
    const lineEnd = bytes.indexOf(CRLF, at);
    if (lineEnd < 0) return 'partial';
    const line = bytes.slice(at, lineEnd);
    if (!/^[0-9a-fA-F]{1,8}$/.test(line)) return `bad: chunk size ${JSON.stringify(line)}`;
    const size = Number.parseInt(line, 16);
    at = lineEnd + 2;
    if (size === 0) break;
    if (bytes.length < at + size + 2) return 'partial';
    if (bytes.slice(at + size, at + size + 2) !== CRLF) return 'bad: a chunk without its end';
    body += bytes.slice(at, at + size);
    at += size + 2;
  }
  for (;;) {
    const lineEnd = bytes.indexOf(CRLF, at);
    if (lineEnd < 0) return 'partial';
    const line = bytes.slice(at, lineEnd);
    at = lineEnd + 2;
    if (line === '') return { body, end: at };
    if (!FIELD.test(line) || /^(content-length|transfer-encoding|host):/i.test(line)) return 'bad: a trailer';
  }
}
