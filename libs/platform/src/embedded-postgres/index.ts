export {
  type EmbeddedPostgres,
  type EmbeddedPostgresOptions,
  type ServerExit,
  startEmbeddedPostgres,
} from './embedded-postgres';
export { DataFolderInUseError, EmbeddedPostgresError } from './embedded-postgres-error';
export { type PostgresSettings, THROWAWAY_SETTINGS } from './settings';
