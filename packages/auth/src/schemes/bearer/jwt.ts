import type { Secret } from '../../secret.ts';

/**
 * What can be read off a token that is a JWT (RFC 7519 §3), unverified: whoever holds a token may read it, and must not
 * believe it. It tells a client when to fetch the next one, and nothing else depends on it.
 */

/** The claim `exp`: seconds since 1970 (RFC 7519 §4.1.4); `undefined` where the token is no JWT or never ends. */
export function jwtExpiry(token: Secret): number | undefined {
  const exp = part(token, 1)?.exp;
  return typeof exp === 'number' && Number.isFinite(exp) ? exp : undefined;
}

/** The header parameter `alg` (RFC 7515 §4.1.1), where it is one of a registered form. */
export function jwtAlgorithm(token: Secret): string | undefined {
  const alg = part(token, 0)?.alg;
  return typeof alg === 'string' && /^[A-Za-z0-9+-]{1,32}$/.test(alg) ? alg : undefined;
}

interface Claims {
  readonly alg?: unknown;
  readonly exp?: unknown;
}

/** The JSON of the header (0) or of the claims (1). */
function part(token: Secret, index: 0 | 1): Claims | undefined {
  const parts = token.reveal().split('.', 4);
  // An encrypted one (JWE) has five parts, and its claims are not for us.
  const text = parts.length === 3 ? parts[index] : undefined;
  if (text === undefined || !/^[A-Za-z0-9_-]+$/.test(text)) return undefined;
  try {
    const json: unknown = JSON.parse(Buffer.from(text, 'base64url').toString('utf8'));
    return typeof json === 'object' && json !== null ? json : undefined;
  } catch {
    return undefined;
  }
}
