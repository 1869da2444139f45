/** Whose effect is the same however often they are sent (RFC 9110 §9.2.2). */
const IDEMPOTENT: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE', 'PUT', 'DELETE']);

/** A proxy may send it again of its own accord. */
export const isIdempotent = (method: string): boolean => IDEMPOTENT.has(method);
