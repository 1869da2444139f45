import { DIGEST_ALGORITHMS, unusableRealm } from '@chain407/auth';
import type { Contradiction } from '@chain407/core';
import {
  cidr,
  duration,
  field,
  filePath,
  hostPattern,
  isLoopback,
  limitFields,
  listenAddress,
  parseAuthority,
  portRanges,
  secretSource,
  withoutContradictions,
} from '@chain407/core';
import ipaddr from 'ipaddr.js';
import { z } from 'zod';
import type { AccessRule } from './access.ts';
import { HELPER_DEFAULTS } from './helper/helper-pool.ts';
import type { HelperChoice } from './schemes.ts';
import { SCHEME_CHOICES } from './schemes.ts';
import type { TimeWindow } from './time-window.ts';
import { parseTimeWindow } from './time-window.ts';

const name = z.string().min(1);
const names = z.array(name).readonly().default([]);

/** An address that a name of `hosts` stands for; without a port the request's own is kept. */
export interface FixedAddress {
  readonly host: string;
  readonly port: number | undefined;
}

const fixedAddress = () =>
  field<FixedAddress>('an address with an optional port, such as 127.0.0.1:8407', (value) => {
    const text = String(value);
    const parsed = ipaddr.isValid(text) ? { host: text, port: undefined } : parseAuthority(text);
    return parsed !== undefined && ipaddr.isValid(parsed.host) ? { host: parsed.host, port: parsed.port } : undefined;
  });

const timeWindow = () =>
  field<TimeWindow>("a span of the week such as 'Mon-Fri 08:00-18:00'", (value) =>
    typeof value === 'string' ? parseTimeWindow(value) : undefined,
  );

const realm = () =>
  field<string>('a text without control characters, in ISO 8859-1', (value) =>
    typeof value === 'string' && unusableRealm(value) === undefined ? value : undefined,
  );

const conditionSchema = z.strictObject({
  users: names,
  groups: names,
  from: z.array(cidr()).readonly().default([]),
  to: z.array(hostPattern()).readonly().default([]),
  methods: z
    .array(z.string().regex(/^[A-Z]+$/, 'expected a method in capitals'))
    .readonly()
    .default([]),
  when: timeWindow().optional(),
});

const ruleSchema = z
  .strictObject({
    allow: conditionSchema.optional(),
    deny: conditionSchema.optional(),
    status: z.union([z.literal(403), z.literal(407)], { error: 'expected 403 or 407' }).optional(),
  })
  .transform((rule, context): AccessRule => {
    const condition = rule.allow ?? rule.deny;
    if (condition === undefined || (rule.allow !== undefined && rule.deny !== undefined)) {
      context.addIssue({ code: 'custom', message: 'expected either allow or deny' });
      return z.NEVER;
    }
    const complete = { ...condition, when: condition.when };
    if (rule.deny !== undefined) return { kind: 'deny', condition: complete, status: rule.status ?? 403 };
    if (rule.status !== undefined)
      context.addIssue({ code: 'custom', path: ['status'], message: 'expected status beside deny only' });
    return { kind: 'allow', condition: complete };
  });

/** A program and its arguments; or these with how it is run: in `folder`, where relative paths start. */
const helperSchema = <More extends z.ZodRawShape>(folder: string, more: More) => {
  const argv = z.tuple([z.string().min(1)], z.string(), 'expected a list: the program, then its arguments');
  return z.union(
    [
      argv.transform((list) => ({ argv: list, folder })),
      z
        .strictObject({
          argv,
          /** Processes at most. */
          children: z.int().min(1).default(HELPER_DEFAULTS.children),
          /** Until a reply must be there. */
          timeout: duration().default(HELPER_DEFAULTS.timeout),
          ...more,
        })
        .transform((helper) => ({ ...helper, folder })),
    ],
    { error: 'expected a list such as [/usr/lib/squid/basic_ncsa_auth, ./htpasswd], or { argv: […], children, … }' },
  );
};

/** One that is asked about accounts; of a handshake each has a process to itself, and no channel-IDs. */
const accountHelperSchema = (folder: string) =>
  helperSchema(folder, {
    /** Requests that one process takes at once, by channel-IDs; 0: one at a time, without. */
    concurrency: z.int().min(0).default(HELPER_DEFAULTS.concurrency),
  });

const helpersSchema = (folder: string) =>
  z.strictObject({
    basic: accountHelperSchema(folder).optional(),
    digest: accountHelperSchema(folder).optional(),
    ntlm: helperSchema(folder, {}).optional(),
    negotiate: helperSchema(folder, {}).optional(),
  } satisfies { readonly [S in HelperChoice]: z.ZodType });

/** NetBIOS names (MS-NBTE §2.2.1): up to 15 characters. */
const netbiosName = () => z.string().regex(/^[A-Za-z0-9_.-]{1,15}$/, 'expected up to 15 letters, digits and - . _');

const digestSchema = (baseDir: string) =>
  z.strictObject({
    /** Preferred one first. */
    algorithms: z.array(z.enum(DIGEST_ALGORITHMS)).min(1).readonly().default(['SHA-256', 'MD5']),
    qop: z
      .array(z.enum(['auth', 'auth-int']))
      .min(1)
      .readonly()
      .default(['auth']),
    /** Clients hide the user name (RFC 7616 §3.4.4). */
    userhash: z.boolean().default(false),
    /** Also takes credentials without qop, as RFC 2069 has them: no protection against replay. */
    rfc2069: z.boolean().default(false),
    nonceLifetime: duration().default(300_000),
    /** Of the nonces: replicas that share it, and this one after a restart, know each other's. */
    key: secretSource(baseDir).optional(),
  });

