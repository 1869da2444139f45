import { AuthError } from '../../errors.ts';
import type { ReadToken } from '../../token68.ts';
import { readToken, Unreadable } from '../../token68.ts';
import { hasFlag } from './flags.ts';

/** NEGOTIATE_MESSAGE (MS-NLMP §2.2.1.1). */
export interface NegotiateMessage {
  readonly type: 1;
  readonly flags: number;
  /** Both in the OEM code page whatever the flags say, read as ISO 8859-1; empty where the flags do not announce them. */
  readonly domain: string;
  readonly workstation: string;
}

/** CHALLENGE_MESSAGE (MS-NLMP §2.2.1.2). */
export interface ChallengeMessage {
  readonly type: 2;
  readonly flags: number;
  readonly targetName: string;
  /** 8 bytes. */
  readonly serverChallenge: Uint8Array;
  /** AV pairs, undecoded: the client hashes the bytes. There if, and only if, the flags announce it. */
  readonly targetInfo?: Uint8Array;
}

/** AUTHENTICATE_MESSAGE (MS-NLMP §2.2.1.3). */
export interface AuthenticateMessage {
  readonly type: 3;
  readonly flags: number;
  readonly domain: string;
  readonly user: string;
  readonly workstation: string;
  readonly lmResponse: Uint8Array;
  readonly ntResponse: Uint8Array;
  readonly sessionKey: Uint8Array;
  /** The 16 bytes where a MIC would be; absent where the payload begins before them. Whether they are one, AV flags say. */
  readonly mic?: Uint8Array;
}

export type NtlmMessage = NegotiateMessage | ChallengeMessage | AuthenticateMessage;

export type DecodedNtlm = ReadToken<{ readonly message: NtlmMessage; readonly bytes: Uint8Array }>;

const MAX_FIELD = 0xffff;
/** Where an AUTHENTICATE_MESSAGE has its MIC: after the version. */
export const MIC_AT = 72;
export const MIC_LENGTH = 16;
const SIGNATURE = Buffer.from('NTLMSSP\0', 'latin1');

type TextEncoding = 'utf16le' | 'latin1';

/** How text is written: Unicode wins where both are set (MS-NLMP §2.2.2.5). OEM code pages agree in ASCII only. */
function encodingOf(flags: number): TextEncoding {
  return hasFlag(flags, 'NEGOTIATE_UNICODE') ? 'utf16le' : 'latin1';
}

const typeOf = (bytes: Buffer): number => bytes.readUInt32LE(8);

/** A message and where its fixed part ends: no field of the payload may reach into that. */
class Reader {
  readonly bytes: Buffer;
  readonly header: number;
  /** Where the payload begins, as far as it was read. */
  payload: number;

  constructor(bytes: Buffer, header: number) {
    this.bytes = bytes;
    this.header = header;
    this.payload = bytes.length;
    if (bytes.length < header) {
      throw this.#unreadable(`${bytes.length} bytes, a message of this type has at least ${header}`);
    }
  }

  #unreadable(why: string): Unreadable {
    return new Unreadable(`type ${typeOf(this.bytes)}: ${why}`);
  }

  /** What the length and offset at `at` point to. The offset of an empty field means nothing (§2.2.1). */
  field(at: number, name: string): Buffer {
    const length = this.bytes.readUInt16LE(at);
    if (length === 0) return Buffer.alloc(0);
    const offset = this.bytes.readUInt32LE(at + 4);
    if (offset < this.header) throw this.#unreadable(`the ${name} lies inside of the header, at ${offset}`);
    if (offset + length > this.bytes.length) {
      throw this.#unreadable(
        `the ${name} ends at ${offset + length}, past the end of the message at ${this.bytes.length}`,
      );
    }
    this.payload = Math.min(this.payload, offset);
    return this.bytes.subarray(offset, offset + length);
  }

  text(at: number, name: string, encoding: TextEncoding): string {
    const field = this.field(at, name);
    if (encoding === 'utf16le' && field.length % 2 !== 0) {
      throw this.#unreadable(`the ${name} has ${field.length} bytes, an odd number, in UTF-16`);
    }
    return field.toString(encoding);
  }
}

function readNegotiate(bytes: Buffer): NegotiateMessage {
  const reader = new Reader(bytes, 32);
  const flags = bytes.readUInt32LE(12);
  const oem = (
    flag: 'NEGOTIATE_OEM_DOMAIN_SUPPLIED' | 'NEGOTIATE_OEM_WORKSTATION_SUPPLIED',
    at: number,
    name: string,
  ) => (hasFlag(flags, flag) ? reader.text(at, name, 'latin1') : '');
  return {
    type: 1,
    flags,
    domain: oem('NEGOTIATE_OEM_DOMAIN_SUPPLIED', 16, 'domain'),
    workstation: oem('NEGOTIATE_OEM_WORKSTATION_SUPPLIED', 24, 'workstation'),
  };
}

