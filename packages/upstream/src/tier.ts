/** Stands in pages and `Proxy-Status`. */
export const TIER = 'chain407-upstream';
