/** PostgreSQL parameters by name, as they stand in postgresql.conf. */
export type PostgresSettings = Readonly<Record<string, string>>;

/** A single node that keeps its promises: nothing here trades durability for speed. */
const DEFAULT_SETTINGS: PostgresSettings = {
  max_connections: '100',
  shared_buffers: '128MB',
  wal_compression: 'on',
  // Short statements only: compiling them costs more than running them.
  jit: 'off',
  fsync: 'on',
  synchronous_commit: 'on',
  timezone: 'UTC',
  log_timezone: 'UTC',
  log_line_prefix: '%m [%p] ',
};

/** For a server that is thrown away after the tests: nothing needs to survive a power failure. */
export const THROWAWAY_SETTINGS: PostgresSettings = {
  fsync: 'off',
  synchronous_commit: 'off',
  full_page_writes: 'off',
  autovacuum: 'off',
};

/** Where and as what a server runs. */
export interface ServerPlace {
  readonly cluster: string;
  readonly clusterName: string;
  readonly port: number;
}

/** The arguments of `postgres`. They hold everything, so that postgresql.conf stays as initdb wrote it. */
export function serverArguments(place: ServerPlace, settings: PostgresSettings): readonly string[] {
  const all: PostgresSettings = {
    ...DEFAULT_SETTINGS,
    ...settings,
    // Loopback only, and no Unix socket: its path may be 107 bytes long, and a data folder's path has no such limit.
    listen_addresses: '127.0.0.1',
    unix_socket_directories: '',
    // Stands in the title of every server process, where `findOrphans` looks for it.
    cluster_name: place.clusterName,
  };
  const parameters = Object.entries(all).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
  return ['-D', place.cluster, '-p', String(place.port), ...parameters];
}
