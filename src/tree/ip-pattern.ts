/** Ids of scheme "ip": `address` or `address/bits`, IPv4 only, as in ZooKeeper 3.8 (IPAuthenticationProvider). */

export function isIpPattern(pattern: string): boolean {
  const slash = pattern.indexOf("/");
  if (slash < 0) return parseIpv4(pattern) !== null;
  return parseIpv4(pattern.slice(0, slash)) !== null && parseBits(pattern.slice(slash + 1)) !== null;
}

/** `address`: of a peer; IPv4 addresses that a dual-stack socket shows as IPv6 (`::ffff:1.2.3.4`) count as what they are. */
export function matchesIp(pattern: string, address: string): boolean {
  const slash = pattern.indexOf("/");
  const wanted = parseIpv4(slash < 0 ? pattern : pattern.slice(0, slash));
  const bits = slash < 0 ? 32 : parseBits(pattern.slice(slash + 1));
  const actual = parseIpv4(address.startsWith(MAPPED_PREFIX) ? address.slice(MAPPED_PREFIX.length) : address);
  if (wanted === null || bits === null || actual === null) return false;
  if (bits === 0) return true;
  return (wanted ^ actual) >>> (32 - bits) === 0;
}

const MAPPED_PREFIX = "::ffff:";

/** 32 bits, or null. */
function parseIpv4(text: string): number | null {
  const parts = text.split(".");
  if (parts.length !== 4) return null;
  let address = 0;
  for (const part of parts) {
    const byte = parseNumber(part);
    if (byte === null || byte > 255) return null;
    address = (address << 8) | byte;
  }
  return address;
}

function parseBits(text: string): number | null {
  const bits = parseNumber(text);
  return bits !== null && bits <= 32 ? bits : null;
}

function parseNumber(text: string): number | null {
  return /^\+?\d{1,9}$/.test(text) ? Number(text) : null;
}