function readChallenge(bytes: Buffer): ChallengeMessage {
  // Old servers end after their challenge.
  const flags = new Reader(bytes, 32).bytes.readUInt32LE(20);
  const informed = hasFlag(flags, 'NEGOTIATE_TARGET_INFO');
  const reader = new Reader(bytes, informed ? 48 : 32);
  return {
    type: 2,
    flags,
    targetName: reader.text(12, 'target name', encodingOf(flags)),
    serverChallenge: bytes.subarray(24, 32),
    ...(informed ? { targetInfo: reader.field(40, 'target info') } : {}),
  };
}

function readAuthenticate(bytes: Buffer): AuthenticateMessage {
  const reader = new Reader(bytes, 64);
  const flags = bytes.readUInt32LE(60);
  const encoding = encodingOf(flags);
  const fields = {
    lmResponse: reader.field(12, 'LM response'),
    ntResponse: reader.field(20, 'NT response'),
    domain: reader.text(28, 'domain', encoding),
    user: reader.text(36, 'user name', encoding),
    workstation: reader.text(44, 'workstation', encoding),
    sessionKey: reader.field(52, 'session key'),
  };
  // Neither version nor MIC is announced by a flag that all peers keep to; but the payload begins behind them.
  const mic = reader.payload >= MIC_AT + MIC_LENGTH ? { mic: bytes.subarray(MIC_AT, MIC_AT + MIC_LENGTH) } : {};
  return { type: 3, flags, ...fields, ...mic };
}

const READERS = new Map<number, (bytes: Buffer) => NtlmMessage>([
  [1, readNegotiate],
  [2, readChallenge],
  [3, readAuthenticate],
]);

function readMessage(bytes: Buffer): NtlmMessage {
  if (bytes.length < 12) throw new Unreadable(`${bytes.length} bytes, too short for a message of NTLM`);
  if (!bytes.subarray(0, 8).equals(SIGNATURE)) throw new Unreadable('no signature NTLMSSP at its start');
  const read = READERS.get(typeOf(bytes));
  if (read === undefined) throw new Unreadable(`a message of type ${typeOf(bytes)}, there are 1, 2 and 3`);
  return read(bytes);
}

/** Reads the token of a challenge or of credentials. Never throws. */
export function decodeToken(token68: string): DecodedNtlm {
  return readToken(token68, (bytes) => ({ message: readMessage(bytes), bytes }));
}

/** Writes a header of a fixed size and behind it the payload that fields point into. */
class Writer {
  readonly #header: Buffer;
  readonly #payload: Uint8Array[] = [];
  #end: number;

  constructor(type: number, size: number) {
    this.#header = Buffer.alloc(size);
    SIGNATURE.copy(this.#header);
    this.#header.writeUInt32LE(type, 8);
    this.#end = size;
  }

  flags(at: number, flags: number): void {
    this.#header.writeUInt32LE(flags, at);
  }

  bytes(at: number, bytes: Uint8Array): void {
    this.#header.set(bytes, at);
  }

  field(at: number, value: Uint8Array): void {
    if (value.length > MAX_FIELD) {
      throw new AuthError('ERR_AUTH_INVALID_VALUE', `a field of NTLM holds ${MAX_FIELD} bytes, not ${value.length}`);
    }
    this.#header.writeUInt16LE(value.length, at);
    this.#header.writeUInt16LE(value.length, at + 2);
    this.#header.writeUInt32LE(this.#end, at + 4);
    this.#payload.push(value);
    this.#end += value.length;
  }

  done(): Buffer {
    return Buffer.concat([this.#header, ...this.#payload]);
  }
}

/**
 * Writes one message, with a version of zeros where what follows it needs the room (§2.2.2.10: it is for debugging only).
 * The flags go out as they are: they must announce what is there. Throws {@link AuthError} for a field over 65,535 bytes.
 */
export function encodeMessage(message: NtlmMessage): Buffer {
  switch (message.type) {
    case 1: {
      const writer = new Writer(1, 32);
      writer.flags(12, message.flags);
      writer.field(16, Buffer.from(message.domain, 'latin1'));
      writer.field(24, Buffer.from(message.workstation, 'latin1'));
      return writer.done();
    }
    case 2: {
      const writer = new Writer(2, 56);
      writer.field(12, Buffer.from(message.targetName, encodingOf(message.flags)));
      writer.flags(20, message.flags);
      writer.bytes(24, message.serverChallenge);
      if (message.targetInfo !== undefined) writer.field(40, message.targetInfo);
      return writer.done();
    }
    case 3: {
      const encoding = encodingOf(message.flags);
      const writer = new Writer(3, message.mic === undefined ? 64 : MIC_AT + MIC_LENGTH);
      writer.field(28, Buffer.from(message.domain, encoding));
      writer.field(36, Buffer.from(message.user, encoding));
      writer.field(44, Buffer.from(message.workstation, encoding));
      writer.field(12, message.lmResponse);
      writer.field(20, message.ntResponse);
      writer.field(52, message.sessionKey);
      writer.flags(60, message.flags);
      if (message.mic !== undefined) writer.bytes(MIC_AT, message.mic);
      return writer.done();
    }
  }
}
