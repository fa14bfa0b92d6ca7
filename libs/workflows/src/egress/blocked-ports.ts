/** Ports below 1024 that serve HTTP. Every other well-known port speaks something else. */
const WELL_KNOWN_HTTP_PORTS: ReadonlySet<number> = new Set([80, 443]);
const FIRST_UNPRIVILEGED_PORT = 1024;

/** The ports from 1024 up on the Fetch standard's list (https://fetch.spec.whatwg.org/#port-blocking). */
const FETCH_BAD_PORTS = [
  1719, 1720, 1723, 2049, 3659, 4045, 4190, 5060, 5061, 6000, 6566, 6665, 6666, 6667, 6668, 6669, 6679, 6697,
  10080,
] as const;

/**
 * Services that obey, or choke on, text an HTTP request can smuggle to them, or that hand over a machine to
 * whoever can reach them. Nobody calls these by HTTP on purpose, and an instance that lets its users do so
 * becomes a tool for attacking other people's servers.
 */
const SERVICE_PORTS = [
  1433, // SQL Server
  1521, // Oracle
  2181, // ZooKeeper
  2375, // Docker without TLS
  2376, // Docker
  2379, // etcd
  2380, // etcd peers
  3306, // MySQL
  3389, // Remote Desktop
  4222, // NATS
  5432, // PostgreSQL
  5672, // AMQP
  5900, // VNC
  5985, // WinRM
  5986, // WinRM with TLS
  6379, // Redis
  6432, // PgBouncer
  9042, // Cassandra
  9092, // Kafka
  9300, // Elasticsearch transport
  10250, // kubelet
  11211, // memcached
  27017, // MongoDB
] as const;

const REFUSED_PORTS: ReadonlySet<number> = new Set([...FETCH_BAD_PORTS, ...SERVICE_PORTS]);

/** Whether an HTTP request may go to this port: 80, 443, and any from 1024 up that is not a known other service. */
export function isHttpPort(port: number): boolean {
  if (port < FIRST_UNPRIVILEGED_PORT) return WELL_KNOWN_HTTP_PORTS.has(port);
  return !REFUSED_PORTS.has(port);
}
