/** What `srvr`, `mntr` and `envi` answer as version. Clients parse its first three numbers as ZooKeeper's feature level. */

/** The ZooKeeper release whose protocol and file formats this server speaks. */
export const PROTOCOL_VERSION = "3.8.0";
/** Same as in package.json (tested). */
export const PRODUCT_VERSION = "0.1.0";
const RELEASED = "2026-11-22 00:00 UTC";

export const FULL_VERSION = `${PROTOCOL_VERSION}-zoetrope-${PRODUCT_VERSION}, built on ${RELEASED}`;
