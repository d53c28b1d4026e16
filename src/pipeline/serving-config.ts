/** The settings that serving clients depends on; ServerConfig has them all under the same names. Sizes in bytes. */
export interface ServingConfig {
  /** Connections from one address; 0 = no limit. */
  readonly maxClientCnxns: number;
  readonly minSessionTimeoutMs: number;
  readonly maxSessionTimeoutMs: number;
  /** Largest frame a client may send. */
  readonly juteMaxBuffer: number;
  /** Requests in flight on this server above which connections that have some in flight are not read. */
  readonly globalOutstandingLimit: number;
  readonly enforceQuota: boolean;
  readonly extendedTypesEnabled: boolean;
  readonly digestEnabled: boolean;
  readonly skipAcl: boolean;
  readonly superDigest: string | null;
}
