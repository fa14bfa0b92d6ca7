export { Config, ConfigError, parseConfig } from './config/config';
export { loadConfig } from './config/load-config';
export { Secret } from './config/secret';
export { AppError, defineErrors, type ErrorKind, type ErrorType, type Problem } from './errors/app-error';
export { platformErrors } from './errors/platform-errors';
export { Clock, SystemClock } from './time/clock';
export { Ids, isUuid, UuidV7Ids } from './ids/ids';
export { Random, SystemRandom } from './ids/random';
export { Cells } from './db/cells';
export { Db } from './db/db';
export { TenantDirectory } from './db/directory';
export { cellDataSourceOptions, CONTROL_SCHEMA, FIRST_CELL } from './db/data-source';
export { checkDatabase, DatabaseCheckError } from './db/check-database';
export {
  type MigrationClass,
  MigrationError,
  type Migrations,
  type MigrationState,
  Migrator,
} from './db/migrator';
export { type PrintedSchema, printSchemas } from './db/schema-printer';
export { onViolation } from './db/pg-errors';
export { knownStatements, type Statement, statement } from './db/statement';
export type { Tx } from './db/tx';
export { CurrentAccess, CurrentPrincipal, CurrentUser, Public, Requires } from './auth/decorators';
export { type ApiKeyPrincipal, type Principal, principalKey, type UserPrincipal } from './auth/principal';
export { type Access, WorkspaceAccess } from './auth/workspace-access.port';
export { type Hint, hint, Hints } from './events/hints';
export type { LoopDuty, LoopResult, ProcessRole } from './loops/loop-duty';
export {
  type CursorPosition,
  decodeCursor,
  encodeCursor,
  type Page,
  pageOf,
  pageQuery,
  pageSchema,
} from './http/page';
export { Idempotency, type IdempotencyKey, type JsonLike } from './http/idempotency';
export { IdempotencyKeyOf } from './http/idempotency-key.decorator';
export { Alarm } from './time/alarm';
export { sleep } from './time/sleep';
export { Batcher, type BatcherOptions } from './batch/batcher';
export { constantTimeEqual, sha256 } from './crypto/digest';
export { InstallationKeyError, loadInstallationKey, verifyInstallationKey } from './crypto/installation-key';
export { Keys } from './crypto/keys';
export { SecretBox, SecretBoxError } from './crypto/secret-box';
export { drainOrder, Lifecycle, type LifecyclePhase } from './lifecycle/lifecycle';
export { installSignalHandlers } from './lifecycle/signals';
export { type LogFields, Logger, type LogLevel } from './log/logger';
export { NestLogger } from './log/nest-logger';
export { PinoLogger } from './log/pino-logger';
export type { LoopBeat, LoopHandle } from './loops/loop';
export { Loops } from './loops/loops';
export { type NotificationHandler, Notifications } from './db/listener';
export { DevMailbox, type ReceivedMail } from './mail/dev-mailbox';
export { Mail, type MailToSend } from './mail/mail';
export { MailTransport, type OutgoingMail } from './mail/mail-transport.port';
export { PlatformModule, type PlatformOptions } from './platform.module';
export { HealthChecks, type CheckState, type HealthCheck, type Readiness } from './health/health-checks';
export { AllowedMethods } from './http/allowed-methods';
export { installBodyParsers } from './http/body-parser';
export { etagOf, type ExpectedRevision, expectedRevisionOf, IfMatch, staleRevision } from './http/etag';
export { answerClientError, answerFrameworkError } from './http/framework-errors';
export { installHttpHooks } from './http/http-hooks';
export { HttpModule } from './http/http.module';
export { checkJson, type JsonReading, MAX_JSON_DEPTH, readJson } from './http/json-guard';
export { buildOpenApi, OPENAPI_PATH, REFERENCE_PATH, serveReference } from './http/openapi';
export { ProblemFilter } from './http/problem.filter';
export { productVersion } from './http/product-version';
export { RawBodyRoute } from './http/raw-body.decorator';
export { acceptedRequestId, currentRequest, type RequestContext, withRequest } from './http/request-context';
export { SchemaValidationPipe } from './http/schema-validation.pipe';
export { type EventStream, type EventStreamOptions, openStream, type StreamEvent } from './http/sse';
export {
  DataFolderInUseError,
  type EmbeddedPostgres,
  EmbeddedPostgresError,
  startEmbeddedPostgres,
} from './embedded-postgres';
