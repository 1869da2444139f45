/** AvId (MS-NLMP §2.2.2.1). */
export const AV_ID = {
  EOL: 0,
  NbComputerName: 1,
  NbDomainName: 2,
  DnsComputerName: 3,
  DnsDomainName: 4,
  DnsTreeName: 5,
  Flags: 6,
  Timestamp: 7,
  SingleHost: 8,
  TargetName: 9,
  ChannelBindings: 10,
} as const;

/** The bit of MsvAvFlags that says: the AUTHENTICATE_MESSAGE has a MIC. */
const MIC_PROVIDED = 0x2;

export interface AvPair {
  readonly id: number;
  readonly value: Uint8Array;
}

export type DecodedAvPairs =
  | { readonly ok: true; readonly pairs: AvPair[] }
  | { readonly ok: false; readonly why: string };

/** Reads the list up to its MsvAvEOL; what comes after that is none of it. Never throws. */
export function decodeAvPairs(bytes: Uint8Array): DecodedAvPairs {
  const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const pairs: AvPair[] = [];
  let at = 0;
  while (at + 4 <= view.length) {
    const id = view.readUInt16LE(at);
    const end = at + 4 + view.readUInt16LE(at + 2);
    if (id === AV_ID.EOL) return { ok: true, pairs };
    if (end > view.length) return { ok: false, why: `the target info ends inside of the pair at ${at}` };
    pairs.push({ id, value: view.subarray(at + 4, end) });
    at = end;
  }
  return { ok: false, why: 'the target info has no end mark (MsvAvEOL)' };
}

/** The list with its MsvAvEOL. */
export function encodeAvPairs(pairs: readonly AvPair[]): Buffer {
  const parts = pairs.map(({ id, value }) => {
    const head = Buffer.alloc(4);
    head.writeUInt16LE(id, 0);
    head.writeUInt16LE(value.length, 2);
    return Buffer.concat([head, value]);
  });
  return Buffer.concat([...parts, Buffer.alloc(4)]);
}

/** The value of the first pair with this id. */
export function avValue(pairs: readonly AvPair[], id: number): Uint8Array | undefined {
  return pairs.find((pair) => pair.id === id)?.value;
}

/** A pair of text: Unicode, whatever the flags say (MS-NLMP §2.2.2.1). */
export function avText(id: number, text: string): AvPair {
  return { id, value: Buffer.from(text, 'utf16le') };
}

/** MsvAvFlags, 0 where there is none. */
function avFlags(pairs: readonly AvPair[]): number {
  const value = avValue(pairs, AV_ID.Flags);
  return value?.length === 4 ? Buffer.from(value).readUInt32LE(0) : 0;
}

export function announcesMic(pairs: readonly AvPair[]): boolean {
  return (avFlags(pairs) & MIC_PROVIDED) !== 0;
}

/** The same list with the MIC announced in MsvAvFlags, beside what flags the server had set. */
export function withMicAnnounced(pairs: readonly AvPair[]): AvPair[] {
  const value = Buffer.alloc(4);
  value.writeUInt32LE((avFlags(pairs) | MIC_PROVIDED) >>> 0, 0);
  return [...pairs.filter(({ id }) => id !== AV_ID.Flags), { id: AV_ID.Flags, value }];
}
