import type { LogLevel, RunningTier } from '@chain407/core';
import { createLogger } from '@chain407/core';
import { downstreamSchema, startDownstream } from '@chain407/downstream';
import { startUpstream, upstreamSchema } from '@chain407/upstream';

export const ROLES = ['downstream', 'upstream'] as const;
export type Role = (typeof ROLES)[number];

/** A tier that asks nobody for credentials, and has none. */
export interface PlainTier extends RunningTier {
  /** Log lines, from the level that was asked for. */
  readonly lines: readonly string[];
}

const SECTIONS: { readonly [R in Role]: (hop: number) => object } = {
  downstream: (hop) => ({ identity: 'none', upstreams: { hop: { url: `http://127.0.0.1:${hop}` } } }),
  upstream: () => ({ auth: { anonymous: true }, private: 'allow', ports: { connect: ['1-65535'], any: ['1-65535'] } }),
};

/** Its section of a configuration: before the hop at a port of this machine, with limits. */
export const plainSection = (role: Role, hop: number, limits: object): object => ({
  listen: '127.0.0.1:0',
  ...SECTIONS[role](hop),
  limits,
});

/** Starts what such a section says; `base`: the folder that it is read from. */
export async function startTier(
  role: Role,
  section: object,
  level: LogLevel = 'warn',
  base = import.meta.dirname,
): Promise<PlainTier> {
  const lines: string[] = [];
  const options = { logger: createLogger(level, { write: (line: string) => void lines.push(line) }) };
  const tier = await (role === 'downstream'
    ? startDownstream(downstreamSchema(base).parse(section), options)
    : startUpstream(upstreamSchema(base).parse(section), options));
  return Object.defineProperty(tier as PlainTier, 'lines', { value: lines });
}
