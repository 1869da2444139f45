import { Unreadable } from '../../token68.ts';

/**
 * One element of DER (X.690 §8.1, §10.1) of what SPNEGO and Kerberos have: tags of one octet, definite lengths. Nothing
 * here recurses: how deep a structure goes, its reader says by its own lines.
 */
export interface Element {
  readonly tag: number;
  readonly content: Buffer;
  /** What follows the element. */
  readonly rest: Buffer;
}

/** Universal tags (X.690 §8), with the bit for "constructed" where DER wants it. */
export const TAG = {
  integer: 0x02,
  octetString: 0x04,
  objectIdentifier: 0x06,
  enumerated: 0x0a,
  generalString: 0x1b,
  sequence: 0x30,
} as const;

/** `[n]`, constructed and context-specific. */
export const context = (n: number): number => 0xa0 + n;
/** `[APPLICATION n]`, constructed. */
export const application = (n: number): number => 0x60 + n;

const INDEFINITE = 0x80;
/** Octets of a length; more than these a token cannot have (X.690 §8.1.3.5). */
const MAX_LENGTH_OCTETS = 4;
/** Octets of an arc of an OBJECT IDENTIFIER: 49 bits, which a number holds exactly. */
const MAX_ARC_OCTETS = 7;
const MAX_LIST = 64;

const hex = (tag: number): string => `0x${tag.toString(16).padStart(2, '0')}`;

/** The element at the start of `bytes`. */
export function readElement(bytes: Buffer): Element {
  const [tag, first] = bytes;
  if (tag === undefined || first === undefined) throw new Unreadable('cut off before the length of an element');
  if ((tag & 0x1f) === 0x1f) throw new Unreadable(`a tag of several octets, ${hex(tag)}`);
  if (first === INDEFINITE) throw new Unreadable('an indefinite length, which DER has not');
  const octets = first < 0x80 ? 0 : first - 0x80;
  if (octets > MAX_LENGTH_OCTETS) throw new Unreadable(`a length of ${octets} octets`);
  const start = 2 + octets;
  if (bytes.length < start) throw new Unreadable('cut off inside of a length');
  const length = octets === 0 ? first : bytes.readUIntBE(2, octets);
  const end = start + length;
  if (end > bytes.length) {
    throw new Unreadable(`an element ${hex(tag)} of ${length} bytes where ${bytes.length - start} are left`);
  }
  return { tag, content: bytes.subarray(start, end), rest: bytes.subarray(end) };
}

/** The content of the element that `bytes` are, all of them. */
export function readOnly(bytes: Buffer, tag: number, name: string): Buffer {
  const element = readElement(bytes);
  if (element.tag !== tag) throw new Unreadable(`${name}: expected ${hex(tag)}, found ${hex(element.tag)}`);
  if (element.rest.length > 0) throw new Unreadable(`${name}: ${element.rest.length} bytes after its end`);
  return element.content;
}

/** The elements that `bytes` are, one after the other. */
export function readAll(bytes: Buffer, name: string): Element[] {
  const elements: Element[] = [];
  for (let rest = bytes; rest.length > 0; ) {
    if (elements.length === MAX_LIST) throw new Unreadable(`${name}: more than ${MAX_LIST} elements`);
    const element = readElement(rest);
    elements.push(element);
    rest = element.rest;
  }
  return elements;
}

/** The fields of a SEQUENCE with explicit tags: content by number. Those that a reader does not know do no harm. */
export function readFields(bytes: Buffer, name: string): ReadonlyMap<number, Buffer> {
  const fields = new Map<number, Buffer>();
  for (const { tag, content } of readAll(readOnly(bytes, TAG.sequence, name), name)) {
    const number = tag - context(0);
    if (number < 0 || number > 0x1e) throw new Unreadable(`${name}: a field with the tag ${hex(tag)}`);
    if (fields.has(number)) throw new Unreadable(`${name}: two fields [${number}]`);
    fields.set(number, content);
  }
  return fields;
}

/** An OBJECT IDENTIFIER in dots, from its content (X.690 §8.19). */
export function readObjectIdentifier(content: Buffer): string {
  const arcs: number[] = [];
  let arc = 0;
  let octets = 0;
  for (const octet of content) {
    octets += 1;
    if (octets > MAX_ARC_OCTETS) throw new Unreadable('an OBJECT IDENTIFIER with too large a number');
    arc = arc * 0x80 + (octet & 0x7f);
    if (octet >= 0x80) continue;
    arcs.push(arc);
    arc = 0;
    octets = 0;
  }
  const [first, ...rest] = arcs;
  if (first === undefined || octets > 0) throw new Unreadable('an OBJECT IDENTIFIER that is cut off');
  // §8.19.4: the first two numbers share an arc; the first is 0, 1 or 2.
  const root = Math.min(Math.floor(first / 40), 2);
  return [root, first - root * 40, ...rest].join('.');
}

/** An INTEGER or ENUMERATED of up to 32 bits, from its content (X.690 §8.3). */
export function readInteger(content: Buffer, name: string): number {
  if (content.length === 0 || content.length > 4) throw new Unreadable(`${name}: a number of ${content.length} bytes`);
  return content.readIntBE(0, content.length);
}
