/** The part of the library that is used; it has no types of its own. */
declare module 'js-md4' {
  const library: { readonly arrayBuffer: (message: Uint8Array) => ArrayBuffer };
  export = library;
}
