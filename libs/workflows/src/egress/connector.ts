import { lookup } from 'node:dns/promises';
import { isIP, type LookupFunction, type Socket } from 'node:net';
import { buildConnector } from 'undici';
import { AddressRefused, EgressFault } from './fault';
import type { EgressRefusal } from './policy';

/** One address of a host, as `dns.lookup` with `all` reports it. */
export interface ResolvedAddress {
  readonly address: string;
  readonly family: number;
}

/** Resolves a host name to all its addresses, in the order in which they should be tried. */
export type AddressLookup = (hostname: string) => Promise<readonly ResolvedAddress[]>;

/** Judges all addresses of a host before one of them is dialled; `null` lets them. */
export type AddressJudge = (host: string, addresses: readonly string[]) => EgressRefusal | null;

/** The operating system's resolver, hosts file included: what it says is what would be dialled without us. */
export const systemLookup: AddressLookup = (hostname) => lookup(hostname, { all: true, verbatim: true });

const CONNECT_TIMEOUT_MS = 10_000;

/** Everything of an answer as it is sent. The longest body that a node accepts fits, also if each byte is a chunk. */
const MAX_ANSWER_BYTES = 64 * 1024 * 1024;

/** Node gives up on an address after 250 ms, less than one round trip to the far side of the world and back. */
const ATTEMPT_TIMEOUT_MS = 1_000;

/**
 * Opens connections to judged addresses only; the last gate before the network, whatever the code above did.
 *
 * A socket asks for addresses exactly once, and asks `judgedLookup`: it dials what was judged, so a name server
 * that answers differently the second time (rebinding) is never asked a second time. The server name for TLS stays
 * the one in the URL. For IP literals a socket asks nobody, so those are judged here.
 */
export function guardedConnector(judge: AddressJudge, resolve: AddressLookup): buildConnector.connector {
  const dial = buildConnector({
    lookup: judgedLookup(judge, resolve),
    autoSelectFamily: true,
    autoSelectFamilyAttemptTimeout: ATTEMPT_TIMEOUT_MS,
    timeout: CONNECT_TIMEOUT_MS,
    // Explicit, so that an environment variable can not switch certificate checks off.
    rejectUnauthorized: true,
    allowH2: false,
  });
  return (options, callback) => {
    const refusal = isIP(options.hostname) === 0 ? null : judge(options.hostname, [options.hostname]);
    if (refusal !== null) return callback(new AddressRefused(refusal), null);
    return dial(options, (...[error, socket]) => {
      if (error !== null) return callback(error, null);
      holdAnswers(socket);
      return callback(null, socket);
    });
  };
}

/**
 * Closes a connection on which an answer goes on and on without its body growing: chunks may carry extensions without
 * end. Requests on one connection come one after the other, so what is read since the last one was sent is its answer.
 */
function holdAnswers(socket: Socket): void {
  let [sent, readBefore] = [0, 0];
  socket.on('readable', () => {
    if (socket.bytesWritten !== sent) [sent, readBefore] = [socket.bytesWritten, socket.bytesRead];
    if (socket.bytesRead - readBefore <= MAX_ANSWER_BYTES) return;
    const message = `The answer takes more than ${MAX_ANSWER_BYTES} bytes to send, whatever its body holds.`;
    socket.destroy(new EgressFault('too_large', message));
  });
}

function judgedLookup(judge: AddressJudge, resolve: AddressLookup): LookupFunction {
  return (hostname, _options, callback) => {
    const judged = (resolved: readonly ResolvedAddress[]) => {
      if (resolved.length === 0) return callback(dnsFault(hostname), []);
      const refusal = judge(
        hostname,
        resolved.map(({ address }) => address),
      );
      if (refusal !== null) return callback(new AddressRefused(refusal), []);
      return callback(
        null,
        resolved.map(({ address, family }) => ({ address, family })),
      );
    };
    resolve(hostname).then(judged, (cause: unknown) => callback(dnsFault(hostname, cause), []));
  };
}

function dnsFault(hostname: string, cause?: unknown): EgressFault {
  const message = `The host name "${hostname}" could not be resolved; check its spelling and that it is public.`;
  return new EgressFault('dns', message, { cause });
}
