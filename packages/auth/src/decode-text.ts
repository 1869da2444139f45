const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** `undefined` for bytes that are no UTF-8. */
export function decodeUtf8(bytes: Uint8Array): string | undefined {
  try {
    return utf8.decode(bytes);
  } catch {
    return undefined;
  }
}

/** Bytes that are no UTF-8 are taken for ISO 8859-1, which peers that know no `charset` send (RFC 7617, Appendix B.3). */
export function decodeText(bytes: Buffer): string {
  return decodeUtf8(bytes) ?? bytes.toString('latin1');
}
