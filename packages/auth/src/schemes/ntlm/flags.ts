/** NegotiateFlags (MS-NLMP §2.2.2.5), by the names that the document gives them without `NTLMSSP_`. */
export const FLAGS = {
  NEGOTIATE_UNICODE: 0x0000_0001,
  NEGOTIATE_OEM: 0x0000_0002,
  REQUEST_TARGET: 0x0000_0004,
  NEGOTIATE_SIGN: 0x0000_0010,
  NEGOTIATE_SEAL: 0x0000_0020,
  NEGOTIATE_DATAGRAM: 0x0000_0040,
  NEGOTIATE_LM_KEY: 0x0000_0080,
  NEGOTIATE_NTLM: 0x0000_0200,
  ANONYMOUS: 0x0000_0800,
  NEGOTIATE_OEM_DOMAIN_SUPPLIED: 0x0000_1000,
  NEGOTIATE_OEM_WORKSTATION_SUPPLIED: 0x0000_2000,
  NEGOTIATE_ALWAYS_SIGN: 0x0000_8000,
  TARGET_TYPE_DOMAIN: 0x0001_0000,
  TARGET_TYPE_SERVER: 0x0002_0000,
  NEGOTIATE_EXTENDED_SESSIONSECURITY: 0x0008_0000,
  NEGOTIATE_IDENTIFY: 0x0010_0000,
  REQUEST_NON_NT_SESSION_KEY: 0x0040_0000,
  NEGOTIATE_TARGET_INFO: 0x0080_0000,
  NEGOTIATE_VERSION: 0x0200_0000,
  NEGOTIATE_128: 0x2000_0000,
  NEGOTIATE_KEY_EXCH: 0x4000_0000,
  NEGOTIATE_56: 0x8000_0000,
} as const;

export type FlagName = keyof typeof FLAGS;

/** The flags of these names in one number. Unsigned, as the wire has them: `|` alone makes bit 31 a sign. */
export function flagsOf(...names: readonly FlagName[]): number {
  return names.reduce((all, name) => all | FLAGS[name], 0) >>> 0;
}

export function hasFlag(flags: number, name: FlagName): boolean {
  return (flags & FLAGS[name]) !== 0;
}

/** The names of all flags that are set; what has no name is shown as one hexadecimal number. */
export function flagNames(flags: number): string[] {
  const known = (Object.keys(FLAGS) as FlagName[]).filter((name) => hasFlag(flags, name));
  const rest = (flags & ~flagsOf(...known)) >>> 0;
  return rest === 0 ? known : [...known, `0x${rest.toString(16).padStart(8, '0')}`];
}
