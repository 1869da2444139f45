/** The origin that clients ask the next hop for; the next hop is it. */
export const NAME = 'origin.test';

/** The account that every proxy is given. Neither ':' nor '@', which tinyproxy cannot hold. */
export const USER = 'alice';
export const PASSWORD = 'Wonderland-407';
/** What a client sends that knows it itself. */
export const BASIC = `Basic ${Buffer.from(`${USER}:${PASSWORD}`).toString('base64')}`;
/** The password as upstreams know it: bcrypt, cost 5. */
export const HASH = '$2y$05$HOagJBFWusdWX3uj1UwbT.jfmCn0HXJeZkG7fG504OFQ51/C4jgrC';
