/**
 * Every record of the client protocol, declared once (zookeeper.jute). Field names are ZooKeeper's. A buffer that was
 * read is a view into the message; a null `ustring` or vector reads as empty where the two mean the same.
 */
import {
  bool,
  buffer,
  clampedLong,
  int,
  long,
  nullableUstring,
  sessionId,
  trailing,
  ustring,
  vector,
  zxid,
} from "./fields.ts";
import { record } from "./record.ts";

export type { RecordOf } from "./record.ts";

// ---- connection

/** `readOnly` is null for clients older than 3.4, which do not send it; answer those without it as well. */
export const ConnectRequest = record({
  protocolVersion: int,
  lastZxidSeen: zxid,
  /** ms */
  timeOut: int,
  /** 0 asks for a new session. */
  sessionId: sessionId,
  passwd: buffer,
  readOnly: trailing(bool),
});

/** `timeOut` 0 and `sessionId` 0: the session is refused. */
export const ConnectResponse = record({
  protocolVersion: int,
  timeOut: int,
  sessionId: sessionId,
  passwd: buffer,
  readOnly: trailing(bool),
});

export const RequestHeader = record({ xid: int, type: int });
export const ReplyHeader = record({ xid: int, zxid: zxid, err: int });
export const AuthPacket = record({ type: int, scheme: ustring, auth: buffer });
export const SaslRequest = record({ token: buffer });
export const SaslResponse = record({ token: buffer });
export const WatcherEvent = record({ type: int, state: int, path: ustring });
export const ErrorResponse = record({ err: int });

// ---- parts

export const IdRecord = record({ scheme: ustring, id: ustring });
export const AclRecord = record({ perms: int, scheme: ustring, id: ustring });

/** 68 bytes. `cversion` is what clients see (2 * stored - numChildren); times are ms since 1970. */
export const Stat = record({
  czxid: zxid,
  mzxid: zxid,
  ctime: long,
  mtime: long,
  version: int,
  cversion: int,
  aversion: int,
  /** 0 for all but ephemeral nodes. */
  ephemeralOwner: sessionId,
  dataLength: int,
  numChildren: int,
  pzxid: zxid,
});

/** 60 bytes, snapshots only. `cversion` is the stored counter; `ephemeralOwner` also marks container and TTL nodes. */
export const StatPersisted = record({
  czxid: zxid,
  mzxid: zxid,
  ctime: long,
  mtime: long,
  version: int,
  cversion: int,
  aversion: int,
  ephemeralOwner: sessionId,
  pzxid: zxid,
});

// ---- writes

/** Also create2 and createContainer. */
export const CreateRequest = record({ path: ustring, data: buffer, acl: vector(AclRecord), flags: int });
/** `ttl` in ms. */
export const CreateTTLRequest = record({
  path: ustring,
  data: buffer,
  acl: vector(AclRecord),
  flags: int,
  ttl: clampedLong,
});
export const CreateResponse = record({ path: ustring });
/** Of create2, createContainer and createTTL. */
export const Create2Response = record({ path: ustring, stat: Stat });
export const DeleteRequest = record({ path: ustring, version: int });
export const SetDataRequest = record({ path: ustring, data: buffer, version: int });
export const SetDataResponse = record({ stat: Stat });
/** `version` is compared with aversion. */
export const SetACLRequest = record({ path: ustring, acl: vector(AclRecord), version: int });
export const SetACLResponse = record({ stat: Stat });
/** Only inside multi. */
export const CheckVersionRequest = record({ path: ustring, version: int });
/** Answered with a GetDataResponse. A null list differs from an empty one: it was not given. */
export const ReconfigRequest = record({
  joiningServers: nullableUstring,
  leavingServers: nullableUstring,
  newMembers: nullableUstring,
  curConfigId: clampedLong,
});
/** Inside the ensemble only: what a learner forwards when a session is opened. */
export const CreateSessionRequest = record({ timeOut: int });

// ---- reads

export const ExistsRequest = record({ path: ustring, watch: bool });
export const ExistsResponse = record({ stat: Stat });
export const GetDataRequest = record({ path: ustring, watch: bool });
export const GetDataResponse = record({ data: buffer, stat: Stat });
export const GetACLRequest = record({ path: ustring });
export const GetACLResponse = record({ acl: vector(AclRecord), stat: Stat });
/** Also getChildren2. */
export const GetChildrenRequest = record({ path: ustring, watch: bool });
export const GetChildrenResponse = record({ children: vector(ustring) });
export const GetChildren2Response = record({ children: vector(ustring), stat: Stat });
export const SyncRequest = record({ path: ustring });
export const SyncResponse = record({ path: ustring });
/** Null, blank and "/" ask for all of the session's ephemerals. */
export const GetEphemeralsRequest = record({ prefixPath: nullableUstring });
export const GetEphemeralsResponse = record({ ephemerals: vector(ustring) });
export const GetAllChildrenNumberRequest = record({ path: ustring });
export const GetAllChildrenNumberResponse = record({ totalNumber: int });
export const ClientInfo = record({ authScheme: ustring, user: ustring });
export const WhoAmIResponse = record({ clientInfo: vector(ClientInfo) });

// ---- watches

export const AddWatchRequest = record({ path: ustring, mode: int });
/** `type` is a WatcherType. */
export const CheckWatchesRequest = record({ path: ustring, type: int });
export const RemoveWatchesRequest = record({ path: ustring, type: int });
export const SetWatches = record({
  relativeZxid: zxid,
  dataWatches: vector(ustring),
  existWatches: vector(ustring),
  childWatches: vector(ustring),
});
export const SetWatches2 = record({
  relativeZxid: zxid,
  dataWatches: vector(ustring),
  existWatches: vector(ustring),
  childWatches: vector(ustring),
  persistentWatches: vector(ustring),
  persistentRecursiveWatches: vector(ustring),
});

// ---- multi (see multi.ts)

export const MultiHeader = record({ type: int, done: bool, err: int });

// ---- ensemble

/** Data of FOLLOWERINFO and OBSERVERINFO. Old peers send 8 bytes (no protocolVersion) or 12 (no configVersion). */
export const LearnerInfo = record({
  serverid: long,
  protocolVersion: trailing(int),
  configVersion: trailing(long),
});
