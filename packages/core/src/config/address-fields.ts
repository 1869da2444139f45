import ipaddr from 'ipaddr.js';
import { z } from 'zod';
import { parseAuthority } from '../http/request-target.ts';
import { field, scalarText } from './fields.ts';
import { listenerTls } from './tls-fields.ts';

export interface ListenAddress {
  readonly host: string;
  readonly port: number;
  /** Paths of its certificate and key, where it speaks TLS. */
  readonly tls?: { readonly cert: string; readonly key: string } | undefined;
}

/** An address, or `{ address, tls: { cert, key } }`; relative paths start at `baseDir`. */
export function listenAddress(baseDir: string): z.ZodType<ListenAddress> {
  const address = socketAddress();
  const secured = z
    .strictObject({ address, tls: listenerTls(baseDir).optional() })
    .transform(({ address, tls }) => ({ ...address, tls }));
  return z.union([address, secured]);
}

/** `127.0.0.1:3128`, `[::1]:0`, `localhost:3128`; `:3128` is every address. */
function socketAddress(): z.ZodType<ListenAddress> {
  return field('an address such as 127.0.0.1:3128 or [::1]:3128 (port 0-65535; 0: any free one)', (value) => {
    if (typeof value !== 'string') return undefined;
    const [, v6, name, digits] = /^(?:\[([0-9A-Fa-f:.]+)\]|([A-Za-z0-9._-]*)):([0-9]{1,5})$/.exec(value) ?? [];
    const port = Number(digits);
    if (!(port <= 65_535) || (v6 !== undefined && !ipaddr.IPv6.isValid(v6))) return undefined;
    const host = v6 ?? name ?? '';
    if (/^[0-9.]+$/.test(host) && !isAddress(host)) return undefined;
    return { host: host === '' ? '::' : host, port };
  });
}

/** True where only this machine can connect. */
export function isLoopback(host: string): boolean {
  if (host.toLowerCase() === 'localhost') return true;
  return ipaddr.isValid(host) && ipaddr.process(host).range() === 'loopback';
}

/** An address in full: not `10`, `127.1` or `0177.0.0.1`, which the C library takes for addresses too. */
const isAddress = (text: string): boolean => ipaddr.IPv4.isValidFourPartDecimal(text) || ipaddr.IPv6.isValid(text);

export interface ProxyUrl {
  readonly protocol: 'http:' | 'https:';
  /** Lower case, an IPv6 address without brackets. */
  readonly host: string;
  readonly port: number;
}

const DEFAULT_PORT = { 'http:': 80, 'https:': 443 } as const;

/** `http://proxy.example:8080`, or `https:` (80 or 443 where no port is named): where a proxy is, and nothing else. */
export function httpUrl(): z.ZodType<ProxyUrl> {
  return field('http://HOST:PORT or https://HOST:PORT of a proxy', (value, because) => {
    const [, scheme = '', rest = ''] = /^([a-z][a-z0-9+.-]*):\/\/(.*)$/is.exec(String(scalarText(value))) ?? [];
    const protocol = `${scheme.toLowerCase()}:`;
    if (protocol !== 'http:' && protocol !== 'https:') return undefined;
    if (rest.includes('@')) return because('a user name and password belong under credentials');
    const authority = rest.replace(/\/$/, '');
    if (/[/?#]/.test(authority))
      return because('a proxy has no path and no query; credentials belong under credentials');
    const parsed = parseAuthority(authority);
    return parsed && { protocol, host: parsed.host, port: parsed.port ?? DEFAULT_PORT[protocol] };
  });
}

export interface AddressRange {
  readonly text: string;
  /** An IPv4 address inside IPv6 counts as the IPv4 address. */
  contains(address: string): boolean;
}

function parseRange(text: string): AddressRange | undefined {
  const [address = '', prefix] = text.split('/');
  if (!isAddress(address) || (prefix !== undefined && !ipaddr.isValidCIDR(text))) return undefined;
  const written = ipaddr.parse(address);
  const base = ipaddr.process(address);
  const width = base.kind() === 'ipv4' ? 32 : 128;
  // ::ffff:10.0.0.0/104 is 10.0.0.0/8.
  const bits = prefix === undefined ? width : Number(prefix) - (written.kind() === base.kind() ? 0 : 96);
  if (bits < 0) return undefined;
  return {
    text,
    contains: (other) => {
      // Any form that would be dialled as an address counts as one, so that none slips past a rule.
      if (!ipaddr.isValid(other)) return false;
      const parsed = ipaddr.process(other);
      return parsed.kind() === base.kind() && parsed.match(base, bits);
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
  /** `host` in any case, with or without a trailing dot or the brackets of IPv6. */
  matches(host: string, port: number): boolean;
}

const bare = (host: string): string =>
  host
    .toLowerCase()
    .replace(/\.$/, '')
    .replace(/^\[(.*)\]$/, '$1');
/** Labels, the first of which may be `*`. */
const NAME = /^(?:\*\.)?[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?(?:\.[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?)*$/;

function parseHostPattern(text: string): HostPattern | undefined {
  const whole = parseRange(text) !== undefined;
  const [, host = '', digits] = whole ? ['', text] : (/^(\[[^\]]*\]|[^:]*)(?::([0-9]{1,5}))?$/.exec(text) ?? []);
  const port = digits === undefined ? undefined : Number(digits);
  if (port !== undefined && (port < 1 || port > 65_535)) return undefined;
  const matchesHost = host === '*' ? () => true : hostMatcher(bare(host));
  return (
    matchesHost && { text, matches: (other, at) => (port === undefined || port === at) && matchesHost(bare(other)) }
  );
}

function hostMatcher(name: string): ((host: string) => boolean) | undefined {
  const range = parseRange(name);
  if (range !== undefined) return (host) => range.contains(host);
  if (!NAME.test(name) || /^[0-9.]+$/.test(name)) return undefined;
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
      const [, from, to = from] = /^([0-9]{1,5})(?:-([0-9]{1,5}))?$/.exec(scalarText(entry) ?? '') ?? [];
      return { from: Number(from), to: Number(to) };
    });
    if (!ranges.every(({ from, to }) => from >= 1 && from <= to && to <= 65_535)) return undefined;
    return { text: value.join(', '), contains: (port) => ranges.some(({ from, to }) => port >= from && port <= to) };
  });
}
