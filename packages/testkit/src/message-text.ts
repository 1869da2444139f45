/** The head of a response as Latin-1 text, with its empty line; `headers` as name, value … */
export function responseHeadText(statusLine: string, headers: readonly string[]): string {
  let text = `${statusLine}\r\n`;
  for (let i = 0; i + 1 < headers.length; i += 2) text += `${headers[i]}: ${headers[i + 1]}\r\n`;
  return `${text}\r\n`;
}
