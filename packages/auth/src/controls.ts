// C0, DEL and C1: where a peer's text is shown these steer the terminal, and no profile of user names has them
// (RFC 8265 §3).
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what must not pass
export const CONTROLS = /[\x00-\x1f\x7f-\x9f]/g;

export function hasControls(text: string): boolean {
  return text.search(CONTROLS) >= 0;
}

/** A peer's text, made safe to show: `\x1b` in place of an escape. */
export function printable(text: string): string {
  return text.replace(CONTROLS, (control) => `\\x${control.charCodeAt(0).toString(16).padStart(2, '0')}`);
}
