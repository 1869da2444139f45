import type { LookupAddress, LookupAllOptions } from 'node:dns';
import { lookup as dnsLookup } from 'node:dns';
import type { LookupFunction } from 'node:net';
import ipaddr from 'ipaddr.js';

/** Whether addresses of the inside may be dialled. */
export type PrivatePolicy = 'allow' | 'deny';

/** The code of the error with which a dial ends that would have led inside. */
export const PROHIBITED = 'ERR_ADDRESS_PROHIBITED';

/** `ipaddr.js` names the special ranges (IANA's registries); these are the ones that are of the public internet. */
const PUBLIC: ReadonlySet<string> = new Set(['unicast']);
/** Cloud metadata services on addresses that are not link-local. */
const METADATA: ReadonlySet<string> = new Set(['fd00:ec2::254', '100.100.100.200', '168.63.129.16', '192.0.0.192']);

/** IPv6 ranges that carry an IPv4 address, and the byte at which it starts (smokescreen checks the same). */
const CARRIERS: readonly (readonly [range: string, at: number, inverted: boolean])[] = [
  ['64:ff9b::/96', 12, false],
  ['64:ff9b:1::/48', 12, false],
  ['2002::/16', 2, false],
  ['2001::/32', 12, true],
  ['::/96', 12, false],
];

/** Why an address must not be dialled under `private: deny`, or `undefined`. Takes any spelling of an address. */
export function prohibited(address: string): string | undefined {
  if (!ipaddr.isValid(address)) return 'not an address';
  const parsed = ipaddr.process(address);
  if (METADATA.has(parsed.toString())) return 'metadata';
  const carried = parsed.kind() === 'ipv6' ? carriedIPv4(parsed as ipaddr.IPv6) : undefined;
  if (carried !== undefined) return prohibited(carried);
  const range = parsed.range();
  return PUBLIC.has(range) ? undefined : range;
}

function carriedIPv4(address: ipaddr.IPv6): string | undefined {
  const bytes = address.toByteArray();
  // ::1 and :: are themselves, not carriers.
  if (bytes.slice(0, 12).every((byte) => byte === 0) && (bytes[12] ?? 0) === 0) return undefined;
  const carrier = CARRIERS.find(([range]) => address.match(ipaddr.IPv6.parseCIDR(range)));
  if (carrier === undefined) return undefined;
  const [, at, inverted] = carrier;
  return bytes
    .slice(at, at + 4)
    .map((byte) => (inverted ? byte ^ 0xff : byte))
    .join('.');
}

function prohibition(host: string, reason: string): NodeJS.ErrnoException {
  return Object.assign(new Error(`${host} is ${reason}`), { code: PROHIBITED });
}

/** Node never looks up a host that is an address: ask this first. The error that a dial would end with, if any. */
export function checkLiteral(host: string, policy: PrivatePolicy): NodeJS.ErrnoException | undefined {
  if (policy === 'allow' || !ipaddr.isValid(host)) return undefined;
  const reason = prohibited(host);
  return reason === undefined ? undefined : prohibition(host, reason);
}

/** How names become addresses; `dns.lookup` but in tests. */
export type Resolve = (
  host: string,
  options: LookupAllOptions,
  done: (error: NodeJS.ErrnoException | null, addresses: LookupAddress[]) => void,
) => void;

/**
 * A `lookup` for `net.connect` and `http.Agent` that gives only addresses that may be dialled. It is these very
 * addresses that are dialled: a name that resolves to another one a moment later (DNS rebinding) gains nothing.
 */
export function guardedLookup(policy: PrivatePolicy, resolve: Resolve = dnsLookup): LookupFunction {
  return (host, options, callback) => {
    resolve(host, { ...options, all: true }, (error, addresses) => {
      if (error !== null) return callback(error, '');
      const allowed =
        policy === 'allow' ? addresses : addresses.filter(({ address }) => prohibited(address) === undefined);
      const [first] = allowed;
      if (first === undefined) {
        const [refused] = addresses;
        return callback(prohibition(host, (refused && prohibited(refused.address)) ?? 'without an address'), '');
      }
      if (options.all === true) return callback(null, allowed);
      return callback(null, first.address, first.family);
    });
  };
}
