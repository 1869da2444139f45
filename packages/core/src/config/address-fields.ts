import ipaddr from 'ipaddr.js';
import type { z } from 'zod';
import { parseAuthority } from '../http/request-target.ts';
import { field } from './fields.ts';

export interface ListenAddress {
  readonly host: string;
  readonly port: number;
}

/** `127.0.0.1:3128`, `[::1]:0`, `localhost:3128`; `:3128` listens on every address. */
export function listenAddress(): z.ZodType<ListenAddress> {
  return field('an address such as 127.0.0.1:3128 or [::1]:3128 (port 0-65535; 0: any free one)', (value) => {
    const [, v6, name, digits] = /^(?:\[([0-9A-Fa-f:.]+)\]|([^\s:[\]/]*)):([0-9]{1,5})$/.exec(String(value)) ?? [];
    const port = Number(digits);
    if (!(port <= 65_535) || (v6 !== undefined && !ipaddr.IPv6.isValid(v6))) return undefined;
    const host = v6 ?? name ?? '';
    return { host: host === '' ? '::' : host, port };
  });
}

/** True where only this machine can connect. */
export function isLoopback(host: string): boolean {
  if (host === 'localhost') return true;
  return ipaddr.isValid(host) && ipaddr.process(host).range() === 'loopback';
}

export interface ProxyUrl {
  readonly host: string;
  readonly port: number;
}

/** `http://proxy.example:8080`: where a proxy is, and nothing else. */
export function httpUrl(): z.ZodType<ProxyUrl> {
  const expected =
    'http://HOST:PORT of a proxy (https is not supported yet; a user name and password belong under credentials)';
  return field(expected, (value) => {
    const [, authority] = /^http:\/\/([^@/?#]+)\/?$/i.exec(String(value)) ?? [];
    const parsed = authority === undefined ? undefined : parseAuthority(authority);
    return parsed === undefined ? undefined : { host: parsed.host, port: parsed.port ?? 80 };
  });
}

export interface AddressRange {
  readonly text: string;
  /** An IPv4 address inside IPv6 counts as the IPv4 address. */
  contains(address: string): boolean;
}

function parseRange(text: string): AddressRange | undefined {
  const isRange = ipaddr.isValidCIDR(text);
  if (!isRange && !ipaddr.isValid(text)) return undefined;
  const [base, bits] = isRange
    ? ipaddr.parseCIDR(text)
    : [ipaddr.parse(text), ipaddr.parse(text).kind() === 'ipv4' ? 32 : 128];
  return {
    text,
    contains: (address) => {
      if (!ipaddr.isValid(address)) return false;
      const parsed = ipaddr.process(address);
      if (parsed.kind() !== base.kind()) return false;
      return parsed.match(base, bits);
    },
  };
}

/** `10.0.0.0/8`, `::1` */
export function cidr(): z.ZodType<AddressRange> {
  return field('an address or a range such as 10.0.0.0/8', (value) =>
    typeof value === 'string' ? parseRange(value) : undefined,
  );
}

export interface HostPattern {
  readonly text: string;
  matches(host: string, port: number): boolean;
}

const bare = (host: string): string =>
  host
    .toLowerCase()
    .replace(/\.$/, '')
    .replace(/^\[|\]$/g, '');
const NAME = /^(?:\*\.)?[a-z0-9_](?:[a-z0-9._-]*[a-z0-9_])?$/;

function parseHostPattern(text: string): HostPattern | undefined {
  const [, host = '', digits] =
    /^(.*?|\[[^\]]*\])(?::([0-9]{1,5}))?$/.exec(ipaddr.isValid(text) || ipaddr.isValidCIDR(text) ? `${text}` : text) ??
    [];
  const whole = ipaddr.isValid(text) || ipaddr.isValidCIDR(text);
  const name = bare(whole ? text : host);
  const port = whole || digits === undefined ? undefined : Number(digits);
  if (port !== undefined && (port < 1 || port > 65_535)) return undefined;
  const matchesHost = hostMatcher(name);
  if (matchesHost === undefined) return undefined;
  return { text, matches: (other, at) => (port === undefined || port === at) && matchesHost(bare(other)) };
}

function hostMatcher(name: string): ((host: string) => boolean) | undefined {
  if (name === '*') return () => true;
  const range = parseRange(name);
  if (range !== undefined) return (host) => range.contains(host);
  if (!NAME.test(name)) return undefined;
  // Whole labels only: *.example must not match evil-example (CVE-2026-22068).
  if (name.startsWith('*.')) return (host) => host.length > name.length - 1 && host.endsWith(name.slice(1));
  return (host) => host === name;
}

/** `*`, `example.com`, `*.example.com` (not the bare domain), an address or a range; each with an optional `:port`. */
export function hostPattern(): z.ZodType<HostPattern> {
  return field('a host such as example.com, *.example.com, 10.0.0.0/8 or *, with an optional :port', (value) =>
    typeof value === 'string' ? parseHostPattern(value) : undefined,
  );
}

export interface PortRanges {
  readonly text: string;
  contains(port: number): boolean;
}

/** `[80, 443, '1024-65535']` */
export function portRanges(): z.ZodType<PortRanges> {
  return field("a list of ports and ranges such as [80, 443, '1024-65535']", (value) => {
    if (!Array.isArray(value)) return undefined;
    const ranges = value.map((entry) => {
      const [, from, to = from] = /^([0-9]{1,5})(?:-([0-9]{1,5}))?$/.exec(String(entry)) ?? [];
      return { from: Number(from), to: Number(to) };
    });
    if (!ranges.every(({ from, to }) => from >= 1 && from <= to && to <= 65_535)) return undefined;
    return { text: value.join(', '), contains: (port) => ranges.some(({ from, to }) => port >= from && port <= to) };
  });
}
