/** Where we hold that a proxy need not refuse what is published, and why. */
export const NOT_REJECTED: ReadonlyMap<string, string> = new Map([
  [
    'ats/host/malformed-host',
    'in absolute-form its Host is a good one; RFC 9112 §3.2 is held by the other form, and by cases of our own',
  ],
  [
    'aiohttp/test_missing_host_header_rejected',
    'in absolute-form it has a Host; RFC 9112 §3.2 is held by the other form, and by a case of our own',
  ],
  ["aiohttp/test_bad_header_name/':'", 'RFC 9112 §5.1: the name ends at the first colon, and a value may hold others'],
]);

/** What is right by the letter and is refused all the same, and why. */
export const NOT_TAKEN: ReadonlyMap<string, string> = new Map(
  ['llhttp/request/invalid.md#L69', 'llhttp/request/invalid.md#L359'].map((id) => [
    id,
    'Node has a list of methods; RFC 9110 §9.1 lets a server refuse those that it does not know',
  ]),
);

/** Responses that must be refused, and that the parser of Node does not tell from good ones, and why that is no harm. */
export const READ_BY_NODE: ReadonlyMap<string, string> = new Map([
  [
    'llhttp/response/sample.md#L63',
    'ICE/1.1 is read as HTTP/1.1; what goes on is HTTP/1.1, framed in one way (RFC 9112 §6.3)',
  ],
]);
