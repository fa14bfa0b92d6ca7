export { type EmbeddedPostgres, startEmbeddedPostgres } from './embedded-postgres';
export { DataFolderInUseError, EmbeddedPostgresError } from './embedded-postgres-error';
export { THROWAWAY_SETTINGS } from './settings';
