/**
 * Path rules (org.apache.zookeeper.common.PathUtils). They apply to the final path of create, setData, setACL and check,
 * after the sequence number was appended; reads do not ask.
 *
 * @returns why the path is refused, or null if it is good
 */
export function validatePath(path: string): string | null {
  const length = path.length;
  if (length === 0) return "Path length must be > 0";
  if (path.charCodeAt(0) !== SLASH) return "Path must start with / character";
  if (length === 1) return null;
  if (path.charCodeAt(length - 1) === SLASH) return "Path must not end with / character";
  let componentStart = 1;
  for (let i = 1; i < length; i++) {
    const unit = path.charCodeAt(i);
    if (unit === SLASH) {
      if (i === componentStart) return `empty node name specified @${i}`;
      if (isRelative(path, componentStart, i)) return `relative paths not allowed @${i - 1}`;
      componentStart = i + 1;
    } else if (unit < 0x20 || (unit >= 0x7f && isForbidden(unit))) {
      return unit === 0 ? `null character not allowed @${i}` : `invalid character @${i}`;
    }
  }
  return isRelative(path, componentStart, length) ? `relative paths not allowed @${length - 1}` : null;
}

/** `/a/b` → `/a`, `/a` → `/`. The root and text without a slash have no parent: "". */
export function parentOf(path: string): string {
  const slash = path.lastIndexOf("/");
  if (slash > 0) return path.slice(0, slash);
  return slash === 0 && path.length > 1 ? "/" : "";
}

/** `/a/b` → `b`; of the root "". */
export function baseName(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}

const SLASH = 0x2f;
const DOT = 0x2e;

/** Control characters, surrogates and private use, specials. */
function isForbidden(unit: number): boolean {
  return unit <= 0x9f || (unit >= 0xd800 && unit <= 0xf8ff) || unit >= 0xfff0;
}

/** Is the component "." or ".."? */
function isRelative(path: string, from: number, to: number): boolean {
  const length = to - from;
  if (length !== 1 && length !== 2) return false;
  return path.charCodeAt(from) === DOT && path.charCodeAt(to - 1) === DOT;
}
