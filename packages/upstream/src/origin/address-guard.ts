import type { LookupAddress, LookupAllOptions } from 'node:dns';
import type { LookupFunction } from 'node:net';
import { isIP } from 'node:net';
import { lookupName } from '@chain407/core';
import ipaddr from 'ipaddr.js';

/** Whether addresses of the inside may be dialled. */
export type PrivatePolicy = 'allow' | 'deny';

/** The code of the error with which a dial ends that would have led inside. */
export const PROHIBITED = 'ERR_ADDRESS_PROHIBITED';

/** The special ranges (IANA's registries) by the names of `ipaddr.js`, in words; those that are not here are reserved. */
const REASONS: ReadonlyMap<string, string> = new Map([
  ['unspecified', 'unspecified'],
  ['loopback', 'loopback'],
  ['private', 'private'],
  ['uniqueLocal', 'private'],
  ['deprecatedSiteLocal', 'private'],
  ['linkLocal', 'link-local'],
  ['carrierGradeNat', 'carrier-grade NAT'],
  ['multicast', 'multicast'],
  ['broadcast', 'broadcast'],
]);

/** Cloud metadata services: AWS (and most others), ECS, AWS and Google by IPv6, Alibaba, Azure (a public address), Oracle. */
const METADATA: ReadonlySet<string> = new Set([
  '169.254.169.254',
  '169.254.170.2',
  'fd00:ec2::254',
  'fd20:ce::254',
  '100.100.100.200',
  '168.63.129.16',
  '192.0.0.192',
]);

interface Carrier {
  readonly range: [ipaddr.IPv6, number];
  /** The byte at which the IPv4 address starts. */
  readonly at: number;
  readonly inverted: boolean;
}

const carrier = (range: string, at: number, inverted = false): Carrier => ({
  range: ipaddr.IPv6.parseCIDR(range),
  at,
  inverted,
});

/** IPv6 ranges whose packets end at an IPv4 address inside the address (smokescreen checks the same). */
const CARRIERS: readonly Carrier[] = [
  // NAT64 (RFC 6052), and the first /96 of its local range (RFC 8215): elsewhere in that, nobody knows where it stands.
  carrier('64:ff9b::/96', 12),
  carrier('64:ff9b:1::/96', 12),
  // 6to4 (RFC 3056).
  carrier('2002::/16', 2),
  // Teredo (RFC 4380 §4).
  carrier('2001::/32', 12, true),
];

/** All that IANA has given out for the public internet. */
const GLOBAL_UNICAST = ipaddr.IPv6.parseCIDR('2000::/3');

/** Why an address must not be dialled under `private: deny`, or `undefined`. Takes any spelling of an address. */
export function prohibited(address: string): string | undefined {
  // The zone names an interface of this machine (RFC 4007 §11); Node takes more for a zone than ipaddr.js does.
  const [withoutZone = ''] = address.split('%', 1);
  return ipaddr.isValid(withoutZone) ? reasonFor(ipaddr.process(withoutZone)) : 'not an address';
}

function reasonFor(address: ipaddr.IPv4 | ipaddr.IPv6): string | undefined {
  if (METADATA.has(address.toString())) return 'metadata';
  if (address instanceof ipaddr.IPv6) {
    const carried = carriedIPv4(address);
    if (carried !== undefined) return reasonFor(carried);
    if (address.range() === 'unicast' && !address.match(GLOBAL_UNICAST)) return 'reserved';
  }
  const range: string = address.range();
  return range === 'unicast' ? undefined : (REASONS.get(range) ?? 'reserved');
}

function carriedIPv4(address: ipaddr.IPv6): ipaddr.IPv4 | undefined {
  const found = CARRIERS.find(({ range }) => address.match(range));
  if (found === undefined) return undefined;
  const bytes = address.toByteArray().slice(found.at, found.at + 4);
  return new ipaddr.IPv4(found.inverted ? bytes.map((byte) => byte ^ 0xff) : bytes);
}

function prohibition(host: string, reason: string): NodeJS.ErrnoException {
  return Object.assign(new Error(`${host} must not be dialled: ${reason}`), { code: PROHIBITED });
}

/** Node never looks up a host that is an address: ask this first. The error that a dial would end with, if any. */
export function checkLiteral(host: string, policy: PrivatePolicy): NodeJS.ErrnoException | undefined {
  if (policy === 'allow' || (isIP(host) === 0 && !ipaddr.isValid(host))) return undefined;
  const reason = prohibited(host);
  return reason === undefined ? undefined : prohibition(host, reason);
}

/** How names become addresses; `lookupName` but in tests. */
export type Resolve = (
  host: string,
  options: LookupAllOptions,
  done: (error: NodeJS.ErrnoException | null, addresses: LookupAddress[]) => void,
) => void;

/**
 * A `lookup` for `net.connect` and `http.Agent` that gives only addresses that may be dialled. It is these very
 * addresses that are dialled: a name that resolves to another one a moment later (DNS rebinding) gains nothing.
 */
export function guardedLookup(policy: PrivatePolicy, resolve: Resolve = lookupName as Resolve): LookupFunction {
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