const authSchema = (baseDir: string) =>
  z.strictObject({
    schemes: z.array(z.enum(SCHEME_CHOICES)).min(1).readonly().default(['basic']),
    anonymous: z.boolean().default(false),
    digest: digestSchema(baseDir).prefault({}),
    /** Who NTLM clients are told that this is. */
    ntlm: z
      .strictObject({ domain: netbiosName().default('CHAIN407'), computer: netbiosName().default('UPSTREAM') })
      .prefault({}),
    helpers: helpersSchema(baseDir).prefault({}),
  });

const userSchema = (baseDir: string) =>
  z.union(
    [
      z.strictObject({ name, password: secretSource(baseDir), groups: names }),
      z.strictObject({ name, hash: name, groups: names }),
      z.strictObject({ name, ntHash: secretSource(baseDir), groups: names }),
      z.strictObject({ name, token: secretSource(baseDir), groups: names }),
      z.strictObject({ htpasswd: filePath(baseDir), groups: names }),
      z.strictObject({ htdigest: filePath(baseDir), groups: names }),
    ],
    {
      error:
        'expected { name, password: { env: … } }, { name, hash }, { name, ntHash: { file: … } }, { name, token: { env: … } }, { htpasswd: PATH } or { htdigest: PATH }, each with optional groups',
    },
  );

const limitsSchema = z.strictObject({
  ...limitFields(),
  /** Without a byte to or from either side while an exchange is under way. */
  responseTimeout: duration().default(120_000),
});

const EVERYTHING = { users: [], groups: [], from: [], to: [], methods: [], when: undefined } as const;
/** Without `access`: whoever has been recognised, or everybody where nobody is asked. */
const DEFAULT_ACCESS: readonly AccessRule[] = [{ kind: 'allow', condition: EVERYTHING }];

/** The section `upstream:` of a configuration. Relative paths in it start at `baseDir`. */
export const upstreamSchema = (baseDir: string) =>
  withoutContradictions(
    z.strictObject({
      listen: listenAddress(baseDir).default({ host: '127.0.0.1', port: 3129 }),
      realm: realm().default('Chain407 upstream'),
      auth: authSchema(baseDir).prefault({}),
      users: z.array(userSchema(baseDir)).readonly().default([]),
      access: z.array(ruleSchema).readonly().default(DEFAULT_ACCESS),
      ports: z
        .strictObject({ connect: portRanges().prefault([443]), any: portRanges().prefault([80, 443, '1024-65535']) })
        .prefault({}),
      private: z.enum(['allow', 'deny']).default('deny'),
      hosts: z.record(name, fixedAddress()).default({}),
      limits: limitsSchema.prefault({}),
    }),
    contradictions,
  );

export type UpstreamConfig = z.output<ReturnType<typeof upstreamSchema>>;

/** What each key alone cannot show; parts that are wrong in themselves are passed over. */
function* contradictions(config: unknown): Generator<Contradiction> {
  if (typeof config !== 'object' || config === null) return;
  const { auth, users, listen, access } = config as Partial<UpstreamConfig>;
  const helpers = Object.keys(auth?.helpers ?? {});
  if (auth?.anonymous === false && Array.isArray(users) && users.length === 0 && helpers.length === 0) {
    yield {
      path: ['users'],
      message: 'expected at least one user, or auth: { anonymous: true }: nobody could use this proxy',
    };
  }
  const schemes: readonly string[] = Array.isArray(auth?.schemes) ? auth.schemes : [];
  for (const scheme of helpers) {
    if (schemes.includes(scheme)) continue;
    yield { path: ['auth', 'helpers', scheme], message: `expected ${scheme} among auth.schemes: it is not offered` };
  }
  if (helpers.includes('digest') && auth?.digest?.userhash === true)
    yield {
      path: ['auth', 'digest', 'userhash'],
      message: 'expected false beside auth.helpers.digest: helpers know no hashed names',
    };
  const algorithms: unknown = auth?.digest?.algorithms;
  if (helpers.includes('digest') && Array.isArray(algorithms) && !algorithms.includes('MD5'))
    yield {
      path: ['auth', 'digest', 'algorithms'],
      message:
        'expected MD5 among them beside auth.helpers.digest: it is the only one that helpers know, and is offered',
    };
  if (schemes.includes('negotiate') && !helpers.includes('negotiate')) {
    yield {
      path: ['auth', 'schemes'],
      message:
        'expected auth.helpers.negotiate, such as [/usr/lib/squid/negotiate_kerberos_auth]: Negotiate has no other verifier',
    };
  }
  const open = auth?.anonymous === true && listen?.host !== undefined && !isLoopback(listen.host);
  if (open && !(Array.isArray(access) && access.length > 0 && access.every(limitsClients))) {
    const message = `expected an address of this machine, or "from" in every allow rule: ${listen.host} with auth.anonymous is an open proxy`;
    yield { path: ['listen'], message };
  }
}

const limitsClients = (rule: AccessRule): boolean => rule.kind === 'deny' || rule.condition?.from.length > 0;
