import type { AuthMessage } from '@chain407/auth';

/** A message as it is compared: `toEqual` forgives the order of a `Map`, but not that of a list. */
export interface Plain {
  readonly scheme: string;
  readonly token68?: string;
  readonly params: readonly (readonly [string, string])[];
}

export function plain({ scheme, token68, params }: AuthMessage): Plain {
  return { scheme, ...(token68 === undefined ? {} : { token68 }), params: [...params] };
}

export function bare(scheme: string, params: Readonly<Record<string, string>> = {}): Plain {
  return { scheme, params: Object.entries(params) };
}

export function token(scheme: string, token68: string): Plain {
  return { scheme, token68, params: [] };
}
