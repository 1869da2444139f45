import type { Role } from '../plain-tier.ts';
import { plainSection } from '../plain-tier.ts';
import { Child } from './child.ts';

/** A tier in a process of its own. */
export interface StormedTier {
  readonly child: Child;
  readonly port: number;
}

/** What a tier holds: memory in bytes. */
export interface Measured {
  readonly connections: number;
  readonly descriptors: number;
  readonly memory: number;
  /** Log lines of level `error`: each is a bug. */
  readonly errors: readonly string[];
}

/** Starts a tier before the hop at this port, with the limits of a configuration. */
export async function startTierProcess(
  role: Role,
  hop: number,
  limits: object,
  openFiles?: number,
): Promise<StormedTier> {
  const section = JSON.stringify(plainSection(role, hop, limits));
  const child = new Child('tier-process.mjs', [role, section], openFiles);
  const { port } = await child.says<{ port: number }>('port');
  return { child, port };
}

export const measure = ({ child }: StormedTier): Promise<Measured> => child.ask('measure', 'connections');

/** So often it may be asked whether it has seen the last connection go. */
const TRIES = 500;

/** What it holds when no client is left, and no more descriptors than these. */
export async function measureAlone(tier: StormedTier, descriptors = Infinity): Promise<Measured> {
  let measured = await measure(tier);
  for (let i = 0; i < TRIES && (measured.connections > 0 || measured.descriptors > descriptors); i += 1)
    measured = await measure(tier);
  return measured;
}
